"""Findings: effects that survived the guards, each with its figures and the query that makes them.

A finding is a row of ``stats.segment_effects`` whose verdict is clear, whose share of false alarms
is controlled and whose size is worth a change. One cause gives one finding: the outcomes of a
segment move together, so the strongest speaks for them.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MAX_Q_VALUE = 0.05
"""At most this share of an account's findings is expected to be noise."""

MIN_EFFECT = 1.10
MAX_ADVERSE_EFFECT = 0.90
"""A difference below ten percent is not worth a person's decision."""

MAX_STEP = 1.5
"""Largest factor by which one decision changes how often a segment is made."""

PROPOSABLE_DIMENSIONS = ("format", "pillar", "topic", "hook_style", "slide_count", "cta")
"""Ways to cut posts that a context can be changed by; the others are shown, never proposed."""

OUTCOME_WORDS = {
    "views_72h": "views at 72 hours",
    "views_7d": "views at 7 days",
    "engagement_72h": "engagement at 72 hours",
    "engagement_7d": "engagement at 7 days",
    "engagement_rate_7d": "engagement rate at 7 days",
    "save_rate_7d": "save rate at 7 days",
    "share_rate_7d": "share rate at 7 days",
}
"""How a sentence names each outcome."""


class Direction(StrEnum):
    """On which side of the account's usual a segment is."""

    BETTER = "better"
    WORSE = "worse"


class Confidence(StrEnum):
    """How sure a finding is, for the people and policies that decide about it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


FIGURES = (
    "n",
    "account_n",
    "median",
    "effect",
    "effect_low",
    "effect_high",
    "probability_better",
    "null_best",
    "q_value",
)
"""The figures of a row of ``stats.segment_effects`` that a finding states."""

FINDING_SQL = """\
select n, account_n, median, effect, effect_low, effect_high, probability_better, null_best, q_value
from stats.segment_effects
where account_name = $account_name and platform = $platform and dimension = $dimension
  and segment = $segment and outcome = $outcome"""
"""Recomputes a finding's figures on a published copy; its parameters are named."""

POSTS_SQL = """\
select outcomes.platform, outcomes.post_id
from intermediate.int_post_outcomes as outcomes
inner join intermediate.int_post_segments as segments using (account_name, platform, post_id)
where outcomes.account_name = $account_name and outcomes.platform = $platform
  and segments.dimension = $dimension and segments.segment = $segment
  and outcomes.outcome = $outcome
order by outcomes.post_id"""
"""The posts that a finding rests on; as many as its n says."""

PILLAR_SQL = """\
select
  effects.n, effects.account_n, effects.median, effects.effect, effects.effect_low,
  effects.effect_high, effects.probability_better, effects.null_best, effects.q_value,
  pillars.share_of_engagement_7d as engagement_share
from stats.segment_effects as effects
left join marts.mart_pillar_performance as pillars
  on effects.account_name = pillars.account_name and effects.platform = pillars.platform
  and effects.segment = pillars.pillar
where effects.account_name = $account_name and effects.platform = $platform
  and effects.dimension = $dimension and effects.segment = $segment
  and effects.outcome = $outcome"""
"""Recomputes a pillar's figures, the part of the engagement that it brings among them."""


@dataclass(frozen=True)
class Finding:
    """One segment that does better or worse than the account's own usual on a platform."""

    finding_id: str
    account_name: str
    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: float | None
    direction: Direction
    n: int
    """Posts of the segment that have the outcome."""
    account_n: int
    """Posts of the account on the platform that have the outcome."""
    median: float | None
    """The segment's median, in the outcome's own unit."""
    effect: float
    """Ratio to the account's usual, partially pooled; 1 is no difference."""
    effect_low: float
    effect_high: float
    """Bounds of the 90 % interval."""
    probability_better: float
    """Probability that the effect is above 1."""
    null_best: float | None
    """Ratio that the best of these segments would typically show if none differed."""
    q_value: float
    confidence: Confidence
    query: dict[str, Any]
    """``sql`` with named ``parameters`` that recomputes the figures on a published copy."""
    posts: dict[str, Any] | None = None
    """The same for ``platform`` and ``post_id`` of the posts behind it; None: not told apart."""
    engagement_share: float | None = None
    """Part of the account's engagement at 7 days that a pillar brings, a fraction; else None."""
    hooks: tuple[str, ...] = ()
    """First lines of a hook style's best posts, the best first; what a change may quote."""
    instead: str | None = None
    """The best other segment where only one can be preferred and this one does worse."""

    @property
    def sentence(self) -> str:
        """The finding in words, with its interval and n."""
        return (
            f"{self.segment_words} on {self.platform} get {ratio_text(self.effect)} the account's "
            f"usual {self.outcome_words} ({self.interval_words}, {self.n} posts)"
        )

    @property
    def segment_words(self) -> str:
        """The segment as the subject of a sentence, for example "5-slide posts"."""
        return _segment_words(self.dimension, self.segment)

    @property
    def outcome_words(self) -> str:
        """The outcome as a sentence names it."""
        return OUTCOME_WORDS.get(self.outcome, self.outcome)

    @property
    def interval_words(self) -> str:
        """The 90 % interval of the effect."""
        return f"90 % interval {self.effect_low:.2f}–{self.effect_high:.2f}"

    @property
    def cautious_effect(self) -> float:
        """The bound of the interval that lies nearer to no difference."""
        return self.effect_low if self.direction is Direction.BETTER else self.effect_high

    @property
    def expected_gain(self) -> float:
        """What one permitted step is worth: change of the account's mean log outcome.

        Making a segment ``step`` times as often moves its share of posts from p to
        p·step / (1 − p + p·step); every post moved gains the logarithm of the effect. A segment
        that is nearly all or nearly none of the posts has little to move, however strong it is.
        """
        share = self.n / self.account_n if self.account_n else 0.0
        step = min(MAX_STEP, max(1 / MAX_STEP, self.effect))
        moved = share * step / (1 - share + share * step) - share
        return moved * math.log(self.effect)

    def to_json(self) -> dict[str, Any]:
        """The finding as it is stored beside a recommendation."""
        return {
            "finding_id": self.finding_id,
            "kind": "effect",
            "platform": self.platform,
            "dimension": self.dimension,
            "segment": self.segment,
            "outcome": self.outcome,
            "age_hours": self.age_hours,
            "direction": self.direction.value,
            "confidence": self.confidence.value,
            **{name: getattr(self, name) for name in FIGURES},
            **(
                {} if self.engagement_share is None else {"engagement_share": self.engagement_share}
            ),
            "query": self.query,
            "posts": self.posts,
        }


