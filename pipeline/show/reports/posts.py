"""Every post with its figures, and for each missing figure the reason."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

REASONS = {
    "not_published": "not published by the platform",
    "not_told": "not told by any scrape",
    "too_young": "younger than 7 days",
    "not_seen_at_7d": "no scrape near enough to day 7",
    "no_views": "needs known views",
    "too_few_posts": "too few posts to compare with",
    "not_compared": "too young to compare",
}
"""Why a figure is missing, in words."""


@dataclass(frozen=True)
class PostFigures:
    """One post. Unknown figures are None, and the ``_missing`` beside them says why."""

    account_name: str
    platform: str
    post_id: str
    """Text: longer than what a double holds."""
    local_date: date | None
    posted_at: datetime | None
    post_url: str | None
    """As scraped: untrusted."""
    text: str | None
    """The hook, else the caption; untrusted."""
    format: str | None
    pillar: str | None
    age_hours: float | None
    """At the latest scrape, of which the latest figures are."""
    view_count: int | None
    view_count_missing: str | None
    view_7d: float | None
    view_7d_missing: str | None
    engagement_7d: float | None
    engagement_7d_missing: str | None
    engagement_rate: float | None
    """Engagements per view at the latest scrape, a fraction."""
    engagement_rate_missing: str | None
    score: float | None
    score_missing: str | None
    category: str | None
    scraped_at: datetime | None


_POSTS = """
select
    posts.account_name,
    posts.platform,
    posts.post_id,
    labels.local_date,
    posts.posted_at,
    labels.post_url,
    coalesce(nullif(trim(labels.hook_text), ''), nullif(trim(labels.caption), '')) as text,
    labels.format,
    labels.pillar,
    posts.age_hours,
    posts.view_count,
    case when posts.view_count is null then views_missing end as view_count_missing,
    posts.view_7d,
    case
        when posts.view_7d is not null then null
        when posts.view_count is null then views_missing
        when posts.age_hours < 168 then 'too_young'
        else 'not_seen_at_7d'
    end as view_7d_missing,
    posts.engagement_7d,
    case
        when posts.engagement_7d is not null then null
        when posts.engagement_count is null then 'not_told'
        when posts.age_hours < 168 then 'too_young'
        else 'not_seen_at_7d'
    end as engagement_7d_missing,
    posts.engagement_rate_views as engagement_rate,
    case
        when posts.engagement_rate_views is not null then null
        when posts.engagement_count is null then 'not_told'
        else 'no_views'
    end as engagement_rate_missing,
    posts.score,
    case
        when posts.score is not null then null
        when posts.score_age_hours is null then 'not_compared'
        else 'too_few_posts'
    end as score_missing,
    posts.category,
    posts.scraped_at
from (
    select
        *,
        case
            when media_type is null or media_type = 'unknown' or exists (
                from intermediate.metric_availability as published
                where published.platform = performance.platform
                  and published.media_type = performance.media_type
                  and published.metric = 'view_count'
                  and performance.posted_at::date between valid_from and valid_to
            ) then 'not_told'
            else 'not_published'
        end as views_missing
    from marts.fct_post_performance as performance
    where ($account_name is null or account_name = $account_name)
) as posts
left join marts.dim_post as labels using (account_name, platform, post_id)
where $since is null or labels.local_date >= $since
order by posts.posted_at desc nulls last, posts.account_name, posts.platform, posts.post_id
limit $most
"""

_COUNT = """
select count(*)::bigint
from marts.fct_post_performance
left join marts.dim_post using (account_name, platform, post_id)
where ($account_name is null or account_name = $account_name)
  and ($since is null or local_date >= $since)
"""


def post_figures(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    since: date | None = None,
    most: int | None = None,
) -> list[PostFigures]:
    """The posts, newest first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        since: Only posts of this local day and later.
        most: At most so many, the newest; all when left out.
    """
    parameters = {"account_name": account_name, "since": since, "most": most}
    return read_rows(connection, PostFigures, _POSTS, parameters)


def post_count(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    since: date | None = None,
) -> int:
    """How many posts :func:`post_figures` knows of without a limit."""
    parameters = {"account_name": account_name, "since": since}
    row = connection.execute(_COUNT, parameters).fetchone()
    return int(row[0]) if row else 0
