"""What an action plan is: its items, their due dates, and what it was expected to bring."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pipeline.errors import PlanError
from pipeline.learn.findings import OUTCOME_WORDS

MAX_ITEMS = 100
MAX_POSTS_OF_AN_ITEM = 50
MAX_TITLE = 300
MAX_TEXT = 8_000
MAX_ESTIMATED_HOURS = 1_000

SOON = timedelta(days=3)
"""An open item that is due within so many days is urgent."""

POST_ID = re.compile(r"[\w:.\-]{1,200}")
"""What a platform's id of a post may look like."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


class PlanStatus(StrEnum):
    """Where a plan stands."""

    ACTIVE = "active"
    COMPLETED = "completed"
    ARCHIVED = "archived"


class SourceKind(StrEnum):
    """What a plan was made from; ``source_id`` names it."""

    HAND = "hand"
    RECOMMENDATION = "recommendation"
    CONTENT = "content"
    CONVERSATION = "conversation"


class Writer(StrEnum):
    """Who worded a plan."""

    PERSON = "person"
    RULES = "rules"
    CLAUDE = "claude"


class Urgency(StrEnum):
    """How a due date stands to a day."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    NO_DATE = "no_date"
    DONE = "done"


@dataclass(frozen=True)
class PostKey:
    """A post as the world knows it; the account is the plan's."""

    platform: str
    post_id: str

    @property
    def content_id(self) -> str:
        """``platform:post_id``."""
        return f"{self.platform}:{self.post_id}"


@dataclass(frozen=True)
class Projection:
    """What a plan's posts were expected to do, against the account's own usual."""

    outcome: str
    """Such as ``views_7d``; one of `OUTCOME_WORDS`."""
    ratio: float | None = None
    """1.0 is the account's usual; None where nobody put a number on it."""
    ratio_low: float | None = None
    ratio_high: float | None = None
    """With ``ratio_low``: the interval of a measured projection, 90 %."""
    n: int | None = None
    """Posts that a measured projection rests on; None for one that somebody typed."""
    platform: str | None = None
    dimension: str | None = None
    segment: str | None = None
    text: str | None = None
    """In words."""

    def to_row(self) -> dict[str, Any]:
        """As JSON."""
        return dict(self.__dict__)

    @classmethod
    def from_row(cls, row: Mapping[str, Any] | None) -> "Projection | None":
        """From JSON."""
        return None if row is None else cls(**row)


@dataclass(frozen=True)
class Item:
    """One step of a plan."""

    item_id: str
    plan_id: str
    order_index: int
    title: str
    notes: str | None
    due_date: date | None
    """A day in the account's zone."""
    estimated_hours: float | None
    projected_outcome: str | None
    actual_outcome: str | None
    """In somebody's words; what the posts did is computed."""
    is_completed: bool
    completed_at: datetime | None
    completed_by: str | None
    created_at: datetime
    posts: tuple[PostKey, ...] = ()

    def urgency(self, today: date) -> Urgency:
        """How the due date stands to a day.

        Args:
            today: In the account's zone.
        """
        if self.is_completed:
            return Urgency.DONE
        if self.due_date is None:
            return Urgency.NO_DATE
        if self.due_date < today:
            return Urgency.OVERDUE
        return Urgency.SOON if self.due_date - today <= SOON else Urgency.LATER


@dataclass(frozen=True)
class Plan:
    """A plan as it stands."""

    plan_id: str
    account_name: str
    name: str
    goal: str
    status: PlanStatus
    source_kind: SourceKind
    source_id: str | None
    writer: Writer
    writer_reason: str | None
    """Why the rules wrote it although a model was to, or how they found the items."""
    projected: Projection | None
    outcome_note: str | None
    notes: str | None
    progress_percentage: int
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    items: tuple[Item, ...] = ()

    @property
    def completed_count(self) -> int:
        """Items that are done."""
        return sum(item.is_completed for item in self.items)

    @property
    def estimated_hours_left(self) -> float | None:
        """Of the open items; None when none of them has an estimate."""
        known = [
            item.estimated_hours
            for item in self.items
            if not item.is_completed and item.estimated_hours is not None
        ]
        return sum(known) if known else None

    @property
    def posts(self) -> tuple[PostKey, ...]:
        """The posts of all items, each once."""
        return tuple(dict.fromkeys(post for item in self.items for post in item.posts))

    def item(self, item_id: str) -> Item:
        """One of its items."""
        return next(item for item in self.items if item.item_id == item_id)


@dataclass(frozen=True)
class ItemDraft:
    """An item before it is stored."""

    title: str
    notes: str | None = None
    due_date: date | None = None
    estimated_hours: float | None = None
    projected_outcome: str | None = None
    posts: tuple[PostKey, ...] = ()


@dataclass(frozen=True)
class PlanDraft:
    """A plan before it is stored."""

    account_name: str
    name: str
    goal: str
    items: tuple[ItemDraft, ...] = ()
    source_kind: SourceKind = SourceKind.HAND
    source_id: str | None = None
    writer: Writer = Writer.PERSON
    writer_reason: str | None = None
    projected: Projection | None = None
    notes: str | None = None


def progress(completed: Sequence[bool]) -> int:
    """Whole percent of items that are done, 0 without items; 100 only when all are."""
    return 100 * sum(completed) // len(completed) if completed else 0


def one_line(text: str, longest: int = MAX_TITLE) -> str:
    """Text for a title: one line without control characters.

    Raises:
        PlanError: Nothing is left, or it is too long.
    """
    line = " ".join(_CONTROL.sub(" ", text).split())
    if not line:
        raise PlanError("A name or title is empty: write what it is about.")
    if len(line) > longest:
        raise PlanError(f"A name or title has {len(line)} characters; at most {longest} are kept.")
    return line


def plain_text(text: str | None, longest: int = MAX_TEXT) -> str | None:
    """Text of several lines without control characters; None when nothing is left.

    Raises:
        PlanError: It is too long.
    """
    if text is None:
        return None
    plain = _CONTROL.sub(" ", text.replace("\r\n", "\n")).strip()
    if len(plain) > longest:
        raise PlanError(f"A text has {len(plain)} characters; at most {longest} are kept.")
    return plain or None


def checked_projection(projection: Projection | None) -> Projection | None:
    """The projection, when its outcome is one that is measured.

    Raises:
        PlanError: It is not.
    """
    if projection is not None and projection.outcome not in OUTCOME_WORDS:
        known = ", ".join(OUTCOME_WORDS)
        raise PlanError(f"{projection.outcome!r} is not measured: choose one of {known}.")
    return projection
