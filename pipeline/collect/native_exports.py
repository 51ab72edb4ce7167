"""Platforms' own analytics exports: tables of posts or of account days, with labels for columns.

The order of columns does not matter, nor do lines above the header, nor several tables in one
file. Metrics that a scrape has too keep apart from it: they live in ``raw.native_metrics``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from pipeline.accounts import Platform
from pipeline.collect.native_labels import (
    DAY_LABELS,
    DESCRIPTIVE,
    POST_LABELS,
    Metric,
    metric_of,
    own_metric,
    plain_label,
    platform_signs,
)
from pipeline.collect.native_values import (
    UnreadableCellError,
    names_site,
    read_days,
    read_number,
    read_post_id,
)

_SITE_WEIGHT = 5
_KEYS = frozenset((*POST_LABELS, *DAY_LABELS))
_VALUE_OF_SERIES = frozenset({"primary", "value"})
_DAILY_KEYS = ("daily", "days", "data", "rows", "items")
_ROWS_LOOKED_AT = 50


class Scope(StrEnum):
    """What a native metric is about."""

    POST = "post"
    ACCOUNT = "account"


@dataclass(frozen=True)
class NativeMetric:
    """One value of one post, or of one day of the account."""

    scope: Scope
    post_id: str | None
    day: date | None
    """The day that the value is of; None for a value since publication."""
    metric: Metric
    value: float | None
    source_label: str


@dataclass(frozen=True)
class Table:
    """One table of an export: labels and cells as they stand there."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str | None = None
    """The line above, where a table of one series only calls its column a value."""


@dataclass
class NativeReading:
    """What an export says, and what in it could not be understood."""

    metrics: list[NativeMetric] = field(default_factory=list)
    unknown_labels: set[str] = field(default_factory=set)
    unreadable: Counter[str] = field(default_factory=Counter)
    """Cells that hold no number, by label."""
    nameless_rows: int = 0
    """Rows that name no post and no day."""


def tables_of(rows: Iterable[object]) -> list[Table]:
    """The tables of an export.

    Args:
        rows: As landed: the lines of a CSV as lists of cells, or the objects of a JSON file.
    """
    listed = list(rows)
    lines = [[_text(cell) for cell in row] for row in listed if isinstance(row, list)]
    objects = [one for row in listed if isinstance(row, dict) for one in _objects(row)]
    tables = list(_tables_in_lines(lines))
    if objects:
        labels = tuple(dict.fromkeys(key for one in objects for key in one))
        cells = tuple(tuple(_text(one.get(label)) for label in labels) for one in objects)
        tables.append(Table(labels, cells))
    return tables


def _objects(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for key in _DAILY_KEYS:
        below = document.get(key)
        if isinstance(below, list) and all(isinstance(one, dict) for one in below):
            return below
    return [document]


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _tables_in_lines(lines: Sequence[Sequence[str]]) -> Iterator[Table]:
    title: str | None = None
    labels: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    for line in [*lines, []]:
        filled = [cell.strip() for cell in line if cell.strip()]
        is_header, is_title = _is_header(line), _is_title(filled, labels)
        if rows and (is_header or is_title or not filled):
            yield Table(labels, tuple(rows), title)
            title, labels, rows = None, (), []
        if is_header:
            labels = tuple(line)
        elif is_title:
            title = filled[0]
        elif filled and labels:
            rows.append(tuple(line))


def _is_title(filled: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether a line is the name of the table below, not a row that only tells its day or post."""
    if len(filled) != 1:
        return False
    return not labels or (" " in filled[0] and read_days(filled, date.max) == [None])


def _is_header(line: Sequence[str]) -> bool:
    labels = [plain_label(cell) for cell in line if cell.strip()]
    if len(labels) < 2 or not _KEYS & set(labels):
        return False
    return not any(_is_number(label) for label in labels)


def _is_number(cell: str) -> bool:
    try:
        return read_number(cell) is not None
    except UnreadableCellError:
        return False


def platform_of(tables: Sequence[Table]) -> Platform | None:
    """Whose export it is, by its labels and the addresses in it; None when nothing tells."""
    votes: Counter[Platform] = Counter()
    for table in tables:
        labels = {plain_label(label) for label in (*table.labels, table.title or "")}
        for platform, signs in platform_signs().items():
            votes[platform] += len(labels & signs)
        places = [
            index for index, label in enumerate(table.labels) if plain_label(label) in POST_LABELS
        ]
        for row in table.rows[:_ROWS_LOOKED_AT]:
            for platform in platform_signs():
                if any(names_site(platform, row[i]) for i in places if i < len(row)):
                    votes[platform] += _SITE_WEIGHT
    best = votes.most_common(2)
    if not best or best[0][1] == 0 or (len(best) > 1 and best[0][1] == best[1][1]):
        return None
    return best[0][0]


def read_tables(tables: Sequence[Table], platform: Platform, newest: date) -> NativeReading:
    """All metrics of an export.

    Args:
        tables: Its tables.
        platform: Whose export it is.
        newest: The day of the export: no day in it is later.
    """
    reading = NativeReading()
    for table in tables:
        _read_table(table, platform, newest, reading)
    return reading


def _read_table(table: Table, platform: Platform, newest: date, reading: NativeReading) -> None:
    places = {plain_label(label): index for index, label in reversed([*enumerate(table.labels)])}
    post_places = [places[label] for label in POST_LABELS if label in places]
    day_place = next((places[label] for label in DAY_LABELS if label in places), None)
    columns = _columns(table, platform, reading)
    day_cells = [_cell(row, day_place) for row in table.rows]
    days = read_days(day_cells, newest)
    for row, day in zip(table.rows, days, strict=True):
        if any(cell.strip().casefold() == "total" for cell in row[:2]):
            continue  # a sum of the other rows
        cells = [_cell(row, place) for place in post_places]
        post_id = next((found for cell in cells if (found := read_post_id(platform, cell))), None)
        if post_id is None and (any(cells) or day is None):
            reading.nameless_rows += 1
            continue
        scope = Scope.ACCOUNT if post_id is None else Scope.POST
        for place, label, metric, is_known in columns:
            cell = _cell(row, place)
            try:
                value = read_number(cell)
            except UnreadableCellError:
                reading.unreadable[label] += 1
                if not is_known:
                    continue
                value = None
            if value is not None:
                # A percent sign in the cell has counted already.
                factor = 1.0 if "%" in cell else metric.factor
                value = value if factor == 1.0 else round(value * factor, 9)
            reading.metrics.append(NativeMetric(scope, post_id, day, metric, value, label))


def _columns(
    table: Table, platform: Platform, reading: NativeReading
) -> list[tuple[int, str, Metric, bool]]:
    columns: list[tuple[int, str, Metric, bool]] = []
    for place, label in enumerate(table.labels):
        plain = plain_label(label)
        if not plain or plain in _KEYS or plain in DESCRIPTIVE:
            continue
        if plain in _VALUE_OF_SERIES and table.title:
            label = table.title  # noqa: PLW2901 - the series' name stands above its table
        metric, is_known = metric_of(label, platform)
        if any(metric.name == other.name for _, _, other, _ in columns):
            metric, is_known = own_metric(plain), False  # two columns are two quantities
        if not is_known:
            reading.unknown_labels.add(label.strip())
        columns.append((place, label.strip(), metric, is_known))
    return columns


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""
