"""The options that several commands share, so that they are called and described alike."""

from typing import Annotated

import typer

from pipeline.errors import UsageError
from pipeline.platform_names import platform_names

PLATFORM_NAMES = ", ".join(platform_names())

Account = Annotated[
    str,
    typer.Option("--account", "-a", help="Name of a folder under accounts/.", show_default=False),
]
OneAccount = Annotated[
    str | None, typer.Option("--account", "-a", help="Name of a folder under accounts/.")
]
AllAccounts = Annotated[
    bool, typer.Option("--all", help="Every account, and what they have in common.")
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", "-a", help="Name of a folder under accounts/; may be repeated."),
]
Platforms = Annotated[
    list[str] | None,
    typer.Option(
        "--platform", "-p", help=f"One of {PLATFORM_NAMES}; may be repeated. Default: all."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
By = Annotated[
    str | None,
    typer.Option(help="Who decides; stored with the decision. Default: your user name."),
]
Note = Annotated[str | None, typer.Option(help="Why; stored with the decision.")]


def decider(by: str | None) -> str:
    """Who decides: the given name, or the name of the user who runs the command."""
    if by:
        return by
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "cli"


def one_account(argument: str | None, option: str | None) -> str:
    """The account, given as an argument or as ``--account``.

    Raises:
        UsageError: Neither, or two different ones.
    """
    if argument and option and argument != option:
        raise UsageError(f"Two accounts were named, {argument!r} and {option!r}: name one.")
    account = argument or option
    if not account:
        raise UsageError("No account was named: give its name, or --account NAME.")
    return account
