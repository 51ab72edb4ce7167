"""``afterpost analyze``: what an account's posts say, and what waits for a decision."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.reports.growth import GrowthPoint, growth_points
from pipeline.show.reports.overview import (
    ProfileOverview,
    PublishedBuild,
    profile_overviews,
    published_build,
)
from pipeline.show.reports.segments import (
    ACROSS_ACCOUNTS,
    Focus,
    SegmentTable,
    most_telling,
    segment_tables,
)

if TYPE_CHECKING:
    import duckdb

    from pipeline.learn.findings import Finding
    from pipeline.settings import Settings

FINDINGS_SHOWN = 8


def analyze(
    account: Annotated[
        str | None, typer.Option("--account", "-a", help="Name of a folder under accounts/.")
    ] = None,
    all_accounts: Annotated[
        bool, typer.Option("--all", help="Every account, and the effects across them.")
    ] = False,
    focus: Annotated[Focus | None, typer.Option(help="Only the tables about this.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show an account's figures and findings.

    Then its pending recommendations, about which it asks on a terminal.

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
        _analyze_account(settings, account, focus, as_json)
    else:
        _analyze_all(settings, focus, as_json)


def _analyze_account(
    settings: "Settings", account: str, focus: Focus | None, as_json: bool
) -> None:
    from pipeline.clients.warehouse import reading
    from pipeline.decide.review import pending
    from pipeline.learn.findings import find
    from pipeline.show.cli.review import recommendation_figures, review_pending

    with reading(settings) as connection:
        build = published_build(connection)
        profiles = profile_overviews(connection, account)
        findings = find(connection, account)
        tables = segment_tables(connection, account, focus) if focus else []
        growth = growth_points(connection, account) if focus is Focus.GROWTH else []
    waiting = pending(settings, account)
    if as_json:
        output.print_json(
            {
                "account": account,
                **_build_figures(build),
                "profiles": [dataclasses.asdict(profile) for profile in profiles],
                "findings": [_finding_figures(finding) for finding in findings],
                "segments": [dataclasses.asdict(row) for table in tables for row in table.rows],
                "growth": [dataclasses.asdict(point) for point in growth],
                "pending": [recommendation_figures(settings, item) for item in waiting],
            }
        )
        return
    _say_title(account, build)
    if focus:
        _show_focus(focus, tables, growth)
        return
    _show_profiles(profiles)
    _show_findings(findings, profiles)
    review_pending(settings, account, waiting, ask=sys.stdin.isatty())


def _analyze_all(settings: "Settings", focus: Focus | None, as_json: bool) -> None:
    from pipeline.clients.warehouse import reading

    with reading(settings) as connection:
        build = published_build(connection)
        profiles = profile_overviews(connection)
        tables = _tables_across(connection, focus)
        growth = growth_points(connection) if focus is Focus.GROWTH else []
    if as_json:
        output.print_json(
            {
                **_build_figures(build),
                "profiles": [dataclasses.asdict(profile) for profile in profiles],
                "segments": [dataclasses.asdict(row) for table in tables for row in table.rows],
                "growth": [dataclasses.asdict(point) for point in growth],
            }
        )
        return
    _say_title("All accounts", build)
    if not focus:
        _show_profiles(profiles, with_account=True)
    output.heading("Across accounts, each compared with its own usual")
    _show_focus(focus or Focus.FORMATS, tables, growth, with_account=True)


def _tables_across(
    connection: "duckdb.DuckDBPyConnection", focus: Focus | None
) -> list[SegmentTable]:
    if focus:
        return segment_tables(connection, ACROSS_ACCOUNTS, focus)
    return most_telling(segment_tables(connection, ACROSS_ACCOUNTS, Focus.FORMATS))


def _build_figures(build: PublishedBuild | None) -> dict[str, Any]:
    return dataclasses.asdict(build) if build else {}


def _finding_figures(finding: "Finding") -> dict[str, Any]:
    return {**finding.to_json(), "sentence": finding.sentence}


def _say_title(title: str, build: PublishedBuild | None) -> None:
    if build:
        output.say(f"{title}, data up to {output.moment(build.as_of)}", style="bold")
    else:
        output.say(title, style="bold")


def _show_profiles(profiles: Sequence[ProfileOverview], *, with_account: bool = False) -> None:
    """The overview table; usual views are those of the middle post at 7 days of age."""
    if not profiles:
        output.say("No posts yet: afterpost scrape or afterpost import, then afterpost build.")
        return
    columns = [
        ("platform", Align.LEFT),
        ("posts", Align.RIGHT),
        ("snapshots", Align.RIGHT),
        ("followers", Align.RIGHT),
        ("views at 7 d", Align.RIGHT),
        ("eng. rate", Align.RIGHT),
        ("last scrape", Align.RIGHT),
    ]
    rows: list[tuple[str, ...]] = [
        (
            profile.platform,
            output.count(profile.post_count),
            output.count(profile.snapshot_count),
            output.count(profile.follower_count),
            _usual_views(profile),
            output.percent(profile.engagement_rate_median),
            output.moment(profile.last_scraped_at)[:10],
        )
        for profile in profiles
    ]
    if with_account:
        # Snapshots and the last scrape, which the heading has, would not fit into 80 columns.
        columns = [("account", Align.LEFT), *columns[:2], *columns[3:6]]
        rows = [
            (profile.account_name, *row[:2], *row[3:6])
            for profile, row in zip(profiles, rows, strict=True)
        ]
    output.table(columns, rows)
    output.say("Views and rate are those of the middle post; in brackets the posts they rest on.")


def _usual_views(profile: ProfileOverview) -> str:
    if profile.views_7d_median is None:
        return output.MISSING
    return f"{output.count(profile.views_7d_median)}\N{NO-BREAK SPACE}({profile.views_7d_count})"


def _show_findings(findings: "Sequence[Finding]", profiles: Sequence[ProfileOverview]) -> None:
    output.heading("Strongest findings")
    if not findings:
        known = max((profile.views_7d_count for profile in profiles), default=0)
        output.say(
            "Not enough data to tell any difference from chance "
            f"({known} posts have known views at 7 days)."
        )
        return
    for finding in findings[:FINDINGS_SHOWN]:
        output.say_indented(f"  [{finding.confidence.upper()}] {output.plain(finding.sentence)}")
    if len(findings) > FINDINGS_SHOWN:
        output.say(f"  … and {len(findings) - FINDINGS_SHOWN} more: --focus, or --json")


def _show_focus(
    focus: Focus,
    tables: Sequence[SegmentTable],
    growth: Sequence[GrowthPoint],
    *,
    with_account: bool = False,
) -> None:
    if focus is Focus.GROWTH:
        _show_growth(growth, with_account=with_account)
        return
    if not tables:
        output.say("Not enough data: no post has a known value at 7 days yet.")
    for table in tables:
        title = f"{table.platform}: {table.dimension}, {OUTCOME_WORDS[table.outcome]}"
        if not table.has_enough_data:
            counts = ", ".join(f"{row.name} {row.n}" for row in table.rows)
            output.say(output.plain(f"{title}: not enough data (posts: {counts})"))
            continue
        _show_segments(title, table, is_across=with_account)


def _show_segments(title: str, table: SegmentTable, *, is_across: bool) -> None:
    output.table(
        [
            (table.dimension, Align.LEFT),
            ("n", Align.RIGHT),
            ("effect", Align.RIGHT),
            ("90 % interval", Align.RIGHT),
            ("P(better)", Align.RIGHT),
            ("verdict", Align.LEFT),
        ],
        [
            (
                row.name,
                str(row.n),
                output.ratio(row.effect),
                _interval(row.effect_low, row.effect_high),
                _probability(row.probability_better),
                row.verdict.replace("_", " "),
            )
            for row in table.rows
        ],
        title=title,
    )
    null_best = next((row.null_best for row in table.rows if row.null_best is not None), None)
    total = max(row.account_n for row in table.rows)
    whose = "each account's own" if is_across else "the account's"
    output.say(f"1.00× is {whose} usual, over {total} posts.")
    if null_best is not None:
        output.say(f"By chance alone the best would show {null_best:.2f}×.")
    output.say()


def _probability(value: float | None) -> str:
    """To the second decimal; what is nearly certain is never shown as certain."""
    if value is None:
        return output.MISSING
    if value > 0.99:
        return "> 0.99"
    return "< 0.01" if value < 0.01 else f"{value:.2f}"


def _interval(low: float | None, high: float | None) -> str:
    return output.MISSING if low is None or high is None else f"{low:.2f}–{high:.2f}"


def _percent_range(low: float | None, high: float | None) -> str:
    return (
        output.MISSING
        if low is None or high is None
        else f"{100 * low:.0f}–{100 * high:.0f}\N{NO-BREAK SPACE}%"
    )


def _show_growth(points: Sequence[GrowthPoint], *, with_account: bool) -> None:
    if not points:
        output.say("Not enough data: no post is known at 7 days and at another age.")
        return
    columns = [
        ("platform", Align.LEFT),
        ("metric", Align.LEFT),
        ("age", Align.RIGHT),
        ("n", Align.RIGHT),
        ("share of 7 d", Align.RIGHT),
        ("80 % of posts", Align.RIGHT),
    ]
    rows = [
        (
            point.platform,
            point.metric,
            f"{point.age_hours:.0f} h",
            str(point.post_count),
            output.MISSING
            if point.share_of_7d_median is None
            else f"{100 * point.share_of_7d_median:.0f}\N{NO-BREAK SPACE}%",
            _percent_range(point.share_of_7d_p10, point.share_of_7d_p90),
        )
        for point in points
    ]
    if with_account:
        columns.insert(0, ("account", Align.LEFT))
        named = [(point.account_name, *row) for point, row in zip(points, rows, strict=True)]
    output.table(
        columns,
        named if with_account else rows,
        title="Share of its 7-day value that a post has at an age",
    )
