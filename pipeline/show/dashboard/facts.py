"""Everything that the dashboard shows, read once from one published copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.clients.warehouse import reading
from pipeline.decide import track_record
from pipeline.decide.review import pending
from pipeline.learn.findings import Finding, find
from pipeline.learn.predict.skill import skill_rows
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from pipeline.show.reports.cells import TimeCell, time_cells
from pipeline.show.reports.cross_account import CommonEffect, common_effects
from pipeline.show.reports.growth import (
    GrowthPoint,
    ProjectedPost,
    growth_points,
    projected_posts,
)
from pipeline.show.reports.overview import (
    ProfileOverview,
    PublishedBuild,
    profile_overviews,
    published_build,
)
from pipeline.show.reports.pillar_formats import PillarFormatCell, pillar_format_cells
from pipeline.show.reports.posts import PostFigures, post_count, post_figures
from pipeline.show.reports.save_share_posts import SaveSharePost, save_share_posts
from pipeline.show.reports.segments import ACROSS_ACCOUNTS, Focus, SegmentTable, segment_tables
from pipeline.show.reports.short_read import ShortRead, short_read
from pipeline.show.reports.trends import (
    DefinitionChange,
    PeriodChange,
    WeekTrend,
    definition_changes,
    period_changes,
    weekly_index,
    weekly_trends,
)

if TYPE_CHECKING:
    import duckdb

MOST_POSTS = 5000
"""Posts in the table of one page, the newest; a page of more would be slow to open."""

FOCUSES = (Focus.FORMATS, Focus.PILLARS, Focus.TIMING)
CELL_OUTCOMES = ("views_7d", "engagement_7d")


@dataclass(frozen=True)
class Facts:
    """Of one account, or of all of them."""

    account: str | None
    """None: all accounts."""
    display_name: str
    niche: str | None
    days: int | None
    since: date | None
    """First local day of the posts that the page is about; None: all."""
    build: PublishedBuild | None
    profiles: list[ProfileOverview]
    changes: list[PeriodChange]
    findings: list[Finding]
    short: ShortRead | None
    """The account's answers in sentences; None for all accounts."""
    waiting: list[Recommendation]
    weeks: list[WeekTrend]
    definition_changes: list[DefinitionChange]
    segments: Mapping[Focus, list[SegmentTable]]
    times: Mapping[str, list[TimeCell]]
    pillar_formats: list[PillarFormatCell]
    saves: list[SaveSharePost]
    growth: list[GrowthPoint]
    projected: list[ProjectedPost]
    verdicts: list[dict[str, Any]]
    skill: list[dict[str, Any]]
    """Of the account's predictions; empty for all accounts."""
    common: list[CommonEffect]
    posts: list[PostFigures]
    post_count: int
    """Of the period, more than ``posts`` when those were cut."""

    @property
    def scraped_at(self) -> datetime | None:
        """The newest scrape of these profiles."""
        known = [one.last_scraped_at for one in self.profiles if one.last_scraped_at]
        return max(known, default=None)


def gather(settings: Settings, account: str | None, days: int | None) -> Facts:
    """Read the published copy and the recommendations that wait.

    Args:
        settings: Where things are.
        account: A name; None for all accounts.
        days: Only posts of the last so many days before the newest scrape; None for all posts.

    Raises:
        NothingPublishedError: There is no published copy yet.
    """
    with reading(settings) as connection:
        profiles = profile_overviews(connection, account)
        since = _since(profiles, days)
        name, niche = _names(connection, account)
        whose = account or ACROSS_ACCOUNTS
        findings = _findings(connection, account, profiles)
        return Facts(
            account=account,
            display_name=name,
            niche=niche,
            days=days,
            since=since,
            build=published_build(connection),
            profiles=profiles,
            changes=period_changes(connection, account),
            findings=findings,
            short=short_read(connection, account, findings) if account else None,
            waiting=pending(settings, account),
            weeks=weekly_trends(connection, account, since=since)
            if account
            else weekly_index(connection, since=since),
            definition_changes=definition_changes(connection, account),
            segments={focus: segment_tables(connection, whose, focus) for focus in FOCUSES},
            times={
                outcome: time_cells(connection, account, outcome=outcome) if account else []
                for outcome in CELL_OUTCOMES
            },
            pillar_formats=pillar_format_cells(connection, account, outcomes=CELL_OUTCOMES)
            if account
            else [],
            saves=save_share_posts(connection, account, since=since),
            growth=growth_points(connection, account),
            projected=projected_posts(connection, account),
            verdicts=track_record.verdicts(connection, account),
            skill=skill_rows(connection, account) if account else [],
            common=[] if account else common_effects(connection),
            posts=post_figures(connection, account, since=since, most=MOST_POSTS),
            post_count=post_count(connection, account, since=since),
        )


def _since(profiles: list[ProfileOverview], days: int | None) -> date | None:
    known = [one.last_scraped_at for one in profiles if one.last_scraped_at]
    if days is None or not known:
        return None
    return max(known).date() - timedelta(days=days)


def _names(connection: "duckdb.DuckDBPyConnection", account: str | None) -> tuple[str, str | None]:
    if account is None:
        return "All accounts", None
    row = connection.execute(
        "select display_name, niche from marts.dim_account where account_name = ?", [account]
    ).fetchone()
    return ((row[0] if row else None) or account, row[1] if row else None)


def _findings(
    connection: "duckdb.DuckDBPyConnection",
    account: str | None,
    profiles: list[ProfileOverview],
) -> list[Finding]:
    """The account's findings; of all accounts each one's, the strongest first."""
    names = [account] if account else sorted({one.account_name for one in profiles})
    found = [finding for name in names for finding in find(connection, name)]
    return sorted(found, key=lambda one: -one.expected_gain) if account is None else found
