"""What an experiment's looks have said so far: the ratio's always-valid interval as posts come."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pipeline.show.charts import colours, style
from pipeline.show.figure_words import interval, times

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 250
_BESIDE_NAMES = 142
"""Pixels from the left at which the longest name of a line has ended."""


class Look(Protocol):
    """What was known after one more post had become old enough."""

    @property
    def known_at(self) -> datetime:
        """When."""

    @property
    def n(self) -> int:
        """Posts of both arms until then."""

    @property
    def ratio_low(self) -> float | None:
        """Lower end of the interval; None where nothing is excluded."""

    @property
    def ratio_high(self) -> float | None:
        """Upper end."""


def experiment_looks_chart(
    looks: Sequence[Look],
    *,
    smallest_useful_ratio: float,
    planned_n: int,
    ratio: float | None = None,
    title: str = "",
) -> "alt.LayerChart | None":
    """The interval over looks as a band, with what it is held against.

    Args:
        looks: Of one contrast, the oldest first.
        smallest_useful_ratio: Above 1; it and its inverse are dotted lines.
        planned_n: Posts of both arms at the planned end.
        ratio: The latest estimate, a dot at the band's end.
        title: Which arms.

    Returns:
        None where no look excludes anything yet.
    """
    told = [look for look in looks if look.ratio_low is not None and look.ratio_high is not None]
    if not told:
        return None
    return _drawn(told, smallest_useful_ratio, planned_n, ratio, title)


@style.unchecked
def _drawn(
    looks: Sequence[Look], smallest: float, planned_n: int, ratio: float | None, title: str
) -> "alt.LayerChart":
    import altair as alt

    values = [_value(look) for look in looks]
    ends = [smallest, 1 / smallest, *(value[end] for value in values for end in ("low", "high"))]
    (low, high), ticks = style.ratio_axis(ends)
    scale = alt.Scale(type="log", domain=[low, high], clamp=True, nice=False)
    axis = alt.Axis(
        title="times the usual arm", values=ticks, labelExpr="format(datum.value, '~g') + '×'"
    )
    last = max(planned_n, looks[-1].n)
    x = alt.X(
        "n:Q",
        scale=alt.Scale(domain=[0, last * 1.02], nice=False),
        axis=alt.Axis(
            title="posts of both arms that are old enough", format="d", tickCount=6, grid=False,
            tickMinStep=1,
        ),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("day:N", title="known on"),
        alt.Tooltip("n:Q", title="posts"),
        alt.Tooltip("figures:N", title="always-valid interval"),
    ]
    base = alt.Chart().encode(x=x)
    band = base.mark_area(
        interpolate="step-after", opacity=0.18, color=colours.SERIES[0], clip=True
    ).encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    edges = [
        base.mark_line(
            interpolate="step-after", strokeWidth=2, color=colours.SERIES[0], clip=True
        ).encode(y=alt.Y(f"{end}:Q", scale=scale, axis=axis))
        for end in ("low", "high")
    ]
    looked = base.mark_rule(strokeWidth=7, opacity=0, clip=True).encode(
        y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", tooltip=tooltip
    )
    layers: list[Any] = [band, *edges, *_marks(smallest, scale), *_planned(planned_n, last), looked]
    if ratio is not None:
        end = {**values[-1], "ratio": ratio, "told": times(ratio)}
        layers.append(
            alt.Chart(style.rows([end]))
            .mark_point(filled=True, size=80, opacity=1, color=colours.SERIES[0], clip=True)
            .encode(x=x, y=alt.Y("ratio:Q", scale=scale, axis=axis),
                    tooltip=[alt.Tooltip("told:N", title="so far"), *tooltip])
        )  # fmt: skip
    return style.titled(
        alt.layer(*layers),
        values,
        title,
        ["Band: always-valid interval after each post; dashed: no difference"],
        height=_HEIGHT,
    )


def _marks(smallest: float, scale: "alt.Scale") -> list[Any]:
    """No difference, dashed, and the smallest useful one to both sides, dotted; with names."""
    import altair as alt

    def line(at: float, name: str) -> "alt.Chart":
        y = alt.Y("at:Q", scale=scale)
        return alt.Chart(style.rows([{"at": at, "name": name}])).encode(y=y)

    def dotted(chart: "alt.Chart") -> Any:
        return chart.mark_rule(
            color=colours.MUTED, strokeDash=[1, 4], strokeWidth=2, strokeCap="round"
        )

    def named(chart: "alt.Chart", baseline: Literal["bottom", "top"], left: int, dy: int) -> Any:
        words = chart.mark_text(align="left", baseline=baseline, dx=5, dy=dy, color=colours.INK)
        return words.encode(x=alt.value(left), text="name:N")

    nothing = line(1, "no difference")
    above = line(smallest, f"smallest useful {times(smallest)}")
    below = line(1 / smallest, f"as much worse {times(1 / smallest)}")
    return [
        nothing.mark_rule(color=colours.INK, strokeDash=[5, 4], strokeWidth=1.5),
        dotted(above),
        dotted(below),
        # The name in the middle stands beside the others: the three lines may lie close together.
        named(nothing, "bottom", left=_BESIDE_NAMES, dy=-2),
        named(above, "bottom", left=0, dy=-4),
        named(below, "top", left=0, dy=5),
    ]


def _planned(planned_n: int, last: int) -> list[Any]:
    """The planned end, which looks may have gone beyond; its name keeps to the picture."""
    import altair as alt

    is_far = planned_n > last / 2
    planned = alt.Chart(style.rows([{"planned": planned_n, "name": "planned end"}])).encode(
        x=alt.X("planned:Q")
    )
    return [
        planned.mark_rule(color=colours.MUTED),
        planned.mark_text(
            align="right" if is_far else "left",
            baseline="top",
            dx=-5 if is_far else 5,
            color=colours.MUTED,
        ).encode(y=alt.value(2), text="name:N"),
    ]


def _value(look: Look) -> dict[str, Any]:
    assert look.ratio_low is not None
    assert look.ratio_high is not None
    return {
        "n": look.n,
        "day": f"{look.known_at:%Y-%m-%d}",
        # The axis is logarithmic; what lies beyond it ends at its edge.
        "low": max(look.ratio_low, 1e-3),
        "high": max(look.ratio_high, 1e-3),
        "figures": interval(look.ratio_low, look.ratio_high),
    }
