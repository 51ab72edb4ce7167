"""Reading the cells of platforms' own exports: numbers, durations, days and post ids."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from pipeline.accounts import Platform
from pipeline.collect.platforms.instagram import id_of_short_code

_NOTHING = frozenset({"", "-", "–", "—", "--", "n/a", "na", "null", "none", "nan"})
_NUMBER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?(?:e[-+]?\d{1,3})?")
_SCALED = re.compile(r"([-+]?\d+(?:\.\d+)?)([kmb])")
_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9}
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2}(?:\.\d+)?)")
_SPELT = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")
_DAY_FORMS = ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")
_DAY_WITHOUT_YEAR = ("%B %d", "%b %d")

_ADDRESSES = {
    "tiktok": re.compile(r"/(?:video|photo)/(\d{1,20})(?!\d)"),
    "instagram": re.compile(r"instagram\.com/(?:[\w.]+/)?(?:p|reels?|tv)/([\w-]{5,64})"),
    "x": re.compile(r"(?:twitter|x)\.com/[^/]+/status(?:es)?/(\d{1,20})(?!\d)", re.IGNORECASE),
    "youtube": re.compile(r"(?:v=|youtu\.be/|/shorts/|/live/)([\w-]{11})(?![\w-])"),
    "linkedin": re.compile(r"activity[-:](\d{15,20})(?!\d)"),
}
_IDS = {
    "tiktok": re.compile(r"\d{15,20}"),
    "x": re.compile(r"\d{1,20}"),
    "youtube": re.compile(r"[\w-]{11}"),
    "linkedin": re.compile(r"\d{15,20}"),
}
_HOSTS = {
    "tiktok": "tiktok.com/",
    "instagram": "instagram.com/",
    "x": "twitter.com/",
    "youtube": "youtube.com/",
    "linkedin": "linkedin.com/",
}


class UnreadableCellError(ValueError):
    """A cell that holds something, but no number."""


def read_number(cell: object) -> float | None:
    """A cell's number; durations in seconds, percentages as fractions, nothing as None.

    Reads ``1,234.5``, ``12.3K``, ``8.2%``, ``$1.20``, ``0:01:23``, ``1m 23s``.

    Raises:
        UnreadableCellError: It is no number.
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise UnreadableCellError(str(cell))
    if isinstance(cell, int | float):
        return float(cell) if cell == cell else None  # noqa: PLR0124 - NaN equals nothing
    text = str(cell).strip().casefold()
    if text in _NOTHING:
        return None
    text = re.sub(r"^(?:us)?\$|\s*usd$|\s+", "", text)
    if text.endswith("%"):
        return round(_plain_number(text.removesuffix("%")) / 100, 9)
    for read in (_clock, _spelt, _scaled):
        value = read(text)
        if value is not None:
            return value
    return _plain_number(text)


def _plain_number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise UnreadableCellError(text)
    return float(text.replace(",", ""))


def _clock(text: str) -> float | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


def _spelt(text: str) -> float | None:
    found = _SPELT.fullmatch(text)
    # "12m" alone may be twelve million; a time has seconds or hours too.
    if not found or not (found.group(1) or found.group(3)):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _scaled(text: str) -> float | None:
    found = _SCALED.fullmatch(text)
    return float(found.group(1)) * _SCALE[found.group(2)] if found else None


def read_post_id(platform: Platform, cell: str) -> str | None:
    """The id of the post that an address or an id names, as scrapes have it; else None.

    Instagram's exports carry another id than scrapes do, so only its addresses count.
    """
    text = cell.strip().strip("'\"")
    address, plain = _ADDRESSES.get(platform.value), _IDS.get(platform.value)
    found = address.search(text) if address else None
    if found:
        code = found.group(1)
        return id_of_short_code(code) if platform.value == "instagram" else code
    return text if plain and plain.fullmatch(text) else None


def names_site(platform: Platform, cell: str) -> bool:
    """Whether a cell is an address on the platform's site."""
    text = cell.casefold()
    host = _HOSTS.get(platform.value, "\0")
    return host in text or (platform.value == "x" and bool(re.search(r"(?:^|[/.])x\.com/", text)))


def read_days(cells: Sequence[str], newest: date) -> list[date | None]:
    """The days that a column names; where it has no years, the latest that fit before ``newest``.

    Of ``3/4/2026`` the first is the month, unless another row of the column shows that it cannot.
    """
    is_day_first = any(
        int(found.group(1)) > 12 for cell in cells if (found := _SLASHED.match(cell.strip()))
    )
    days: list[date | None] = []
    limit = newest
    for cell in reversed(cells):
        day = _day(cell.strip(), is_day_first)
        if day is None:
            day = _day_before(cell.strip(), limit)
            limit = day or limit
        days.append(day)
    return days[::-1]


_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?!\d)")


def _day(text: str, is_day_first: bool) -> date | None:
    try:
        if re.match(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text[:10])
        if re.fullmatch(r"20\d{6}", text):
            return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day
        slashed = _SLASHED.match(text)
        if slashed:
            first, second, year = (int(part) for part in slashed.groups())
            month, day = (second, first) if is_day_first else (first, second)
            return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None
    text = re.sub(r"^[A-Za-z]{3,9}, ", "", text)
    return _by_form(text, _DAY_FORMS)


def _by_form(text: str, forms: Sequence[str]) -> date | None:
    for form in forms:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    return None


def _day_before(text: str, limit: date) -> date | None:
    """A day without its year, at or before the limit."""
    for year in range(limit.year, limit.year - 9, -1):  # a leap day may be eight years back
        day = _by_form(f"{text} {year}", [f"{form} %Y" for form in _DAY_WITHOUT_YEAR])
        if day is not None and day <= limit:
            return day
    return None
