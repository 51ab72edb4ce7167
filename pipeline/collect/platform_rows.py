"""Reading single values out of untrusted rows: text, ids, handles, times, error messages.

Exports carry numbers as text, empty text for nothing, and error rows between the posts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import Item

_DIGITS = re.compile(r"[0-9]{1,20}")
_EXACT_IN_A_DOUBLE = 2**53
_LARGEST_ID = 2**63
_EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_X_TIME = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{1,2} [0-9:]{8} [+-][0-9]{4} [0-9]{4}")
_REASON_LENGTH = 240
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def text_of(value: object) -> str | None:
    """The text without surrounding space, or None for anything else and for nothing."""
    if not isinstance(value, str):
        return None
    return value.strip() or None


def dig(item: Item, *path: str) -> Any:
    """The value under nested keys, or None as soon as one is missing."""
    value: Any = item
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def is_yes(value: object) -> bool:
    """Whether a flag is set, as JSON's ``true`` or the text that a CSV has for it."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def count_of(value: object) -> int | None:
    """A non-negative whole number given as a number or as plain digits; otherwise None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, float):
        return int(value) if value >= 0 and value.is_integer() else None
    text = text_of(value)
    return int(text) if text and _DIGITS.fullmatch(text) else None


def one_line(value: object) -> str:
    """A value as one short line of valid text, for reasons and messages."""
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 1] + "…"


@dataclass(frozen=True)
class IdReading:
    """An id as text, or the reason why the row's id cannot be trusted; both None: no id."""

    post_id: str | None = None
    problem: str | None = None
    needs_proof: bool = False
    """The id came as a number that a double cannot hold exactly: another field must agree."""


def read_id(value: object) -> IdReading:
    """Read a post id without ever changing it: digits as text, or a whole number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return IdReading()
    if isinstance(value, float):
        return IdReading(problem="the id came as a decimal number, which loses digits")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_ID:
        return IdReading(str(value), needs_proof=value >= _EXACT_IN_A_DOUBLE)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return IdReading(value.strip())
    return IdReading(problem=f"the id {one_line(value)[:60]!r} is not made of digits")


def read_named_id(value: object, pattern: re.Pattern[str], what: str) -> IdReading:
    """Read an id that is no number: text of a known form, kept exactly as it is.

    Args:
        value: What the row has.
        pattern: The whole form of an id.
        what: The id's name in the reason, as "YouTube video id".
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return IdReading()
    if isinstance(value, str) and pattern.fullmatch(value.strip()):
        return IdReading(value.strip())
    return IdReading(problem=f"{one_line(value)[:60]!r} is no {what}")


def settle_id(reading: IdReading, address_id: str | None) -> IdReading:
    """The id of a row whose web address may name it too; the address stands in for a missing id."""
    if reading.problem:
        return reading
    if reading.needs_proof and reading.post_id != address_id:
        return IdReading(
            problem="the id came as a number too large to be exact, and no address confirms it"
        )
    post_id = reading.post_id or address_id
    if post_id is None:
        return IdReading(problem="no post id: neither an id nor a post's address")
    return IdReading(post_id)


def handle_of(value: object) -> str | None:
    """A handle in the form that handles are compared in: no ``@``, case folded."""
    text = text_of(value)
    return (text.lstrip("@").casefold() or None) if text else None


def read_time(*candidates: object) -> datetime | None:
    """The first candidate that is a believable moment (2005 to 2099), in UTC.

    Reads ISO 8601 (no zone means UTC, which is what the sources write), seconds or milliseconds
    since 1970 as number or text, and X's "Fri Nov 24 17:49:36 +0000 2023". Everything else, such
    as "10 months ago", is no moment.
    """
    for value in candidates:
        moment = _moment(value)
        if moment is not None and _EARLIEST <= moment < _LATEST:
            return moment
    return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip() if isinstance(value, (str, int, float)) else ""
    try:
        if re.fullmatch(r"[0-9]{9,13}(\.[0-9]+)?", text):
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, tz=UTC)
        if _X_TIME.fullmatch(text):
            return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text):
            return None
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def error_reason(item: Item) -> str | None:
    """The row's own words when it is an error row, not a post; None when it is no error row.

    Actors put such rows into the dataset of a run that SUCCEEDED.
    """
    parts = [_error_text(item.get(key)) for key in ("error", "errorCode", "errorDescription")]
    words: list[str] = []
    for part in parts:
        if part and part not in words:
            words.append(part)
    if not words and is_yes(item.get("noResults")):
        words = ["no results"]
    return one_line(f"error row: {': '.join(words)}") if words else None


def _error_text(value: object) -> str | None:
    if isinstance(value, dict):
        named = [_error_text(value.get(key)) for key in ("type", "message")]
        return ": ".join(part for part in named if part) or "an error"
    if isinstance(value, str):
        return one_line(value) or None
    if not value:
        return None
    return "an error" if value is True else one_line(value)


def outcome_of_errors(
    rows: Iterable[object], signs: Iterable[tuple[str, RunOutcome]]
) -> RunOutcome | None:
    """The outcome that error rows name, where an answer holds nothing but error rows.

    Args:
        rows: All rows of the answer.
        signs: Pattern of the rows' words (any case) and what it means; the first that fits counts.
    """
    words: list[str] = []
    for row in rows:
        reason = error_reason(row) if isinstance(row, dict) else None
        if reason is None:
            return None
        words.append(reason)
    text = "\n".join(words)
    return outcome_in(text, signs) if words else None


def outcome_in(text: str | None, signs: Iterable[tuple[str, RunOutcome]]) -> RunOutcome | None:
    """The meaning of the first sign that stands in a text."""
    for pattern, outcome in signs:
        if text and re.search(pattern, text, re.IGNORECASE):
            return outcome
    return None


def mentions_site(item: Item, keys: Iterable[str], site: str) -> bool:
    """Whether one of the address fields points to ``site``."""
    values = (item.get(key) for key in keys)
    return any(isinstance(value, str) and site in value.lower() for value in values)
