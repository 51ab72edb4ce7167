"""An account's platforms side by side, by the terms that all of them publish."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

METRIC_WORDS = {
    "like_comment_rate_views_7d": "likes + comments per view at 7 days, videos",
    "like_comment_rate_followers_7d": "likes + comments per follower at 7 days",
    "like_comment_count_7d": "likes + comments per post at 7 days",
    "posts_per_week": "posts per week",
}
"""How a report names what is compared; likes and comments are what all platforms publish."""


@dataclass(frozen=True)
class PlatformComparison:
    """One account's usual on one platform against its usual on another one."""

    account_name: str
    platform: str
    other_platform: str
    metric: str
    age_hours: int | None
    """None for posts per week, which have no age."""
    n: int
    n_other: int
    """Posts; weeks for posts per week."""
    usual: float | None
    usual_other: float | None
    ratio: float | None
    """``usual / usual_other``."""
    ratio_low: float | None
    ratio_high: float | None
    """With ``ratio_low``: the 90 % interval."""
    verdict: str
    """higher, lower, no_clear_difference or not_enough_data."""
    needed: int | None
    """Further posts (weeks) that the thinner side lacks."""


_PLATFORMS = """
select
    account_name, platform, other_platform, metric,
    case when metric <> 'posts_per_week' then 168 end as age_hours, n, n_other, usual, usual_other,
    ratio, ratio_low, ratio_high, verdict, needed
from marts.mart_platform_comparison
where ($account_name is null or account_name = $account_name) and platform > other_platform
order by
    list_position(
        [
            'like_comment_rate_views_7d', 'like_comment_rate_followers_7d', 'like_comment_count_7d',
            'posts_per_week'
        ],
        metric
    ),
    account_name, platform, other_platform
"""


def platform_comparisons(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[PlatformComparison]:
    """Each pair of an account's platforms once, by each metric that both have.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, PlatformComparison, _PLATFORMS, {"account_name": account_name})
