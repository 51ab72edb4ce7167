"""Young posts: what each has now, and what it is expected to reach."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style

if TYPE_CHECKING:
    import altair as alt

    from pipeline.show.reports.growth import ProjectedPost

MOST_POSTS = 12
_ROW_HEIGHT = 30
_LONGEST_TEXT = 34


@style.unchecked
def projections_chart(posts: "Sequence[ProjectedPost]") -> "alt.LayerChart":
    """Per post a ring for what it has, a dot for what is expected and a line for 80 %.

    Args:
        posts: Of one platform, metric and age; the first 12 are shown.
    """
    import altair as alt

    shown = posts[:MOST_POSTS]
    values = [_value(post, place) for place, post in enumerate(shown, start=1)]
    metric = f"{shown[0].metric}s" if shown and shown[0].metric == "view" else "engagement"
    days = (shown[0].age_hours if shown else 168) / 24
    y = alt.Y(
        "label:N",
        sort=[value["label"] for value in values],
        axis=alt.Axis(title=None, labelColor=colours.INK),
    )
    ends = [value[name] for value in values for name in ("now", "low", "high")]
    domain = [min(ends) / 1.15, max(ends) * 1.15] if ends else [1, 10]
    scale = alt.Scale(type="log", nice=False, domain=domain)
    axis = alt.Axis(title=metric, format="~s", tickCount=3, labelOverlap=True, grid=False)
    tooltip = [
        alt.Tooltip("text:N", title="post"),
        alt.Tooltip("age:N", title="age"),
        alt.Tooltip("now:Q", title=f"{metric} now", format=",.0f"),
        alt.Tooltip("expected:Q", title=f"expected at {days:g} days", format=",.0f"),
        alt.Tooltip("low:Q", title="80 % interval from", format=",.0f"),
        alt.Tooltip("high:Q", title="to", format=",.0f"),
    ]
    base = alt.Chart().encode(y=y, tooltip=tooltip)
    interval = base.mark_rule(
        strokeWidth=4, strokeCap="round", opacity=0.4, color=colours.SERIES[0]
    ).encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q")
    expected = base.mark_point(filled=True, size=100, opacity=1, color=colours.SERIES[0]).encode(
        x=alt.X("expected:Q", scale=scale, axis=axis)
    )
    now = base.mark_point(filled=False, size=80, strokeWidth=2, color=colours.MUTED).encode(
        x=alt.X("now:Q", scale=scale, axis=axis)
    )
    n = max((post.n for post in shown), default=0)
    platform = shown[0].platform if shown else ""
    return style.titled(
        alt.layer(interval, now, expected),
        values,
        f"What young posts will reach at {days:g} days",
        [
            (
                f"{figure_words.platform(platform)}; ring: now, dot: expected, "
                f"line: 80 % interval; learned from {n:,} posts"
            )
        ],
        height=max(2, len(values)) * _ROW_HEIGHT,
    )


def _value(post: "ProjectedPost", place: int) -> dict[str, Any]:
    text = style.one_line(post.caption or post.post_id, _LONGEST_TEXT)
    return {
        # Two posts may begin alike; the number keeps them apart.
        "label": f"{place}. {text}",
        "text": style.one_line(post.caption or post.post_id, 80),
        "age": figure_words.age(post.observed_age_hours),
        # The axis is logarithmic.
        "now": max(1.0, post.observed_count),
        "expected": max(1.0, post.expected_count),
        "low": max(1.0, post.expected_count_low_80),
        "high": max(1.0, post.expected_count_high_80),
    }
