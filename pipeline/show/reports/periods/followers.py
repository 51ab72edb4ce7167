"""Followers at the end of a period and how many came in it."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.show.reports.periods.calendar import Days

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Followers:
    """Follower counts of one profile, as the platform reports them."""

    follower_count: int
    """The last one seen up to the period's last day."""
    seen_on: date
    change: int | None
    """Since the last one seen before the period; None when none was seen before it."""
    since: date | None
    """Day of that earlier count: the change may be of more days than the period has."""


_FOLLOWERS = """
select
    account_name,
    platform,
    arg_max(follower_count, local_date) as follower_count,
    max(local_date) as seen_on,
    arg_max(follower_count, local_date) filter (where local_date < $first) as former_count,
    max(local_date) filter (where local_date < $first) as since
from marts.fct_follower_day
where local_date <= $last
  and follower_count is not null
  and ($account_name is null or account_name = $account_name)
group by account_name, platform
"""


def followers(
    connection: "duckdb.DuckDBPyConnection", days: Days, account_name: str | None
) -> dict[tuple[str, str], Followers]:
    """Counts by account and platform, of the profiles of which any was seen by then.

    Args:
        connection: To a published copy.
        days: Local days of the period.
        account_name: Only this account; every account when left out.
    """
    parameters = {"first": days.first, "last": days.last, "account_name": account_name}
    return {
        (account, platform): Followers(
            follower_count=last,
            seen_on=seen_on,
            change=None if former is None or seen_on < days.first else last - former,
            since=since,
        )
        for account, platform, last, seen_on, former, since in connection.execute(
            _FOLLOWERS, parameters
        ).fetchall()
    }
