"""The shapes of recommendations, decisions, context versions and verdicts."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from pipeline.decide.decision import Decision
from pipeline.show.web.api.answers import Answer, Figure, Meta, PageInfo, Request
from pipeline.show.web.api.content_answers import ContentCard

Note = Annotated[str, Field(max_length=2_000)]

SAME_FIELDS = (
    "created_at", "rank", "status", "category", "target", "insight", "confidence", "sample_size",
    "warehouse_version", "writer", "writer_reason", "model", "cost_usd", "decided_at",
)  # fmt: skip


class NoteBody(Request):
    """Why somebody decides so."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "worth a try"}]}
    )

    note: Note | None = None


class EditBody(NoteBody):
    """What is approved instead of the proposal."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"value": 1.3, "note": "more carefully"}]}
    )

    value: (
        Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]
        | Annotated[int, Field(ge=0, le=1_000)]
    )
    """A weight, or a slide count."""


class RevertBody(NoteBody):
    """Which version to go back to."""

    to: Annotated[str, Field(pattern=r"^[\w:.\-]{1,100}$")] | None = None


class Decided(Answer):
    """One decision."""

    id: str
    recommendation_id: str | None
    account: str
    decision: str
    decided_by: str
    decided_at: datetime
    note: str | None
    """Somebody's text: escape it."""
    context_id_before: str | None
    context_id_after: str | None

    @classmethod
    def of(cls, made: Decision) -> "Decided":
        """From the domain."""
        fields = {**made.__dict__, "id": made.decision_id, "account": made.account_name}
        return cls(**{name: fields[name] for name in cls.model_fields})


class Recommended(Answer):
    """One proposed change."""

    id: str
    account: str
    created_at: datetime
    rank: int
    status: str
    category: str
    target: str
    insight: str
    """A sentence with its figures: n and interval."""
    confidence: str
    sample_size: int
    proposed: str
    """The change in words."""
    proposed_change: list[dict[str, Any]]
    """RFC 6902, against the context it was made for."""
    is_editable: bool
    """Whether another weight or slide count may be approved."""
    expected_share_decided: Figure
    """Chance that a verdict falls within eight weeks at the account's pace."""
    warehouse_version: str
    writer: str
    writer_reason: str | None
    model: str | None
    cost_usd: str | None
    decided_at: datetime | None
    experiment_id: str | None
    """The experiment whose winner it follows from; null for one from findings."""


class RecommendationPage(PageInfo):
    """A page of recommendations."""

    items: list[Recommended]


class StoredDecision(Answer):
    """The decision about a recommendation."""

    decision_id: str
    decision: str
    decided_by: str
    decided_at: datetime
    note: str | None
    context_id_before: str | None
    context_id_after: str | None


class RecommendationDetail(Recommended):
    """A recommendation with everything behind it."""

    evidence: list[dict[str, Any]]
    """The findings with their figures and the queries that recompute them."""
    posts: list[ContentCard]
    """Of the segment that it is about, the newest first."""
    context_diff: str | None
    """Unified diff of performance_context.json; null when decided, or when it no longer fits."""
    decision: StoredDecision | None
    meta: Meta | None


class ContextNow(Answer):
    """A context file."""

    account: str
    document: dict[str, Any]


class Version(Answer):
    """One version of a context file."""

    sequence: int
    context_id: str
    sha256: str
    cause: str
    created_at: datetime
    decision_id: str | None
    recommendation_id: str | None
    decided_by: str | None
    note: str | None


class VersionPage(PageInfo):
    """A page of versions."""

    items: list[Version]


class Diff(Answer):
    """A unified diff; empty where nothing changed."""

    account: str
    diff: str


class Verdict(Answer):
    """What an approved change did."""

    recommendation_id: str
    account_name: str
    category: str | None
    target: str | None
    confidence: str | None
    insight: str | None
    approved_by: str | None
    approved_at: datetime
    platform: str
    dimension: str
    segment: str
    outcome: str
    direction: str
    smallest_useful_ratio: Figure
    horizon_at: datetime
    verdict: str
    is_final: bool
    decided_at: datetime | None
    evidence: str | None
    n: int | None
    control_n: int | None
    effect: Figure
    effect_low: Figure
    effect_high: Figure
    more_posts_needed: int | None
    posts_per_week: Figure
    expected_share_decided: Figure


class Share(Answer):
    """A share with its 90 % interval; null when nothing was counted."""

    part: int
    whole: int
    rate: Figure
    low: Figure
    high: Figure


class ConfidenceRecord(Answer):
    """What became of the approved recommendations of one confidence."""

    confidence: str
    approved_count: int
    cannot_tell_count: int
    waiting_count: int
    hit_rate: Share
    claimed_probability: Figure


class Record(Answer):
    """How good the recommender is."""

    by_confidence: list[ConfidenceRecord]
    approval_rate: Share
    approval_target: float
    decided_share: Share
    expected_decided_share: Figure
    days_to_verdict_median: Figure


class Verdicts(Answer):
    """Verdicts, and the recommender's record."""

    items: list[Verdict]
    record: Record
    meta: Meta
