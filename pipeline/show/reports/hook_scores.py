"""Whether the generator's own mark for a hook goes along with how posts do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class HookScore:
    """One account on one platform by one outcome."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    n: int
    """Posts with a hook score and the outcome."""
    correlation: float | None
    """Rank correlation, -1 to 1, formats taken apart; None with too few posts."""
    correlation_low: float | None
    correlation_high: float | None
    """With ``correlation_low``: the 90 % interval."""
    verdict: str
    """higher_is_better, higher_is_worse, no_clear_difference or not_enough_data."""
    posts_needed: int | None


_SCORES = """
select
    account_name, platform, outcome, 168 as age_hours, n, correlation, correlation_low,
    correlation_high, verdict, posts_needed
from marts.mart_hook_score
where $account_name is null or account_name = $account_name
order by
    account_name, platform,
    list_position(
        ['views_7d', 'engagement_7d', 'engagement_rate_7d', 'save_rate_7d', 'share_rate_7d'],
        outcome
    ),
    outcome
"""


def hook_scores(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[HookScore]:
    """One row per account, platform and outcome whose posts have hook scores.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, HookScore, _SCORES, {"account_name": account_name})
