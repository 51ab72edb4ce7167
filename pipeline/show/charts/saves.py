"""Save rate against share rate: which posts are kept, and which are passed on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style

if TYPE_CHECKING:
    import altair as alt

    from pipeline.show.reports.save_share_posts import SaveSharePost

MOST_POINTS = 600
"""More dots than this are a cloud that hides what lies in it."""

_HEIGHT = 320
_LONGEST_TEXT = 80
CLASSES = {
    "high_save": "saved more than usual",
    "high_share": "shared more than usual",
    "high_both": "both",
    "neither": "neither",
    "not_enough_data": "too few posts to tell",
}


@style.unchecked
def save_share_chart(posts: "Sequence[SaveSharePost]") -> "alt.LayerChart":
    """One dot per post, the newest 600; dashed lines are the account's usual rates.

    Args:
        posts: Of one platform.
    """
    import altair as alt

    shown = posts[:MOST_POINTS]
    values = [_value(post) for post in shown]
    base = alt.Chart()

    def rate(name: str, title: str, channel: Any) -> Any:
        return channel(
            name,
            scale=alt.Scale(type="sqrt", nice=True),
            axis=alt.Axis(title=title, format=".1~%", tickCount=5),
        )

    dots = base.mark_point(filled=True, size=55, opacity=0.75).encode(
        x=rate("share:Q", "shares per view", alt.X),
        y=rate("save:Q", "saves per view", alt.Y),
        color=alt.Color(
            "class:N",
            scale=alt.Scale(
                domain=list(CLASSES.values())[:4],
                range=[colours.SERIES[0], colours.SERIES[1], colours.SERIES[2], colours.UNCLEAR],
            ),
            legend=alt.Legend(title=None),
        ),
        tooltip=[
            alt.Tooltip("text:N", title="post"),
            alt.Tooltip("date:N", title="posted"),
            alt.Tooltip("save:Q", title="saves per view", format=".2%"),
            alt.Tooltip("share:Q", title="shares per view", format=".2%"),
            alt.Tooltip("views:Q", title="views at 7 days", format=",.0f"),
            alt.Tooltip("class:N", title="it is"),
        ],
    )
    layers: list[Any] = []
    if len({(post.account_name, post.save_rate_7d_usual) for post in shown}) == 1:
        usual = alt.Chart(
            style.rows(
                [{"save": shown[0].save_rate_7d_usual, "share": shown[0].share_rate_7d_usual}]
            )
        ).mark_rule(color=colours.MUTED, strokeDash=[4, 4])
        layers = [usual.encode(x="share:Q"), usual.encode(y="save:Q")]
    platform = posts[0].platform if posts else ""
    told = f"{figure_words.platform(platform)}, {len(posts):,} posts at 7 days"
    if len(posts) > MOST_POINTS:
        told += f", the newest {MOST_POINTS} drawn"
    return style.titled(
        alt.layer(*layers, dots),
        values,
        "Saved or shared",
        [f"{told}; dashed: the usual"],
        height=_HEIGHT,
    )


def _value(post: "SaveSharePost") -> dict[str, Any]:
    return {
        "text": style.one_line(post.text or "no text", _LONGEST_TEXT),
        "date": post.local_date.isoformat() if post.local_date else "–",
        "save": round(post.save_rate_7d, 6),
        "share": round(post.share_rate_7d, 6),
        "views": round(post.view_7d),
        "class": CLASSES.get(post.classification, post.classification),
    }
