"""What waits for a decision, what is being judged, and what was judged in a period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.clients.state import reading_state, state_exists
from pipeline.settings import Settings
from pipeline.show.reports.periods.calendar import Period

_DUE_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class WaitingDecision:
    """A recommendation that nobody has decided about yet."""

    recommendation_id: str
    account_name: str
    rank: int
    """Its place among those made with it for the account, from 1."""
    category: str
    confidence: str
    insight: str
    sample_size: int
    created_at: datetime

    @property
    def command(self) -> str:
        """What a person types to approve it."""
        return f"afterpost review --account {self.account_name} --approve {self.recommendation_id}"


@dataclass(frozen=True)
class Trial:
    """An approved change that is or was judged. Figures are None below eight posts a side."""

    recommendation_id: str
    account_name: str
    platform: str
    dimension: str
    segment: str
    outcome: str
    direction: str
    approved_at: datetime
    horizon_at: datetime
    """Moment of the last look."""
    verdict: str
    """worked, did_not_work or cannot_tell."""
    is_final: bool
    decided_at: datetime | None
    evidence: str
    n: int
    control_n: int
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    more_posts_needed: int | None


@dataclass(frozen=True)
class Trials:
    """Approved changes, sorted by what a report says of them."""

    arrived: tuple[Trial, ...]
    """Judged in the period, or given up in it because the horizon passed."""
    due: tuple[Trial, ...]
    """Running, with the last look within a week of the data's newest moment, or before it."""
    running: tuple[Trial, ...]
    """All that are being judged, the nearest last look first."""


def waiting_decisions(settings: Settings, account_name: str | None) -> list[WaitingDecision]:
    """Pending recommendations of one account or all, oldest and best first."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        rows = state.recommendations(account_name, status="pending")
    fields = WaitingDecision.__dataclass_fields__
    return [WaitingDecision(**{name: row[name] for name in fields}) for row in rows]


def trials(
    rows: Sequence[Mapping[str, Any]],
    period: Period,
    zones: Mapping[str, Any],
    as_of: datetime | None,
) -> Trials:
    """Sort the rows of ``marts.mart_verdicts``.

    Args:
        rows: As `pipeline.decide.track_record.verdicts` gives them.
        period: Whose verdicts have arrived.
        zones: Zone of each account; UTC for one that is gone.
        as_of: Newest moment of the data.
    """
    fields = Trial.__dataclass_fields__
    every = [Trial(**{name: row[name] for name in fields}) for row in rows]
    running = sorted(
        (one for one in every if not one.is_final),
        key=lambda one: (one.horizon_at, one.account_name, one.recommendation_id),
    )
    return Trials(
        arrived=tuple(one for one in every if _arrived(one, period, zones)),
        due=tuple(one for one in running if as_of and one.horizon_at <= as_of + _DUE_WITHIN),
        running=tuple(running),
    )


def _arrived(trial: Trial, period: Period, zones: Mapping[str, Any]) -> bool:
    if not trial.is_final:
        return False
    moment = trial.decided_at or trial.horizon_at
    zone = zones.get(trial.account_name) or zones["*"]
    return period.days.starts_at(zone) <= moment < period.days.ends_at(zone)
