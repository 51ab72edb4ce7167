"""``/insights/content/{platform:post_id}``: one post."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from pipeline.settings import Settings
from pipeline.show.charts.post_growth import post_growth_chart
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.content_answers import ContentDetail, Metric
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.insight_answers import Compared, ContentPage
from pipeline.show.web.api.insights import CONTENT_ID, ContentId, ContentQuery
from pipeline.show.web.api.prediction_answers import SaidOfPost
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.panels import CHART_CONFIG, page_spec
from pipeline.show.web.pages.rendering import Renderer, post_path

AccountChoice = Annotated[str, Query(max_length=63)]

GRID = (
    ("What people did", ("views", "likes", "comments", "shares", "saves", "engagements")),
    ("At equal age", ("views_24h", "views_per_hour_24h", "engagements_24h", "views_7d",
                      "engagements_7d", "views_28d")),
    ("Rates", ("engagement_rate", "engagement_rate_public", "engagement_rate_followers",
               "save_rate", "share_rate", "click_through_rate")),
    ("From the platform’s own export", ("impressions", "reach", "native_saves", "followers_gained",
                                        "profile_visits", "link_clicks", "watch_time",
                                        "average_view_duration", "retention_rate", "revenue")),
)  # fmt: skip
"""The metrics of a post by what they have in common."""

NAMES = {
    "engagement_rate": "engagement per view",
    "engagement_rate_public": "likes and comments per view",
    "engagement_rate_followers": "engagement per follower",
    "save_rate": "saves per view",
    "share_rate": "shares per view",
    "native_saves": "saves",
    "views_24h": "views at 24 hours",
    "views_per_hour_24h": "views per hour, first day",
    "engagements_24h": "engagements at 24 hours",
    "views_7d": "views at 7 days",
    "engagements_7d": "engagements at 7 days",
    "views_28d": "views at 28 days",
}
"""Metrics whose own name says too little."""


def metric_name(name: str) -> str:
    """A metric as a heading names it."""
    return NAMES.get(name, name.replace("_", " "))


def post_pages(
    settings: Settings,
    renderer: Renderer,
    caller_of: Callable[..., Any],
    api: Api,
) -> APIRouter:
    """A post's page, and posts side by side."""
    router = PagesRouter()
    calls = api["/insights"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/insights/content/{content_id}")
    def post(
        request: Request, caller: Asking, content_id: ContentId, account: AccountChoice = ""
    ) -> Response:
        detail = calls.ask(
            ContentDetail, "content_detail", caller, content_id=content_id, account=account or None
        )
        said = api["/ml"].ask(
            SaidOfPost, "of_post", caller, content_id=content_id, account=detail.account
        )
        chart = post_growth_chart(detail.growth_curve, detail.projections)
        return renderer.page(
            request,
            "post.html",
            post=detail,
            said=said,
            meta=detail.meta,
            grid=[(name, [(metric_name(one), detail.metrics[one]) for one in metrics])
                  for name, metrics in GRID],
            chart=None if chart is None else page_spec(chart),
            chart_config=CHART_CONFIG,
        )  # fmt: skip

    @router.get("/insights/posts")
    def listed(
        request: Request, caller: Asking, asked: Annotated[ContentQuery, Query()]
    ) -> Response:
        page = calls.ask(ContentPage, "content_list", caller, asked=asked)
        return renderer.page(
            request,
            "posts.html",
            page=page,
            meta=page.meta,
            accounts=chosen_accounts(settings, caller, None),
            asked=asked,
        )

    @router.get("/insights/compare")
    def compare(
        request: Request,
        caller: Asking,
        content_id: Annotated[list[str], Query(max_length=5)],
        account: AccountChoice = "",
    ) -> Response:
        wanted = list(dict.fromkeys(one.strip() for one in content_id if one.strip()))
        if len(wanted) == 1:
            return back_to(post_path(wanted[0], account or None))
        compared = calls.ask(
            Compared, "compare", caller, content_id=_checked(wanted), account=account or None
        )
        rows = [
            (metric_name(name), figures)
            for name, figures in compared.metrics.items()
            if any(figure.value is not None for figure in figures)
        ]
        return renderer.page(
            request,
            "compare.html",
            compared=compared,
            meta=compared.meta,
            rows=rows,
            highest=highest,
        )

    return router


def highest(figures: list[Metric]) -> float | None:
    """The largest value of a row, where it is larger than another one."""
    known = [figure.value for figure in figures if figure.value is not None]
    return max(known) if len(set(known)) > 1 else None


def _checked(content_ids: list[str]) -> list[str]:
    import re

    for one in content_ids:
        if not re.fullmatch(CONTENT_ID.strip("^$"), one):
            raise HTTPException(422, f"{one[:80]!r} is no post: write platform:post_id.")
    if len(content_ids) < 2:
        raise HTTPException(422, "Name two to five posts to compare.")
    return content_ids
