"""``afterpost dashboard``: one HTML file with an account's figures."""

from enum import IntEnum
from typing import Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output


class Days(IntEnum):
    """Periods that a dashboard can be about."""

    WEEK = 7
    MONTH = 30
    QUARTER = 90


def dashboard(
    account: options.OneAccount = None,
    all_accounts: options.AllAccounts = False,
    days: Annotated[
        int | None,
        typer.Option(help="Only posts of the last 7, 30 or 90 days. Default: all."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write a dashboard: one HTML file, no server.

    What works, what does not, what to try next; trend, formats, pillars, timing, growth, and every
    post. The file holds all it needs and works without a network.

    Example: afterpost dashboard --account dreamtimelullabies --open
    """
    if bool(account) == all_accounts:
        raise UsageError("Say whose dashboard: --account NAME, or --all.")
    if days is not None and days not in list(Days):
        raise UsageError(f"--days is {days}: write 7, 30 or 90, or leave it out for all posts.")
    from pipeline.settings import load_settings
    from pipeline.show.dashboard.write import write_dashboard

    path = write_dashboard(load_settings(), account, days=days)
    if show:
        typer.launch(path.as_uri())
    if as_json:
        output.print_json({"path": str(path), "account": account, "days": days})
        return
    output.say(f"Wrote {output.short_path(path)} ({path.stat().st_size / 1e6:.1f} MB).")
