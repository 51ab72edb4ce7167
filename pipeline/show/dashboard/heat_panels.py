"""Panels of two dimensions at once: pillars by formats, weekdays by parts of the day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.charts.heatmap import HeatCell, heatmap_chart
from pipeline.show.dashboard import words
from pipeline.show.dashboard.effect_panels import AT_7_DAYS, INTERVAL
from pipeline.show.dashboard.facts import CELL_OUTCOMES, Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names
from pipeline.show.reports.cells import TimeCell
from pipeline.show.reports.pillar_formats import MIN_POSTS_OF_A_CELL, PillarFormatCell

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYPARTS = ("night", "morning", "midday", "afternoon", "evening", "late")
_CELLS = (
    "1.20 is a fifth above it. A cell has a colour where its 90 % interval leaves out 1.00. Empty "
    f"cells have fewer than {MIN_POSTS_OF_A_CELL} posts."
)
_Cell = TypeVar("_Cell", PillarFormatCell, TimeCell)


@dataclass(frozen=True)
class _Heat:
    """What one heat map shows, and its figures as a table."""

    cells: Sequence[HeatCell]
    rows: Sequence[str]
    columns: Sequence[str]
    dimensions: tuple[str, str]
    """Names of what the rows and the columns are."""
    title: str
    read_from: str
    table: Table
    note: str = ""


def pillar_format_panel(facts: Facts) -> Panel:
    """Pillars by formats."""
    return Panel(
        key="mix",
        title="Which pillar goes with which format?",
        lead=f"Each combination against the usual post; {_CELLS}",
        variants=_variants(facts, facts.pillar_formats, _pillars_by_formats),
        empty="No post has both a pillar and a format yet."
        if facts.account
        else "Open one account's dashboard: pillars and formats are each account's own.",
        is_wide=True,
    )


def week_panel(facts: Facts) -> Panel:
    """Weekdays by parts of the day."""
    cells = [cell for outcome in CELL_OUTCOMES for cell in facts.times[outcome]]
    return Panel(
        key="week",
        title="Which hours of the week?",
        lead=f"On the account's own clock, against the usual post; {_CELLS}",
        variants=_variants(facts, cells, _parts_of_days_by_weekdays),
        empty="No post has a known hour and a value at 7 days yet."
        if facts.account
        else "Open one account's dashboard: hours are on each account's own clock.",
        is_wide=True,
    )


def _variants(
    facts: Facts, cells: Iterable[_Cell], heat_of: Callable[[Sequence[_Cell]], _Heat]
) -> list[Variant]:
    """Per platform and outcome one, where there is a figure; those of the most posts first."""
    scraped = words.moment(facts.scraped_at)
    found = []
    by_profile = sorted(cells, key=lambda cell: (cell.platform, cell.outcome))
    for (platform, outcome), group in groupby(
        by_profile, key=lambda cell: (cell.platform, cell.outcome)
    ):
        heat = heat_of(list(group))
        if any(cell.effect for cell in heat.cells):
            found.append(_variant(heat, platform, OUTCOME_WORDS[outcome], scraped))
    return sorted(found, key=lambda one: -one.n)


def _variant(heat: _Heat, platform: str, outcome: str, scraped: str) -> Variant:
    n = sum(cell.n for cell in heat.cells)
    told = sum(cell.effect is not None for cell in heat.cells)
    return Variant(
        label=f"{words.platform(platform)}: {outcome}",
        source=Source(heat.read_from, words.posts(n), INTERVAL, AT_7_DAYS, scraped),
        n=n,
        table=heat.table,
        chart=heatmap_chart(
            heat.cells,
            rows=heat.rows,
            columns=heat.columns,
            row_title=heat.dimensions[0],
            column_title=heat.dimensions[1],
            title=f"{outcome[0].upper()}{outcome[1:]}, by {heat.title}",
            subtitle=f"{platform}, {n:,} posts",
        ),
        # Of cells with intervals of 90 % a tenth has a colour without any difference.
        note=f"{heat.note}Of {told} cells about {max(1, round(0.1 * told))} would have a colour by "
        "chance.",
    )


def _pillars_by_formats(cells: Sequence[PillarFormatCell]) -> _Heat:
    return _Heat(
        [
            HeatCell(one.pillar, one.format, one.n, one.effect, one.effect_low, one.effect_high)
            for one in cells
        ],
        rows=_by_size((cell.pillar, cell.n) for cell in cells),
        columns=_by_size((cell.format, cell.n) for cell in cells),
        dimensions=("pillar", "format"),
        title="pillar and format",
        read_from="marts.dim_post, intermediate.int_post_outcomes",
        table=Table(
            column_names("Pillar", "Format", "Times the usual", "From", "To", "Posts", text=2),
            tuple(
                (
                    one.pillar,
                    one.format,
                    *words.ratios(one.effect, one.effect_low, one.effect_high),
                    str(one.n),
                )
                for one in cells
            ),
        ),
    )


def _parts_of_days_by_weekdays(cells: Sequence[TimeCell]) -> _Heat:
    heat = [_heat_cell(cell) for cell in cells]
    return _Heat(
        heat,
        rows=[part for part in _DAYPARTS if any(cell.daypart == part for cell in cells)],
        columns=_WEEKDAYS,
        dimensions=("part of the day", "weekday"),
        title="weekday and part of the day",
        read_from="marts.mart_timing",
        table=Table(
            column_names("Weekday", "Part of the day", "Verdict", "Times the usual", "From", "To",
                         "Posts", text=3),
            tuple(
                (
                    shown.column,
                    shown.row,
                    "not enough data" if shown.effect is None else words.plain(cell.verdict),
                    *words.ratios(shown.effect, shown.effect_low, shown.effect_high),
                    str(cell.n),
                )
                for cell, shown in zip(cells, heat, strict=True)
            ),
        ),
        note="A cell is told by the effects of its weekday and its part of the day together. ",
    )  # fmt: skip


def _heat_cell(cell: TimeCell) -> HeatCell:
    weekday = _WEEKDAYS[cell.local_weekday - 1]
    if cell.n < MIN_POSTS_OF_A_CELL:
        return HeatCell(cell.daypart, weekday, cell.n, None, None, None)
    return HeatCell(cell.daypart, weekday, cell.n, cell.effect, cell.effect_low, cell.effect_high)


def _by_size(counted: Iterable[tuple[str, int]]) -> list[str]:
    """Names with the most posts first."""
    totals: dict[str, int] = {}
    for name, n in counted:
        totals[name] = totals.get(name, 0) + n
    return sorted(totals, key=lambda name: (-totals[name], name))
