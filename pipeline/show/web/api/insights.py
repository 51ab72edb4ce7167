"""``/insights``: what is working, read from the published copy."""

from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from pydantic import BaseModel, Field

from pipeline.accounts import Platform
from pipeline.clients.warehouse import reading
from pipeline.settings import Settings
from pipeline.show.reports.insights.content import (
    Content,
    Order,
    Selection,
    content_count,
    contents,
    find_content,
    similar_content,
)
from pipeline.show.reports.insights.curves import curve_of, projections_of
from pipeline.show.reports.insights.factors import factors_of
from pipeline.show.reports.insights.missing import Availability
from pipeline.show.reports.insights.platforms import platforms_of
from pipeline.show.reports.insights.summary import engagement_trend, summary_of
from pipeline.show.reports.insights.themes import theme_effects, themes_of
from pipeline.show.reports.platforms import platform_comparisons
from pipeline.show.web.api import content_answers, insight_answers
from pipeline.show.web.api.answers import Limit, Offset, Reason, meta_of
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.remembered import Remembered

if TYPE_CHECKING:
    import duckdb

CARDS = 10
"""Best and worst posts on the dashboard."""

CONTENT_ID = r"^[a-z]{1,20}:[\w:.\-]{1,200}$"


class TimePeriod(StrEnum):
    """How far back posts count, from the newest scrape."""

    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def days(self) -> int:
        """Its length."""
        return int(self.value.removesuffix("d"))


class Category(StrEnum):
    """How a post does among the account's own."""

    OVERPERFORMING = "overperforming"
    NORMAL = "normal"
    UNDERPERFORMING = "underperforming"


Account = Annotated[
    str | None,
    Query(max_length=63, description="Name of a folder under accounts/; all when left out."),
]
PlatformFilter = Annotated[Platform | None, Query(description="Only this platform.")]
Period = Annotated[TimePeriod, Query(description="Posts of so many days before the newest scrape.")]
AnyPeriod = Annotated[
    TimePeriod | None, Query(description="Posts of so many days; all when left out.")
]
ContentId = Annotated[
    str,
    Path(
        pattern=CONTENT_ID,
        description="platform:post_id",
        examples=["tiktok:7672062462223686121"],
    ),
]


class ContentQuery(BaseModel):
    """Which posts, in which order, and which part of them."""

    platform: Platform | None = None
    theme: str | None = Field(None, max_length=100, description='A pillar, or "(none)".')
    performance_category: Category | None = None
    format: str | None = Field(None, max_length=100)
    time_period: TimePeriod | None = None
    account: str | None = Field(None, max_length=63)
    order: Order = Order.NEWEST
    limit: Limit = 50
    offset: Offset = 0


