"""How often an account posts, for how soon the next posts will tell something."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

WINDOW_DAYS = 56

_PACE_SQL = """\
with newest as (
    select max(local_date) as newest_date from marts.dim_post where account_name = $account_name
)
select platform, count(*), date_diff('day', min(local_date), newest_date) + 1
from marts.dim_post
cross join newest
where account_name = $account_name
    and date_diff('day', local_date, newest_date) between 0 and $window_days - 1
group by platform, newest_date
order by platform"""


def posts_per_week(connection: "duckdb.DuckDBPyConnection", account_name: str) -> dict[str, float]:
    """Posts a week by platform, over the eight weeks before the account's newest post.

    A younger account counts by its own days, at least a week.

    Args:
        connection: A published copy, or any database with ``marts.dim_post``.
        account_name: The account.
    """
    rows = connection.execute(
        _PACE_SQL, {"account_name": account_name, "window_days": WINDOW_DAYS}
    ).fetchall()
    return {platform: round(7 * count / max(7, days), 2) for platform, count, days in rows}
