"""A published copy of a simulated account: planted differences, the real statistics, no dbt.

Posts get their segments by lot and outcomes from log-normal luck and what is planted; the effects
and failure patterns are then computed by the pipeline's own code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.clients import warehouse
from pipeline.measure.failure_patterns import write_failure_patterns
from pipeline.measure.segment_effects import write_segment_effects
from pipeline.measure.statistics_tables import prepare_statistics_tables
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT

PLATFORM = "tiktok"
SPREADS = {"views_7d": 0.6, "engagement_7d": 0.2, "save_rate_7d": 0.3, "share_rate_7d": 0.3}
"""Standard deviation of each log outcome; that of engagement is on top of that of views."""

SEGMENTS: Mapping[str, Sequence[str]] = {
    "format": ("step_guide", "habit_list", "scripts"),
    "pillar": ("sleep_routines", "picky_eating", "baby_products"),
    "hook_style": ("number_specific", "generic_question", "statement", "how_to"),
    "topic": ("naps", "night_waking", "first_foods", "snacks", "strollers", "toys"),
    "cta": ("save_this", "comment", "follow"),
    "slide_count": ("4", "5", "6", "7"),
    "daypart": ("morning", "evening"),
}

_TABLES = """
create schema if not exists intermediate;
create or replace table intermediate.int_segment_moments as
with segments as (
    select * from intermediate.int_post_segments
    union all
    select distinct account_name, platform, post_id, 'all_posts', 'all_posts'
    from intermediate.int_post_segments
)
select
    account_name, platform, dimension, segment, outcome, age_hours, count(*)::integer as n,
    median(value) as median, avg(log_value_pulled_in) as log_mean,
    var_pop(log_value_pulled_in) * count(*) as log_squared_deviations
from intermediate.int_post_outcomes
inner join segments using (account_name, platform, post_id)
group by all;

create or replace table marts.mart_failure_posts as
select account_name, platform, outcome, post_id
from (
    select
        *,
        row_number() over (partition by outcome order by value, post_id) as place,
        count(*) over (partition by outcome) as account_n
    from intermediate.int_post_outcomes
)
where 5 * place <= account_n;

create or replace view marts.mart_failures as select * from stats.failure_patterns;

create or replace table marts.mart_pillar_performance as
select
    account_name, platform, segment as pillar,
    sum(value) / sum(sum(value)) over () as share_of_engagement_7d
