"""The table ``stats.segment_effects``: effects of every segment of every dimension."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.measure.effects import SegmentMoments
from pipeline.measure.pooling import Keys
from pipeline.measure.run_effects import EffectsAcross, effects_of_run
from pipeline.measure.statistics_tables import (
    SEGMENT_EFFECTS,
    STATISTICS_TABLES,
    create_empty,
)

ACROSS_ACCOUNTS = "*"

Columns = Mapping[str, NDArray[Any]]
"""A table as one array per column, all of one length."""
VerdictCounts = Mapping[str, int]
"""Number of rows by verdict."""

_MOMENTS = """
with segments as (
    select
        moments.account_name,
        moments.platform,
        moments.dimension,
        moments.segment,
        moments.outcome,
        moments.age_hours,
        moments.n,
        moments.median,
        moments.log_mean,
        moments.log_squared_deviations,
        totals.n as all_n,
        totals.log_mean as all_log_mean,
        totals.log_squared_deviations as all_log_squared_deviations
    from intermediate.int_segment_moments as moments
    inner join intermediate.int_segment_moments as totals
        on moments.account_name = totals.account_name
        and moments.platform = totals.platform
        and moments.outcome = totals.outcome
        and totals.dimension = 'all_posts'
    where moments.dimension <> 'all_posts'
)
select
    *,
    dense_rank() over (order by account_name) - 1 as account_index,
    dense_rank() over (order by account_name, platform, dimension, outcome) - 1 as group_index,
    dense_rank() over (order by platform, dimension, segment, outcome) - 1 as segment_index,
    dense_rank() over (order by platform, dimension, outcome) - 1 as kind_index,
    dense_rank() over (order by platform, dimension) - 1 as question_index
from segments
order by account_name, platform, dimension, segment, outcome
"""
_KEY = ("account_name", "platform", "dimension", "segment", "outcome")


def compute(moments: Columns) -> dict[str, NDArray[Any]]:
    """All rows of ``stats.segment_effects`` from the moments of segments.

    Args:
        moments: ``int_segment_moments`` with the moments of all posts beside each segment's
            (``all_*``) and the indices of :class:`~pipeline.measure.pooling.Keys`.

    Returns:
        The table's columns; those that can be null are floats with NaN for it. Accounts' rows
        stand first, in the order of ``moments``, then those across accounts (account ``*``).
    """

    def floats(name: str) -> NDArray[np.float64]:
        return np.asarray(moments[name], dtype=np.float64)

    def indices(name: str) -> NDArray[np.int64]:
        return np.asarray(moments[name], dtype=np.int64)

    found = effects_of_run(
        SegmentMoments(
            group=indices("group_index"),
            n=floats("n"),
            log_mean=floats("log_mean"),
            log_squared_deviations=floats("log_squared_deviations"),
            all_n=floats("all_n"),
            all_log_mean=floats("all_log_mean"),
            all_log_squared_deviations=floats("all_log_squared_deviations"),
        ),
        Keys(
            group=indices("group_index"),
            segment=indices("segment_index"),
            kind=indices("kind_index"),
            account=indices("account_index"),
            question=indices("question_index"),
        ),
    )
    own = found.of_accounts
    accounts = {
        **{name: np.asarray(moments[name], dtype=object) for name in _KEY},
        "age_hours": indices("age_hours"),
        "n": indices("n"),
        "account_n": indices("all_n"),
        "account_count": np.ones(len(own.pooled), dtype=np.int64),
        "median": floats("median"),
        "effect": np.exp(own.pooled),
        "effect_low": np.exp(own.low),
        "effect_high": np.exp(own.high),
        "probability_better": own.probability_better,
        "null_best": np.exp(own.null_best),
        "p_value": own.p_value,
        "q_value": own.q_value,
        "verdict": own.verdict,
        "effect_unpooled": np.exp(own.estimate),
        "standard_error_log": own.standard_error,
        "effect_elsewhere": np.exp(own.elsewhere),
        "posts_needed": own.posts_needed,
    }
    across = _across_columns(found.across_accounts, moments, indices("segment_index"))
    return {name: np.concatenate([accounts[name], across[name]]) for name in accounts}


def _across_columns(
    across: EffectsAcross, moments: Columns, segment_index: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    # Any row of a segment tells its names and its age.
    row_of = np.zeros(int(segment_index.max()) + 1 if len(segment_index) else 0, dtype=np.int64)
    row_of[segment_index] = np.arange(len(segment_index))
    rows = row_of[across.segment]
    none = np.full(len(rows), np.nan)
    return {
        "account_name": np.full(len(rows), ACROSS_ACCOUNTS, dtype=object),
        **{name: np.asarray(moments[name], dtype=object)[rows] for name in _KEY[1:]},
        "age_hours": np.asarray(moments["age_hours"], dtype=np.int64)[rows],
        "n": across.n.astype(np.int64),
        "account_n": across.account_n.astype(np.int64),
        "account_count": across.account_count,
        # Accounts of different sizes have no common median.
        "median": none,
        "effect": np.exp(across.pooled),
        "effect_low": np.exp(across.low),
        "effect_high": np.exp(across.high),
        "probability_better": across.probability_better,
        # A best of accounts' bests is no quantity that people choose by.
        "null_best": none,
        "p_value": across.p_value,
        "q_value": across.q_value,
        "verdict": across.verdict,
        "effect_unpooled": np.exp(across.estimate),
        "standard_error_log": across.standard_error,
        "effect_elsewhere": none,
        "posts_needed": none,
    }


def write_segment_effects(connection: duckdb.DuckDBPyConnection) -> VerdictCounts:
    """Recompute ``stats.segment_effects`` from the intermediate tables of the same database.

    The caller's transaction decides when readers of the file see it.

    Returns:
        How many rows have which verdict.
    """
    columns = compute(connection.execute(_MOMENTS).fetchnumpy())
    create_empty(connection, SEGMENT_EFFECTS)
    if len(columns["n"]):
        connection.register("computed_effects", columns)
        connection.execute(
            f"insert into stats.segment_effects select {_selected()} from computed_effects "  # noqa: S608 (names of our own columns)
            f"order by {', '.join(_KEY)}"
        )
        connection.unregister("computed_effects")
    return Counter(str(verdict) for verdict in columns["verdict"])


def _selected() -> str:
    """The table's columns as SQL over arrays, in which NaN is null."""

    def column(name: str, kind: str) -> str:
        if "not null" in kind:
            return name
        return f"cast(case when not isnan({name}) then {name} end as {kind})"

    return ", ".join(column(*item) for item in STATISTICS_TABLES[SEGMENT_EFFECTS].items())
