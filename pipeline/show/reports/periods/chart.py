"""The movement of each profile, or of each account, as a point with its interval."""

from typing import TYPE_CHECKING, Any

from pipeline.show import figure_words
from pipeline.show.charts import colours, style
from pipeline.show.reports.graphemes import shortened
from pipeline.show.reports.periods import wording
from pipeline.show.reports.periods.movement import Direction, Movement
from pipeline.show.reports.periods.ranking import ranked_accounts
from pipeline.show.reports.periods.report import PeriodReport
from pipeline.show.reports.slack_text import one_line

if TYPE_CHECKING:
    import altair as alt

_MOST_ROWS = 20
_ROW_HEIGHT = 30
_LONGEST_NAME = 28
_WORDS = {
    Direction.UP: "up",
    Direction.DOWN: "down",
    Direction.NO_CLEAR_CHANGE: "no clear change",
}


def movement_chart(report: PeriodReport) -> "alt.LayerChart | None":
    """Reach against the days before: profiles of one account, or accounts with the most to tell.

    Returns:
        None when nothing could be compared.
    """
    import altair as alt

    values = [value for value in _values(report) if value is not None][:_MOST_ROWS]
    if not values:
        return None
    (low, high), ticks = style.ratio_axis([one[side] for one in values for side in ("low", "high")])
    scale = alt.Scale(type="log", domain=[low, high], clamp=True, nice=False)
    axis = alt.Axis(
        title="times the days before", values=ticks, labelExpr="format(datum.value, '~g') + '×'"
    )
    colour = alt.Color(
        "direction:N",
        scale=alt.Scale(
            domain=list(_WORDS.values()),
            range=[colours.BETTER, colours.WORSE, colours.UNCLEAR],
        ),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart().encode(
        y=alt.Y(
            "label:N",
            sort=[value["label"] for value in values],
            axis=alt.Axis(title=None, labelColor=colours.INK, labelLimit=320),
        )
    )
    same = (
        alt.Chart(style.rows([{"same": 1}]))
        .mark_rule(color=colours.MUTED, strokeDash=[4, 4])
        .encode(x=alt.X("same:Q"))
    )
    line = base.mark_rule(strokeWidth=4, strokeCap="round", opacity=0.45, clip=True).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", color=colour
    )
    point = base.mark_point(filled=True, size=110, opacity=1, clip=True).encode(
        x=alt.X("ratio:Q", scale=scale, axis=axis), color=colour
    )
    compared = report.period.compared.words
    return style.titled(
        alt.layer(same, line, point),
        values,
        "Reach of the typical post, by account" if report.is_of_all else
        "Reach of the typical post, by platform",
        [f"{compared} against {report.period.former.words}; line: 90 % interval; n of both"],
        height=max(2, len(values)) * _ROW_HEIGHT,
    )  # fmt: skip


def described(report: PeriodReport) -> str:
    """The chart in words, for people who do not see it."""
    told = [f"{value['label']}: {value['words']}" for value in _values(report) if value is not None]
    return f"Reach against the days before, as ratios. {'; '.join(told[:_MOST_ROWS])}."


def _values(report: PeriodReport) -> "list[dict[str, Any] | None]":
    if report.is_of_all:
        return [
            _value(account.account_name, account.overall[0])
            for account in ranked_accounts(report.accounts)
        ]
    return [
        _value(figure_words.platform(profile.overview.platform), profile.movements[0])
        for account in report.accounts
        for profile in account.profiles
    ]


def _value(name: str, movement: Movement) -> dict[str, Any] | None:
    if movement.ratio is None:
        return None
    at = "" if movement.age_hours is None else f", {figure_words.standard_age(movement.age_hours)}"
    n = f"n {movement.n} | {movement.former_n}"
    return {
        "label": f"{shortened(one_line(name), _LONGEST_NAME)} ({n}{at})",
        "ratio": movement.ratio,
        "low": movement.ratio_low,
        "high": movement.ratio_high,
        "direction": _WORDS[movement.direction],
        "words": f"{wording.ratio_words(movement)}, {wording.direction_words(movement)}",
    }
