"""A decision: who approved, edited, rejected or reverted what, when, and what it changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class DecisionKind(StrEnum):
    """What was decided."""

    APPROVE = "approve"
    EDITED = "edited"
    """Approved with another value than was proposed."""
    REJECT = "reject"
    REVERT = "revert"


@dataclass(frozen=True)
class Decision:
    """One decision; it is never changed afterwards."""

    decision_id: str
    recommendation_id: str | None
    """None for a revert."""
    account_name: str
    decision: DecisionKind
    decided_by: str
    decided_at: datetime
    note: str | None
    patch: list[dict[str, Any]]
    """What the recommendation changed (RFC 6902); empty for a rejection or a revert."""
    context_id_before: str | None
    context_id_after: str | None
    """Ids of the context before and after; equal when nothing changed."""
    operations: list[dict[str, Any]] | None = None
    """What was approved instead of the proposal; None unless edited."""
    proposed_patch: list[dict[str, Any]] | None = None
    """What the proposal would have changed; None unless edited."""

    @property
    def is_approval(self) -> bool:
        """Whether it changed the context as a recommendation proposed, edited or not."""
        return self.decision in (DecisionKind.APPROVE, DecisionKind.EDITED)

    def to_row(self) -> dict[str, Any]:
        """The columns of the state database's table ``decisions``."""
        return {**self.__dict__, "decision": self.decision.value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Decision":
        """From a row of the state database."""
        return cls(**{**row, "decision": DecisionKind(row["decision"])})
