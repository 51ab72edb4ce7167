"""An account at a glance: one row per profile, from a published copy."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

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
        median(engagement_rate_views) as engagement_rate_median
    from marts.fct_post_performance
    group by account_name, platform
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
    coalesce(posts.post_count, 0) as post_count,
    coalesce(snapshots.snapshot_count, 0) as snapshot_count,
    greatest(snapshots.last_scraped_at, profiles.last_seen_at) as last_scraped_at,
    posts.views_7d_median,
    coalesce(posts.views_7d_count, 0) as views_7d_count,
    posts.engagement_7d_median,
    coalesce(posts.engagement_7d_count, 0) as engagement_7d_count,
    posts.engagement_rate_median
from profiles
full join posts using (account_name, platform)
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
    rows = connection.execute(_OVERVIEW, {"account_name": account_name}).fetchall()
    return [ProfileOverview(*row) for row in rows]


def published_build(connection: "duckdb.DuckDBPyConnection") -> PublishedBuild | None:
    """The build that this copy holds; None when it says nothing about itself."""
    row = connection.execute(
        "select warehouse_version, built_at, as_of from stats.build_info"
    ).fetchone()
    return PublishedBuild(*row) if row else None
