"""Templates as answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from pipeline.learn.experiments.plan_words import weeks_words
from pipeline.settings import Settings
from pipeline.show.dashboard import words
from pipeline.show.dashboard.embedding import templates_of, well_formed
from pipeline.show.figure_words import percent, percent_range
from pipeline.show.reports import wording
from pipeline.show.web.api.answers import is_demo_home
from pipeline.show.web.api.content_answers import Metric, Performance
from pipeline.show.web.api.errors import Problem
from pipeline.show.web.api.tokens import asks_for_token
from pipeline.show.web.pages.assets import asset_mark, vega_path

FOLDER = Path(__file__).parents[1] / "templates"

SECTIONS = (
    ("/insights", "What’s working"),
    ("/review", "Review"),
    ("/action-plans", "Action plans"),
    ("/experiments", "Experiments"),
    ("/chat", "Chat"),
    ("/operations", "Operations"),
)


class Renderer:
    """The templates of one server."""

    def __init__(self, settings: Settings) -> None:
        """Compile nothing yet: that happens when a page is asked for."""
        self._settings = settings
        self._environment = _environment()

    def page(
        self, request: Request, template: str, *, status_code: int = 200, **values: Any
    ) -> HTMLResponse:
        """A template with its values and what all pages share.

        Args:
            request: What is answered.
            template: Its file.
            status_code: Of the answer.
            values: What the template names; texts are escaped there.
        """
        text = self._environment.get_template(template).render(
            path=request.url.path,
            sections=SECTIONS,
            is_simulated=is_demo_home(self._settings),
            has_token=asks_for_token(self._settings),
            **values,
        )
        return HTMLResponse(well_formed(text), status_code)

    def error(
        self,
        request: Request,
        status_code: int,
        problem: Problem,
        sent: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page of an error.

        Args:
            request: What is answered.
            status_code: Of the answer.
            problem: What the API would tell.
            sent: Of a change that came too late, what it was to store; None for other errors.
        """
        return self.page(
            request,
            "error.html",
            status_code=status_code,
            status=status_code,
            problem=problem,
            back=_back(request, is_stale=sent is not None),
            is_stale=sent is not None,
            sent=sent or {},
        )


def post_path(content_id: str, account: str | None = None) -> str:
    """The address of a post's page."""
    path = f"/insights/content/{quote(content_id, safe=':')}"
    return path if account is None else f"{path}?account={quote(account, safe='')}"


def metric_words(metric: Metric) -> str:
    """A figure with its unit."""
    value = metric.value
    if value is None:
        return words.MISSING
    match metric.unit:
        case "fraction":
            return words.percent(value)
        case "seconds":
            return _seconds(value)
        case "usd":
            return f"${value:,.2f}"
        case "per_hour":
            return f"{value:,.1f} per hour"
        case _:
            return words.count(value)


def percentile_words(share: float | None) -> str:
    """A share of posts, such as ``95 %``; never rounded up to all of them."""
    return percent(None if share is None else min(0.99, share))


def point_words(difference: float) -> str:
    """A difference of rates, such as ``+0.82 points``."""
    return f"{100 * difference:+.2f}{words.NBSP}points".replace("-", "−")


def change_words(impact: float) -> str:
    """A ratio less one, such as ``+40 %``."""
    return words.change(1 + impact)


def chance_words(probability: float) -> str:
    """A probability in percent; neither certain nor impossible."""
    if not 0.001 <= probability <= 0.999:
        return f"{'over 99.9' if probability > 0.5 else 'under 0.1'}{words.NBSP}%"
    return percent(probability, 1)


def why_missing(performance: Performance, name: str) -> str:
    """The reason why a figure of a post is not known."""
    reason = performance.missing.get(name)
    return "not known" if reason is None else reason.message


def _seconds(value: float) -> str:
    whole = round(value)
    if whole < 120:
        return f"{value:.1f}{words.NBSP}s"
    if whole < 7200:
        return f"{whole // 60}{words.NBSP}min {whole % 60}{words.NBSP}s"
    return f"{value / 3600:,.1f}{words.NBSP}hours"


def _hours(value: float | None) -> str:
    return words.MISSING if value is None else f"{value:g}{words.NBSP}h"


def _range(low: float | None, high: float | None) -> str:
    return percent_range(low, high, 2)


def _query(path: str, values: Mapping[str, str | None]) -> str:
    told = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in values.items() if value
    )
    return f"{path}?{told}" if told else path


def _back(request: Request, *, is_stale: bool) -> str:
    """Where to go on: the plan that somebody else changed, else the section that failed."""
    origin = urlsplit(request.headers.get("referer", ""))
    path = origin.path
    if is_stale and path.startswith("/action-plans/") and origin.netloc == request.url.netloc:
        return path
    return next((one for one, _ in SECTIONS if request.url.path.startswith(one)), SECTIONS[0][0])


def _environment() -> Environment:
    environment = templates_of(FOLDER)
    environment.filters |= {
        "age": words.age,
        "count": words.count,
        "percent": words.percent,
        "percentile": percentile_words,
        "plain": words.plain,
        "platform": words.platform,
        "posts": words.posts,
        "times": words.times,
        "moment": words.moment,
        "day": words.day,
        "hours": _hours,
        "impact": change_words,
        "metric": metric_words,
        "share": percent,
        "weeks": weeks_words,
        "points": point_words,
        "chance": chance_words,
        "why": why_missing,
        "outcome": wording.outcome_words,
        "dimension": wording.dimension_words,
    }
    environment.globals |= {
        "asset_mark": asset_mark,
        "vega_path": vega_path,
        "post_path": post_path,
        "query": _query,
        "interval": words.interval,
        "percent_range": _range,
    }
    return environment
