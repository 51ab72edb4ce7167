"""Learning patterns: what an account has learned, in the form of one record per kind of pattern.

The source documents list topics, length, time and hooks with a correlation and a confidence. Here
each comes from the measured effects, and the correlation is the one that such an effect has: the
share of the outcome's spread that the segment explains, with the effect's sign.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.measure.intervals import log_error

if TYPE_CHECKING:
    import duckdb

PATTERNS: Mapping[str, tuple[str, ...]] = {
    "common_topics": ("topic", "pillar"),
    "optimal_length": ("slide_count", "caption_length", "duration"),
    "best_posting_time": ("daypart", "weekday"),
    "effective_hooks": ("hook_style",),
}
"""The dimensions whose better segments each key of ``pattern_data`` lists."""

_EFFECTS_SQL = """\
select
  platform, dimension, segment, outcome, n, account_n, effect, effect_low, effect_high,
  probability_better, q_value
from stats.segment_effects
where account_name = $account_name and verdict = 'better' and effect_low > 0
  and effect_high > effect_low and n < account_n
order by effect desc, n desc, platform, dimension, segment, outcome"""


@dataclass(frozen=True)
class LearningPattern:
    """One record; empty lists in ``pattern_data`` mean that nothing stands out there."""

    pattern_type: str
    """``platform:outcome`` that the pattern is about."""
    pattern_data: dict[str, list[dict[str, Any]]]
    """Segments with ``n``, ``effect``, its 90 % interval and ``correlation``, by key."""
    performance_correlation: float | None
    """The largest correlation in the record, from -1 to 1; None when it is empty."""
    confidence_level: float | None
    """The smallest probability in the record that an effect has its sign; None when empty."""


def learning_patterns(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> list[LearningPattern]:
    """What the published effects say of an account, one record per platform and outcome.

    Args:
        connection: A published copy, or any database with ``stats.segment_effects``.
        account_name: The account.
    """
    cursor = connection.execute(_EFFECTS_SQL, {"account_name": account_name})
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    kinds = sorted({(row["platform"], row["outcome"]) for row in rows})
    return [
        _pattern(f"{platform}:{outcome}", [
            row for row in rows if (row["platform"], row["outcome"]) == (platform, outcome)
        ])
        for platform, outcome in kinds
    ]  # fmt: skip


def _pattern(kind: str, rows: Sequence[Mapping[str, Any]]) -> LearningPattern:
    told = [row for row in rows if any(row["dimension"] in names for names in PATTERNS.values())]
    return LearningPattern(
        pattern_type=kind,
        pattern_data={
            key: [_entry(row) for row in told if row["dimension"] in dimensions]
            for key, dimensions in PATTERNS.items()
        },
        performance_correlation=max((correlation(row) for row in told), default=None),
        confidence_level=min((float(row["probability_better"]) for row in told), default=None),
    )


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("dimension", "segment", "n", "effect", "effect_low", "effect_high")
    return {**{key: row[key] for key in keys}, "correlation": correlation(row)}


def correlation(row: Mapping[str, Any]) -> float:
    """The point-biserial correlation of being in a segment with the log outcome.

    From the effect's own interval: with error e of the mean of n of N posts against all, the t
    value is (effect / e) and r = t / sqrt(t² + N − 2) (Cohen, 1988, chapter 3).
    """
    low, high = row["effect_low"], row["effect_high"]
    t = math.log(low * high) / 2 / log_error(low, high)
    return round(t / math.sqrt(t**2 + max(1, row["account_n"] - 2)), 4)
