"""A plan from a conversation without a model: the list that was written last becomes the items."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.decide.plans.plan import MAX_ITEMS, MAX_TITLE, ItemDraft
from pipeline.errors import PlanError

_BULLET = re.compile(r"^\s{0,12}(?:[-*•‣–]|\d{1,3}[.)])\s+(?:\[[ xX]?\]\s*)?(\S.*)$")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s*)?(\S.{0,200}?)\s*:?\s*$")
_HOURS = re.compile(
    r"\(?\s*(?:~|about |approx\.? )?(\d{1,3}(?:[.,]\d{1,2})?)\s*"
    r"(hours?|hrs?|h|minutes?|mins?)\b\s*\)?",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"\(?\b(?:due |by |on |until )?(\d{4}-\d{2}-\d{2})\b\)?", re.IGNORECASE)
_IN_TIME = re.compile(r"\(?\b(?:due )?(?:with)?in (\d{1,3}) (day|week)s?\b\)?", re.IGNORECASE)
_WORD = re.compile(
    r"\(?\b(?:due |by |on |until )?(today|tomorrow|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b\)?",
    re.IGNORECASE,
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MARKS = re.compile(r"\*\*|__|`")
_MAX_LINES = 5_000


@dataclass(frozen=True)
class ParsedList:
    """What was found in a conversation."""

    name: str | None
    """The line above the list, where there is one."""
    items: tuple[ItemDraft, ...]


def parse_list(messages: Sequence[str], today: date) -> ParsedList:
    """The last list of a conversation.

    Lines that begin with a dash, a dot, a star or a number are items; "(2 h)", "by Friday",
    "in 3 days" and ISO dates in them become estimates and due dates.

    Args:
        messages: The texts, oldest first.
        today: In the account's zone; "tomorrow" counts from it.

    Raises:
        PlanError: There is no list.
    """
    for message in reversed(messages):
        found = _last_list(message)
        if found is not None:
            heading, lines = found
            items = tuple(item for line in lines[:MAX_ITEMS] if (item := _item(line, today)))
            if items:
                return ParsedList(heading, items)
    raise PlanError(
        "No list was found in the conversation: write the steps as lines that begin with a dash or "
        "a number, or make the plan by hand."
    )


def _last_list(message: str) -> tuple[str | None, list[str]] | None:
    heading: str | None = None
    current: list[str] = []
    found: tuple[str | None, list[str]] | None = None
    for line in message.splitlines()[:_MAX_LINES]:
        bullet = _BULLET.match(line)
        if bullet:
            if not current:
                found = (heading, current)
            current.append(bullet.group(1))
        elif line.strip():
            current = []
            matched = _HEADING.match(_MARKS.sub("", line))
            heading = matched.group(1) if matched else None
    return found


def _item(line: str, today: date) -> ItemDraft | None:
    text = _MARKS.sub("", line)
    hours, text = _hours(text)
    due, text = _due(text, today)
    title = re.sub(r"\(\s*[,;]?\s*\)", "", text)
    title = " ".join(title.split()).strip(" ,;:–-")
    if not title:
        return None
    if len(title) > MAX_TITLE:
        return ItemDraft(title[: MAX_TITLE - 1] + "…", title, due, hours)
    return ItemDraft(title, None, due, hours)


def _hours(text: str) -> tuple[float | None, str]:
    found = _HOURS.search(text)
    if found is None:
        return None, text
    amount = float(found.group(1).replace(",", "."))
    if found.group(2).lower().startswith("m"):
        amount = round(amount / 60, 2)
    if amount <= 0:
        return None, text
    return amount, text[: found.start()] + " " + text[found.end() :]


def _due(text: str, today: date) -> tuple[date | None, str]:
    for pattern in (_ISO_DATE, _IN_TIME, _WORD):
        found = pattern.search(text)
        if found is None:
            continue
        due = _day(found, today)
        if due is None:
            continue
        # A weekday in the middle of a sentence may be what the item is about: it stays there.
        is_aside = pattern is not _WORD or found.end() >= len(text.rstrip(" .)"))
        return due, text[: found.start()] + " " + text[found.end() :] if is_aside else text
    return None, text


def _day(found: re.Match[str], today: date) -> date | None:
    word = found.group(1).lower()
    if found.re is _ISO_DATE:
        try:
            return date.fromisoformat(word)
        except ValueError:
            return None
    if found.re is _IN_TIME:
        days = int(word) * (7 if found.group(2).lower() == "week" else 1)
        return today + timedelta(days=days)
    if word in {"today", "tomorrow"}:
        return today + timedelta(days=word == "tomorrow")
    # The next such day that is not today.
    ahead = (_WEEKDAYS.index(word) - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead)
