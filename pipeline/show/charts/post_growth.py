"""How one post grew, and what is expected of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.show.charts import colours, style

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 240


class Look(Protocol):
    """One look at a post."""

    @property
    def age_hours(self) -> float | None:
        """Its age then."""

    @property
    def view_count(self) -> int | None:
        """What the platform showed, where it publishes views."""

    @property
    def like_count(self) -> int | None:
        """As ``view_count``."""


class Expected(Protocol):
    """What a young post is expected to reach, with its 80 % interval."""

    @property
    def metric(self) -> str:
        """View or engagement."""

    @property
    def age_hours(self) -> int:
        """When."""

    @property
    def expected_count(self) -> float | None:
        """How many."""

    @property
    def expected_count_low_80(self) -> float | None:
        """Lower end."""

    @property
    def expected_count_high_80(self) -> float | None:
        """Upper end."""


def post_growth_chart(
    looks: Sequence[Look], expected: Sequence[Expected]
) -> "alt.LayerChart | None":
    """Views by age, or likes where views are not published, with what is still expected.

    Args:
        looks: Oldest first.
        expected: Those of views are drawn.

    Returns:
        None where nothing is known at a known age.
    """
    name, words = ("view_count", "views")
    if all(look.view_count is None for look in looks):
        name, words = ("like_count", "likes")
    values: list[dict[str, Any]] = [
        {"age": look.age_hours, "count": getattr(look, name)}
        for look in looks
        if look.age_hours is not None and getattr(look, name) is not None
    ]
    if not values:
        return None
    ahead = [
        {
            "age": one.age_hours,
            "expected": one.expected_count,
            "low": one.expected_count_low_80,
            "high": one.expected_count_high_80,
        }
        for one in expected
        if name == "view_count" and one.metric == "view" and one.expected_count is not None
    ]
    return _drawn(values, ahead, words)


@style.unchecked
def _drawn(
    values: list[dict[str, Any]], ahead: list[dict[str, Any]], words: str
) -> "alt.LayerChart":
    import altair as alt

    x = alt.X(
        "age:Q",
        scale=alt.Scale(type="sqrt", nice=True, domainMin=0),
        axis=alt.Axis(
            title="age of the post",
            values=[6, 24, 72, 168, 336, 672, 2016],
            grid=False,
            labelExpr="datum.value < 168 ? datum.value + ' h' : datum.value / 24 + ' d'",
        ),
    )
    axis = alt.Axis(title=words, format="~s", tickCount=5)
    seen = alt.Chart().encode(x=x, y=alt.Y("count:Q", axis=axis))
    tooltip = [
        alt.Tooltip("age:Q", title="age, hours", format=".1f"),
        alt.Tooltip("count:Q", title=words, format=",.0f"),
    ]
    layers: list[Any] = [
        seen.mark_line(strokeWidth=2.5, color=colours.SERIES[0]),
        seen.mark_point(filled=True, size=45, opacity=1, color=colours.SERIES[0]).encode(
            tooltip=tooltip
        ),
    ]
    if ahead:
        told = [
            alt.Tooltip("age:Q", title="at age, hours"),
            alt.Tooltip("expected:Q", title="expected", format=",.0f"),
            alt.Tooltip("low:Q", title="80 % interval from", format=",.0f"),
            alt.Tooltip("high:Q", title="to", format=",.0f"),
        ]
        last = values[-1]
        way = [{"age": last["age"], "expected": last["count"]}, *ahead]
        layers += [
            alt.Chart(style.rows(way))
            .mark_line(strokeDash=[5, 4], strokeWidth=2, color=colours.SERIES[0], opacity=0.7)
            .encode(x=x, y=alt.Y("expected:Q", axis=axis)),
            alt.Chart(style.rows(ahead))
            .mark_rule(strokeWidth=4, strokeCap="round", opacity=0.4, color=colours.SERIES[0])
            .encode(x=x, y=alt.Y("low:Q", axis=axis), y2="high:Q", tooltip=told),
            alt.Chart(style.rows(ahead))
            .mark_point(filled=False, size=90, strokeWidth=2, color=colours.SERIES[0])
            .encode(x=x, y=alt.Y("expected:Q", axis=axis), tooltip=told),
        ]
    return style.titled(
        alt.layer(*layers),
        values,
        f"How its {words} grew",
        ["Ring: expected; line through it: 80 % interval"] if ahead else [],
        height=_HEIGHT,
    )