def insight_routes(
    settings: Settings, caller_of: Callable[..., Any], kept: Remembered | None = None
) -> APIRouter:
    """The routes under ``/insights``; answers are kept for as long as the routes are."""
    kept = kept or Remembered(settings)
    router = APIRouter(prefix="/insights", tags=["insights"], responses=responses(409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get(
        "/dashboard", responses=responses(404, 409), response_model=insight_answers.Dashboard
    )
    def dashboard(
        caller: Asking,
        time_period: Period = TimePeriod.MONTH,
        platform_filter: PlatformFilter = None,
        account: Account = None,
    ) -> Response:
        """Cards, best and worst posts, themes and platforms of a period."""
        accounts = chosen_accounts(settings, caller, account)
        chosen = Selection(accounts=accounts, platform=platform_filter, days=time_period.days)
        return kept.answer(
            ("dashboard", chosen),
            lambda connection: _dashboard(settings, connection, chosen, time_period),
        )

    @router.get(
        "/content", responses=responses(404, 409), response_model=insight_answers.ContentPage
    )
    def content_list(caller: Asking, asked: Annotated[ContentQuery, Query()]) -> Response:
        """Posts, filtered, page by page."""
        accounts = chosen_accounts(settings, caller, asked.account)
        chosen = Selection(
            accounts=accounts,
            platform=asked.platform,
            days=asked.time_period.days if asked.time_period else None,
            theme=asked.theme,
            format=asked.format,
            category=asked.performance_category,
        )

        def page(connection: "duckdb.DuckDBPyConnection") -> insight_answers.ContentPage:
            found = contents(
                connection, chosen, order=asked.order, limit=asked.limit, offset=asked.offset
            )
            return insight_answers.ContentPage(
                items=cards(connection, found),
                total=content_count(connection, chosen),
                limit=asked.limit,
                offset=asked.offset,
                meta=meta_of(settings, connection, accounts),
            )

        return kept.answer(("content", chosen, asked.order, asked.limit, asked.offset), page)

    @router.get(
        "/content/{content_id}",
        responses=responses(404, 409),
        response_model=content_answers.ContentDetail,
    )
    def content_detail(caller: Asking, content_id: ContentId, account: Account = None) -> Response:
        """A post with its figures, its growth, what speaks for and against it, and similar ones.

        A joint post of two accounts is told of as the first one's unless ``account`` is given.
        """
        accounts = chosen_accounts(settings, caller, account)

        def detail(connection: "duckdb.DuckDBPyConnection") -> content_answers.ContentDetail:
            found = content_of(connection, content_id, accounts)
            return _detail(settings, connection, found[0], [one.account_name for one in found[1:]])

        return kept.answer(("detail", content_id, accounts), detail)

    @router.get("/compare", responses=responses(404, 409))
    def compare(
        caller: Asking,
        content_id: Annotated[
            list[Annotated[str, Query(pattern=CONTENT_ID)]],
            Query(min_length=2, max_length=5, description="2 to 5 posts: platform:post_id"),
        ],
        account: Account = None,
    ) -> insight_answers.Compared:
        """Posts side by side, metric by metric."""
        accounts = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            found = [content_of(connection, one, accounts)[0] for one in content_id]
            availability = Availability(connection)
            grids = [content_answers.metrics_of(one, availability) for one in found]
            return insight_answers.Compared(
                items=cards(connection, found, availability),
                metrics={name: [grid[name] for grid in grids] for name in content_answers.METRICS},
                meta=meta_of(settings, connection, accounts),
            )

    @router.get("/themes", responses=responses(404, 409), response_model=insight_answers.Themes)
    def themes(
        caller: Asking,
        time_period: AnyPeriod = None,
        platform: PlatformFilter = None,
        account: Account = None,
    ) -> Response:
        """Themes with their posts' figures, and how they compare with the account's usual."""
        accounts = chosen_accounts(settings, caller, account)
        days = time_period.days if time_period else None
        chosen = Selection(accounts=accounts, platform=platform, days=days)
        return kept.answer(
            ("themes", chosen),
            lambda connection: insight_answers.Themes(
                items=_themes(connection, chosen), meta=meta_of(settings, connection, accounts)
            ),
        )

    @router.get(
        "/platforms", responses=responses(404, 409), response_model=insight_answers.Platforms
    )
    def platforms(
        caller: Asking, time_period: AnyPeriod = None, account: Account = None
    ) -> Response:
        """Platforms side by side, and each account's usual on one against its usual on another."""
        accounts = chosen_accounts(settings, caller, account)
        days = time_period.days if time_period else None
        chosen = Selection(accounts=accounts, days=days)
        return kept.answer(
            ("platforms", chosen),
            lambda connection: insight_answers.Platforms(
                items=insight_answers.PlatformFigures.all_of(platforms_of(connection, chosen)),
                comparisons=_contrasts(connection, accounts),
                meta=meta_of(settings, connection, accounts),
            ),
        )

    return router


def content_of(
    connection: "duckdb.DuckDBPyConnection", content_id: str, accounts: tuple[str, ...]
) -> list[Content]:
    """The post of an id, once per account.

    Raises:
        HTTPException: None of the accounts has it.
    """
    platform, _, post_id = content_id.partition(":")
    found = find_content(connection, platform, post_id, accounts)
    if not found:
        raise HTTPException(404, f"There is no post {content_id!r} in the published copy.")
    return found


def cards(
    connection: "duckdb.DuckDBPyConnection",
    found: list[Content],
    availability: Availability | None = None,
) -> list[content_answers.ContentCard]:
    """Posts as cards."""
    availability = availability or Availability(connection)
    factors = factors_of(connection, [content.key for content in found])
    return [
        content_answers.ContentCard.of(content, factors.get(content.key, []), availability)
        for content in found
    ]


def _dashboard(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    chosen: Selection,
    period: TimePeriod,
) -> insight_answers.Dashboard:
    assert chosen.accounts is not None
    summary = summary_of(connection, chosen)
    trend = engagement_trend(connection, chosen, period.value)
    best = contents(
        connection,
        _with_category(chosen, Category.OVERPERFORMING),
        order=Order.BEST,
        limit=CARDS,
    )
    worst = contents(
        connection,
        _with_category(chosen, Category.UNDERPERFORMING),
        order=Order.WORST,
        limit=CARDS,
    )
    missing = {}
    if summary.total_reach is None:
        missing["summary.total_reach"] = Reason.of("not_imported")
    if summary.total_views is None:
        missing["summary.total_views"] = Reason.of("not_told")
    if summary.avg_engagement_rate is None:
        missing["summary.avg_engagement_rate"] = Reason.of("no_views")
    if trend.direction is None:
        words = trend.missing or "nobody can tell"
        missing["summary.engagement_trend"] = Reason(code="not_enough_data", message=words)
    made = cards(connection, [*best, *worst])
    return insight_answers.Dashboard(
        summary=insight_answers.Summary(**summary.__dict__, engagement_trend=trend.direction),
        engagement_trend=insight_answers.Trend.model_validate(trend),
        top_performers=made[: len(best)],
        needs_attention=made[len(best) :],
        themes=_themes(connection, chosen),
        platform_comparison=insight_answers.PlatformFigures.all_of(
            platforms_of(connection, chosen)
        ),
        platform_contrasts=_contrasts(connection, chosen.accounts),
        time_period=period.value,
        platform_filter=chosen.platform,
        meta=meta_of(settings, connection, chosen.accounts, missing),
    )


def _with_category(chosen: Selection, category: Category) -> Selection:
    return Selection(chosen.accounts, chosen.platform, chosen.days, category=category.value)


def _detail(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    content: Content,
    also_in: list[str],
) -> content_answers.ContentDetail:
    availability = Availability(connection)
    (card,) = cards(connection, [content], availability)
    similar = similar_content(connection, content)
    return content_answers.ContentDetail(
        **card.model_dump(exclude={"insights", "performance"}),
        performance=card.performance,
        insights=card.insights,
        caption=content.caption,
        url=content_answers.safe_url(content.post_url),
        **{name: getattr(content, name) for name in content_answers.PLAIN_FIELDS},
        metrics=content_answers.metrics_of(content, availability),
        growth_curve=content_answers.GrowthPoint.all_of(curve_of(connection, content)),
        projections=content_answers.Projection.all_of(projections_of(connection, content)),
        why_it_worked=[one for one in card.insights if one.is_positive],
        areas_for_improvement=[one for one in card.insights if not one.is_positive],
        similar=cards(connection, similar, availability),
        also_in_accounts=also_in,
        meta=meta_of(settings, connection, (content.account_name,)),
    )


def _themes(
    connection: "duckdb.DuckDBPyConnection", chosen: Selection
) -> list[insight_answers.Theme]:
    effects = defaultdict(list)
    for effect in theme_effects(connection, chosen):
        effects[effect.theme].append(insight_answers.ThemeEffect.model_validate(effect))
    return [
        insight_answers.Theme(**theme.__dict__, effects=effects.get(theme.theme, []))
        for theme in themes_of(connection, chosen)
    ]


def _contrasts(
    connection: "duckdb.DuckDBPyConnection", accounts: tuple[str, ...]
) -> list[insight_answers.PlatformContrast]:
    rows = platform_comparisons(connection)
    return insight_answers.PlatformContrast.all_of(
        row for row in rows if row.account_name in accounts
    )
