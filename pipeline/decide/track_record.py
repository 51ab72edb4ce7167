"""How good the recommender is: what became of what it recommended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import Confidence
from pipeline.learn.recommend.recommendation import Recommendation, Status
from pipeline.measure.intervals import share_of

if TYPE_CHECKING:
    import duckdb

APPROVAL_TARGET = 0.9
"""Share of recommendations that people should find worth approving."""

_VERDICTS_SQL = """\
select * from marts.mart_verdicts
where $account_name is null or account_name = $account_name
order by account_name, approved_at, recommendation_id"""


@dataclass(frozen=True)
class Rate:
    """A share with its 90 % interval; None when nothing was counted."""

    part: int
    whole: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, part: int, whole: int) -> "Rate":
        """The share of ``part`` in ``whole``."""
        if whole == 0:
            return cls(part, whole, None, None, None)
        share = share_of(part, whole)
        return cls(part, whole, share.value, share.low, share.high)


@dataclass(frozen=True)
class ConfidenceRecord:
    """What became of the approved recommendations of one confidence."""

    confidence: str
    approved_count: int
    cannot_tell_count: int
    """Horizon passed without a verdict."""
    waiting_count: int
    hit_rate: Rate
    """Worked, of those with a verdict."""
    claimed_probability: float | None
    """Mean probability, stated when they were recommended, that the effect has the claimed sign,
    over those with a verdict: calibrated when the hit rate's interval has it."""


@dataclass(frozen=True)
class TrackRecord:
    """The recommender's record, for one account or all."""

    by_confidence: list[ConfidenceRecord]
    approval_rate: Rate
    """Approved or edited, of those that were decided."""
    approval_target: float
    decided_share: Rate
    """With a verdict, of those whose horizon passed or that have one."""
    expected_decided_share: float | None
    """What was told before the approvals, over the same."""
    days_to_verdict_median: float | None
    """Learning speed: days from approval to verdict, of those with one."""


def verdicts(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[dict[str, Any]]:
    """Rows of ``marts.mart_verdicts``, of one account or all, oldest approval first."""
    cursor = connection.execute(_VERDICTS_SQL, {"account_name": account_name})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def track_record(
    rows: Sequence[Mapping[str, Any]], recommendations: Sequence[Recommendation]
) -> TrackRecord:
    """The record from verdicts and recommendations.

    Args:
        rows: As :func:`verdicts` gives them.
        recommendations: All that were made, of the same account or accounts.
    """
    approved = [item for item in recommendations if item.status is Status.APPROVED]
    rejected = [item for item in recommendations if item.status is Status.REJECTED]
    decided = [row for row in rows if _is_decided(row)]
    ended = [row for row in rows if row["is_final"]]
    expected = [row["expected_share_decided"] for row in ended]
    days = [(row["decided_at"] - row["approved_at"]).total_seconds() / 86400 for row in decided]
    return TrackRecord(
        by_confidence=[_of_confidence(level, rows, approved) for level in Confidence],
        approval_rate=Rate.of(len(approved), len(approved) + len(rejected)),
        approval_target=APPROVAL_TARGET,
        decided_share=Rate.of(len(decided), len(ended)),
        expected_decided_share=_mean(share for share in expected if share is not None),
        days_to_verdict_median=median(days) if days else None,
    )


def _of_confidence(
    level: Confidence, rows: Sequence[Mapping[str, Any]], approved: Sequence[Recommendation]
) -> ConfidenceRecord:
    own = [row for row in rows if row["confidence"] == level.value]
    decided = [row for row in own if _is_decided(row)]
    claimed = {item.recommendation_id: _claimed_probability(item) for item in approved}
    stated = [claimed.get(row["recommendation_id"]) for row in decided]
    return ConfidenceRecord(
        confidence=level.value,
        approved_count=sum(item.confidence is level for item in approved),
        cannot_tell_count=sum(row["is_final"] and not _is_decided(row) for row in own),
        waiting_count=sum(not row["is_final"] for row in own),
        hit_rate=Rate.of(sum(row["verdict"] == "worked" for row in decided), len(decided)),
        claimed_probability=_mean(share for share in stated if share is not None),
    )


def _is_decided(row: Mapping[str, Any]) -> bool:
    return bool(row["verdict"] != "cannot_tell")


def _claimed_probability(recommendation: Recommendation) -> float | None:
    finding = recommendation.findings[0] if recommendation.findings else {}
    probability = finding.get("probability_better")
    if probability is None:
        return None
    return float(probability if finding.get("direction") == "better" else 1 - probability)


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return mean(listed) if listed else None
