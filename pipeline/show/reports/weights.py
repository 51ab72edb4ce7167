"""What the posts of a segment bring, beside how many they are: its share of posts and engagement.

An effect says how the usual post of a segment does; a lift says what its posts bring together,
which a few hits can lead.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows
from pipeline.show.reports.segments import Focus

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class SegmentWeight:
    """One segment of an account on a platform, by the engagement of its posts at 7 days."""

    account_name: str
    platform: str
    dimension: str
    segment: str
    age_hours: int
    n: int
    """Posts of the segment with an engagement at 7 days."""
    share_of_posts_7d: float | None
    share_of_engagement_7d: float | None
    """Both fractions, of the account's posts on the platform that have an engagement at 7 days."""
    engagement_lift: float | None
    """Mean engagement of the segment's posts to that of all posts; 1.0 is no difference."""
    engagement_lift_low: float | None
    engagement_lift_high: float | None
    """With ``engagement_lift_low``: the 90 % interval."""
    weight_verdict: str | None
    """Of a pillar: carries, dead_weight, no_clear_difference or not_enough_data."""


_WEIGHTS = """
select
    account_name, platform, '{dimension}' as dimension, {dimension} as segment, 168 as age_hours,
    post_count_engagement_7d as n, share_of_posts_7d, share_of_engagement_7d,
    engagement_lift, engagement_lift_low, engagement_lift_high, {verdict} as weight_verdict
from {table}
where $account_name is null or account_name = $account_name
order by account_name, platform, share_of_engagement_7d desc nulls last, segment
"""

_TABLES: dict[Focus, tuple[str, str, str]] = {
    Focus.FORMATS: ("format", "marts.mart_format_performance", "null"),
    Focus.PILLARS: ("pillar", "marts.mart_pillar_performance", "weight_verdict"),
    Focus.TOPICS: ("topic", "marts.mart_topic_performance", "null"),
    Focus.HOOKS: ("hook_style", "marts.mart_hook_performance", "null"),
    Focus.CTA: ("cta", "marts.mart_cta_performance", "null"),
}


def segment_weights(
    connection: "duckdb.DuckDBPyConnection", focus: Focus, account_name: str | None = None
) -> list[SegmentWeight]:
    """Per account and platform the segments, the largest share of the engagement first.

    Args:
        connection: To a published copy.
        focus: Formats, pillars, topics, hooks or calls to action; the others have none.
        account_name: Only this account; every account when left out.
    """
    if focus not in _TABLES:
        return []
    dimension, table, verdict = _TABLES[focus]
    sql = _WEIGHTS.format(dimension=dimension, table=table, verdict=verdict)
    return read_rows(connection, SegmentWeight, sql, {"account_name": account_name})
