"""The table ``stats.segment_effects``: effects of every segment of every dimension."""

import math
from collections import defaultdict
from dataclasses import astuple, dataclass, fields
from typing import Any

import duckdb
import numpy as np

from pipeline.measure import effects
from pipeline.measure.effects import SegmentEffect, Verdict
from pipeline.measure.statistics_tables import SEGMENT_EFFECTS, create_empty

ACROSS_ACCOUNTS = "*"

_OBSERVATIONS = """
select
    outcomes.account_name,
    outcomes.platform,
    dimensions.dimension,
    segments.segment,
    outcomes.outcome,
    outcomes.age_hours,
    outcomes.value,
    outcomes.numerator,
    outcomes.denominator
from intermediate.int_post_outcomes as outcomes
cross join (select distinct dimension from intermediate.int_post_segments) as dimensions
left join intermediate.int_post_segments as segments
    on outcomes.account_name = segments.account_name
    and outcomes.platform = segments.platform
    and outcomes.post_id = segments.post_id
    and dimensions.dimension = segments.dimension
order by all
"""


@dataclass(frozen=True)
class EffectRow:
    """One row of ``stats.segment_effects``; ``effect`` and its bounds are ratios to the usual."""

    account_name: str
    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: int
    n: int
    account_n: int
    account_count: int
    median: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    probability_better: float | None
    null_best: float | None
    p_value: float | None
    q_value: float | None
    verdict: str


@dataclass
class _Group:
    """All posts of one account, platform, dimension and outcome."""

    age_hours: int
    segments: list[str | None]
    values: list[float]
    log_values: list[float]


def log_outcome(value: float, numerator: float | None, denominator: float | None) -> float:
    """An outcome on the log scale.

    Counts get 1 added; a rate keeps its own counts, with half an event added, so that a post
    without any save has a place.
    """
    if denominator is not None and numerator is not None:
        return math.log((numerator + 0.5) / (denominator + 1))
    return math.log(value + 1)


def compute(observations: list[tuple[Any, ...]]) -> list[EffectRow]:
    """All effect rows of the given observations.

    Args:
        observations: (account_name, platform, dimension, segment, outcome, age_hours, value,
            numerator, denominator) tuples, one per post, dimension and outcome; the segment is
            None for a post that has none in the dimension.

    Benjamini-Hochberg runs over all tests of one account, and over those across accounts.
    """
    groups: dict[tuple[str, str, str, str], _Group] = {}
    for account, platform, dimension, segment, outcome, age, value, over, under in observations:
        group = groups.setdefault(
            (account, platform, dimension, outcome), _Group(int(age), [], [], [])
        )
        group.segments.append(segment)
        group.values.append(value)
        group.log_values.append(log_outcome(value, over, under))

    rows: list[EffectRow] = []
    families: dict[str, list[tuple[EffectRow, SegmentEffect]]] = defaultdict(list)
    by_segment: dict[tuple[str, str, str, str, int], list[tuple[int, SegmentEffect]]]
    by_segment = defaultdict(list)
    for (account, platform, dimension, outcome), group in sorted(groups.items()):
        found = {
            effect.segment: effect
            for effect in effects.segment_effects(group.log_values, group.segments)
        }
        for segment in sorted({s for s in group.segments if s is not None}):
            own = [v for v, s in zip(group.values, group.segments, strict=True) if s == segment]
            row = EffectRow(
                account_name=account,
                platform=platform,
                dimension=dimension,
                segment=segment,
                outcome=outcome,
                age_hours=group.age_hours,
                n=len(own),
                account_n=len(group.values),
                account_count=1,
                median=float(np.median(own)),
                effect=None,
                effect_low=None,
                effect_high=None,
                probability_better=None,
                null_best=None,
                p_value=None,
                q_value=None,
                verdict=Verdict.NOT_ENOUGH_DATA,
            )
            if segment in found:
                families[account].append((row, found[segment]))
                key = (platform, dimension, segment, outcome, group.age_hours)
                by_segment[key].append((len(group.values), found[segment]))
            else:
                rows.append(row)

    for family in families.values():
        adjusted = effects.q_values([effect.p_value for _, effect in family])
        rows += [
            _with_effect(row, effect, q) for (row, effect), q in zip(family, adjusted, strict=True)
        ]
    rows += _across_accounts(by_segment)
    return sorted(
        rows, key=lambda r: (r.account_name, r.platform, r.dimension, r.segment, r.outcome)
    )


def _with_effect(row: EffectRow, effect: SegmentEffect, q_value: float) -> EffectRow:
    return EffectRow(
        **{
            **row.__dict__,
            "effect": math.exp(effect.pooled),
            "effect_low": math.exp(effect.low),
            "effect_high": math.exp(effect.high),
            "probability_better": effect.probability_better,
            "null_best": math.exp(effect.null_best),
            "p_value": effect.p_value,
            "q_value": q_value,
            "verdict": effects.verdict(
                n=effect.n,
                pooled=effect.pooled,
                low=effect.low,
                high=effect.high,
                q_value=q_value,
            ),
        }
    )


def _across_accounts(
    by_segment: dict[tuple[str, str, str, str, int], list[tuple[int, SegmentEffect]]],
) -> list[EffectRow]:
    found = []
    for key, own in sorted(by_segment.items()):
        common = effects.common_effect([effect for _, effect in own])
        if common is not None:
            found.append((key, sum(total for total, _ in own), common))
    adjusted = effects.q_values([common.p_value for _, _, common in found])
    rows = []
    for ((platform, dimension, segment, outcome, age), total, common), q in zip(
        found, adjusted, strict=True
    ):
        rows.append(
            EffectRow(
                account_name=ACROSS_ACCOUNTS,
                platform=platform,
                dimension=dimension,
                segment=segment,
                outcome=outcome,
                age_hours=age,
                n=common.n,
                account_n=total,
                account_count=common.account_count,
                # Accounts of different sizes have no common median.
                median=None,
                effect=math.exp(common.pooled),
                effect_low=math.exp(common.low),
                effect_high=math.exp(common.high),
                probability_better=common.probability_better,
                # A best of accounts' bests is no quantity that people choose by.
                null_best=None,
                p_value=common.p_value,
                q_value=q,
                verdict=effects.verdict(
                    n=common.n, pooled=common.pooled, low=common.low, high=common.high, q_value=q
                ),
            )
        )
    return rows


def write_segment_effects(connection: duckdb.DuckDBPyConnection) -> list[EffectRow]:
    """Recompute ``stats.segment_effects`` from the intermediate tables of the same database.

    The caller's transaction decides when readers of the file see it.

    Returns:
        The rows written, sorted.
    """
    rows = compute(connection.execute(_OBSERVATIONS).fetchall())
    create_empty(connection, SEGMENT_EFFECTS)
    if rows:
        # One list per column is far faster than a row at a time, and needs no other library.
        columns = [list(column) for column in zip(*(astuple(row) for row in rows), strict=True)]
        types = {"str": "varchar[]", "int": "integer[]"}
        selected = ", ".join(
            f"unnest(?::{types.get(_type_name(field.type), 'double[]')})"
            for field in fields(EffectRow)
        )
        connection.execute(f"insert into stats.segment_effects select {selected}", columns)
    return rows


def _type_name(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
