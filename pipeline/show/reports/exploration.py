"""Whether an account still tries things: what its newest posts are, and what it never tried."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ExplorationSegment:
    """One format, pillar or call to action that the account lists or has used on a platform."""

    account_name: str
    platform: str
    dimension: str
    segment: str
    is_listed: bool
    post_count: int
    labelled_post_count: int
    """Posts of the account on the platform that have a segment in the dimension."""
    days_since_used: int | None
    """Up to the account's newest labelled post; None when never used."""
    recent_post_count: int
    recent_n: int
    """Newest labelled posts that are looked at."""
    recent_share: float | None
    recent_share_low: float | None
    recent_share_high: float | None
    """Part of the newest posts, a fraction, with its 90 % interval."""
    even_share: float
    """Its part if all segments were used alike."""
    entropy_normalised: float | None
    """How evenly the newest posts are spread: 0 all in one, 1 all alike; same in a dimension."""
    entropy_normalised_low: float | None
    entropy_normalised_high: float | None
    status: str
    """untested, long_unused, rarely_used, over_indexed, in_use or not_enough_data."""
    posts_needed: int | None


_EXPLORATION = """
select
    account_name, platform, dimension, segment, is_listed, post_count, labelled_post_count,
    days_since_used, recent_post_count, recent_n, recent_share, recent_share_low,
    recent_share_high, even_share, entropy_normalised, entropy_normalised_low,
    entropy_normalised_high, status, posts_needed
from marts.mart_exploration
where $account_name is null or account_name = $account_name
order by
    account_name, platform, list_position(['format', 'pillar', 'cta'], dimension), dimension,
    recent_share desc nulls last, post_count desc, segment
"""


def exploration_segments(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[ExplorationSegment]:
    """Per account, platform and dimension the segments, the most used of late first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, ExplorationSegment, _EXPLORATION, {"account_name": account_name})
