"""Tables that are told column by column, and what the tables of ``afterpost analyze`` share."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipeline.show.cli import output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import interval, times

ROWS_SHOWN = 24
LACKING_SHOWN = 3
"""Segments with too few posts that are named; an account can have hundreds of topics."""


@dataclass(frozen=True)
class Column:
    """A column with its cells."""

    name: str
    cells: Sequence[str]
    align: Align = Align.LEFT
    is_shortened: bool = False
    """Whether long cells are cut to one line instead of wrapped."""


class OfProfile(Protocol):
    """A row about an account on a platform."""

    @property
    def account_name(self) -> str:
        """The account."""

    @property
    def platform(self) -> str:
        """The platform."""


Row = TypeVar("Row", bound=OfProfile)


def texts(name: str, cells: Iterable[str], *, is_shortened: bool = False) -> Column:
    """A column of words."""
    return Column(name, list(cells), is_shortened=is_shortened)


def numbers(name: str, cells: Iterable[str]) -> Column:
    """A column of figures."""
    return Column(name, list(cells), Align.RIGHT)


def ratios(
    name: str,
    found: Iterable[tuple[float | None, float | None, float | None]],
    interval_name: str = "90 % interval",
) -> tuple[Column, Column]:
    """Two columns: ratios, and their intervals.

    Args:
        name: Of the ratios.
        found: Of each row the ratio and both ends of its interval.
        interval_name: Of the intervals.
    """
    rows = list(found)
    return (
        numbers(name, (times(ratio) for ratio, _, _ in rows)),
        numbers(interval_name, (interval(low, high) for _, low, high in rows)),
    )


def accounts(rows: Iterable[OfProfile], *, is_all: bool) -> tuple[Column, ...]:
    """The account of each row where there are several."""
    return (texts("account", names(rows), is_shortened=True),) if is_all else ()


def names(rows: Iterable[OfProfile]) -> list[str]:
    """The account of each row."""
    return [row.account_name for row in rows]


def show(*columns: Column, title: str | None = None, most: int | None = ROWS_SHOWN) -> None:
    """Print the table.

    Args:
        columns: With as many cells each.
        title: What stands above it.
        most: Rows that are shown at most; a line says how many more there are.
    """
    output.table(
        [(column.name, column.align) for column in columns],
        list(zip(*(column.cells for column in columns), strict=True)),
        title=title,
        shorten=[place for place, column in enumerate(columns) if column.is_shortened],
        most=most,
    )


def by_platform(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each platform, in the order in which platforms come first."""
    for platform in dict.fromkeys(row.platform for row in rows):
        yield platform, [row for row in rows if row.platform == platform]


def say_lacking(lines: Sequence[str]) -> None:
    """What is missing for some figures; of the others only how many they are."""
    for line in lines[:LACKING_SHOWN]:
        output.say_indented(output.plain(line))
    output.say_more(len(lines) - LACKING_SHOWN, "with too few posts")
