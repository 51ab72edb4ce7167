"""How often an account posts, and whether more posts in a week go along with less for each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Cadence:
    """The weeks of one account on one platform, by one outcome at 7 days."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    week_count: int
    """Weeks that are compared."""
    post_count: int
    posts_per_week_mean: float | None
    posts_per_week_mean_low: float | None
    posts_per_week_mean_high: float | None
    """With ``posts_per_week_mean_low``: the 90 % interval."""
    posts_per_week_least: int | None
    posts_per_week_most: int | None
    doubling: float | None
    """What each post gets in a week of twice as many posts, a ratio; 1.0 is no difference."""
    doubling_low: float | None
    doubling_high: float | None
    """With ``doubling_low``: the 90 % interval."""
    verdict: str
    """diminishing, growing, no_clear_difference or not_enough_data."""
    weeks_needed: int | None


_CADENCE = """
select
    account_name, platform, outcome, 168 as age_hours, week_count, post_count,
    posts_per_week_mean, posts_per_week_mean_low, posts_per_week_mean_high, posts_per_week_least,
    posts_per_week_most,
    -- The slope is of the log outcome on ln(posts of the week).
    power(2.0, per_post_slope) as doubling,
    power(2.0, per_post_slope_low) as doubling_low,
    power(2.0, per_post_slope_high) as doubling_high,
    verdict, weeks_needed
from marts.mart_cadence
where $account_name is null or account_name = $account_name
order by
    account_name, platform,
    list_position(['views_7d', 'engagement_7d', 'engagement_rate_7d', 'save_rate_7d'], outcome),
    outcome
"""


def cadences(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[Cadence]:
    """One row per account, platform and outcome.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, Cadence, _CADENCE, {"account_name": account_name})
