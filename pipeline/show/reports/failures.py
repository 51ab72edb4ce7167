"""What an account's weakest posts have in common, and which posts they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class FailureSegment:
    """How often a segment's posts are among the account's weakest fifth at 7 days."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    dimension: str
    segment: str
    n: int
    worst_n: int
    """Of these, among the weakest fifth."""
    account_n: int
    account_worst_n: int
    worst_share: float | None
    """``worst_n / n``, a fraction."""
    ratio: float | None
    """How much more often than by chance; 1.0 is chance."""
    ratio_low: float | None
    ratio_high: float | None
    """With ``ratio_low``: the 90 % interval."""
    q_value: float | None
    verdict: str
    """over_represented, no_clear_difference or not_enough_data."""
    posts_needed: int | None


@dataclass(frozen=True)
class FailedPost:
    """One of the account's weakest posts, the weakest first."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    failure_rank: int
    post_id: str
    posted_at: datetime | None
    caption: str | None
    """Untrusted text."""
    format: str | None
    pillar: str | None
    value: float
    """The outcome at 7 days, in its own unit."""
    account_median: float | None
    multiple_of_median: float | None
    account_n: int
    """Posts that it is ranked among."""


_SEGMENTS = """
select
    account_name, platform, outcome, 168 as age_hours, dimension, segment, n, worst_n, account_n,
    account_worst_n, worst_share, ratio, ratio_low, ratio_high, q_value, verdict, posts_needed
from marts.mart_failures
where
    ($account_name is null or account_name = $account_name)
    and ($verdict is null or verdict = $verdict)
order by
    account_name, platform, q_value nulls last, ratio desc nulls last, n desc, outcome, dimension,
    segment
"""

_POSTS = """
select
    failed.account_name, failed.platform, failed.outcome, 168 as age_hours, failed.failure_rank,
    failed.post_id, failed.posted_at, posts.caption, failed.format, failed.pillar, failed.value,
    failed.account_median, failed.multiple_of_median, failed.account_n
from marts.mart_failure_posts as failed
left join marts.dim_post as posts using (account_name, platform, post_id)
where
    ($account_name is null or failed.account_name = $account_name)
    and list_contains($outcomes, failed.outcome) and failed.failure_rank <= $most
-- Of the two that may stand here, views come last by name.
qualify failed.outcome = max(failed.outcome) over (
    partition by failed.account_name, failed.platform
)
order by failed.account_name, failed.platform, failed.failure_rank
"""


def failure_segments(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    verdict: str | None = None,
) -> list[FailureSegment]:
    """Per account and platform every segment, the surest pattern first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        verdict: Only rows with this verdict, such as over_represented.
    """
    values = {"account_name": account_name, "verdict": verdict}
    return read_rows(connection, FailureSegment, _SEGMENTS, values)


def failed_posts(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    outcome: str | None = None,
    most: int = 5,
) -> list[FailedPost]:
    """The weakest posts of each account and platform by an outcome at 7 days, the weakest first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        outcome: views_7d, engagement_7d, engagement_rate_7d or save_rate_7d. When left out, views
            where the platform publishes any, and engagement otherwise.
        most: How many per account and platform at most.
    """
    outcomes = [outcome] if outcome else ["views_7d", "engagement_7d"]
    values = {"account_name": account_name, "outcomes": outcomes, "most": most}
    return read_rows(connection, FailedPost, _POSTS, values)
