"""The ``afterpost`` command: parse the words, call one function of a room, print, exit code.

Nothing heavy is imported when these modules are: every command imports what it needs when it runs,
so that ``--help`` answers at once.
"""
