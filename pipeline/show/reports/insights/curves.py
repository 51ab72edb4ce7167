"""How one post grew, and where it is expected to go."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.insights.content import Content
from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class CurvePoint:
    """One look at a post."""

    scraped_at: datetime
    age_hours: float | None
    view_count: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    save_count: int | None
    has_count_drop: bool | None
    """Whether a count was lower than before: kept as the platform showed it."""


@dataclass(frozen=True)
class PostProjection:
    """What a young post is expected to reach at a standard age; a count with its 80 % interval."""

    metric: str
    """view or engagement."""
    age_hours: int
    observed_age_hours: float
    observed_count: int
    expected_count: float
    expected_count_low_80: float
    expected_count_high_80: float
    n: int
    """Posts that it was learned from."""
    method: str


_CURVE = """
select
    scraped_at, age_hours, view_count, like_count, comment_count, share_count, save_count,
    has_count_drop
from marts.fct_snapshot
where account_name = $account_name and platform = $platform and post_id = $post_id
order by scraped_at, scrape_id
limit 2000
"""
_PROJECTION = """
select
    metric, age_hours, observed_age_hours, observed_count, expected_count, expected_count_low_80,
    expected_count_high_80, training_post_count as n, method
from stats.post_projection
where account_name = $account_name and platform = $platform and post_id = $post_id
order by metric desc, age_hours
"""


def curve_of(connection: "duckdb.DuckDBPyConnection", content: Content) -> list[CurvePoint]:
    """Every look at a post, oldest first, at most 2,000."""
    return read_rows(connection, CurvePoint, _CURVE, _key(content))


def projections_of(
    connection: "duckdb.DuckDBPyConnection", content: Content
) -> list[PostProjection]:
    """What is expected of a young post; empty for one that is old enough."""
    return read_rows(connection, PostProjection, _PROJECTION, _key(content))


def _key(content: Content) -> dict[str, str]:
    return {
        "account_name": content.account_name,
        "platform": content.platform,
        "post_id": content.post_id,
    }
