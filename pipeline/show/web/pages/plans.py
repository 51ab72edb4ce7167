"""``/action-plans``: what somebody means to do, and what came of it."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from pipeline.decide.plans.plan import PlanStatus
from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.learn.recommend.recommendation import Status
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.plan_answers import (
    ActionPlan,
    ActionPlanDetail,
    ActionPlanPage,
    ItemBody,
    OrderBody,
    PlanBody,
    PlanChange,
)
from pipeline.show.web.api.plans import PlanId
from pipeline.show.web.api.recommendation_answers import RecommendationPage
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.forms import PlanChangeForm, PlanForm
from pipeline.show.web.pages.plan_items import item_forms
from pipeline.show.web.pages.rendering import Renderer

PER_PAGE = 20

Title = Annotated[str, Form(max_length=300)]
Text = Annotated[str, Form(max_length=8_000)]
Choice = Annotated[str, Form(max_length=230)]
Version = Annotated[int, Form(ge=1, le=2**31 - 1)]
Day = Annotated[date | None, Form()]
Hours = Annotated[float | None, Form(gt=0, le=1_000)]


class Tab(StrEnum):
    """Which plans."""

    ACTIVE = "active"
    COMPLETED = "completed"
    ALL = "all"


TABS = {Tab.ACTIVE: "Active", Tab.COMPLETED: "Completed", Tab.ALL: "All"}
VERDICTS = {
    "met": "the projection held",
    "missed": "the projection did not hold",
    "cannot_tell": "nobody can tell yet",
    "no_projection": "nothing was projected",
}


def plan_pages(
    settings: Settings,
    renderer: Renderer,
    caller_of: Callable[..., Any],
    api: Api,
) -> APIRouter:
    """The pages under ``/action-plans``."""
    router = PagesRouter()
    plans = api["/action-plans"]
    recommendations = api["/recommendations"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/action-plans")
    def listed(
        request: Request,
        caller: Asking,
        status: Tab = Tab.ACTIVE,
        account: Annotated[str, Query(max_length=63)] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        def page(tab: Tab, limit: int, start: int = 0) -> ActionPlanPage:
            wanted = None if tab is Tab.ALL else PlanStatus(tab.value)
            return plans.ask(
                ActionPlanPage, "listed", caller, status=wanted, account=account or None,
                limit=limit, offset=start,
            )  # fmt: skip

        return renderer.page(
            request,
            "plans.html",
            page=page(status, PER_PAGE, offset),
            counts={tab: page(tab, 1).total for tab in Tab},
            tabs=TABS,
            accounts=chosen_accounts(settings, caller, None),
            chosen={"status": status.value, "account": account},
        )

    @router.get("/action-plans/new")
    def form(
        request: Request,
        caller: Asking,
        account: Annotated[str, Query(max_length=63)] = "",
        recommendation_id: Annotated[str, Query(max_length=100)] = "",
        content_id: Annotated[str, Query(max_length=230)] = "",
    ) -> Response:
        waiting = recommendations.ask(
            RecommendationPage, "listed", caller, status=Status.PENDING, limit=100, offset=0
        )
        approved = recommendations.ask(
            RecommendationPage, "listed", caller, status=Status.APPROVED, limit=100, offset=0
        )
        return renderer.page(
            request,
            "plan_new.html",
            accounts=chosen_accounts(settings, caller, None),
            recommendations=[*waiting.items, *approved.items],
            outcomes=OUTCOME_WORDS,
            chosen={
                "account": account,
                "recommendation_id": recommendation_id,
                "content_id": content_id,
            },
        )

    @router.get("/action-plans/{plan_id}")
    def one(request: Request, caller: Asking, plan_id: PlanId) -> Response:
        plan = plans.ask(ActionPlanDetail, "one", caller, plan_id=plan_id)
        return renderer.page(
            request,
            "plan.html",
            plan=plan,
            meta=plan.meta,
            outcomes=OUTCOME_WORDS,
            verdicts=VERDICTS,
        )

    router.include_router(_plan_forms(caller_of, api))
    router.include_router(item_forms(caller_of, api))
    return router


def _plan_forms(caller_of: Callable[..., Any], api: Api) -> APIRouter:
    router = PagesRouter()
    plans = api["/action-plans"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("/action-plans")
    def create(caller: Asking, form: Annotated[PlanForm, Form()]) -> Response:
        made = plans.ask(ActionPlan, "create", caller, body=form.body(), response=Response())
        return back_to(f"/action-plans/{made.id}")

    @router.post("/action-plans/from-recommendation")
    def from_recommendation(caller: Asking, account: Choice, recommendation_id: Choice) -> Response:
        rec_account, _, own_id = recommendation_id.rpartition(" ")
        body = PlanBody(account=rec_account or account, recommendation_id=own_id)
        made = plans.ask(ActionPlan, "create", caller, body=body, response=Response())
        return back_to(f"/action-plans/{made.id}")

    @router.post("/action-plans/{plan_id}")
    def change(
        caller: Asking, plan_id: PlanId, form: Annotated[PlanChangeForm, Form()]
    ) -> Response:
        plans.ask(ActionPlan, "change", caller, plan_id=plan_id, body=form.body())
        return back_to(f"/action-plans/{plan_id}")

    @router.post("/action-plans/{plan_id}/status")
    def set_status(
        caller: Asking, plan_id: PlanId, version: Version, status: Annotated[PlanStatus, Form()]
    ) -> Response:
        body = PlanChange(version=version, status=status)
        plans.ask(ActionPlan, "change", caller, plan_id=plan_id, body=body)
        return back_to(f"/action-plans/{plan_id}")

    @router.post("/action-plans/{plan_id}/delete")
    def delete(caller: Asking, plan_id: PlanId, version: Version) -> Response:
        plans.do("delete", caller, plan_id=plan_id, version=version)
        return back_to("/action-plans")

    @router.post("/action-plans/{plan_id}/items")
    def add_item(
        caller: Asking,
        plan_id: PlanId,
        title: Title,
        due_date: Day = None,
        estimated_hours: Hours = None,
        notes: Text = "",
    ) -> Response:
        body = ItemBody(
            title=title, due_date=due_date, estimated_hours=estimated_hours, notes=notes or None
        )
        plans.ask(ActionPlan, "add_item", caller, plan_id=plan_id, body=body)
        return back_to(f"/action-plans/{plan_id}")

    @router.post("/action-plans/{plan_id}/move")
    def move(
        caller: Asking,
        plan_id: PlanId,
        version: Version,
        item_id: Choice,
        step: Annotated[int, Form(ge=-1, le=1)],
    ) -> Response:
        plan = plans.ask(ActionPlanDetail, "one", caller, plan_id=plan_id)
        order = moved([item.id for item in plan.items], item_id, step)
        body = OrderBody(version=version, item_ids=order)
        plans.ask(ActionPlan, "order", caller, plan_id=plan_id, body=body)
        return back_to(f"/action-plans/{plan_id}")

    return router


def moved(item_ids: list[str], item_id: str, step: int) -> list[str]:
    """The items with one of them a place further up (-1) or down (1); at the end it stays."""
    order = list(item_ids)
    if item_id in order:
        place = order.index(item_id)
        other = place + step
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
    return order
