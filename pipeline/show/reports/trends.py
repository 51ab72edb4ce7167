"""How an account does over time: by week of posting, and a period against the one before it.

All posts are read at 7 days of age, so that the newest weeks are not low merely by being new.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.measure.intervals import student_deviations

if TYPE_CHECKING:
    import duckdb

MIN_POSTS_OF_A_WEEK = 3
"""Fewer posts make no figure of their own; the week is shown as a gap with its n."""

TREND_OUTCOMES = ("views_7d", "engagement_7d", "engagement_rate_7d")
ACROSS_ACCOUNTS = "*"
"""The account name of a week of all accounts."""


@dataclass(frozen=True)
class WeekTrend:
    """Posts of one local week (from Monday) of one profile, by one outcome at 7 days of age."""

    account_name: str
    platform: str
    outcome: str
    week_start: date
    n: int
    """Posts with a known value at 7 days."""
    typical: float | None
    """Geometric mean, in the outcome's own unit; None with fewer than three posts.

    Single posts far outside are pulled in, as for the effects.
    """
    low: float | None
    high: float | None
    """With ``low``: the 90 % interval of ``typical``."""


@dataclass(frozen=True)
class PeriodChange:
    """The posts of a period against those of the period before, at 7 days of age."""

    account_name: str
    platform: str
    outcome: str
    period: str
    """``7d``, ``30d``, ``90d`` or ``month``."""
    period_start: date
    period_end: date
    before_start: date
    before_end: date
    n: int
    n_before: int
    median: float | None
    median_before: float | None
    change: float | None
    """Ratio of the typical posts; None with too few posts in either period."""
    change_low: float | None
    change_high: float | None
    """With ``change_low``: the 90 % interval."""
    definition_changed_on: date | None
    """When the platform changed what it counts, within the two periods."""
    verdict: str
    """``up``, ``down``, ``no_clear_difference``, ``not_enough_data`` or ``definition_changed``."""
    posts_needed: int


@dataclass(frozen=True)
class DefinitionChange:
    """A platform began to count something else under the same name."""

    platform: str
    metric: str
    changed_on: date


_WEEKS = """
select
    outcomes.account_name,
    outcomes.platform,
    outcomes.outcome,
    date_trunc('week', posts.local_date)::date as week_start,
    count(*)::integer as n,
    avg(outcomes.log_value_pulled_in) as log_mean,
    coalesce(var_samp(outcomes.log_value_pulled_in) * (count(*) - 1), 0.0) as squared_deviations,
    outcomes.outcome like '%rate%' as is_rate
from intermediate.int_post_outcomes as outcomes
inner join marts.dim_post as posts using (account_name, platform, post_id)
where ($account_name is null or outcomes.account_name = $account_name)
  and list_contains($outcomes, outcomes.outcome)
  and posts.local_date is not null
  and ($since is null or posts.local_date >= $since)
group by all
order by account_name, platform, outcome, week_start
"""

_INDEX = """
with relative as (
    select
        outcomes.platform,
        outcomes.outcome,
        posts.local_date,
        outcomes.log_value_pulled_in - avg(outcomes.log_value_pulled_in) over (
            partition by outcomes.account_name, outcomes.platform, outcomes.outcome
        ) as log_ratio
    from intermediate.int_post_outcomes as outcomes
    inner join marts.dim_post as posts using (account_name, platform, post_id)
    where list_contains($outcomes, outcomes.outcome) and posts.local_date is not null
)
select
    '*', platform, outcome, date_trunc('week', local_date)::date as week_start,
    count(*)::integer as n, avg(log_ratio) as log_mean,
    coalesce(var_samp(log_ratio) * (count(*) - 1), 0.0) as squared_deviations, true as is_ratio
from relative
where $since is null or local_date >= $since
group by all
order by platform, outcome, week_start
"""

_CHANGES = """
select
    account_name, platform, outcome, period, period_start, period_end, before_start, before_end,
    n, n_before, median, median_before, change, change_low, change_high, definition_changed_on,
    verdict, posts_needed
