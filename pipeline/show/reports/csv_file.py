"""A report as one CSV table: a row per figure, so that a spreadsheet can filter it."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from pipeline.clients.table_exports import FORMULA
from pipeline.show.reports.periods.movement import Movement
from pipeline.show.reports.periods.posts import ReportPost
from pipeline.show.reports.periods.report import AccountReport, PeriodReport, ProfileReport
from pipeline.show.reports.periods.summary import executive_summary
from pipeline.show.reports.slack_text import one_line

COLUMNS = (
    "part", "account_name", "platform", "subject", "figure", "value", "former_value", "ratio",
    "ratio_low", "ratio_high", "n", "former_n", "age_hours", "text", "address",
)  # fmt: skip
_STARTS_FORMULA = re.compile(FORMULA)

_Row = dict[str, Any]


def report_csv(report: PeriodReport) -> bytes:
    """The table in UTF-8 with a byte order mark, which spreadsheets look for.

    Missing numbers are empty. Text that a spreadsheet would run as a formula gets a ' before it.
    """
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: _safe(value) for name, value in row.items()})
    return written.getvalue().encode("utf-8-sig", errors="replace")


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        text = one_line(value)
        return f"'{text}" if _STARTS_FORMULA.match(text) else text
    return "" if value is None else value


def _rows(report: PeriodReport) -> Iterator[_Row]:
    period = report.period
    yield {"part": "period", "subject": period.key, "figure": "days",
           "text": f"{period.days.first} to {period.days.last}"}  # fmt: skip
    for sentence in executive_summary(report):
        yield {"part": "summary", "text": sentence}
    for movement in report.overall if report.is_of_all else ():
        yield {"part": "movement", **_movement(movement)}
    for account in report.accounts:
        yield from _account(account)
    for part, posts in (("top", report.top), ("bottom", report.bottom)):
        for post in posts:
            yield {"part": part, **_post(post)}
    yield from _standing(report)
    yield from _money(report)
    build = report.build
    if build is not None:
        yield {"part": "source", "figure": "warehouse_version", "text": build.warehouse_version}
        yield {"part": "source", "figure": "as_of", "text": str(build.as_of or "")}


def _account(account: AccountReport) -> Iterator[_Row]:
    for movement in account.overall:
        yield {
            "part": "movement", "account_name": account.account_name, **_movement(movement),
        }  # fmt: skip
    for profile in account.profiles:
        yield from _profile(profile)


def _profile(profile: ProfileReport) -> Iterator[_Row]:
    overview = profile.overview
    whose = {"account_name": overview.account_name, "platform": overview.platform}
    for movement in profile.movements:
        yield {"part": "movement", **whose, **_movement(movement)}
    yield {"part": "posts", **whose, "figure": "posts", "value": profile.post_count,
           "former_value": profile.former_post_count}  # fmt: skip
    if profile.followers is not None:
        seen = profile.followers
        before = None if seen.change is None else seen.follower_count - seen.change
        yield {"part": "followers", **whose, "figure": "followers", "value": seen.follower_count,
               "former_value": before, "text": f"seen {seen.seen_on}"}  # fmt: skip
    yield {"part": "usual", **whose, "figure": "views_7d_median",
           "value": overview.views_7d_median, "n": overview.views_7d_count,
           "age_hours": 168}  # fmt: skip


def _movement(movement: Movement) -> _Row:
    return {
        "figure": movement.outcome,
        "value": movement.median,
        "former_value": movement.former_median,
        "ratio": movement.ratio,
        "ratio_low": movement.ratio_low,
        "ratio_high": movement.ratio_high,
        "n": movement.n,
        "former_n": movement.former_n,
        "age_hours": movement.age_hours,
        "text": movement.direction.value,
    }


def _post(post: ReportPost) -> _Row:
    return {
        "account_name": post.account_name,
        "platform": post.platform,
        "subject": f"post {post.post_id}",
        "figure": "outlier_multiple",
        "value": post.score,
        "ratio": post.outlier_multiple,
        "n": post.peer_count,
        "age_hours": post.score_age_hours,
        "text": post.caption,
        "address": post.post_url,
    }


def _standing(report: PeriodReport) -> Iterator[_Row]:
    for one in report.waiting:
        yield {"part": "waiting", "account_name": one.account_name,
               "subject": one.recommendation_id, "figure": one.confidence, "n": one.sample_size,
               "text": one.insight}  # fmt: skip
    for part, trials in (("verdict", report.trials.arrived), ("experiment", report.trials.running)):
        for trial in trials:
            yield {
                "part": part,
                "account_name": trial.account_name,
                "platform": trial.platform,
                "subject": f"{trial.dimension} {trial.segment}",
                "figure": trial.outcome,
                "ratio": trial.effect,
                "ratio_low": trial.effect_low,
                "ratio_high": trial.effect_high,
                "n": trial.n,
                "former_n": trial.control_n,
                "text": trial.verdict,
            }


def _money(report: PeriodReport) -> Iterator[_Row]:
    for cost in report.costs:
        yield {"part": "cost", "subject": cost.kind, "figure": "cost_usd", "value": cost.cost_usd,
               "former_value": cost.former_cost_usd, "n": cost.run_count}  # fmt: skip
    if report.returns is not None:
        earned = report.returns
        yield {"part": "return", "figure": "revenue_usd", "value": earned.revenue_usd,
               "n": earned.revenue_post_count}  # fmt: skip
        yield {"part": "return", "figure": "link_clicks", "value": earned.link_clicks,
               "n": earned.click_post_count}  # fmt: skip
