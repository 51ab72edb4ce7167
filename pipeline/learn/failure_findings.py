"""Failure patterns: what an account's weakest posts have in common more often than by chance.

Looking at the best posts alone hides what the failures share with them; a segment counts here only
when it is over-represented among the weakest fifth and does clearly less than the usual.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import (
    FIGURES,
    MAX_ADVERSE_EFFECT,
    MAX_Q_VALUE,
    Confidence,
    Finding,
    effect_finding,
    stable_id,
)

if TYPE_CHECKING:
    import duckdb

_FAILURE_FIGURES = (
    "n",
    "worst_n",
    "account_n",
    "account_worst_n",
    "worst_share",
    "usual_worst_share",
    "ratio",
    "ratio_low",
    "ratio_high",
    "q_value",
)

FAILURE_SQL = """\
select
  n, worst_n, account_n, account_worst_n, worst_share,
  account_worst_n / account_n as usual_worst_share, ratio, ratio_low, ratio_high, q_value
from marts.mart_failures
where account_name = $account_name and platform = $platform and dimension = $dimension
  and segment = $segment and outcome = $outcome"""
"""Recomputes a pattern's figures on a published copy."""

FAILED_POSTS_SQL = """\
select failures.platform, failures.post_id
from marts.mart_failure_posts as failures
inner join intermediate.int_post_segments as segments using (account_name, platform, post_id)
where failures.account_name = $account_name and failures.platform = $platform
  and segments.dimension = $dimension and segments.segment = $segment
  and failures.outcome = $outcome
order by failures.post_id"""
"""The posts of the segment among the weakest; as many as ``worst_n`` says."""

_PATTERNS_SQL = f"""\
select
  effects.platform, effects.dimension, effects.segment, effects.outcome, effects.age_hours,
  {", ".join(f"effects.{name}" for name in FIGURES)}
from marts.mart_failures as failures
inner join stats.segment_effects as effects using (
  account_name, platform, dimension, segment, outcome
)
where failures.account_name = $account_name
  and failures.verdict = 'over_represented' and failures.q_value <= $max_q_value
  and effects.effect <= $max_adverse_effect and effects.effect_low > 0
  and effects.effect_high < 1
order by
  failures.q_value, failures.ratio desc, effects.platform, effects.dimension, effects.segment,
  effects.outcome"""  # noqa: S608 (the names of our own columns)


@dataclass(frozen=True)
class FailurePattern:
    """One segment that is among an account's weakest posts more often than by chance."""

    effect: Finding
    """The same segment's effect on the same outcome, which is below the usual."""
    n: int
    """Posts of the segment that have the outcome."""
    worst_n: int
    """Of these, among the account's weakest fifth."""
    account_n: int
    account_worst_n: int
    """Posts of the account, and how many of them are the weakest fifth."""
    worst_share: float
    usual_worst_share: float
    """Part of the segment's posts, and of all posts, that are among the weakest; fractions."""
    ratio: float
    """``worst_share`` to ``usual_worst_share``."""
    ratio_low: float
    ratio_high: float
    """Bounds of the 90 % interval."""
    q_value: float
    query: dict[str, Any]
    posts: dict[str, Any]

    @property
    def finding_id(self) -> str:
        """A short id that stays the same from build to build."""
        effect = self.effect
        return stable_id(
            "fnd", effect.account_name, "failure", *effect.query["parameters"].values()
        )

    @property
    def confidence(self) -> Confidence:
        """That of the effect."""
        return self.effect.confidence

    @property
    def expected_gain(self) -> float:
        """That of the effect: what making fewer of these posts is worth."""
        return self.effect.expected_gain

    def to_json(self) -> dict[str, Any]:
        """The pattern as it is stored beside a recommendation."""
        effect = self.effect
        return {
            "finding_id": self.finding_id,
            "kind": "failure_pattern",
            "platform": effect.platform,
            "dimension": effect.dimension,
            "segment": effect.segment,
            "outcome": effect.outcome,
            "age_hours": effect.age_hours,
            "direction": effect.direction.value,
            "confidence": self.confidence.value,
            **{name: getattr(self, name) for name in _FAILURE_FIGURES},
            "query": self.query,
            "posts": self.posts,
        }


def find_failures(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> list[FailurePattern]:
    """The account's failure patterns, one per segment: the surest outcome speaks for the others.

    Args:
        connection: A published copy, or any database with ``marts.mart_failures`` and
            ``stats.segment_effects``.
        account_name: The account.
    """
    cursor = connection.execute(
        _PATTERNS_SQL,
        {
            "account_name": account_name,
            "max_q_value": MAX_Q_VALUE,
            "max_adverse_effect": MAX_ADVERSE_EFFECT,
        },
    )
    columns = [column[0] for column in cursor.description]
    effects = [
        effect_finding(account_name, dict(zip(columns, row, strict=True)))
        for row in cursor.fetchall()
    ]
    surest: dict[tuple[str, str], Finding] = {}
    for effect in effects:
        surest.setdefault((effect.dimension, effect.segment), effect)
    return [_pattern(connection, effect) for effect in surest.values()]


def _pattern(connection: "duckdb.DuckDBPyConnection", effect: Finding) -> FailurePattern:
    parameters = effect.query["parameters"]
    row = connection.execute(FAILURE_SQL, parameters).fetchone()
    assert row is not None, "the pattern was read from this table"
    return FailurePattern(
        effect=effect,
        **dict(zip(_FAILURE_FIGURES, row, strict=True)),
        query={"sql": FAILURE_SQL, "parameters": parameters},
        posts={"sql": FAILED_POSTS_SQL, "parameters": parameters},
    )
