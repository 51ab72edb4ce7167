"""The outcomes of an account's comparable posts, each with what was to be expected of it.

What was to be expected is the mean of the latest outcomes that were known when a post went out:
nothing of it depends on what was done to the post, which is all that
:mod:`pipeline.learn.experiments.adjusting` asks of it. It is on the scale on which units are read:
a mean logarithm, a ratio of sums, or a mean count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.learn.experiments.arms import Floats
from pipeline.learn.experiments.registration import Metric, MetricKind

if TYPE_CHECKING:
    import duckdb

LATEST = 20
"""Outcomes that the expected value is the mean of."""
FEWEST = 5
"""Known outcomes below which nothing is expected."""

_OUTCOMES = """\
    select post_id, value, numerator, denominator, log_value
    from intermediate.int_post_outcomes
    where account_name = $account_name and platform = $platform and outcome = $outcome"""

# Comments are no outcome that segments are compared by.
_COMMENTS = """\
    select
        post_id, comment_72h as value, comment_72h as numerator,
        cast(null as double) as denominator, cast(null as double) as log_value
    from intermediate.int_posts__engagement
    where
        account_name = $account_name and platform = $platform and comment_72h is not null
        and $outcome = 'comments_72h'"""

_SQL = """\
with outcomes as (
{outcomes}
),
posts as (
    select post_id, posted_at, is_ad
    from marts.dim_post
    where account_name = $account_name and platform = $platform and posted_at is not null
),
known as (
    select
        posts.posted_at + to_seconds(cast($age_hours * 3600 as bigint)) as known_at,
        case when count(*) over latest >= {fewest} then {mean} end as expected
    from posts
    inner join outcomes on posts.post_id = outcomes.post_id
    where posts.is_ad is distinct from true
    window latest as (
        order by posts.posted_at asc, posts.post_id asc
        rows between {before} preceding and current row
    )
    qualify row_number() over (partition by posts.posted_at order by posts.post_id desc) = 1
)
select
    posts.post_id, posts.posted_at, outcomes.value, outcomes.numerator, outcomes.denominator,
    outcomes.log_value, known.expected, posts.is_ad is true as is_paid
from posts
left join outcomes on posts.post_id = outcomes.post_id
asof left join known on posts.posted_at >= known.known_at
order by posts.posted_at, posts.post_id"""

_MEANS = {
    MetricKind.CONTINUOUS: "avg(outcomes.log_value) over latest",
    MetricKind.PROPORTION: (
        "sum(outcomes.numerator) over latest / nullif(sum(outcomes.denominator) over latest, 0)"
    ),
    MetricKind.COUNT: "avg(outcomes.value) over latest",
}


@dataclass(frozen=True)
class PostOutcome:
    """What a post got, and what was to be expected of it.

    Attributes:
        post_id: The post.
        posted_at: When it went out.
        value: The metric in its own unit.
        numerator: What a rate is made of; the value of the others.
        denominator: Of a rate; None of the others.
        log_value: Logarithm; None for counts.
        expected: Mean of the latest outcomes known when it went out, on the scale of the units;
            None with too few of them.
    """

    post_id: str
    posted_at: datetime
    value: float
    numerator: float
    denominator: float | None
    log_value: float | None
    expected: float | None


def outcomes(
    connection: "duckdb.DuckDBPyConnection", account_name: str, platform: str, metric: Metric
) -> list[PostOutcome]:
    """The posts of a profile that have a metric, in the order they went out, without paid ones.

    Args:
        connection: A published copy.
        account_name: Whose posts.
        platform: On which platform.
        metric: The metric.
    """
    return [
        PostOutcome(*row[:-1])
        for row in _rows(connection, account_name, platform, metric)
        if row[2] is not None and not row[-1]
    ]


def unit_arrays(posts: Sequence[PostOutcome], metric: Metric) -> tuple[Floats, Floats | None]:
    """What :mod:`pipeline.learn.experiments.arms` takes of posts.

    Returns:
        Logarithms for a continuous metric, counts for a count, and numerators with their
        denominators for a rate.
    """
    if metric.kind is MetricKind.CONTINUOUS:
        return np.array([post.log_value for post in posts], float), None
    if metric.kind is MetricKind.COUNT:
        return np.array([post.value for post in posts], float), None
    tops = np.array([post.numerator for post in posts], float)
    return tops, np.array([post.denominator for post in posts], float)


def _rows(
    connection: "duckdb.DuckDBPyConnection", account_name: str, platform: str, metric: Metric
) -> list[tuple[Any, ...]]:
    query = _SQL.format(
        outcomes=_COMMENTS if metric.kind is MetricKind.COUNT else _OUTCOMES,
        mean=_MEANS[metric.kind],
        before=LATEST - 1,
        fewest=FEWEST,
    )
    parameters = {
        "account_name": account_name,
        "platform": platform,
        "outcome": metric.name,
        "age_hours": metric.age_hours,
    }
    return connection.execute(query, parameters).fetchall()
