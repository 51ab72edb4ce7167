"""Figures as pages write them; a missing one can bring its reason."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.show import figure_words
from pipeline.show.figure_words import (
    MISSING,
    NBSP,
    age,
    change,
    count,
    day,
    interval,
    platform,
    times,
)

__all__ = [
    "MISSING", "NBSP", "Figure", "age", "change", "count", "day", "figure", "interval", "moment",
    "percent", "plain", "platform", "posts", "ratios", "times",
]  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A value as shown, or why there is none."""

    text: str
    missing: str | None = None
    """The reason; the text is then a dash."""


def figure(text: str, reason: str) -> Figure:
    """``text``, with the reason where it is a dash."""
    return Figure(text, reason if text == MISSING else None)


def percent(rate: float | None) -> str:
    """A rate such as ``6.12 %``."""
    return figure_words.percent(rate, 2)


def ratios(*values: float | None) -> tuple[str, ...]:
    """A ratio and the ends of its interval, for columns of their own."""
    return tuple(map(times, values))


def moment(value: datetime | None) -> str:
    """To the minute, such as ``2026-11-20 09:30 UTC``."""
    return figure_words.moment(value, " UTC")


def posts(n: int) -> str:
    """Such as ``1 post`` or ``1,204 posts``."""
    return figure_words.plural(n, "post", NBSP)


def plain(name: str) -> str:
    """A name of ours without underscores, such as ``no clear difference``."""
    return name.replace("_", " ")
