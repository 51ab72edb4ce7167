"""How an account's formats, pillars, times and slide counts compare with its own usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows
from pipeline.show.reports.wording import segment_words

if TYPE_CHECKING:
    import duckdb

ACROSS_ACCOUNTS = "*"
"""The account name of effects that are pooled over all accounts."""


class Focus(StrEnum):
    """What a focused report is about."""

    FORMATS = "formats"
    PILLARS = "pillars"
    TOPICS = "topics"
    HOOKS = "hooks"
    SLIDES = "slides"
    TIMING = "timing"
    CADENCE = "cadence"
    CTA = "cta"
    SAVES = "saves"
    FAILURES = "failures"
    PARETO = "pareto"
    GROWTH = "growth"
    EXPLORATION = "exploration"


DIMENSIONS: dict[Focus, tuple[str, ...]] = {
    Focus.FORMATS: ("format",),
    Focus.PILLARS: ("pillar",),
    Focus.TOPICS: ("topic",),
    Focus.HOOKS: ("hook_style", "caption_length"),
    Focus.SLIDES: ("slide_count", "media_type", "duration"),
    Focus.TIMING: ("weekday", "daypart"),
    Focus.CADENCE: ("cadence",),
    Focus.CTA: ("cta",),
    Focus.SAVES: (),
    Focus.FAILURES: (),
    Focus.PARETO: (),
    Focus.GROWTH: (),
    Focus.EXPLORATION: (),
}
"""By which effects each report answers; those without have a table of their own."""

_REACH = ("views_7d", "engagement_7d", "engagement_rate_7d")
_ALL_OUTCOMES = (*_REACH, "save_rate_7d", "share_rate_7d")
OUTCOMES: dict[Focus, tuple[str, ...]] = {
    focus: _REACH if focus in {Focus.TIMING, Focus.SLIDES, Focus.CADENCE} else _ALL_OUTCOMES
    for focus in Focus
}
"""What each report compares by, the most telling first."""

_DAYPARTS = ("night", "morning", "midday", "afternoon", "evening", "late")


@dataclass(frozen=True)
class SegmentEffect:
    """One segment against the account's usual; figures are None when data do not suffice."""

    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: int
    n: int
    account_n: int
    median: float | None
    effect: float | None
    """Ratio to the account's own usual on that platform; 1.0 is no difference."""
    effect_low: float | None
    effect_high: float | None
    """With ``effect_low``: the 90 % interval."""
    probability_better: float | None
    null_best: float | None
    """The largest ratio that pure noise would typically show as the best of these segments."""
    q_value: float | None
    verdict: str
    posts_needed: int | None = None
    """More posts of the segment until there is a figure, or the shown one gets a verdict.

    0 with a verdict; None where no number of posts helps, and for effects across accounts.
    """

    @property
    def name(self) -> str:
        """The segment in the words of a report."""
        return segment_words(self.dimension, self.segment)


@dataclass(frozen=True)
class SegmentTable:
    """All segments of one dimension on one platform, by one outcome at one age."""

    platform: str
    dimension: str
    outcome: str
    rows: tuple[SegmentEffect, ...]

    @property
    def has_enough_data(self) -> bool:
        """Whether any segment could be compared."""
        return any(row.verdict != "not_enough_data" for row in self.rows)


_EFFECTS = """
select
    platform, dimension, segment, outcome, age_hours, n, account_n, median,
    effect, effect_low, effect_high, probability_better, null_best, q_value, verdict,
    posts_needed
from stats.segment_effects
where account_name = $account_name
  and list_contains($dimensions, dimension)
  and list_contains($outcomes, outcome)
"""


def segment_tables(
    connection: "duckdb.DuckDBPyConnection", account_name: str, focus: Focus
) -> list[SegmentTable]:
    """One table per platform, dimension and outcome that the account's posts have.

    Args:
        connection: To a published copy.
        account_name: An account, or ``*`` for the effects across all of them.
        focus: Which dimensions; growth has none.
    """
    parameters = {
        "account_name": account_name,
        "dimensions": list(DIMENSIONS[focus]),
        "outcomes": list(OUTCOMES[focus]),
    }
    effects = read_rows(connection, SegmentEffect, _EFFECTS, parameters)

    def table_of(effect: SegmentEffect) -> tuple[str, int, int]:
        return (
            effect.platform,
            DIMENSIONS[focus].index(effect.dimension),
            OUTCOMES[focus].index(effect.outcome),
        )

    effects.sort(key=table_of)
    return [_table(list(rows)) for _, rows in groupby(effects, key=table_of)]


def most_telling(tables: Sequence[SegmentTable]) -> list[SegmentTable]:
    """Per platform and dimension the first table with enough data, or else its first one.

    Posts without published views are then still compared, by their engagements.
    """
    chosen: dict[tuple[str, str], SegmentTable] = {}
    for table in tables:
        key = (table.platform, table.dimension)
        if key not in chosen or (table.has_enough_data and not chosen[key].has_enough_data):
            chosen[key] = table
    return list(chosen.values())


def _table(rows: Sequence[SegmentEffect]) -> SegmentTable:
    first = rows[0]
    return SegmentTable(
        platform=first.platform,
        dimension=first.dimension,
        outcome=first.outcome,
        rows=tuple(sorted(rows, key=_row_order)),
    )


def _row_order(row: SegmentEffect) -> tuple[float, str]:
    """Times in their own order; everything else from the best effect down, unknown ones last."""
    if row.dimension == "daypart" and row.segment in _DAYPARTS:
        return (_DAYPARTS.index(row.segment), row.segment)
    if row.dimension in {"weekday", "slide_count"} and row.segment.isdigit():
        return (int(row.segment), row.segment)
    return (float("inf") if row.effect is None else -row.effect, row.segment)
