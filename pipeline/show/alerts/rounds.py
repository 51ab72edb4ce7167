"""What one round of findings makes of the alerts that stand: plain data in, plain data out."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.accounts import AlertKind
from pipeline.show.alerts.findings import Alert, Figures, Finding, Says, Severity
from pipeline.show.alerts.wording import ended_sentence, sentence

Scope = tuple[str, AlertKind]
"""An account and a kind of alert."""


class EventKind(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"
    """Over without news: its time has passed, its kind was muted, or its account is gone."""

    @property
    def is_told(self) -> bool:
        """Whether people are told."""
        return self in (EventKind.OPENED, EventKind.WORSENED, EventKind.RESOLVED)


@dataclass(frozen=True)
class Course:
    """How alerts of a kind run."""

    cool_down: timedelta
    """From the end of one until the next of the same subject."""
    lasts: timedelta | None = None
    """News has no end of its own: it is closed after this long, without a follow-up."""
    says_its_end: bool = False
    """The rule shows the end by figures: without them there is nothing to tell."""


COURSES = {
    AlertKind.PERFORMANCE_DROP: Course(timedelta(days=14), says_its_end=True),
    AlertKind.LOW_ENGAGEMENT: Course(timedelta(days=90), says_its_end=True),
    AlertKind.BREAKOUT: Course(timedelta(days=400), lasts=timedelta(days=14)),
    AlertKind.VERDICT_CONCLUDED: Course(timedelta(days=4000), lasts=timedelta(days=14)),
    AlertKind.EXPERIMENT_CONCLUDED: Course(timedelta(days=4000), lasts=timedelta(days=14)),
    AlertKind.RECOMMENDATIONS_WAITING: Course(timedelta(days=3)),
    AlertKind.SCRAPE_FAILING: Course(timedelta(days=1)),
    AlertKind.BUDGET_NEAR: Course(timedelta(0)),
    AlertKind.ACCURACY_DROP: Course(timedelta(days=14)),
    AlertKind.POSTING_FAILURES: Course(timedelta(days=7)),
    AlertKind.GENERATION_FAILURES: Course(timedelta(days=7)),
    AlertKind.GENERATION_COST: Course(timedelta(days=7)),
}


@dataclass(frozen=True)
class Event:
    """One entry of an alert's history."""

    alert_id: str
    event: EventKind
    happened_at: datetime
    severity: Severity
    sentence: str
    figures: Figures
    done_by: str | None = None
    note: str | None = None


@dataclass
class Turn:
    """What a round changes."""

    new: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def turn(
    stored: Sequence[Alert],
    findings: Iterable[Finding],
    *,
    looked_at: Collection[Scope],
    silenced: Collection[Scope],
    now: datetime,
    new_id: Callable[[Finding], str],
) -> Turn:
    """Open, renew, worsen and end alerts.

    Args:
        stored: Alerts that stand, and those whose cool-down is not over.
        findings: Of this round.
        looked_at: Where the round could look: an alert elsewhere stays as it is.
        silenced: Where alerts end without a word: muted kinds, accounts that are gone.
        now: The moment of the round.
        new_id: Makes the id of a new alert.
    """
    made = Turn()
    by_key: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        other = by_key.get(finding.key)
        if other is None or finding.severity.rank > other.severity.rank:
            by_key[finding.key] = finding
    standing = {alert.key: alert for alert in stored if alert.is_open}
    quiet = {
        alert.key for alert in stored if alert.quiet_until is not None and alert.quiet_until > now
    }
    for key, alert in standing.items():
        _follow(made, alert, by_key.get(key), looked_at, silenced, now)
    for key, finding in by_key.items():
        if key not in standing and key not in quiet and finding.says is Says.RAISE:
            _open(made, finding, now, new_id(finding))
    return made


def _open(made: Turn, finding: Finding, now: datetime, alert_id: str) -> None:
    alert = Alert(
        alert_id=alert_id,
        account_name=finding.account_name,
        kind=finding.kind,
        platform=finding.platform,
        subject=finding.subject,
        severity=finding.severity,
        sentence=sentence(finding.kind, finding.platform, finding.figures),
        figures=finding.figures,
        first_seen_at=now,
        last_seen_at=now,
    )
    made.new.append(alert)
    made.events.append(_event(alert, EventKind.OPENED, now))


def _follow(
    made: Turn,
    alert: Alert,
    finding: Finding | None,
    looked_at: Collection[Scope],
    silenced: Collection[Scope],
    now: datetime,
) -> None:
    scope = (alert.account_name, alert.kind)
    course = COURSES[alert.kind]
    lasts = course.lasts
    if scope in silenced or (lasts is not None and now - alert.first_seen_at >= lasts):
        _end(made, alert, None, EventKind.CLOSED, now)
    elif finding is None:
        # News stands until its time has passed, whether or not it is still found.
        if scope in looked_at and lasts is None:
            kind = EventKind.CLOSED if course.says_its_end else EventKind.RESOLVED
            _end(made, alert, None, kind, now)
    elif finding.says is Says.END:
        _end(made, alert, finding, EventKind.RESOLVED, now)
    else:
        worse = finding.severity.rank > alert.severity.rank
        renewed = replace(
            alert,
            last_seen_at=max(now, alert.last_seen_at),
            figures=finding.figures,
            sentence=sentence(finding.kind, finding.platform, finding.figures),
            severity=finding.severity if worse else alert.severity,
        )
        made.changed.append(renewed)
        if worse:
            made.events.append(_event(renewed, EventKind.WORSENED, now))


def _end(made: Turn, alert: Alert, finding: Finding | None, kind: EventKind, now: datetime) -> None:
    figures = alert.figures if finding is None else finding.figures
    ended = replace(
        alert,
        resolved_at=now,
        quiet_until=now + COURSES[alert.kind].cool_down,
    )
    made.changed.append(ended)
    words = ended_sentence(alert.kind, alert.platform, figures, with_figures=finding is not None)
    made.events.append(replace(_event(ended, kind, now), sentence=words, figures=figures))


def _event(alert: Alert, kind: EventKind, now: datetime) -> Event:
    return Event(alert.alert_id, kind, now, alert.severity, alert.sentence, alert.figures)
