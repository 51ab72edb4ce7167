"""What a rule found, and what is known about an alert that stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.accounts import AlertKind

Figures = Mapping[str, Any]
"""Numbers, texts and ISO moments, as JSON has them; the sentence is made of nothing else."""


class Severity(StrEnum):
    """How much an alert presses."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Severity).index(self)


class Says(StrEnum):
    """What a finding means for its alert."""

    RAISE = "raise"
    """Enough for a new alert."""
    KEEP = "keep"
    """Too little for a new one; one that stands goes on."""
    END = "end"
    """One that stands is over, and these are the figures that show it."""


@dataclass(frozen=True)
class Finding:
    """Something that a rule says about an account at a moment."""

    kind: AlertKind
    account_name: str
    platform: str | None
    subject: str
    """What it is about, in the same words at every round: with kind and account the key by which an
    alert is known."""
    severity: Severity
    figures: Figures
    says: Says = Says.RAISE

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, kind and subject."""
        return (self.account_name, self.kind.value, self.subject)


@dataclass(frozen=True)
class Alert:
    """One alert, as stored. Times in UTC."""

    alert_id: str
    account_name: str
    kind: AlertKind
    platform: str | None
    subject: str
    severity: Severity
    sentence: str
    figures: Figures
    first_seen_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None
    resolved_at: datetime | None = None
    quiet_until: datetime | None = None
    """No new alert of this kind and subject before; None while this one stands."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, kind and subject."""
        return (self.account_name, self.kind.value, self.subject)

    @property
    def is_open(self) -> bool:
        """Whether it is not over yet; acknowledged alerts are open too."""
        return self.resolved_at is None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Alert":
        """From a row of the state database's table."""
        return cls(**{**row, "kind": AlertKind(row["kind"]), "severity": Severity(row["severity"])})

    def row(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            **vars(self),
            "kind": self.kind.value,
            "severity": self.severity.value,
            "figures": dict(self.figures),
        }
