"""The posts of a period: at which age what is known of them, and the best and the worst."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

AGES = (24, 72, 168)
"""Standard ages in hours at which periods are compared."""
SHOWN_POSTS = 3
CHANGED = "changed"


@dataclass(frozen=True)
class ReportPost:
    """One post. Missing numbers are None; caption and link are untrusted."""

    account_name: str
    platform: str
    post_id: str
    local_date: date
    posted_at: datetime
    caption: str | None
    post_url: str | None
    format: str | None
    is_ad: bool
    views: dict[int, float | None]
    """At each of `AGES`."""
    engagements: dict[int, float | None]
    engagement_terms: str | None
    view_definition_id: str | None
    """What the platform counts as a view; None where it publishes none, `CHANGED` where it
    changed during the post's snapshots."""
    score: float | None
    score_age_hours: int | None
    peer_count: int | None
    """The account's posts on the platform that it is compared with."""
    outlier_multiple: float | None
    """Its reach at that age to the middle one of those."""
    revenue_usd: float | None
    """Of the platform's own export, as are the clicks."""
    link_clicks: float | None


_POSTS = """
with chosen as (
    select account_name, platform, post_id, local_date, posted_at, caption, post_url, format, is_ad
    from marts.dim_post
    where local_date between $first and $last
      and ($account_name is null or account_name = $account_name)
),
definitions as (
    select
        account_name, platform, post_id,
        case when count(distinct view_definition_id) > 1 then $changed
            else min(view_definition_id) end as view_definition_id
    from marts.fct_snapshot
    inner join chosen using (account_name, platform, post_id)
    group by all
)
select
    account_name, platform, post_id, post.local_date, post.posted_at, post.caption, post.post_url,
    post.format, coalesce(post.is_ad, false) as is_ad,
    view_24h, view_72h, view_7d, engagement_24h, engagement_72h, engagement_7d, engagement_terms,
    definitions.view_definition_id,
    score, score_age_hours, peer_count, outlier_multiple, native_revenue_usd, native_link_clicks
from chosen as post
inner join marts.fct_post_performance using (account_name, platform, post_id)
left join definitions using (account_name, platform, post_id)
order by post.posted_at, account_name, platform, post_id
"""


def posts_between(
    connection: "duckdb.DuckDBPyConnection", first: date, last: date, account_name: str | None
) -> list[ReportPost]:
    """Posts by their local day, oldest first.

    Args:
        connection: To a published copy.
        first: First day, on each account's own clock.
        last: Last day.
        account_name: Only this account; every account when left out.
    """
    parameters = {
        "first": first, "last": last, "account_name": account_name, "changed": CHANGED,
    }  # fmt: skip
    return [_post(row) for row in connection.execute(_POSTS, parameters).fetchall()]


def _post(row: Sequence[Any]) -> ReportPost:
    views = dict(zip(AGES, row[9:12], strict=True))
    engagements = dict(zip(AGES, row[12:15], strict=True))
    values = (*row[:9], views, engagements, *row[15:])
    return ReportPost(**dict(zip(ReportPost.__dataclass_fields__, values, strict=True)))


def top_and_bottom(
    posts: Sequence[ReportPost], most: int = SHOWN_POSTS
) -> tuple[list[ReportPost], list[ReportPost]]:
    """The posts farthest above and below their account's usual, none in both.

    By the ratio of their reach to that of the account's middle post at the same age; the score
    decides between equal ones. Paid posts and those without such a ratio are in neither.

    Args:
        posts: Of a period.
        most: At most so many each.
    """
    ranked = sorted(
        (post for post in posts if post.outlier_multiple is not None and not post.is_ad),
        key=lambda post: (
            -(post.outlier_multiple or 0.0),
            -(post.score if post.score is not None else -math.inf),
            post.account_name,
            post.platform,
            post.post_id,
        ),
    )
    top = ranked[: min(most, (len(ranked) + 1) // 2)]
    rest = ranked[len(top) :]
    return top, rest[: -most - 1 : -1]
