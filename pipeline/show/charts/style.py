"""What all charts have in common: type, axes, sizes, and how values and names are written."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from pipeline.show.charts import colours
from pipeline.show.reports.graphemes import shortened

if TYPE_CHECKING:
    import altair as alt

Given = ParamSpec("Given")

WIDTH = 640
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
LONGEST_LABEL = 190
"""Pixels that a name on an axis may take."""

_AXIS: Mapping[str, Any] = {
    "labelColor": colours.MUTED,
    "titleColor": colours.MUTED,
    "gridColor": colours.GRID,
    "domainColor": colours.GRID,
    "tickColor": colours.GRID,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "titlePadding": 10,
    "labelPadding": 6,
    "labelLimit": LONGEST_LABEL,
}
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "axis": _AXIS,
    "axisY": {"domain": False, "ticks": False},
    "axisTop": {"labelAngle": 0},
    "style": {"figure": {"fontSize": 13, "fontWeight": 600}, "count": {"fontSize": 11}},
    "view": {"stroke": None},
    "legend": {
        "labelColor": colours.INK,
        "titleColor": colours.MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "orient": "top",
        "symbolStrokeWidth": 3,
        "symbolOpacity": 1,
    },
    "title": {
        "color": colours.INK,
        "subtitleColor": colours.MUTED,
        "fontSize": 15,
        "subtitleFontSize": 12,
        "anchor": "start",
        "frame": "group",
        "offset": 14,
        "subtitlePadding": 6,
    },
    "text": {"color": colours.INK, "fontSize": 12},
    "rule": {"color": colours.MUTED},
    # The page describes each chart as one picture and gives its figures as a table.
    "aria": False,
}

RATIO_TICKS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0)


def rows(values: Sequence[Mapping[str, Any]]) -> "alt.InlineData":
    """Inline data."""
    import altair as alt

    return alt.InlineData(values=[dict(value) for value in values])


def unchecked(make: Callable[Given, "alt.LayerChart"]) -> "Callable[Given, alt.LayerChart]":
    """Build a chart without Altair's check of each part, which takes most of a page's time.

    A test checks what the charts of this package come to.
    """

    @wraps(make)
    def made(*args: Given.args, **named: Given.kwargs) -> "alt.LayerChart":
        from altair.utils.schemapi import debug_mode

        with debug_mode(False):
            return make(*args, **named)

    return made


def titled(
    chart: "alt.LayerChart | alt.FacetChart",
    data: Sequence[Mapping[str, Any]],
    title: str,
    subtitle: Sequence[str] = (),
    *,
    height: int,
) -> "alt.LayerChart":
    """The chart with its data, a title and the lines below it.

    Args:
        chart: Layers; one without data of its own gets ``data``.
        data: A mapping per row.
        title: What it shows.
        subtitle: Which posts, at which age, and how many.
        height: In pixels.
    """
    import altair as alt

    if not isinstance(chart, alt.LayerChart):
        raise TypeError("Charts are layers: a page can give them its own width.")
    shown = chart.properties(
        title=alt.TitleParams(title, subtitle=list(subtitle)),
        width=WIDTH,
        height=height,
        padding={"left": 8, "right": 16, "top": 8, "bottom": 8},
    )
    shown.data = rows(data)
    return shown


def ratio_axis(values: Sequence[float]) -> tuple[tuple[float, float], list[float]]:
    """Ends and ticks of a logarithmic axis of ratios that holds all values and 1.

    Values beyond a tenth and the tenfold end at the edge, so that one wide interval does not press
    all others together.
    """
    low = max(0.1, min([0.75, *values]) / 1.05)
    high = min(10.0, max([1.35, *values]) * 1.05)
    return (low, high), [tick for tick in RATIO_TICKS if low <= tick <= high]


def series_colour(values: Sequence[Mapping[str, Any]]) -> "alt.Color":
    """A colour for each ``series``.

    A single one has no legend; many have one of two columns, because their names are long.
    """
    import altair as alt

    names = {value["series"] for value in values}
    legend = alt.Legend(title=None, columns=2) if len(names) > 3 else alt.Legend(title=None)
    return alt.Color(
        "series:N",
        scale=alt.Scale(range=list(colours.SERIES)),
        legend=legend if len(names) > 1 else None,
    )


def one_line(text: str, longest: int) -> str:
    """The first ``longest`` characters of the text in one line, with an ellipsis for the rest."""
    line = " ".join(text.split())
    if len(line) > longest and line[:longest].isascii():
        return line[: longest - 1].rstrip() + "…"  # no character of several code points
    return shortened(line, longest)
