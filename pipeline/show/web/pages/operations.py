"""``/operations``: whether collecting, building and telling go well, and what it costs."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response

from pipeline.errors import NothingPublishedError
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.operations import Alert as AlertAnswer
from pipeline.show.web.api.operations import (
    AlertId,
    AlertPage,
    AuditPage,
    Costs,
    Health,
    RunHistory,
)
from pipeline.show.web.api.recommendation_answers import NoteBody, Verdicts
from pipeline.show.web.api.reflexion import SkillList
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.rendering import Renderer

MOST_ALERTS = 100
MOST_CHANGES = 20


def operation_pages(
    settings: Settings, renderer: Renderer, caller_of: Callable[..., Any], api: Api
) -> APIRouter:
    """The page and its one form."""
    router = PagesRouter()
    calls = api["/operations"]
    verdicts = api["/verdicts"]
    reflexion = api["/reflexion"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/operations")
    def operations(
        request: Request,
        caller: Asking,
        account: Annotated[str, Query(max_length=63)] = "",
        days: Annotated[int, Query(ge=1, le=3660)] = 30,
        over: bool = False,
    ) -> Response:
        name = account or None
        costs, record, skill = None, None, None
        try:
            costs = calls.ask(Costs, "costs", caller, account=name, days=days)
            record = verdicts.ask(Verdicts, "listed", caller, account=name).record
            skill = reflexion.ask(SkillList, "skill", caller, account=name).items
        except NothingPublishedError:
            pass  # the page says so where their figures would stand
        return renderer.page(
            request,
            "operations.html",
            health=calls.ask(Health, "health", caller, account=name),
            costs=costs,
            record=record,
            skill=[one for one in skill or () if one.period == "all"],
            runs=calls.ask(RunHistory, "runs", caller),
            alerts=calls.ask(
                AlertPage, "alerts", caller, account=name, only_open=not over, limit=MOST_ALERTS,
                offset=0,
            ),
            changes=_changes(caller),
            accounts=chosen_accounts(settings, caller, None),
            chosen={"account": account, "days": str(days), "over": "true" if over else ""},
            meta=None if costs is None else costs.meta,
            dagster_url=settings.dagster_url,
            done=request.query_params.get("done") == "acknowledged",
        )  # fmt: skip

    @router.post("/operations/alerts/{alert_id}/acknowledge")
    def acknowledge(
        caller: Asking, alert_id: AlertId, note: Annotated[str, Form(max_length=2_000)] = ""
    ) -> Response:
        body = NoteBody(note=note.strip() or None)
        calls.ask(AlertAnswer, "acknowledge", caller, alert_id=alert_id, body=body)
        return back_to("/operations", done="acknowledged")

    def _changes(caller: Caller) -> AuditPage | None:
        try:
            return calls.ask(AuditPage, "audit", caller, limit=MOST_CHANGES, offset=0)
        except HTTPException:
            return None  # only a token for all accounts may see them

    return router
