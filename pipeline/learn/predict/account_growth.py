"""What followers, likes and posts of profiles will come to in 7 and 30 days, from daily scrapes.

Computed on reading, since it takes milliseconds a profile; the method is
:mod:`pipeline.learn.predict.forecast`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

METRICS = ("followers", "likes", "posts")
"""Totals of a profile: likes and posts are those that it shows of all its posts together."""
HORIZONS_DAYS = (7, 30)

_IS_THERE = """
select count(*) from information_schema.tables
where table_schema = 'marts' and table_name in ('fct_follower_day', 'fct_profile_snapshot')
"""
_DAYS = """
select
    days.account_name, days.platform, days.local_date, days.follower_count as followers,
    max(snapshots.like_count_total) as likes, max(snapshots.post_count) as posts
from marts.fct_follower_day as days
left join marts.fct_profile_snapshot as snapshots using (account_name, platform, scraped_at)
where $account is null or days.account_name = $account
group by all
order by days.account_name, days.platform, days.local_date
"""


@dataclass(frozen=True)
class AccountForecast:
    """One total of one profile, some days after the last day on which it was seen; counts.

    What is expected and its interval are None together while too few days are known.
    """

    account_name: str
    platform: str
    metric: str
    """followers, likes or posts."""
    horizon_days: int
    seen_on: date
    """The last day of the series, on the account's clock."""
    count: float
    """On that day, or the last day before that told it."""
    known_days: int
    """Days on which the total was seen."""
    needed_days: int
    """Days from which on there is a forecast."""
    expected_count: float | None
    expected_count_low_80: float | None
    expected_count_high_80: float | None
    """With ``expected_count_low_80``: the 80 % interval."""


def account_forecasts(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[AccountForecast]:
    """Followers first, then the other totals that a profile tells, each at both horizons.

    Args:
        connection: To a published copy, which may be without the marts.
        account_name: Only this account; every account when left out.
    """
    if connection.execute(_IS_THERE).fetchone() != (2,):
        return []
    rows = connection.execute(_DAYS, {"account": account_name}).fetchall()
    return [
        forecast
        for _, days in groupby(rows, key=lambda row: row[:2])
        for forecast in _of_profile([*days])
    ]


def _of_profile(rows: list[tuple[Any, ...]]) -> Iterator[AccountForecast]:
    account_name, platform = rows[0][:2]
    for place, metric in enumerate(METRICS, start=3):
        counts = {row[2]: float(row[place]) for row in rows if row[place] is not None}
        if counts:
            for horizon in HORIZONS_DAYS:
                yield _ahead(account_name, platform, metric, counts, horizon)


def _ahead(
    account_name: str, platform: str, metric: str, counts: dict[date, float], horizon_days: int
) -> AccountForecast:
    import numpy as np

    from pipeline.learn.predict.forecast import MINIMUM_DAYS, forecasts

    first, last = min(counts), max(counts)
    said: tuple[float | None, ...] = (None, None, None)
    if len(counts) >= MINIMUM_DAYS:
        series = np.full((last - first).days + 1, math.nan)
        for day, value in counts.items():
            series[(day - first).days] = value
        found = forecasts(series, horizon_days)
        said = tuple(float(one[-1]) for one in (found.expected, found.low, found.high))
    expected, low, high = said
    return AccountForecast(
        account_name=account_name,
        platform=platform,
        metric=metric,
        horizon_days=horizon_days,
        seen_on=last,
        count=counts[last],
        known_days=len(counts),
        needed_days=MINIMUM_DAYS,
        expected_count=expected,
        expected_count_low_80=low,
        expected_count_high_80=high,
    )
