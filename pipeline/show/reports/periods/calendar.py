"""Days, ISO weeks and months on the accounts' own clocks.

A period is a range of local days: a post belongs to it by the day on its own account's clock. Of
one account it begins and ends at that account's midnights; of several accounts a period is over
when it is over for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_COMPARED_DAYS = 7
"""Days that a daily report compares: the posts of a single day are too few to say anything."""


class PeriodKind(StrEnum):
    """How long a report looks back."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Days:
    """A range of local days, both ends included."""

    first: date
    last: date

    def __contains__(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last

    @property
    def count(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def starts_at(self, zone: ZoneInfo) -> datetime:
        """The first midnight, in UTC; where a clock skips it, the moment that follows."""
        return _midnight(self.first, zone)

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """The midnight after the last day, in UTC."""
        return _midnight(self.last + timedelta(days=1), zone)

    @property
    def words(self) -> str:
        """As people write it: ``11–17 May 2026``."""
        first, last = self.first, self.last
        end = f"{last.day} {last:%b %Y}"
        if first == last:
            return end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{end}"
        start = f"{first.day} {first:%b}"
        return f"{start}{'' if first.year == last.year else f' {first.year}'} – {end}"


@dataclass(frozen=True)
class Period:
    """What one report is about."""

    kind: PeriodKind
    days: Days

    @property
    def key(self) -> str:
        """Name that sorts: ``2026-05-21``, ``2026-W21`` or ``2026-05``."""
        if self.kind is PeriodKind.DAILY:
            return self.days.first.isoformat()
        if self.kind is PeriodKind.WEEKLY:
            year, week, _ = self.days.first.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.days.first:%Y-%m}"

    @property
    def title(self) -> str:
        """As a heading says it."""
        if self.kind is PeriodKind.DAILY:
            return f"{self.days.first:%A} {self.days.words}"
        if self.kind is PeriodKind.WEEKLY:
            return f"week {self.days.first.isocalendar().week}, {self.days.words}"
        return f"{self.days.first:%B %Y}"

    @property
    def compared(self) -> Days:
        """Days whose posts are compared: the period's, or the week up to a day."""
        if self.kind is PeriodKind.DAILY:
            return Days(self.days.last - timedelta(days=_COMPARED_DAYS - 1), self.days.last)
        return self.days

    @property
    def previous(self) -> "Period":
        """The period before."""
        return period_of(self.kind, self.days.first - timedelta(days=1))

    @property
    def former(self) -> Days:
        """The days before that they are compared with: as many, or the month before."""
        last = self.compared.first - timedelta(days=1)
        if self.kind is PeriodKind.MONTHLY:
            return Days(last.replace(day=1), last)
        return Days(last - timedelta(days=self.compared.count - 1), last)


def period_of(kind: PeriodKind, day: date) -> Period:
    """The period that a day lies in."""
    if kind is PeriodKind.DAILY:
        return Period(kind, Days(day, day))
    if kind is PeriodKind.WEEKLY:
        monday = day - timedelta(days=day.isoweekday() - 1)
        return Period(kind, Days(monday, monday + timedelta(days=6)))
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Period(kind, Days(day.replace(day=1), following - timedelta(days=1)))


def last_complete(kind: PeriodKind, zones: Sequence[ZoneInfo], now: datetime) -> Period:
    """The newest period that is over on all of the clocks.

    Args:
        kind: Which.
        zones: Of the accounts; UTC when there are none.
        now: A moment with its zone.
    """
    today = min(now.astimezone(zone).date() for zone in zones or [ZoneInfo("UTC")])
    current = period_of(kind, today)
    return period_of(kind, current.days.first - timedelta(days=1))


def is_over(period: Period, zones: Sequence[ZoneInfo], now: datetime) -> bool:
    """Whether the period has ended on all of the clocks."""
    return all(now >= period.days.ends_at(zone) for zone in zones or [ZoneInfo("UTC")])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In a gap the earlier offset counts (PEP 495, fold 0): that is the moment of the jump.
    return datetime.combine(day, time(), zone).astimezone(UTC)
