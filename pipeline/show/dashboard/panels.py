"""What a panel of the page is: a question, and charts and tables that answer it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.show.charts.pictures import page_spec_of

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True)
class Column:
    """A column of a table of figures."""

    name: str
    is_number: bool = True


@dataclass(frozen=True)
class Table:
    """The figures of a chart, to be read, copied and heard."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Source:
    """What a figure rests on; it stands below each."""

    table: str
    """Where the figures can be looked up."""
    n: str
    interval: str
    age: str
    scraped: str

    @property
    def parts(self) -> tuple[str, ...]:
        """What it says, in order."""
        parts = (self.n, self.interval, self.age, f"scraped up to {self.scraped}", self.table)
        return tuple(part for part in parts if part)


@dataclass(frozen=True)
class Variant:
    """One cut of a panel: a platform, an outcome."""

    label: str
    source: Source
    table: Table
    chart: "alt.LayerChart | None" = None
    n: int = 0
    """Posts, to put the variant that rests on the most first."""
    note: str | None = None
    """What to keep in mind, in a sentence."""

    def spec(self) -> dict[str, Any] | None:
        """The chart for a page."""
        return None if self.chart is None else page_spec_of(self.chart)


@dataclass(frozen=True)
class Panel:
    """A question with its answers; without variants there is a reason instead."""

    key: str
    title: str
    lead: str
    variants: Sequence[Variant] = field(default_factory=tuple)
    empty: str = "Not enough data yet."
    is_wide: bool = False


def column_names(*names: str, text: int = 1) -> tuple[Column, ...]:
    """Columns of which the first ``text`` are words and the others numbers."""
    return tuple(Column(name, place >= text) for place, name in enumerate(names))
