"""How the posts' scores are spread."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.show.charts import colours, style

if TYPE_CHECKING:
    import altair as alt

_WIDTH_OF_A_BAR = 5
_HEIGHT = 200
CATEGORIES = {
    "overperforming": "overperforming",
    "normal": "normal",
    "underperforming": "underperforming",
}


@style.unchecked
def score_chart(scored: "Sequence[tuple[float, str]]") -> "alt.LayerChart":
    """A bar per five points of score, coloured by category.

    Args:
        scored: Score and category of each post that has them.
    """
    import altair as alt

    bars = Counter(
        (min(int(score // _WIDTH_OF_A_BAR), 19) * _WIDTH_OF_A_BAR, CATEGORIES.get(kind, kind))
        for score, kind in scored
    )
    values = []
    for start in range(0, 100, _WIDTH_OF_A_BAR):
        base = 0
        for kind in CATEGORIES.values():
            if count := bars[start, kind]:
                values.append(
                    {"from": start, "to": start + _WIDTH_OF_A_BAR, "category": kind,
                     "posts": count, "base": base, "top": base + count}
                )  # fmt: skip
                base += count
    chart = (
        alt.Chart()
        .mark_rect(stroke=colours.SURFACE, strokeWidth=2)
        .encode(
            x=alt.X(
                "from:Q",
                scale=alt.Scale(domain=[0, 100]),
                axis=alt.Axis(title="score", values=[0, 20, 40, 75, 100], grid=False),
            ),
            x2="to:Q",
            y=alt.Y("base:Q", axis=alt.Axis(title="posts", tickMinStep=1, tickCount=5)),
            y2="top:Q",
            color=alt.Color(
                "category:N",
                scale=alt.Scale(
                    domain=list(CATEGORIES.values()),
                    range=[colours.BETTER, colours.UNCLEAR, colours.WORSE],
                ),
                legend=alt.Legend(title=None),
            ),
            tooltip=[
                alt.Tooltip("from:Q", title="score from"),
                alt.Tooltip("to:Q", title="to"),
                alt.Tooltip("category:N"),
                alt.Tooltip("posts:Q"),
            ],
        )
    )
    return style.titled(
        alt.layer(chart),
        values,
        "How the scores are spread",
        [f"{len(scored):,} posts, each compared with the account's own at the same age"],
        height=_HEIGHT,
    )