from marts.mart_trend
where $account_name is null or account_name = $account_name
order by account_name, platform, outcome, period, period_start
"""

_DEFINITIONS = """
with definitions as (
    select
        platform, metric, valid_from,
        definition_id <> lag(definition_id) over (
            partition by platform, media_type, metric order by valid_from
        ) as is_change
    from intermediate.metric_availability
),
posted as (
    select platform, min(local_date) as first_day, max(local_date) as last_day
    from marts.dim_post
    where $account_name is null or account_name = $account_name
    group by platform
)
select distinct platform, metric, valid_from
from definitions
inner join posted using (platform)
where is_change and valid_from between first_day and last_day
order by valid_from, platform, metric
"""

_Row = tuple[str, str, str, date, int, float, float, bool]


def weekly_trends(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    since: date | None = None,
    outcomes: Sequence[str] = TREND_OUTCOMES,
) -> list[WeekTrend]:
    """Typical values by week of posting, oldest first.

    The interval is Student's t on the log scale. Its spread is that of posts within their weeks,
    over all weeks of the profile: three posts alone say little about how far posts scatter.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        since: Only posts of this local day and later.
        outcomes: Names of outcomes at 7 days.
    """
    parameters = {"account_name": account_name, "outcomes": list(outcomes), "since": since}
    rows: list[_Row] = connection.execute(_WEEKS, parameters).fetchall()
    return [
        week
        for _, of_profile in groupby(rows, key=lambda row: row[:3])
        for week in _weeks_of_profile(list(of_profile))
    ]


def weekly_index(
    connection: "duckdb.DuckDBPyConnection",
    *,
    since: date | None = None,
    outcomes: Sequence[str] = TREND_OUTCOMES,
) -> list[WeekTrend]:
    """All accounts together by week of posting, each post as a ratio to its account's own usual.

    ``account_name`` is ``*`` and the values are ratios: 1 is every account's own geometric mean
    on that platform, so that accounts of any size weigh by their posts and not by their reach.

    Args:
        connection: To a published copy.
        since: Only posts of this local day and later; the usual is still that of all posts.
        outcomes: Names of outcomes at 7 days.
    """
    parameters = {"outcomes": list(outcomes), "since": since}
    rows: list[_Row] = connection.execute(_INDEX, parameters).fetchall()
    return [
        week
        for _, of_platform in groupby(rows, key=lambda row: row[:3])
        for week in _weeks_of_profile(list(of_platform))
    ]


def _weeks_of_profile(rows: Sequence[_Row]) -> list[WeekTrend]:
    freedom = sum(n - 1 for _, _, _, _, n, _, _, _ in rows)
    spread = math.sqrt(sum(squares for *_, squares, _ in rows) / freedom) if freedom >= 2 else None
    return [_week(row, spread, freedom) for row in rows]


def _week(row: _Row, spread: float | None, freedom: int) -> WeekTrend:
    account_name, platform, outcome, week_start, n, log_mean, _, is_rate = row
    if n < MIN_POSTS_OF_A_WEEK or spread is None:
        return WeekTrend(account_name, platform, outcome, week_start, n, None, None, None)
    width = student_deviations(freedom) * spread / math.sqrt(n)

    def value(log: float) -> float:
        # Counts were raised by one before the logarithm.
        return math.exp(log) if is_rate else max(0.0, math.exp(log) - 1)

    return WeekTrend(
        account_name,
        platform,
        outcome,
        week_start,
        n,
        value(log_mean),
        value(log_mean - width),
        value(log_mean + width),
    )


def definition_changes(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[DefinitionChange]:
    """Changes of what platforms count, between the first and the newest post there.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    rows = connection.execute(_DEFINITIONS, {"account_name": account_name}).fetchall()
    return [DefinitionChange(*row) for row in rows]


def period_changes(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[PeriodChange]:
    """Each profile's last 7, 30 and 90 days and whole months against the period before.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    rows = connection.execute(_CHANGES, {"account_name": account_name}).fetchall()
    return [PeriodChange(*row) for row in rows]
