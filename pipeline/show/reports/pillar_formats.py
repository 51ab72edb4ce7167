"""Pillar with format: how each combination compares with the account's usual at 7 days of age."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.measure.intervals import student_deviations

if TYPE_CHECKING:
    import duckdb

MIN_POSTS_OF_A_CELL = 5
"""Fewer posts make no figure."""


@dataclass(frozen=True)
class PillarFormatCell:
    """The posts of one pillar in one format, against all that have both labels."""

    account_name: str
    platform: str
    outcome: str
    pillar: str
    format: str
    n: int
    """Posts with a known value at 7 days."""
    effect: float | None
    """Ratio to the account's usual; None with too few posts."""
    effect_low: float | None
    effect_high: float | None
    """With ``effect_low``: the 90 % interval."""


_CELLS = """
with labelled as (
    select
        outcomes.account_name, outcomes.platform, outcomes.outcome,
        posts.pillar, posts.format, outcomes.log_value_pulled_in as log_value
    from intermediate.int_post_outcomes as outcomes
    inner join marts.dim_post as posts using (account_name, platform, post_id)
    where ($account_name is null or outcomes.account_name = $account_name)
      and list_contains($outcomes, outcomes.outcome)
      and posts.pillar is not null and posts.format is not null
)
select
    account_name, platform, outcome, pillar, format, count(*)::integer as n,
    avg(log_value) as log_mean, var_pop(log_value) * count(*) as squared_deviations
from labelled
group by all
order by account_name, platform, outcome, pillar, format
"""

_Row = tuple[str, str, str, str, str, int, float, float]


def pillar_format_cells(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    outcomes: Sequence[str] = ("views_7d", "engagement_7d"),
) -> list[PillarFormatCell]:
    """Every combination of pillar and format that the account's posts have.

    The effect is the difference of mean logs to all labelled posts of the profile; the interval is
    Student's t with the spread of posts within their cells, over all cells of the profile.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        outcomes: Names of outcomes at 7 days.
    """
    parameters = {"account_name": account_name, "outcomes": list(outcomes)}
    rows: list[_Row] = connection.execute(_CELLS, parameters).fetchall()
    return [
        cell
        for _, of_profile in groupby(rows, key=lambda row: row[:3])
        for cell in _cells_of_profile(list(of_profile))
    ]


def _cells_of_profile(rows: Sequence[_Row]) -> list[PillarFormatCell]:
    total = sum(row[5] for row in rows)
    usual = sum(row[5] * row[6] for row in rows) / total
    freedom = total - len(rows)
    spread = math.sqrt(sum(row[7] for row in rows) / freedom) if freedom >= 3 else None
    return [_cell(row, total, usual, spread, freedom) for row in rows]


def _cell(
    row: _Row, total: int, usual: float, spread: float | None, freedom: int
) -> PillarFormatCell:
    n, log_mean = row[5], row[6]
    if n < MIN_POSTS_OF_A_CELL or total - n < MIN_POSTS_OF_A_CELL or spread is None:
        return PillarFormatCell(*row[:6], None, None, None)
    # Part of the usual is the cell itself, which takes away some of the difference's spread.
    error = spread * math.sqrt(1 / n - 1 / total)
    width = student_deviations(freedom) * error
    middle = log_mean - usual
    return PillarFormatCell(
        *row[:6], math.exp(middle), math.exp(middle - width), math.exp(middle + width)
    )
