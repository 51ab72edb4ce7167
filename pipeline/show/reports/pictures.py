"""The charts of a report, and the same as pictures."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.show.charts.effects import effects_chart
from pipeline.show.charts.pictures import png_of
from pipeline.show.charts.trend import trend_chart
from pipeline.show.reports.periods.chart import described, movement_chart
from pipeline.show.reports.periods.report import PeriodReport
from pipeline.show.reports.segments import Focus, most_telling, segment_tables
from pipeline.show.reports.trends import WeekTrend, weekly_trends

if TYPE_CHECKING:
    import altair as alt
    import duckdb

_WEEKS = 13
_SCALE = 2.0


@dataclass(frozen=True)
class ReportChart:
    """A chart with its title and its words."""

    name: str
    title: str
    words: str
    """What it shows, for people who do not see it."""
    chart: "alt.LayerChart"


@dataclass(frozen=True)
class ReportPicture:
    """A chart as a PNG, which looks alike wherever it is opened: its letters are drawn already."""

    name: str
    title: str
    words: str
    png: bytes


def report_charts(
    connection: "duckdb.DuckDBPyConnection", report: PeriodReport
) -> list[ReportChart]:
    """The report's movement; of one account its quarter of a year and its formats as well.

    Args:
        connection: To the published copy that the report was made from.
        report: The report.
    """
    charts = []
    movement = movement_chart(report)
    if movement is not None:
        charts.append(ReportChart("movement", "Movement", described(report), movement))
    if report.account_name is not None:
        charts += _of_account(connection, report, report.account_name)
    return charts


def report_pictures(
    connection: "duckdb.DuckDBPyConnection", report: PeriodReport
) -> list[ReportPicture]:
    """As :func:`report_charts`, drawn."""
    return [
        ReportPicture(one.name, one.title, one.words, png_of(one.chart, scale=_SCALE))
        for one in report_charts(connection, report)
    ]


def _of_account(
    connection: "duckdb.DuckDBPyConnection", report: PeriodReport, account_name: str
) -> list[ReportChart]:
    charts = []
    last = report.period.compared.last
    since = last - timedelta(weeks=_WEEKS)
    weeks = [
        week
        for week in weekly_trends(connection, account_name, since=since)
        if week.week_start <= last
    ]
    shown = _with_most(weeks)
    if any(week.typical is not None for week in shown):
        known = [week for week in shown if week.typical is not None]
        words = (
            f"The typical post of each week at 7 days of age, {known[0].week_start} to "
            f"{known[-1].week_start}, with 90 % intervals; the same figures by week are in "
            "`afterpost dashboard`."
        )
        charts.append(ReportChart("trend", "A quarter of a year", words, trend_chart(shown)))
    for table in most_telling(segment_tables(connection, account_name, Focus.FORMATS)):
        if not table.has_enough_data:
            continue
        told = "; ".join(
            f"{row.name} {row.effect:.2f}× (n {row.n})" for row in table.rows if row.effect
        )
        charts.append(
            ReportChart(
                f"formats_{table.platform}",
                f"Formats on {table.platform}",
                f"Formats against the account's usual: {told}.",
                effects_chart(table),
            )
        )
    return charts


def _with_most(weeks: list[WeekTrend]) -> list[WeekTrend]:
    """The weeks of the outcome that most weeks have a figure of; the first named of equal ones."""
    names = list(dict.fromkeys(week.outcome for week in weeks if "rate" not in week.outcome))
    if not names:
        return []
    counts = {
        name: sum(1 for week in weeks if week.outcome == name and week.typical is not None)
        for name in names
    }
    best = max(names, key=lambda name: counts[name])
    return [week for week in weeks if week.outcome == best]
