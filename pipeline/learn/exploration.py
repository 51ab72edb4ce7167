"""What exploration goes by: how good each format may be, from the published effects.

A format without figures may still be the best; the prior says how likely. The figures are those
of the first standard age, because exploration lives on being told early.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import (
    FINDING_SQL,
    POSTS_SQL,
    Confidence,
    Direction,
    Finding,
    stable_id,
)
from pipeline.learn.operations import FormatPosterior, SetExploration
from pipeline.learn.thompson import PRIOR, PRIOR_SD, Posterior, chances_of_being_best
from pipeline.measure.intervals import log_error

if TYPE_CHECKING:
    import duckdb

OUTCOMES = ("views_72h", "engagement_72h", "engagement_rate_7d")
"""What exploration goes by on a platform: the first of these that its posts have."""

MAX_P_VALUE = 0.01
"""Formats that differ no more than chance explains are no reason to change anything: an account
without differences is told that there is nothing to recommend."""

MIN_SHIFT = 0.1
"""Smallest part of the exploration that moves to other formats for which a change is proposed."""

_FORMAT_EFFECTS_SQL = """\
select
  platform, segment, outcome, age_hours, n, account_n, median, effect, effect_low, effect_high,
  probability_better, null_best, q_value
from stats.segment_effects
where account_name = $account_name and dimension = 'format' and segment is not null
  and effect_low > 0 and effect_high > effect_low
order by platform, segment, outcome"""


@dataclass(frozen=True)
class Exploration:
    """What is known of an account's formats."""

    posteriors: dict[str, Posterior]
    """Mean and standard deviation of the log effect, by format."""
    rows: list[dict[str, Any]]
    """The effects that this rests on."""

    def to_json(self) -> dict[str, dict[str, float]]:
        """As it stands in a context under ``exploration.posteriors``."""
        return {name: {"mean": mean, "sd": sd} for name, (mean, sd) in self.posteriors.items()}

    @property
    def operation(self) -> SetExploration:
        """The operation that puts it there."""
        return SetExploration(
            posteriors=tuple(
                FormatPosterior(format=name, mean=mean, sd=sd)
                for name, (mean, sd) in self.posteriors.items()
            )
        )


def explore(
    connection: "duckdb.DuckDBPyConnection", account_name: str, formats: Sequence[str]
) -> Exploration:
    """What the published effects say of an account's formats.

    Each platform's effects are centred on the formats' own mean, so that a platform where the
    usual is mostly one format says the same as another. Platforms count by their precision; the
    result is pooled with the prior (normal means with known errors).

    Args:
        connection: A published copy, or any database with ``stats.segment_effects``.
        account_name: The account.
        formats: The formats that it lists.
    """
    cursor = connection.execute(_FORMAT_EFFECTS_SQL, {"account_name": account_name})
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    chosen = [row for row in rows if row["outcome"] == _outcome_of(row["platform"], rows)]
    precision: dict[str, float] = defaultdict(float)
    weighted: dict[str, float] = defaultdict(float)
    for platform in sorted({row["platform"] for row in chosen}):
        own = [_estimate(row) for row in chosen if row["platform"] == platform]
        usual = sum(estimate for _, estimate, _ in own) / len(own)
        for name, estimate, error in own:
            precision[name] += 1 / error**2
            weighted[name] += (estimate - usual) / error**2
    return Exploration({name: _pooled(precision[name], weighted[name]) for name in formats}, chosen)


def exploration_finding(
    exploration: Exploration, account_name: str, document: Mapping[str, Any]
) -> Finding | None:
    """The finding that exploration should go by newer figures; None when it hardly would differ.

    It is about the format that may most likely be the best of those with figures.
    """
    if not exploration.rows or not exploration.posteriors:
        return None
    chances = chances_of_being_best(exploration.posteriors)
    known = document.get("exploration", {}).get("posteriors", {})
    present = chances_of_being_best(
        {
            name: (known[name]["mean"], known[name]["sd"]) if name in known else PRIOR
            for name in chances
        }
    )
    if difference_p_value(exploration.rows) > MAX_P_VALUE:
        return None
    if sum(abs(chances[name] - present[name]) for name in chances) / 2 < MIN_SHIFT:
        return None
    row = max(
        exploration.rows,
        key=lambda row: (chances.get(row["segment"], 0.0), row["n"], row["platform"]),
    )
    key = {name: row[name] for name in ("platform", "segment", "outcome")}
    parameters = {"account_name": account_name, "dimension": "format", **key}
    figures = (
        "n", "account_n", "median", "effect", "effect_low", "effect_high", "probability_better",
        "null_best", "q_value", "age_hours",
    )  # fmt: skip
    return Finding(
        finding_id=stable_id("fnd", account_name, "exploration", *key.values()),
        account_name=account_name,
        dimension="format",
        **key,
        direction=Direction.BETTER if row["effect"] >= 1 else Direction.WORSE,
        **{name: row[name] for name in figures},
        confidence=Confidence.LOW,
        query={"sql": FINDING_SQL, "parameters": parameters},
        posts={"sql": POSTS_SQL, "parameters": parameters},
    )


def difference_p_value(rows: Sequence[Mapping[str, Any]]) -> float:
    """How often formats would differ as much as these effects do if none differed.

    Cochran's Q of each platform's effects, put together over platforms (Cochran, 1954,
    https://doi.org/10.2307/3001666); the errors are taken as known.
    """
    from scipy import special

    heterogeneity, degrees = 0.0, 0
    for platform in sorted({row["platform"] for row in rows}):
        own = [_estimate(row) for row in rows if row["platform"] == platform]
        precision = sum(1 / error**2 for _, _, error in own)
        usual = sum(estimate / error**2 for _, estimate, error in own) / precision
        heterogeneity += sum(((estimate - usual) / error) ** 2 for _, estimate, error in own)
        degrees += len(own) - 1
    return float(special.chdtrc(degrees, heterogeneity)) if degrees else 1.0


def _outcome_of(platform: str, rows: Sequence[Mapping[str, Any]]) -> str | None:
    known = {row["outcome"] for row in rows if row["platform"] == platform}
    return next((outcome for outcome in OUTCOMES if outcome in known), None)


def _estimate(row: Mapping[str, Any]) -> tuple[str, float, float]:
    """Format, and its log effect with standard error, before pooling."""
    low, high = row["effect_low"], row["effect_high"]
    return row["segment"], math.log(low * high) / 2, log_error(low, high)


def _pooled(precision: float, weighted: float) -> Posterior:
    variance = 1 / (1 / PRIOR_SD**2 + precision)
    return round(variance * weighted, 4), round(math.sqrt(variance), 4)
