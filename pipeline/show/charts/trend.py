"""How posts did, by the week in which they were posted, all at 7 days of age."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style
from pipeline.show.reports.trends import ACROSS_ACCOUNTS
from pipeline.show.reports.wording import outcome_words

if TYPE_CHECKING:
    import altair as alt

    from pipeline.show.reports.trends import WeekTrend

_HEIGHT = 240


@style.unchecked
def trend_chart(weeks: "Sequence[WeekTrend]") -> "alt.LayerChart":
    """The typical post of each week with its 90 % interval, one line per account and platform.

    Weeks over all accounts are ratios to each account's own usual, which is a dashed line.
    Weeks with too few posts are gaps. All weeks are of one outcome: the first one's.
    """
    import altair as alt

    outcome = weeks[0].outcome if weeks else "views_7d"
    shown = [week for week in weeks if week.outcome == outcome]
    with_account = len({week.account_name for week in shown}) > 1
    values = _values(shown, with_account)
    is_index = bool(shown) and all(week.account_name == ACROSS_ACCOUNTS for week in shown)
    is_rate = "rate" in outcome and not is_index
    axis = alt.Axis(
        title="times the accounts' usual" if is_index else outcome_words(outcome),
        format=".1%" if is_rate else "~s",
        tickCount=5,
    )
    scale = alt.Scale(zero=True, nice=True)
    x = alt.X(
        "week:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title="week of posting", format="%-d %b", grid=False, tickCount=6),
    )
    colour = style.series_colour(values)
    base = alt.Chart().encode(x=x, color=colour)
    band = base.mark_area(opacity=0.16).encode(
        y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q", detail="stretch:N"
    )
    line = base.mark_line(strokeWidth=2.5).encode(
        y=alt.Y("typical:Q", axis=axis, scale=scale), detail="stretch:N"
    )
    # A week between two gaps has no band beside it.
    lone = (
        base.transform_filter("datum.lone")
        .mark_rule(opacity=0.3, strokeWidth=3)
        .encode(y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q")
    )
    written = ".2%" if is_rate else ".2f" if is_index else ",.0f"
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        y="typical:Q",
        tooltip=[
            alt.Tooltip("series:N", title="profile"),
            alt.Tooltip("week:T", title="week from", format="%Y-%m-%d"),
            alt.Tooltip("typical:Q", title="typical post", format=written),
            alt.Tooltip("low:Q", title="90 % interval from", format=written),
            alt.Tooltip("high:Q", title="to", format=written),
            alt.Tooltip("n:Q", title="posts"),
        ],
    )
    n = sum(week.n for week in shown)
    usual: list[Any] = []
    if is_index:
        one = alt.Chart(style.rows([{"usual": 1}]))
        usual = [one.mark_rule(color=colours.MUTED, strokeDash=[4, 4]).encode(y="usual:Q")]
    return style.titled(
        alt.layer(*usual, band, lone, line, dots),
        values,
        f"{outcome_words(outcome).capitalize()}, by week of posting",
        [f"Typical post of {n:,}; band: 90 % interval; gaps: fewer than three posts"],
        height=_HEIGHT,
    )


def _values(weeks: "Sequence[WeekTrend]", with_account: bool) -> list[dict[str, Any]]:
    """The weeks that have a figure; ``stretch`` numbers runs of weeks without a gap."""
    values: list[dict[str, Any]] = []
    stretch = 0
    last: WeekTrend | None = None
    for week in weeks:
        if week.typical is None:
            continue
        follows = (
            last is not None
            and (last.account_name, last.platform) == (week.account_name, week.platform)
            and week.week_start - last.week_start == timedelta(days=7)
        )
        stretch += not follows
        last = week
        values.append(
            {
                "series": (f"{week.account_name}: " if with_account else "")
                + figure_words.platform(week.platform),
                "week": f"{week.week_start.isoformat()}T00:00:00Z",
                "typical": week.typical,
                "low": week.low,
                "high": week.high,
                "n": week.n,
                "stretch": stretch,
            }
        )
    lengths = Counter(value["stretch"] for value in values)
    return [{**value, "lone": lengths[value["stretch"]] == 1} for value in values]