def confidence_of(*, effect: float, n: int, probability_better: float) -> Confidence:
    """How sure an effect is: by the probability of its sign, its size, and n.

    High asks for three things at once because each alone is easy to get by chance: many posts with
    a tiny difference, or few posts with a huge one. Medium leaves out the size: an effect that
    surely exists may be small. Below that the policies never decide by themselves.
    """
    probability = probability_better if effect >= 1 else 1 - probability_better
    if probability >= 0.99 and n >= 20 and (effect >= 1.25 or effect <= 0.8):
        return Confidence.HIGH
    if probability >= 0.95 and n >= 10:
        return Confidence.MEDIUM
    return Confidence.LOW


def find(connection: "duckdb.DuckDBPyConnection", account_name: str) -> list[Finding]:
    """The account's clear effects, the one with the largest expected gain first.

    Args:
        connection: A published copy, or any database with ``stats.segment_effects``.
        account_name: Only this account's own rows count; those across accounts are shown, never
            proposed.

    Returns:
        One finding per dimension, segment, direction and kind of outcome; empty in noise.
    """
    cursor = connection.execute(
        f"""
        select platform, dimension, segment, outcome, age_hours, verdict, {", ".join(FIGURES)}
        from stats.segment_effects
        where account_name = $account_name
          and segment is not null
          and q_value <= $max_q_value
          and (
            (verdict = 'better' and effect >= $min_effect)
            or (verdict = 'worse' and effect <= $max_adverse_effect)
          )
          and effect_low > 0 and effect_high is not null
        """,  # noqa: S608 (the names of our own columns)
        {
            "account_name": account_name,
            "max_q_value": MAX_Q_VALUE,
            "min_effect": MIN_EFFECT,
            "max_adverse_effect": MAX_ADVERSE_EFFECT,
        },
    )
    columns = [column[0] for column in cursor.description]
    rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    strongest: dict[tuple[str, ...], Finding] = {}
    for finding in (effect_finding(account_name, row) for row in rows):
        cause = (
            finding.dimension,
            finding.segment,
            finding.direction,
            _kind_of_outcome(finding.dimension, finding.outcome),
        )
        former = strongest.get(cause)
        if former is None or _strength(finding) > _strength(former):
            strongest[cause] = finding
    return sorted(
        strongest.values(), key=lambda finding: (-finding.expected_gain, finding.finding_id)
    )


def stable_id(prefix: str, *parts: str) -> str:
    """A short id that is the same for the same parts: the prefix and 12 hex digits of a SHA-256."""
    return f"{prefix}_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def ratio_text(ratio: float) -> str:
    """A ratio as sentences show it, for example "1.62×"."""
    return f"{ratio:.2f}×"


def effect_finding(account_name: str, row: Mapping[str, Any]) -> Finding:
    """One row of ``stats.segment_effects`` as a finding; its guards are the caller's.

    Args:
        account_name: The account.
        row: With a finding's key, ``age_hours`` and all figures.
    """
    key = {name: row[name] for name in ("platform", "dimension", "segment", "outcome")}
    parameters = {"account_name": account_name, **key}
    return Finding(
        finding_id=stable_id("fnd", account_name, *key.values()),
        account_name=account_name,
        **key,
        age_hours=row["age_hours"],
        direction=Direction.BETTER if row["effect"] > 1 else Direction.WORSE,
        **{name: row[name] for name in FIGURES},
        confidence=confidence_of(
            effect=row["effect"], n=row["n"], probability_better=row["probability_better"]
        ),
        query={"sql": FINDING_SQL, "parameters": parameters},
        posts={"sql": POSTS_SQL, "parameters": parameters},
    )


def _kind_of_outcome(dimension: str, outcome: str) -> str:
    """Saves and shares of a format are causes of their own: the context keeps lists for them."""
    if dimension == "format" and outcome in ("save_rate_7d", "share_rate_7d"):
        return outcome
    return "reach"


def _strength(finding: Finding) -> tuple[float, float, str]:
    """By the cautious end of the interval, so that a wide interval does not win by its middle."""
    return (
        abs(math.log(finding.cautious_effect)),
        abs(math.log(finding.effect)),
        finding.finding_id,
    )


def _segment_words(dimension: str, segment: str) -> str:
    if dimension == "slide_count":
        return f"{segment}-slide posts"
    if dimension == "weekday":
        days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        if segment in ("1", "2", "3", "4", "5", "6", "7"):
            return f"{days[int(segment) - 1]} posts"
    return f"{segment} posts"
