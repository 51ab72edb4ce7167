"""How a post of an account usually grows: how much of its 7-day value it has at which age."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class GrowthPoint:
    """One standard age of one account, platform and metric.

    Shares are fractions of the 7-day value, over posts that have both.
    """

    account_name: str
    platform: str
    metric: str
    age_hours: float
    post_count: int
    share_of_7d_median: float | None
    share_of_7d_p10: float | None
    share_of_7d_p90: float | None


_GROWTH = """
select
    account_name, platform, metric, age_hours, post_count,
    share_of_7d_median, share_of_7d_p10, share_of_7d_p90
from marts.mart_growth_curves
where format = '*' and ($account_name is null or account_name = $account_name)
order by account_name, platform, metric desc, age_hours
"""


def growth_points(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[GrowthPoint]:
    """All standard ages at which enough is known, youngest first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    rows = connection.execute(_GROWTH, {"account_name": account_name}).fetchall()
    return [GrowthPoint(*row) for row in rows]
