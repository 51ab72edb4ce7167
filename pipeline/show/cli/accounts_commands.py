"""``afterpost accounts``: list, add and check the folders under accounts/."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import AfterpostError, UsageError
from pipeline.platform_names import platform_names
from pipeline.show.cli import options, output

app = typer.Typer(help="The accounts: one folder each under accounts/.", no_args_is_help=True)


@app.command("list")
def list_accounts(as_json: options.AsJson = False) -> None:
    """List the accounts and their profiles."""
    from pipeline.accounts import load_accounts
    from pipeline.settings import load_settings

    settings = load_settings()
    accounts = load_accounts(settings.accounts_dir)
    if as_json:
        output.print_json([account.model_dump(mode="json") for account in accounts])
        return
    if not accounts:
        output.say(
            f"There are no accounts in {output.short_path(settings.accounts_dir)} yet: "
            "`afterpost accounts add NAME` makes one."
        )
        return
    output.table(
        [
            ("account", output.Align.LEFT),
            ("profiles", output.Align.LEFT),
            ("time zone", output.Align.LEFT),
            ("formats", output.Align.RIGHT),
            ("pillars", output.Align.RIGHT),
        ],
        [
            (
                account.name,
                "\n".join(
                    f"{platform.value} {handle}"
                    for platform, handle in account.platform_profiles.items()
                )
                or "none: not scraped",
                account.timezone,
                str(len(account.formats)),
                str(len(account.content_pillars)),
            )
            for account in accounts
        ],
    )


def _with_an_option_per_platform(command: Callable[..., None]) -> Callable[..., None]:
    """The command with one option for a handle per platform, in place of its ``handles``."""

    def with_options(**values: Any) -> None:
        handles = {name: values.pop(name) for name in platform_names()}
        command(handles=handles, **values)

    parameters = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.name != "handles":
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        for name in platform_names():
            option = typer.Option(f"--{name.replace('_', '-')}", help=f"Handle on {name}.")
            parameters.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=None,
                    annotation=Annotated[str | None, option],
                )
            )
    # What Typer reads of a command: the parameters with their kinds, its name, its words.
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    return with_options


@app.command("add")
@_with_an_option_per_platform
def add(
    name: Annotated[str, typer.Argument(help="Folder name: a-z, 0-9 and _.")],
    handles: dict[str, str | None],
    profile: Annotated[
        list[str] | None,
        typer.Option(help="Platform and handle, as youtube=my.handle; may be repeated."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="IANA zone that the account's days and hours are read in.")
    ] = "UTC",
) -> None:
    """Add an account.

    Formats and pillars are then written into its account.yaml by hand.

    Example: afterpost accounts add my_account --instagram my.handle --timezone Europe/Berlin
    """
    from pipeline.accounts import add_account
    from pipeline.settings import load_settings

    given = {key: value for key, value in handles.items() if value is not None}
    for pair in profile or ():
        platform, handle = _platform_and_handle(pair)
        if given.get(platform, handle) != handle:
            raise UsageError(f"Two handles were given for {platform}: give one.")
        given[platform] = handle
    path = add_account(
        load_settings().accounts_dir, name, timezone=timezone, platform_profiles=given
    )
    output.say(f"Added {name}: {output.short_path(path)}")
    if not given:
        output.say("It has no platform_profiles yet, so it is not scraped.")


def _platform_and_handle(pair: str) -> tuple[str, str]:
    platform, equals, handle = pair.partition("=")
    platform = platform.strip().lower()
    if not equals or not handle.strip():
        raise UsageError(
            f"--profile {pair!r} is no platform and handle: write for example youtube=my.handle."
        )
    if platform not in platform_names():
        raise UsageError(f"{platform!r} is no platform: use {' or '.join(platform_names())}.")
    return platform, handle.strip()


@app.command("check")
def check() -> None:
    """Check every account.yaml; exit 1 when one is wrong."""
    from pipeline.accounts import ACCOUNT_NAME_PATTERN
    from pipeline.settings import load_settings

    folder = load_settings().accounts_dir
    files = sorted(folder.glob("*/account.yaml"))
    if not files:
        output.say(f"There are no accounts in {output.short_path(folder)}.")
    wrong = 0
    for path in files:
        if not ACCOUNT_NAME_PATTERN.fullmatch(path.parent.name):
            output.say_error(
                f"{path.parent} cannot be an account's folder: use a-z, 0-9 and _, starting with "
                "a letter or a digit."
            )
            wrong += 1
        else:
            wrong += not _is_right(path)
    without_file = [
        item.name
        for item in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if item.is_dir() and not item.name.startswith(".") and not (item / "account.yaml").exists()
    ]
    for name in without_file:
        output.say(f"skipped {name}: it has no account.yaml")
    if wrong:
        raise typer.Exit(code=1)


def _is_right(path: Path) -> bool:
    """Whether one file is right, said in one line."""
    from pipeline.accounts import read_account_file

    try:
        account = read_account_file(path)
    except AfterpostError as error:
        output.say_error(str(error))
        return False
    profiles = ", ".join(f"{key.value} {value}" for key, value in account.platform_profiles.items())
    output.say(f"ok {account.name}: {profiles or 'no profiles, not scraped'}")
    return True