from intermediate.int_post_outcomes
inner join intermediate.int_post_segments using (account_name, platform, post_id)
where dimension = 'pillar' and outcome = 'engagement_7d'
group by all;
"""


@dataclass(frozen=True)
class Planted:
    """What is different about the posts of one segment."""

    dimension: str
    segment: str
    ratio: float = 1.0
    """By which the outcome of each post is multiplied."""
    outcome: str = "views_7d"
    """Engagement follows views."""
    flop_share: float = 0.0
    """Part of the posts that get a tenth."""


@dataclass(frozen=True)
class Plan:
    """What an account's posts are like."""

    planted: Sequence[Planted] = ()
    post_count: int = 240
    seed: int = 20261120
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Other names than the usual ones, by dimension."""
    follows: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    """Dimensions that go along with another: by its name, which segment comes with which."""
    hooks: Mapping[str, str] = field(default_factory=dict)
    """First line of the posts of a hook style; a number follows."""


def publish_account(settings: Settings, plan: Plan) -> str:
    """Simulate an account, measure it and publish the copy.

    Args:
        settings: Where; the account's folder is the caller's.
        plan: What is planted.

    Returns:
        The published version.
    """
    rng = np.random.default_rng(plan.seed)
    labels = _labels(rng, plan)
    logs = _log_outcomes(rng, plan, labels)
    version = f"20261120T0000{len(list(settings.published_dir.glob('2*'))):02d}_simula"
    with warehouse.writer_lock(settings, "test"):
        with warehouse.writing(settings, "test") as connection:
            prepare_statistics_tables(connection)
            _insert(connection, plan, labels, logs)
            connection.execute(_TABLES)
            write_segment_effects(connection)
            write_failure_patterns(connection)
        warehouse.publish(settings, version)
    return version


def _labels(rng: np.random.Generator, plan: Plan) -> dict[str, NDArray[np.str_]]:
    names = {**SEGMENTS, **plan.segments}
    labels = {
        dimension: rng.choice(np.array(segments), plan.post_count)
        for dimension, segments in names.items()
    }
    for dimension, (other, goes_with) in plan.follows.items():
        is_bound = rng.random(plan.post_count) < 0.9
        bound = np.array([goes_with[name] for name in labels[other]])
        labels[dimension] = np.where(is_bound, bound, labels[dimension])
    return labels


def _log_outcomes(
    rng: np.random.Generator, plan: Plan, labels: Mapping[str, NDArray[np.str_]]
) -> dict[str, NDArray[np.float64]]:
    logs = {
        outcome: rng.normal(0.0, spread, plan.post_count) for outcome, spread in SPREADS.items()
    }
    for one in plan.planted:
        is_own = labels[one.dimension] == one.segment
        is_flop = rng.random(plan.post_count) < one.flop_share
        logs[one.outcome] += is_own * (np.log(one.ratio) + is_flop * np.log(0.1))
    logs["views_7d"] += np.log(2000)
    logs["engagement_7d"] += logs["views_7d"] + np.log(0.05)
    logs["save_rate_7d"] += np.log(0.01)
    logs["share_rate_7d"] += np.log(0.006)
    return logs


def _insert(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    labels: Mapping[str, NDArray[np.str_]],
    logs: Mapping[str, NDArray[np.float64]],
) -> None:
    connection.execute(
        """
        create schema if not exists intermediate;
        create or replace table intermediate.int_post_segments (
            account_name varchar, platform varchar, post_id varchar, dimension varchar,
            segment varchar
        );
        create or replace table intermediate.int_post_outcomes (
            account_name varchar, platform varchar, post_id varchar, outcome varchar,
            age_hours integer, value double, log_value_pulled_in double
        );
        create or replace table marts.dim_post (
            account_name varchar, platform varchar, post_id varchar, local_date date,
            format varchar, hook_style varchar, hook_text varchar
        );
        """
    )
    ids = [f"{place:04d}" for place in range(plan.post_count)]
    for dimension, segments in labels.items():
        connection.execute(
            "insert into intermediate.int_post_segments "
            "select $account, $platform, unnest($ids), $dimension, unnest($segments)",
            {
                "account": ACCOUNT,
                "platform": PLATFORM,
                "ids": ids,
                "dimension": dimension,
                "segments": segments.tolist(),
            },
        )
    for outcome, values in logs.items():
        connection.execute(
            "insert into intermediate.int_post_outcomes "
            "select $account, $platform, post_id, $outcome, 168, exp(value), round(value, 6) "
            "from (select unnest($ids) as post_id, unnest($values) as value)",
            {
                "account": ACCOUNT,
                "platform": PLATFORM,
                "ids": ids,
                "outcome": outcome,
                "values": values.tolist(),
            },
        )
    styles = labels["hook_style"].tolist()
    connection.execute(
        "insert into marts.dim_post "
        "select $account, $platform, unnest($ids), "
        "date '2026-11-01' - (unnest(range(len($ids))) % 20)::integer, "
        "unnest($formats), unnest($styles), unnest($hooks)",
        {
            "account": ACCOUNT,
            "platform": PLATFORM,
            "ids": ids,
            "formats": labels["format"].tolist(),
            "styles": styles,
            "hooks": [_hook(plan, style, place) for place, style in enumerate(styles)],
        },
    )


def _hook(plan: Plan, style: str, place: int) -> str | None:
    return f"{plan.hooks[style]} {place}" if style in plan.hooks else None
