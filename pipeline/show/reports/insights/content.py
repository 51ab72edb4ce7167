"""Posts with every figure that is known of them, filtered, ordered and cut into pages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

UNLABELLED = "(none)"
"""The theme of posts that have no pillar."""


class Order(StrEnum):
    """How posts are ordered; ties go by account, platform and id."""

    NEWEST = "newest"
    BEST = "best"
    WORST = "worst"
    MOST_VIEWED = "most_viewed"


_ORDERS = {
    Order.NEWEST: "posted_at desc nulls last",
    Order.BEST: "score desc nulls last",
    Order.WORST: "score asc nulls last",
    Order.MOST_VIEWED: "view_count desc nulls last",
}


@dataclass(frozen=True)
class Selection:
    """Which posts; what is None does not limit."""

    accounts: tuple[str, ...] | None = None
    platform: str | None = None
    days: int | None = None
    """Posted in so many days before the newest scrape of the copy."""
    theme: str | None = None
    """A pillar, or `UNLABELLED`."""
    format: str | None = None
    category: str | None = None
    """overperforming, normal or underperforming."""
    keys: tuple[tuple[str, str], ...] | None = None
    """Platform and id."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Named values for `MATCHES`."""
        return {
            "accounts": None if self.accounts is None else list(self.accounts),
            "platform": self.platform,
            "days": self.days,
            "theme": self.theme,
            "unlabelled": UNLABELLED,
            "format": self.format,
            "category": self.category,
            "keys": None if self.keys is None else ["\x1f".join(key) for key in self.keys],
        }


MATCHES = """
    ($accounts is null or list_contains($accounts, posts.account_name))
    and ($platform is null or posts.platform = $platform)
    and ($days is null or posts.posted_at > (
        select as_of - to_days($days::integer) from stats.build_info
    ))
    and ($theme is null or coalesce(labels.pillar, $unlabelled) = $theme)
    and ($format is null or labels.format = $format)
    and ($category is null or posts.category = $category)
    and ($keys is null or list_contains($keys, posts.platform || chr(31) || posts.post_id))
"""
"""Condition on ``posts`` (fct_post_performance) and ``labels`` (dim_post)."""


@dataclass(frozen=True)
class Content:
    """One post. Unknown figures are None; see `missing_reason`."""

    account_name: str
    platform: str
    post_id: str
    posted_at: datetime | None
    local_date: date | None
    caption: str | None
    """Untrusted, as is ``hook_text`` and ``post_url``."""
    hook_text: str | None
    post_url: str | None
    media_type: str | None
    format: str | None
    pillar: str | None
    topic: str | None
    hook_style: str | None
    cta: str | None
    slide_count: int | None
    duration_s: float | None
    is_ad: bool | None
    age_hours: float | None
    """At the newest scrape of the post, which ``view_count`` and the like are of."""
    scraped_at: datetime | None
    view_count: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    save_count: int | None
    engagement_count: int | None
    engagement_terms: str | None
    engagement_rate_views: float | None
    engagement_rate_public: float | None
    engagement_rate_followers: float | None
    save_rate: float | None
    share_rate: float | None
    view_24h: float | None
    engagement_24h: float | None
    view_per_hour_24h: float | None
    view_7d: float | None
    engagement_7d: float | None
    view_28d: float | None
    score: float | None
    score_percentile: float | None
    score_age_hours: int | None
    peer_count: int | None
    reach_percentile: float | None
    engagement_rate_percentile: float | None
    save_rate_percentile: float | None
    share_rate_percentile: float | None
    category: str | None
    tier: str | None
    outlier_multiple: float | None
    growth_shape: str | None
    follower_count_at_posting: int | None
    native_impressions: int | None
    native_reach: int | None
    native_saves: int | None
    native_link_clicks: int | None
    native_profile_visits: int | None
    native_follows: int | None
    native_watch_time_s: float | None
    native_average_view_s: float | None
    native_retention_rate: float | None
    native_revenue_usd: float | None
    click_through_rate: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, platform and id."""
        return self.account_name, self.platform, self.post_id

    @property
    def content_id(self) -> str:
        """``platform:post_id``, which the API calls a post by."""
        return f"{self.platform}:{self.post_id}"

    @property
    def title(self) -> str:
        """The hook, else the first line of the caption, else the id; untrusted."""
        for text in (self.hook_text, self.caption):
            line = " ".join((text or "").strip().split("\n")[0].split())
            if line:
                return line
        return self.content_id


_COLUMNS = """
    posts.account_name, posts.platform, posts.post_id, posts.posted_at, labels.local_date,
    labels.caption, labels.hook_text, labels.post_url, posts.media_type, labels.format,
    labels.pillar, labels.topic, labels.hook_style, labels.cta, labels.slide_count,
    labels.duration_s, posts.is_ad, posts.age_hours, posts.scraped_at, posts.view_count,
    posts.like_count, posts.comment_count, posts.share_count, posts.save_count,
    posts.engagement_count, posts.engagement_terms, posts.engagement_rate_views,
    posts.engagement_rate_public, posts.engagement_rate_followers, posts.save_rate,
    posts.share_rate, posts.view_24h, posts.engagement_24h, posts.view_per_hour_24h, posts.view_7d,
    posts.engagement_7d, posts.view_28d, posts.score, posts.score_percentile,
    posts.score_age_hours, posts.peer_count, posts.reach_percentile,
    posts.engagement_rate_percentile, posts.save_rate_percentile, posts.share_rate_percentile,
    posts.category, posts.tier, posts.outlier_multiple, posts.growth_shape,
    posts.follower_count_at_posting, posts.native_impressions, posts.native_reach,
    posts.native_saves, posts.native_link_clicks, posts.native_profile_visits,
    posts.native_follows, posts.native_watch_time_s, posts.native_average_view_s,
    posts.native_retention_rate, posts.native_revenue_usd, posts.click_through_rate
