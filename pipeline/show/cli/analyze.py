"""``afterpost analyze``: what an account's posts say, and what waits for a decision."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import moment
from pipeline.show.reports.segments import Focus

if TYPE_CHECKING:
    from pipeline.learn.findings import Finding
    from pipeline.settings import Settings
    from pipeline.show.reports.overview import PublishedBuild


def analyze(
    account: options.OneAccount = None,
    all_accounts: options.AllAccounts = False,
    focus: Annotated[
        Focus | None,
        typer.Option(metavar="QUESTION", help=f"Only one question: {', '.join(Focus)}."),
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Also write the dashboard, and say where it is.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what works, what does not, and what to try next.

    Then the pending recommendations, about which it asks on a terminal. With --all what accounts
    have in common, and their platforms side by side.

    Every figure stands with its number of posts and a 90 % interval, at one age of the posts.

    Example: afterpost analyze --account dreamtimelullabies --focus formats
    """
    if bool(account) == all_accounts:
        raise UsageError("Say what to analyze: --account NAME, or --all.")
    from pipeline.accounts import load_account
    from pipeline.settings import load_settings

    settings = load_settings()
    if account:
        load_account(settings.accounts_dir, account)
    # The figures first: who waits for them need not wait for the file.
    written = _Dashboard(settings, account) if dashboard else None
    if account:
        _analyze_account(settings, account, focus, written, as_json=as_json)
    else:
        _analyze_all(settings, focus, written, as_json=as_json)


class _Dashboard:
    """The dashboard of what is analyzed, written when it is asked for."""

    def __init__(self, settings: "Settings", account: str | None) -> None:
        self._settings = settings
        self._account = account

    def write(self) -> Path:
        """Write it; where it is."""
        from pipeline.show.dashboard.write import write_dashboard

        return write_dashboard(self._settings, self._account)


def _analyze_account(
    settings: "Settings",
    account: str,
    focus: Focus | None,
    dashboard: _Dashboard | None,
    *,
    as_json: bool,
) -> None:
    from pipeline.clients.warehouse import reading
    from pipeline.decide.review import pending
    from pipeline.learn.findings import find
    from pipeline.show.cli.review import recommendation_figures, review_pending
    from pipeline.show.reports.focused import focused
    from pipeline.show.reports.overview import profile_overviews, published_build
    from pipeline.show.reports.short_read import short_read

    with reading(settings) as connection:
        build = published_build(connection)
        profiles = profile_overviews(connection, account)
        findings = find(connection, account)
        found = focused(connection, focus, account) if focus else None
        short = None if focus else short_read(connection, account, findings)
    waiting = pending(settings, account)
    if as_json:
        output.print_json(
            {
                "account": account,
                **_build_figures(build),
                "profiles": [dataclasses.asdict(profile) for profile in profiles],
                "findings": [_finding_figures(finding) for finding in findings],
                **(found.to_json() if found else {"segments": [], "growth": []}),
                **({"short": dataclasses.asdict(short)} if short else {}),
                "pending": [recommendation_figures(settings, item) for item in waiting],
                **_dashboard_path(dashboard),
            }
        )
        return
    _say_title(account, build)
    if found:
        from pipeline.show.cli.analyze_focus import show_focus

        show_focus(found)
        _say_dashboard(dashboard)
        return
    from pipeline.show.cli.analyze_short import show_profiles, show_short

    show_profiles(profiles)
    if short and profiles:
        show_short(short, profiles, waiting)
    _say_dashboard(dashboard)
    review_pending(settings, account, waiting, ask=sys.stdin.isatty())


def _analyze_all(
    settings: "Settings", focus: Focus | None, dashboard: _Dashboard | None, *, as_json: bool
) -> None:
    from pipeline.clients.warehouse import reading
    from pipeline.show.reports.cross_account import account_highlights, common_effects
    from pipeline.show.reports.focused import focused
    from pipeline.show.reports.overview import profile_overviews, published_build
    from pipeline.show.reports.platforms import platform_comparisons

    with reading(settings) as connection:
        build = published_build(connection)
        profiles = profile_overviews(connection)
        found = focused(connection, focus) if focus else None
        common = [] if found else common_effects(connection)
        highlights = [] if found else account_highlights(connection)
        platforms = [] if found else platform_comparisons(connection)
    if as_json:
        output.print_json(
            {
                **_build_figures(build),
                "profiles": [dataclasses.asdict(profile) for profile in profiles],
                **(found.to_json() if found else {"segments": [], "growth": []}),
                **({} if found else {"across_accounts": _figures(common)}),
                **({} if found else {"highlights": _figures(highlights)}),
                **({} if found else {"platforms": _figures(platforms)}),
                **_dashboard_path(dashboard),
            }
        )
        return
    _say_title("All accounts", build)
    if found:
        from pipeline.show.cli.analyze_focus import show_focus

        output.say("Each account is compared with its own usual.")
        output.say()
        show_focus(found)
    else:
        from pipeline.show.cli.analyze_short import show_all

        show_all(profiles, common, highlights, platforms)
    _say_dashboard(dashboard)


def _figures(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(row) for row in rows]


def _build_figures(build: "PublishedBuild | None") -> dict[str, Any]:
    return dataclasses.asdict(build) if build else {}


def _finding_figures(finding: "Finding") -> dict[str, Any]:
    return {**finding.to_json(), "sentence": finding.sentence}


def _say_title(title: str, build: "PublishedBuild | None") -> None:
    if build:
        output.say(f"{title}, data up to {moment(build.as_of)}", style="bold")
    else:
        output.say(title, style="bold")


def _dashboard_path(dashboard: _Dashboard | None) -> dict[str, Any]:
    return {"dashboard": str(dashboard.write())} if dashboard else {}


def _say_dashboard(dashboard: _Dashboard | None) -> None:
    if dashboard:
        output.say()
        output.say(f"Dashboard: {output.short_path(dashboard.write())}")
