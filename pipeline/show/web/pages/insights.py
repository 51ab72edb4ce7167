"""``/insights``: what is working."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from pipeline.accounts import Platform
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.insight_answers import Dashboard
from pipeline.show.web.api.insights import TimePeriod
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.panels import CHART_CONFIG, KeptPanels, ShownPanel
from pipeline.show.web.pages.rendering import Renderer


class Tab(StrEnum):
    """A part of the page."""

    TOP = "top"
    ATTENTION = "attention"
    THEMES = "themes"
    PLATFORMS = "platforms"


TABS = {
    Tab.TOP: "Top performers",
    Tab.ATTENTION: "Needs attention",
    Tab.THEMES: "Themes",
    Tab.PLATFORMS: "Platform comparison",
}
PANELS: Mapping[Tab, tuple[str, ...]] = {
    Tab.TOP: ("trend", "scores"),
    Tab.ATTENTION: ("formats", "timing"),
    Tab.THEMES: ("pillars", "mix"),
    Tab.PLATFORMS: ("growth", "saves"),
}
"""The dashboard's panels that each tab shows."""


def chosen(name: str | None) -> str | None:
    """A choice of a filter; "all" is written as nothing."""
    return name or None


def insight_pages(
    settings: Settings,
    renderer: Renderer,
    caller_of: Callable[..., Any],
    api: Api,
) -> APIRouter:
    """``/`` and ``/insights``."""
    router = PagesRouter()
    calls = api["/insights"]
    kept = KeptPanels(settings)
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/")
    def first() -> Response:
        return back_to("/insights")

    @router.get("/insights")
    def insights(
        request: Request,
        caller: Asking,
        account: Annotated[str, Query(max_length=63)] = "",
        platform: Annotated[str, Query(pattern=f"^({'|'.join(Platform)})?$")] = "",
        period: TimePeriod = TimePeriod.MONTH,
        tab: Tab = Tab.TOP,
    ) -> Response:
        accounts = chosen_accounts(settings, caller, None)
        name = chosen(account)
        dashboard = calls.ask(
            Dashboard,
            "dashboard",
            caller,
            time_period=period,
            platform_filter=Platform(platform) if platform else None,
            account=name,
        )
        return renderer.page(
            request,
            "insights.html",
            dashboard=dashboard,
            meta=dashboard.meta,
            panels=_panels(caller, accounts, name, tab, chosen(platform)),
            chart_config=CHART_CONFIG,
            accounts=accounts,
            platforms=list(Platform),
            periods=list(TimePeriod),
            tabs=TABS,
            chosen={
                "account": account,
                "platform": platform,
                "period": period.value,
                "tab": tab.value,
            },
        )

    def _panels(
        caller: Caller,
        accounts: tuple[str, ...],
        account: str | None,
        tab: Tab,
        platform: str | None,
    ) -> list[ShownPanel]:
        """The tab's panels; of all accounts only for those who may see all."""
        if account is None and len(accounts) == 1:
            account = accounts[0]
        if account is None and caller.accounts is not None:
            return []
        found = kept.of(account)
        return [found[key].about(platform) for key in PANELS[tab] if key in found]

    return router