"""
FROM = """
from marts.fct_post_performance as posts
left join marts.dim_post as labels using (account_name, platform, post_id)
where
"""
TOTALS = """
    count(*)::integer as content_count,
    sum(posts.view_count)::bigint as total_views,
    count(posts.view_count)::integer as total_views_n,
    avg(posts.engagement_rate_views) as avg_engagement_rate,
    count(posts.engagement_rate_views)::integer as avg_engagement_rate_n,
    count(*) filter (posts.category = 'overperforming')::integer as overperforming_count,
    count(*) filter (posts.category = 'underperforming')::integer as underperforming_count
"""


@dataclass(frozen=True)
class Totals:
    """`TOTALS` of some posts."""

    content_count: int
    total_views: int | None
    """At the newest scrapes; None when no post's views are known."""
    total_views_n: int
    avg_engagement_rate: float | None
    """Mean over the posts, a fraction of the views; platforms publish different terms of it."""
    avg_engagement_rate_n: int
    overperforming_count: int
    underperforming_count: int


def contents(
    connection: "duckdb.DuckDBPyConnection",
    selection: Selection,
    *,
    order: Order = Order.NEWEST,
    limit: int,
    offset: int = 0,
) -> list[Content]:
    """A page of posts.

    Args:
        connection: To a published copy.
        selection: Which posts.
        order: How they are ordered.
        limit: At most so many.
        offset: After so many.
    """
    sql = (
        f"select {_COLUMNS} {FROM} {MATCHES} "
        f"order by {_ORDERS[order]}, posts.account_name, posts.platform, posts.post_id "
        "limit $limit offset $offset"
    )
    values = {**selection.parameters, "limit": limit, "offset": offset}
    return read_rows(connection, Content, sql, values)


def content_count(connection: "duckdb.DuckDBPyConnection", selection: Selection) -> int:
    """How many posts a selection has."""
    sql = f"select count(*) {FROM} {MATCHES}"
    row = connection.execute(sql, selection.parameters).fetchone()
    return int(row[0]) if row else 0


def find_content(
    connection: "duckdb.DuckDBPyConnection",
    platform: str,
    post_id: str,
    accounts: Collection[str] | None = None,
) -> list[Content]:
    """The post of an id, once for each account that it belongs to: two for a joint post."""
    chosen = Selection(
        accounts=None if accounts is None else tuple(accounts), keys=((platform, post_id),)
    )
    return contents(connection, chosen, limit=20)


def similar_content(
    connection: "duckdb.DuckDBPyConnection", content: Content, limit: int = 5
) -> list[Content]:
    """Posts of the same account and platform that share most labels with a post, best score first.

    Args:
        connection: To a published copy.
        content: The post.
        limit: At most so many.
    """
    sql = (
        f"select {_COLUMNS} {FROM} "  # noqa: S608
        """
        posts.account_name = $account_name and posts.platform = $platform
        and posts.post_id <> $post_id
        and (labels.format = $format or labels.pillar = $pillar or labels.topic = $topic)
        order by
            (labels.format is not distinct from $format)::integer
            + (labels.pillar is not distinct from $pillar)::integer
            + (labels.topic is not distinct from $topic)::integer
            + (labels.hook_style is not distinct from $hook_style)::integer desc,
            posts.score desc nulls last, posts.posted_at desc nulls last, posts.post_id
        limit $limit
        """
    )
    values = {
        name: getattr(content, name)
        for name in (
            "account_name", "platform", "post_id", "format", "pillar", "topic", "hook_style",
        )
    }  # fmt: skip
    return read_rows(connection, Content, sql, {**values, "limit": limit})
