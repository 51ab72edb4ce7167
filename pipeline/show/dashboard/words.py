"""Figures in words, as the command line writes them too; a missing one brings its reason."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.show.charts.style import platform_words as platform
from pipeline.show.reports import wording
from pipeline.show.reports.wording import MISSING, NBSP, interval
from pipeline.show.reports.wording import times as ratio

__all__ = [
    "MISSING", "SPACE", "Figure", "change", "count", "day", "figure", "interval", "moment",
    "percent", "plain", "platform", "posts", "ratio",
]  # fmt: skip

SPACE = NBSP


@dataclass(frozen=True)
class Figure:
    """A value as shown, or why there is none."""

    text: str
    missing: str | None = None
    """The reason; the text is then a dash."""


def figure(text: str | None, reason: str) -> Figure:
    """``text``, or a dash with the reason."""
    return Figure(MISSING, reason) if text is None else Figure(text)


def count(value: float | None) -> str | None:
    """Such as ``12,900``."""
    return None if value is None else f"{value:,.0f}"


def percent(rate: float | None) -> str | None:
    """A fraction such as ``6.12 %``."""
    return None if rate is None else wording.percent(rate, 2)


def change(value: float | None) -> str | None:
    """A ratio as a change, such as ``+12 %``."""
    return None if value is None else f"{100 * (value - 1):+.0f}{SPACE}%".replace("-", "−")


def moment(value: datetime | None) -> str | None:
    """To the minute, in UTC."""
    return None if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(value: date | datetime | None) -> str | None:
    """Such as ``2026-11-20``."""
    return None if value is None else f"{value:%Y-%m-%d}"


def plain(name: str) -> str:
    """A name of ours without underscores, such as ``no clear difference``."""
    return name.replace("_", " ")


def posts(n: int) -> str:
    """Such as ``1 post`` or ``1,204 posts``."""
    return f"{n:,}{SPACE}post" + ("" if n == 1 else "s")
