"""``afterpost context``: the performance_context.json that the generator reads."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import ContextError
from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING, moment

if TYPE_CHECKING:
    from pipeline.accounts import AccountConfig
    from pipeline.settings import Settings

app = typer.Typer(
    help="The performance_context.json that the generator reads.", no_args_is_help=True
)

AccountArgument = Annotated[
    str | None, typer.Argument(metavar="[ACCOUNT]", help="Name of a folder under accounts/.")
]
AccountOption = Annotated[
    str | None, typer.Option("--account", "-a", help="The same, as an option.")
]


@app.command("show")
def show(account: AccountArgument = None, account_option: AccountOption = None) -> None:
    """Print the file as it stands.

    The first, neutral one is made when there is none yet.
    """
    from pipeline.decide.context import read_context

    settings, config = _account(account, account_option)
    _ensure(settings, config)
    loaded = read_context(settings, config.name)
    sys.stdout.write(loaded.raw_bytes.decode("utf-8"))
    if not loaded.raw_bytes.endswith(b"\n"):
        sys.stdout.write("\n")


@app.command("check")
def check(account: AccountArgument = None, account_option: AccountOption = None) -> None:
    """Check one account's file, or all.

    A valid edit by hand is adopted as a new version; exit 1 when a file is wrong.
    """
    from pipeline.accounts import account_names, load_account
    from pipeline.settings import load_settings

    settings = load_settings()
    named = account or account_option
    names = [options.one_account(account, account_option)] if named else None
    wrong = False
    for name in names or account_names(settings.accounts_dir):
        config = load_account(settings.accounts_dir, name)
        try:
            _ensure(settings, config)
        except ContextError as error:
            wrong = True
            output.say_error(str(error))
        else:
            output.say(f"ok {name}: {output.short_path(_path(settings, name))}")
    if wrong:
        raise typer.Exit(code=1)


@app.command("history")
def history(
    account: AccountArgument = None,
    account_option: AccountOption = None,
    as_json: options.AsJson = False,
) -> None:
    """List every version that the file had, and why."""
    from pipeline.decide.context import history as versions_of

    settings, config = _account(account, account_option)
    versions = versions_of(settings, config.name)
    if as_json:
        output.print_json([dataclasses.asdict(version) for version in versions])
        return
    output.table(
        [
            ("no.", Align.RIGHT),
            ("context", Align.LEFT),
            ("made", Align.LEFT),
            ("why", Align.LEFT),
            ("by", Align.LEFT),
        ],
        [
            (
                str(version.sequence),
                version.context_id,
                moment(version.created_at),
                " ".join(filter(None, [version.cause.value, version.recommendation_id])),
                version.decided_by or MISSING,
            )
            for version in versions
        ],
    )


@app.command("diff")
def diff(account: AccountArgument = None, account_option: AccountOption = None) -> None:
    """Show what the last change did to the file."""
    from pipeline.decide.context import diff as difference

    settings, config = _account(account, account_option)
    output.say(difference(settings, config.name) or "No change yet.")


@app.command("revert")
def revert(
    account: AccountArgument = None,
    account_option: AccountOption = None,
    to: Annotated[
        str | None,
        typer.Option(help="Number or id of the version to go back to. Default: the one before."),
    ] = None,
    note: options.Note = None,
    by: options.By = None,
) -> None:
    """Put the former file back, byte for byte.

    The change is undone, not forgotten: the history keeps both.

    Example: afterpost context revert dreamtimelullabies
    """
    from pipeline.clock import utc_now
    from pipeline.decide.context import revert as revert_to

    settings, config = _account(account, account_option)
    revert_to(settings, config.name, by=options.decider(by), now=utc_now(), to=to, note=note)
    output.say(f"Reverted: {output.short_path(_path(settings, config.name))}")


def _account(argument: str | None, option: str | None) -> "tuple[Settings, AccountConfig]":
    """The settings and the named account's configuration."""
    from pipeline.accounts import load_account
    from pipeline.settings import load_settings

    settings = load_settings()
    name = options.one_account(argument, option)
    return settings, load_account(settings.accounts_dir, name)


def _ensure(settings: "Settings", account: "AccountConfig") -> None:
    """Make the first file, adopt a valid edit, finish a write that was killed.

    Raises:
        ContextError: The file is invalid; it is left as it is.
    """
    from pipeline.clock import utc_now
    from pipeline.decide.context import ensure_context

    ensure_context(settings, account, utc_now())


def _path(settings: "Settings", account_name: str) -> Path:
    from pipeline.decide.context import context_path

    return context_path(settings, account_name)
