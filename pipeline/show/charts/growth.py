"""How a post grows: the part of its 7-day value that it has at each age."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import style

if TYPE_CHECKING:
    import altair as alt

    from pipeline.show.reports.growth import GrowthPoint

_HEIGHT = 260
_METRICS = ("view", "engagement")
_WORDS = {"view": "views"}


@style.unchecked
def growth_chart(points: "Sequence[GrowthPoint]") -> "alt.LayerChart":
    """The middle post's share of its 7-day value by age, with the middle 80 % of the posts.

    One line per account and platform; where a profile has views and another metric, its views.
    """
    import altair as alt

    shown = _one_metric_each(points)
    values = [_value(point, len({p.account_name for p in shown}) > 1) for point in shown]
    x = alt.X(
        "age:Q",
        scale=alt.Scale(type="sqrt", nice=False, domainMin=0),
        axis=alt.Axis(
            title="age of the post",
            values=[24, 72, 168, 336, 672],
            grid=False,
            labelExpr="datum.value < 168 ? datum.value + ' h' : datum.value / 24 + ' d'",
        ),
    )
    axis = alt.Axis(title="share of the 7-day value", format=".0%", tickCount=5)
    colour = style.series_colour(values)
    tooltip = [
        alt.Tooltip("series:N", title="profile"),
        alt.Tooltip("age:Q", title="age, hours"),
        alt.Tooltip("share:Q", title="middle post", format=".0%"),
        alt.Tooltip("low:Q", title="90 % interval from", format=".0%"),
        alt.Tooltip("high:Q", title="to", format=".0%"),
        alt.Tooltip("p10:Q", title="lowest tenth", format=".0%"),
        alt.Tooltip("p90:Q", title="highest tenth", format=".0%"),
        alt.Tooltip("n:Q", title="posts"),
    ]
    base = alt.Chart().encode(x=x, color=colour)
    band = base.mark_area(opacity=0.16, interpolate="monotone").encode(
        y=alt.Y("p10:Q", axis=axis), y2="p90:Q"
    )
    line = base.mark_line(strokeWidth=2.5, interpolate="monotone").encode(
        y=alt.Y("share:Q", axis=axis)
    )
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(y="share:Q", tooltip=tooltip)
    n = max((point.post_count for point in shown), default=0)
    return style.titled(
        alt.layer(band, line, dots),
        values,
        "How a post grows",
        [f"Line: the middle post; band: the middle 80 % of up to {n:,} posts"],
        height=_HEIGHT,
    )


def _one_metric_each(points: "Sequence[GrowthPoint]") -> "list[GrowthPoint]":
    metric_of: dict[tuple[str, str], str] = {}

    def place(metric: str) -> int:
        return _METRICS.index(metric) if metric in _METRICS else len(_METRICS)

    for point in points:
        key = (point.account_name, point.platform)
        if key not in metric_of or place(point.metric) < place(metric_of[key]):
            metric_of[key] = point.metric
    return [
        point
        for point in points
        if point.share_of_7d_median is not None
        and metric_of[point.account_name, point.platform] == point.metric
    ]


def _value(point: "GrowthPoint", with_account: bool) -> dict[str, Any]:
    profile = f"{figure_words.platform(point.platform)}, {_WORDS.get(point.metric, point.metric)}"
    return {
        "series": f"{point.account_name}: {profile}" if with_account else profile,
        "age": point.age_hours,
        "share": point.share_of_7d_median,
        "low": point.share_of_7d_median_low,
        "high": point.share_of_7d_median_high,
        "p10": point.share_of_7d_p10,
        "p90": point.share_of_7d_p90,
        "n": point.post_count,
    }
