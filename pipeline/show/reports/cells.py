"""Weekday with daypart, and format with slide count: what is known of each combination.

A combination has a figure of its own from eight posts on; below that it is told by the effects of
its two parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class _Cell:
    """What is known of any combination, in one account on one platform."""

    account_name: str
    platform: str
    outcome: str
    age_hours: int
    n: int
    median: float | None
    """In the outcome's own unit."""
    effect: float | None
    """Ratio to the usual, by the effects of the combination's parts."""
    effect_low: float | None
    effect_high: float | None
    """With ``effect_low``: the 90 % interval."""
    own_effect: float | None
    own_effect_low: float | None
    own_effect_high: float | None
    """The same of the combination's own posts alone; None below eight of them."""
    basis: str
    """cell (it has posts enough of its own), pooled (its parts only) or not_enough_data."""
    verdict: str
    posts_needed: int | None
    """Further posts until it has a figure of its own."""


@dataclass(frozen=True)
class TimeCell(_Cell):
    """One weekday and part of the day, on the account's own clock.

    The usual is the account's usual post; ``effect`` is the product of the weekday's effect and the
    daypart's.
    """

    local_weekday: int
    daypart: str


@dataclass(frozen=True)
class SlideCell(_Cell):
    """One number of slides in one format's carousels.

    The usual is the format's usual carousel; ``effect`` is the slide count's over all formats.
    """

    format: str
    slide_count: int


Cell = TypeVar("Cell", TimeCell, SlideCell)

_OUTCOMES = ("views_7d", "engagement_7d")
"""What combinations are told by, the most telling first."""

_CELLS = """
select
    account_name, platform, outcome, 168 as age_hours, {dimensions}, n, median,
    pooled_effect as effect, pooled_effect_low as effect_low, pooled_effect_high as effect_high,
    cell_effect as own_effect, cell_effect_low as own_effect_low,
    cell_effect_high as own_effect_high,
    basis, verdict, posts_needed
from {mart}
where list_contains($outcomes, outcome) and ($account_name is null or account_name = $account_name)
order by account_name, platform, {order}
"""
_TIMES = _CELLS.format(
    dimensions="local_weekday, daypart",
    mart="marts.mart_timing",
    order="local_weekday, list_position(['night', 'morning', 'midday', 'afternoon', 'evening', "
    "'late'], daypart), daypart",
)
_SLIDES = _CELLS.format(
    dimensions="format, slide_count",
    mart="marts.mart_slide_count_performance",
    order="format, slide_count",
)


def time_cells(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    outcome: str | None = None,
) -> list[TimeCell]:
    """Every weekday and part of the day at which the account has posted, in the week's order.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        outcome: What is compared: views_7d, engagement_7d, engagement_rate_7d or save_rate_7d. When
            left out, per platform views where they tell anything, and engagement otherwise.
    """
    values = {"account_name": account_name, "outcomes": [outcome] if outcome else _OUTCOMES}
    cells = read_rows(connection, TimeCell, _TIMES, values)
    return cells if outcome else _most_telling(cells)


def slide_cells(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[SlideCell]:
    """Every format and number of slides of the account's carousels, sorted by both.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    values = {"account_name": account_name, "outcomes": _OUTCOMES}
    return _most_telling(read_rows(connection, SlideCell, _SLIDES, values))


def _most_telling(rows: Sequence[Cell]) -> list[Cell]:
    """Per account and platform only the first outcome that says anything, as for the effects."""
    told = {
        (row.account_name, row.platform, row.outcome)
        for row in rows
        if row.verdict != "not_enough_data"
    }
    chosen: dict[tuple[str, str], str] = {}
    for key in sorted(
        {(row.account_name, row.platform, row.outcome) for row in rows},
        key=lambda key: (key not in told, _OUTCOMES.index(key[2])),
    ):
        chosen.setdefault(key[:2], key[2])
    return [row for row in rows if row.outcome == chosen[row.account_name, row.platform]]
