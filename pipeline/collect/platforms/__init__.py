"""One file per platform: its actors, how to read one of their rows, and what a row is."""
