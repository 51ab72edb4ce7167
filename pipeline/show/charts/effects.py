"""How segments compare with the account's usual: a point with its 90 % interval per segment."""

from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style
from pipeline.show.figure_words import times
from pipeline.show.reports.wording import dimension_words, outcome_words

if TYPE_CHECKING:
    import altair as alt

    from pipeline.show.reports.segments import SegmentEffect, SegmentTable

_ROW_HEIGHT = 30
VERDICTS = {
    "better": "better",
    "worse": "worse",
    "no_clear_difference": "no clear difference",
    "not_enough_data": "not enough data",
}


@style.unchecked
def effects_chart(table: "SegmentTable") -> "alt.LayerChart":
    """Each segment's ratio to the account's usual with its 90 % interval, and its n.

    Segments that cannot be compared yet stand below the others with the reason.
    """
    import altair as alt

    shown = sorted(table.rows, key=lambda row: row.effect is None)
    values = [_value(row) for row in shown]
    known = [value for row in shown for value in (row.effect_low, row.effect_high) if value]
    (low, high), ticks = style.ratio_axis(known)
    y = alt.Y(
        "label:N",
        sort=[value["label"] for value in values],
        axis=alt.Axis(title=None, labelColor=colours.INK),
    )
    scale = alt.Scale(type="log", domain=[low, high], clamp=True, nice=False)
    axis = alt.Axis(
        title="times the account's usual",
        values=ticks,
        labelExpr="format(datum.value, '~g') + '×'",
    )
    verdict = alt.Color(
        "verdict:N",
        scale=alt.Scale(
            domain=list(VERDICTS.values())[:3],
            range=[colours.BETTER, colours.WORSE, colours.UNCLEAR],
        ),
        legend=alt.Legend(title=None),
    )
    tooltip = [
        alt.Tooltip("name:N", title=dimension_words(table.dimension)),
        alt.Tooltip("figures:N", title="effect, 90 % interval"),
        alt.Tooltip("n:Q", title="posts"),
        alt.Tooltip("verdict:N", title="verdict"),
    ]
    base = alt.Chart().encode(y=y)
    compared = base.transform_filter("isValid(datum.effect)")
    usual = (
        alt.Chart(style.rows([{"usual": 1}]))
        .mark_rule(color=colours.MUTED, strokeDash=[4, 4])
        .encode(x=alt.X("usual:Q"))
    )
    interval = compared.mark_rule(strokeWidth=4, strokeCap="round", opacity=0.45, clip=True).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", color=verdict, tooltip=tooltip
    )
    point = compared.mark_point(filled=True, size=110, opacity=1, clip=True).encode(
        x=alt.X("effect:Q", scale=scale, axis=axis), color=verdict, tooltip=tooltip
    )
    missing = (
        base.transform_filter("!isValid(datum.effect)")
        .mark_text(align="left", fontStyle="italic", color=colours.MUTED)
        .encode(x=alt.datum(low * 1.02), text="missing:N")
    )
    n = max((row.account_n for row in table.rows), default=0)
    words = outcome_words(table.outcome)
    return style.titled(
        alt.layer(usual, interval, point, missing),
        values,
        f"{words[0].upper()}{words[1:]}, by {dimension_words(table.dimension)}",
        [
            (
                f"{figure_words.platform(table.platform)}, {n:,} posts; line: 90 % interval; "
                "dashed: the account's usual"
            )
        ],
        height=max(2, len(values)) * _ROW_HEIGHT,
    )


def _value(row: "SegmentEffect") -> dict[str, Any]:
    return {
        "name": row.name,
        "label": f"{row.name} (n {row.n})",
        "n": row.n,
        "effect": row.effect,
        "low": row.effect_low,
        "high": row.effect_high,
        "verdict": VERDICTS.get(row.verdict, row.verdict),
        "figures": f"{times(row.effect)} ({times(row.effect_low)} – {times(row.effect_high)})",
        "missing": "not enough data"
        + (f": needs {row.posts_needed} more" if row.posts_needed else ""),
    }
