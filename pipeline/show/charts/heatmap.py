"""Two dimensions at once: a cell per combination with its ratio to the account's usual.

A cell has a colour only where its 90 % interval leaves out the usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.show.charts import colours, style
from pipeline.show.figure_words import times

if TYPE_CHECKING:
    import altair as alt

STEPS = (0.5, 0.7, 0.9, 1.1, 1.4, 2.0)
"""Where one colour ends and the next one begins; between 0.9 and 1.1 is the usual."""

_ROW_HEIGHT = 40


@dataclass(frozen=True)
class HeatCell:
    """One combination; without an effect it stays empty and shows its n."""

    row: str
    column: str
    n: int
    effect: float | None
    effect_low: float | None
    effect_high: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out the usual."""
        return (self.effect_low or 0.0) > 1 or (self.effect_high or float("inf")) < 1


@style.unchecked
def heatmap_chart(
    cells: Sequence[HeatCell],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_title: str,
    column_title: str,
    title: str,
    subtitle: str,
) -> "alt.LayerChart":
    """Cells in the given order of rows and columns; combinations that are not given have no posts.

    Args:
        cells: At most one per combination.
        rows: Names from top to bottom.
        columns: Names from left to right.
        row_title: What the rows are.
        column_title: What the columns are.
        title: Above the chart.
        subtitle: Below the title.
    """
    import altair as alt

    given = {(cell.row, cell.column): cell for cell in cells}
    values = [_value(given.get((row, column)), row, column) for row in rows for column in columns]
    base = alt.Chart().encode(
        x=alt.X(
            "column:N",
            sort=list(columns),
            axis=alt.Axis(title=None, orient="top", ticks=False, domain=False, labelLimit=110,
                          labelOverlap=False, labelColor=colours.INK),
        ),
        y=alt.Y("row:N", sort=list(rows), axis=alt.Axis(title=None, labelColor=colours.INK)),
        tooltip=[
            alt.Tooltip("row:N", title=row_title),
            alt.Tooltip("column:N", title=column_title),
            alt.Tooltip("figures:N", title="effect, 90 % interval"),
            alt.Tooltip("n:Q", title="posts"),
        ],
    )  # fmt: skip
    boxes = base.mark_rect(stroke=colours.SURFACE, strokeWidth=3, cornerRadius=6)
    filled = boxes.transform_filter("isValid(datum.effect)").encode(
        color=alt.Color(
            "clear_effect:Q",
            scale=alt.Scale(type="threshold", domain=list(STEPS), range=list(colours.HEAT)),
            legend=None,
        )
    )
    empty = base.transform_filter("!isValid(datum.effect)").mark_rect(
        fill="transparent", stroke=colours.GRID, strokeDash=[2, 3], cornerRadius=6
    )
    is_strong = f"datum.clear_effect < {STEPS[0]} || datum.clear_effect >= {STEPS[-1]}"
    words = (
        base.transform_filter("isValid(datum.effect)")
        .mark_text(style="figure", dy=-6)
        .encode(
            text="ratio:N",
            color=alt.condition(is_strong, alt.value(colours.SURFACE), alt.value(colours.INK)),
        )
    )
    counts = (
        base.transform_filter("isValid(datum.effect)")
        .mark_text(style="count", dy=9)
        .encode(
            text="count:N",
            color=alt.condition(is_strong, alt.value(colours.SURFACE), alt.value(colours.INK)),
        )
    )
    few = (
        base.transform_filter("!isValid(datum.effect)")
        .mark_text(style="count", color=colours.MUTED)
        .encode(text="count:N")
    )
    return style.titled(
        alt.layer(empty, filled, words, counts, few),
        values,
        title,
        [subtitle],
        height=max(2, len(rows)) * _ROW_HEIGHT,
    )


def _value(cell: HeatCell | None, row: str, column: str) -> dict[str, Any]:
    n = cell.n if cell else 0
    effect = cell.effect if cell else None
    return {
        "row": row,
        "column": column,
        "n": n,
        "count": f"n {n}",
        "effect": effect,
        "clear_effect": effect if cell is None or effect is None or cell.is_clear else 1.0,
        "ratio": times(effect).removesuffix("×"),
        "figures": "not enough posts"
        if cell is None or effect is None
        else f"{times(effect)} ({times(cell.effect_low)} – {times(cell.effect_high)})",
    }
