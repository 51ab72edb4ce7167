"""A recommendation: a finding with a proposed change, as it is stored and shown."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.learn.findings import Confidence
from pipeline.learn.operations import Operation


class Category(StrEnum):
    """What kind of change a recommendation is about."""

    FORMAT_WEIGHT = "format_weight"
    HOOK_STYLE = "hook_style"
    TOPIC_PRIORITY = "topic_priority"
    PILLAR_REBALANCE = "pillar_rebalance"
    FORMAT_EXPERIMENT = "format_experiment"
    FAILURE_PATTERN = "failure_pattern"
    PARETO_INSIGHT = "80_20_insight"
    SAVE_VS_SHARE = "save_vs_share"
    SLIDE_COUNT = "slide_count"
    CTA_STRATEGY = "cta_strategy"


class Status(StrEnum):
    """Where a recommendation stands; every status but the first is its last."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class Writer(StrEnum):
    """Who worded a recommendation."""

    RULES = "rules"
    CLAUDE = "claude"


class Recommendation(BaseModel):
    """One proposed change with the evidence for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recommendation_id: str
    account_name: str
    created_at: datetime
    rank: int
    """Place among the recommendations written together; 1 is the most worth while."""
    status: Status
    category: Category
    target: str
    """What the change is about, for example ``format:step_guide``."""
    insight: str
    insight_template: str
    figures: dict[str, Any]
    """The values that fill the template's placeholders."""
    operations: tuple[Operation, ...]
    patch: list[dict[str, Any]]
    """RFC 6902, against the context of ``base_context_id``."""
    base_context_id: str | None
    confidence: Confidence
    sample_size: int
    """Posts that the insight rests on."""
    findings: list[dict[str, Any]]
    """The findings with the queries that recompute their figures."""
    format_posteriors: dict[str, dict[str, float]] | None = None
    """``mean`` and ``sd`` of each format's log effect when this was written: exploration goes by
    them once it is approved."""
    posts_per_week: float | None = None
    """Posts of the account on the finding's platform, for how soon a verdict may come."""
    warehouse_version: str
    writer: Writer
    writer_reason: str | None
    """Why the rules wrote it although a model was asked, or None."""
    model: str | None
    prompt_sha256: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: str | None
    """This recommendation's part of what the model's answers cost, as decimal text."""
    decided_at: datetime | None

    @property
    def headline(self) -> str:
        """The line a reviewer reads, for example "[HIGH] format_weight: …"."""
        return f"[{self.confidence.upper()}] {self.category.value}: {self.insight}"

    @property
    def context_sample_size(self) -> int:
        """Posts of the account that the effects were measured on."""
        return max(
            (finding["account_n"] for finding in self.findings if finding.get("account_n")),
            default=self.sample_size,
        )

    def to_row(self) -> dict[str, Any]:
        """The columns of the state database's table ``recommendations``."""
        return {
            **self.model_dump(mode="json"),
            "created_at": self.created_at,
            "decided_at": self.decided_at,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Recommendation":
        """From a row of the state database."""
        return cls.model_validate(row)
