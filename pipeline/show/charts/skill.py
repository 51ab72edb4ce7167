"""How good predictions were in each four weeks: the learning curve."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 220
_TICKS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 2.0, 3.0, 5.0)
"""Closer than those of effects: predictions differ from the usual by hundredths."""


@style.unchecked
def skill_chart(windows: Sequence[Mapping[str, Any]]) -> "alt.LayerChart":
    """The loss of each window against that of the account's own quantiles, which is at 1.

    Args:
        windows: Rows of ``marts.mart_prediction_skill`` of one platform and target, oldest first;
            those without a ratio are left out.
    """
    import altair as alt

    values = [
        {
            "until": f"{row['period_end'].isoformat()}T00:00:00Z",
            "ratio": row["pinball_ratio"],
            "low": row["pinball_ratio_low"],
            "high": row["pinball_ratio_high"],
            "n": row["n"],
        }
        for row in windows
        if row["pinball_ratio"] is not None
    ]
    ends = [value[name] for value in values for name in ("ratio", "low", "high") if value[name]]
    (least, most), _ = style.ratio_axis([float(end) for end in ends])
    ticks = [tick for tick in _TICKS if least <= tick <= most]
    scale = alt.Scale(type="log", domain=[least, most], nice=False, clamp=True)
    axis = alt.Axis(title="loss, times that of the account's usual", values=ticks, format="~g")
    x = alt.X(
        "until:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title="four weeks until", format="%-d %b", grid=False, tickCount=6),
    )
    base = alt.Chart().encode(x=x, color=alt.value(colours.SERIES[0]))
    interval = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=4, strokeCap="round", opacity=0.4)
        .encode(y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q")
    )
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("ratio:Q", axis=axis, scale=scale))
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=alt.Y("ratio:Q", axis=axis, scale=scale),
        tooltip=[
            alt.Tooltip("until:T", title="four weeks until", format="%Y-%m-%d"),
            alt.Tooltip("ratio:Q", title="loss, times the usual's", format=".2f"),
            alt.Tooltip("low:Q", title="90 % interval from", format=".2f"),
            alt.Tooltip("high:Q", title="to", format=".2f"),
            alt.Tooltip("n:Q", title="posts"),
        ],
    )
    usual = alt.Chart(style.rows([{"usual": 1}]))
    first = windows[0] if windows else {"platform": ""}
    return style.titled(
        alt.layer(
            usual.mark_rule(color=colours.MUTED, strokeDash=[4, 4]).encode(y="usual:Q"),
            interval,
            line,
            dots,
        ),
        values,
        "How good predictions were",
        [
            (
                f"{figure_words.platform(first['platform'])}; below the dashed line: better than "
                "the account's own quantiles; line: 90 % interval"
            )
        ],
        height=_HEIGHT,
    )
