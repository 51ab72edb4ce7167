"""An account at a glance: one row per profile, from a published copy."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ProfileOverview:
    """One account on one platform. Unknown numbers are None."""

    account_name: str
    platform: str
    handle: str | None
    follower_count: int | None
    follower_count_at: datetime | None
    post_count: int
    snapshot_count: int
    last_scraped_at: datetime | None
    views_7d_median: float | None
    """Views of the account's middle post at 7 days of age."""
    views_7d_count: int
    """Posts whose views at 7 days are known."""
    engagement_7d_median: float | None
    """Engagements of the middle post at 7 days; what is left where views are not published."""
    engagement_7d_count: int
    engagement_rate_median: float | None
    """Engagements per view of the middle post, a fraction, at its latest snapshot."""
    views_7d_median_low: float | None = None
    views_7d_median_high: float | None = None
    """With ``views_7d_median_low``: the 90 % interval; None below five posts."""
    engagement_7d_median_low: float | None = None
    engagement_7d_median_high: float | None = None


@dataclass(frozen=True)
class PublishedBuild:
    """Which build the figures come from."""

    warehouse_version: str
    built_at: datetime | None
    as_of: datetime | None
    """The moment of the newest scrape."""


_OVERVIEW = """
with posts as (
    select
        account_name,
        platform,
        count(*) as post_count,
        median(view_7d) as views_7d_median,
        count(view_7d) as views_7d_count,
        median(engagement_7d) as engagement_7d_median,
        count(engagement_7d) as engagement_7d_count,
        median(engagement_rate_views) as engagement_rate_median,
        list(view_7d order by view_7d) filter (where view_7d is not null) as views,
        list(engagement_7d order by engagement_7d) filter (where engagement_7d is not null)
            as engagements
    from marts.fct_post_performance
    group by account_name, platform
),
-- The median lies between two of the posts themselves, whatever the distribution (Conover, 1999,
-- Practical Nonparametric Statistics, 3.2); the places are those of mart_growth_curves.
bounds as (
    select
        *,
        1.6449 * sqrt(views_7d_count) / 2.0 as views_reach,
        1.6449 * sqrt(engagement_7d_count) / 2.0 as engagement_reach
    from posts
),
snapshots as (
    select
        account_name,
        platform,
        count(*) as snapshot_count,
        max(scraped_at) as last_scraped_at
    from marts.fct_snapshot
    group by account_name, platform
),
profiles as (
    select account_name, platform, handle, follower_count, follower_count_at, last_seen_at
    from marts.dim_profile
)
select
    account_name,
    platform,
    profiles.handle,
    profiles.follower_count,
    profiles.follower_count_at,
    coalesce(bounds.post_count, 0) as post_count,
    coalesce(snapshots.snapshot_count, 0) as snapshot_count,
    greatest(snapshots.last_scraped_at, profiles.last_seen_at) as last_scraped_at,
    bounds.views_7d_median,
    coalesce(bounds.views_7d_count, 0) as views_7d_count,
    bounds.engagement_7d_median,
    coalesce(bounds.engagement_7d_count, 0) as engagement_7d_count,
    bounds.engagement_rate_median,
    case when bounds.views_7d_count >= 5 then views[
        greatest(1, round(bounds.views_7d_count / 2.0 - views_reach))::integer
    ] end as views_7d_median_low,
    case when bounds.views_7d_count >= 5 then views[
        least(
            bounds.views_7d_count, round(1.0 + bounds.views_7d_count / 2.0 + views_reach)
        )::integer
    ] end as views_7d_median_high,
    case when bounds.engagement_7d_count >= 5 then engagements[
        greatest(1, round(bounds.engagement_7d_count / 2.0 - engagement_reach))::integer
    ] end as engagement_7d_median_low,
    case when bounds.engagement_7d_count >= 5 then engagements[
        least(
            bounds.engagement_7d_count,
            round(1.0 + bounds.engagement_7d_count / 2.0 + engagement_reach)
        )::integer
    ] end as engagement_7d_median_high
from profiles
full join bounds using (account_name, platform)
full join snapshots using (account_name, platform)
where $account_name is null or account_name = $account_name
order by account_name, platform
"""


def profile_overviews(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[ProfileOverview]:
    """One row per account and platform with a profile or with posts, sorted by both names.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, ProfileOverview, _OVERVIEW, {"account_name": account_name})


def published_build(connection: "duckdb.DuckDBPyConnection") -> PublishedBuild | None:
    """The build that this copy holds; None when it says nothing about itself."""
    row = connection.execute(
        "select warehouse_version, built_at, as_of from stats.build_info"
    ).fetchone()
    return PublishedBuild(*row) if row else None
