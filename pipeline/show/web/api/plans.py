"""``/action-plans`` and ``/action-items``: plans made, followed and compared with what came."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from pipeline.accounts import read_account_file
from pipeline.clients.state import reading_state, state_exists
from pipeline.clock import utc_now
from pipeline.decide.plans import planning
from pipeline.decide.plans.from_recommendation import plan_from_recommendation
from pipeline.decide.plans.outcomes import actual_outcome
from pipeline.decide.plans.plan import Plan, PlanDraft, PlanStatus, SourceKind
from pipeline.errors import AfterpostError, NothingPublishedError, PlanError, PlanNotFoundError
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from pipeline.show.web.api import plan_answers as shapes
from pipeline.show.web.api.answers import Limit, Offset, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.remembered import Remembered

if TYPE_CHECKING:
    import duckdb

PlanId = Annotated[str, Path(pattern=r"^plan_[0-9a-f]{1,32}$", examples=["plan_3f2a9c1b7d5e4f60"])]
ItemId = Annotated[str, Path(pattern=r"^item_[0-9a-f]{1,32}$", examples=["item_3f2a9c1b7d5e4f60"])]
AsOfVersion = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Refuse when it has changed since.")
]


def plan_routes(
    settings: Settings, caller_of: Callable[..., Any], kept: Remembered | None = None
) -> APIRouter:
    """The routes under ``/action-plans``; answers are kept for as long as the routes are."""
    kept = kept or Remembered(settings)
    router = APIRouter(prefix="/action-plans", tags=["action plans"])
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("", status_code=201, responses=responses(404, 409))
    def create(caller: Asking, body: shapes.PlanBody, response: Response) -> shapes.ActionPlan:
        """Make a plan: by hand, or from a recommendation."""
        (account,) = chosen_accounts(settings, caller, body.account)
        draft = _draft(settings, account, body)
        plan = planning.create_plan(settings, draft, by=caller.name, now=utc_now())
        note_change(settings, caller, "plan.create", plan.plan_id, account)
        response.headers["Location"] = f"/api/v1/action-plans/{plan.plan_id}"
        return told(settings, plan)

    @router.get("", responses=responses(404, 409))
    def listed(
        caller: Asking,
        status: Annotated[PlanStatus | None, Query(description="All when left out.")] = None,
        account: Annotated[str | None, Query(max_length=63)] = None,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> shapes.ActionPlanPage:
        """Plans, the newest first."""
        # Plans of an account whose folder is gone are still the caller's to see.
        accounts = caller.accounts
        if account is not None:
            accounts = frozenset(chosen_accounts(settings, caller, account))
        plans, total = planning.list_plans(
            settings, accounts=accounts, status=status, limit=limit, offset=offset
        )
        items = [told(settings, plan) for plan in plans]
        return shapes.ActionPlanPage(items=items, total=total, limit=limit, offset=offset)

    @router.get("/{plan_id}", responses=responses(404, 409), response_model=shapes.ActionPlanDetail)
    def one(caller: Asking, plan_id: PlanId) -> Response:
        """A plan with what its posts did, against what was expected."""
        plan = _own(planning.get_plan(settings, plan_id), caller)
        answer = _told_in_full(settings, kept, plan)
        answer.headers["ETag"] = f'"{plan.version}"'
        return answer

    @router.patch("/{plan_id}", responses=responses(404, 409))
    def change(caller: Asking, plan_id: PlanId, body: shapes.PlanChange) -> shapes.ActionPlan:
        """Change a plan's words, status, projection or outcome."""
        _own(planning.get_plan(settings, plan_id), caller)
        plan = planning.change_plan(
            settings, plan_id, body.changes(), version=body.version, now=utc_now()
        )
        fields = sorted(body.changes())
        note_change(settings, caller, "plan.change", plan_id, plan.account_name, fields=fields)
        return told(settings, plan)

    @router.delete("/{plan_id}", status_code=204, responses=responses(404, 409))
    def delete(caller: Asking, plan_id: PlanId, version: AsOfVersion = None) -> None:
        """Delete a plan with its items."""
        _own(planning.get_plan(settings, plan_id), caller)
        plan = planning.delete_plan(settings, plan_id, version=version, now=utc_now())
        note_change(settings, caller, "plan.delete", plan_id, plan.account_name, name=plan.name)

    @router.post("/{plan_id}/items", status_code=201, responses=responses(404, 409))
    def add_item(caller: Asking, plan_id: PlanId, body: shapes.ItemBody) -> shapes.ActionPlan:
        """Put an item at the end of a plan."""
        _own(planning.get_plan(settings, plan_id), caller)
        plan = planning.add_item(settings, plan_id, body.draft(), by=caller.name, now=utc_now())
        note_change(settings, caller, "item.create", plan.items[-1].item_id, plan.account_name)
        return told(settings, plan)

    @router.put("/{plan_id}/order", responses=responses(404, 409))
    def order(caller: Asking, plan_id: PlanId, body: shapes.OrderBody) -> shapes.ActionPlan:
        """Put the items in another order."""
        _own(planning.get_plan(settings, plan_id), caller)
        plan = planning.reorder(
            settings, plan_id, body.item_ids, version=body.version, now=utc_now()
        )
        note_change(settings, caller, "plan.reorder", plan_id, plan.account_name)
        return told(settings, plan)

    return router


def item_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/action-items``."""
    router = APIRouter(prefix="/action-items", tags=["action plans"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.patch("/{item_id}/complete")
    def complete(caller: Asking, item_id: ItemId) -> shapes.ActionPlan:
        """Tick an item off; doing it twice changes nothing."""
        return _tick(caller, item_id, is_completed=True)

    @router.patch("/{item_id}/uncomplete")
    def uncomplete(caller: Asking, item_id: ItemId) -> shapes.ActionPlan:
        """Open an item again; doing it twice changes nothing."""
        return _tick(caller, item_id, is_completed=False)

    @router.patch("/{item_id}")
    def change(caller: Asking, item_id: ItemId, body: shapes.ItemChange) -> shapes.ActionPlan:
        """Change an item's words, due date, estimate or outcome."""
        _own(planning.plan_of_item(settings, item_id), caller)
        plan = planning.change_item(
            settings, item_id, body.changes(), version=body.version, now=utc_now()
        )
        fields = sorted(body.changes())
        note_change(settings, caller, "item.change", item_id, plan.account_name, fields=fields)
        return told(settings, plan)

    @router.delete("/{item_id}")
    def remove(caller: Asking, item_id: ItemId, version: AsOfVersion = None) -> shapes.ActionPlan:
        """Take an item out of its plan."""
        _own(planning.plan_of_item(settings, item_id), caller)
        plan = planning.remove_item(settings, item_id, version=version, now=utc_now())
        note_change(settings, caller, "item.delete", item_id, plan.account_name)
        return told(settings, plan)

    @router.post("/{item_id}/posts")
    def link(caller: Asking, item_id: ItemId, body: shapes.LinkBody) -> shapes.ActionPlan:
        """Say that a post was made for an item; saying it twice changes nothing."""
        _own(planning.plan_of_item(settings, item_id), caller)
        post = shapes.post_key(body.content_id)
        plan = planning.link_post(settings, item_id, post, by=caller.name, now=utc_now())
        note_change(settings, caller, "item.link", item_id, plan.account_name, post=post.content_id)
        return told(settings, plan)

    @router.delete("/{item_id}/posts/{content_id}")
    def unlink(
        caller: Asking,
        item_id: ItemId,
        content_id: Annotated[str, Path(pattern=r"^[a-z]{1,20}:[\w:.\-]{1,200}$")],
    ) -> shapes.ActionPlan:
        """Take back that a post was made for an item."""
        _own(planning.plan_of_item(settings, item_id), caller)
        post = shapes.post_key(content_id)
        plan = planning.unlink_post(settings, item_id, post, now=utc_now())
        note_change(
            settings, caller, "item.unlink", item_id, plan.account_name, post=post.content_id
        )
        return told(settings, plan)

    def _tick(caller: Caller, item_id: str, *, is_completed: bool) -> shapes.ActionPlan:
        before = _own(planning.plan_of_item(settings, item_id), caller)
        plan = planning.set_completed(
            settings, item_id, is_completed, by=caller.name, now=utc_now()
        )
        if plan.version != before.version:
            action = "item.complete" if is_completed else "item.uncomplete"
            note_change(settings, caller, action, item_id, plan.account_name)
        return told(settings, plan)

    return router


def _told_in_full(settings: Settings, kept: Remembered, plan: Plan) -> Response:
    """A plan with what its posts did; without that where nothing is published."""
    today = _today(settings, plan.account_name)
    fields = shapes.plan_fields(plan, today)

    def detail(connection: "duckdb.DuckDBPyConnection") -> shapes.ActionPlanDetail:
        return shapes.ActionPlanDetail(
            **fields,
            actual=shapes.actual_of(plan, actual_outcome(connection, plan)),
            meta=meta_of(settings, connection, (plan.account_name,)),
        )

    try:
        # A plan's version counts every change of it.
        return kept.answer(("plan", plan.plan_id, plan.version, today), detail)
    except NothingPublishedError:
        bare = shapes.ActionPlanDetail(**fields, actual=None, meta=None)
        return Response(bare.model_dump_json(), media_type="application/json")


def told(settings: Settings, plan: Plan) -> shapes.ActionPlan:
    """A plan as it is told today."""
    return shapes.ActionPlan.of(plan, _today(settings, plan.account_name))


def _today(settings: Settings, account_name: str) -> date:
    """The day in the account's zone; in UTC where its folder is gone or broken."""
    now = utc_now()
    path = settings.accounts_dir / account_name / "account.yaml"
    try:
        return now.astimezone(_zone(path, path.stat().st_mtime_ns)).date()
    except (AfterpostError, OSError):
        return now.date()


@lru_cache(maxsize=1024)
def _zone(path: FilePath, _changed_at: int) -> ZoneInfo:
    """The zone in an account's file, which takes milliseconds to read."""
    return read_account_file(path).zone


def _own(plan: Plan, caller: Caller) -> Plan:
    """The plan, if the caller may see it.

    Raises:
        PlanNotFoundError: Not the caller's; that there is one is not told.
    """
    if not caller.may_see(plan.account_name):
        raise PlanNotFoundError("There is no such plan or item.")
    return plan


def _draft(settings: Settings, account: str, body: shapes.PlanBody) -> PlanDraft:
    """What is to be stored.

    Raises:
        PlanError: A plan by hand without a name.
        HTTPException: There is no such recommendation of that account.
    """
    items = None if body.items is None else tuple(item.draft() for item in body.items)
    projected = body.projected.projection() if body.projected else None
    if body.recommendation_id is None:
        if not body.name:
            raise PlanError("A plan by hand needs a name.")
        return PlanDraft(
            account_name=account,
            name=body.name,
            goal=body.goal or "",
            items=items or (),
            source_kind=SourceKind.CONTENT if body.content_id else SourceKind.HAND,
            source_id=body.content_id,
            projected=projected,
            notes=body.notes,
        )
    base = plan_from_recommendation(
        _recommendation(settings, account, body.recommendation_id), _today(settings, account)
    )
    return PlanDraft(
        account_name=account,
        name=body.name or base.name,
        goal=base.goal if body.goal is None else body.goal,
        items=base.items if items is None else items,
        source_kind=base.source_kind,
        source_id=base.source_id,
        writer=base.writer,
        projected=projected or base.projected,
        notes=body.notes,
    )


def _recommendation(settings: Settings, account: str, recommendation_id: str) -> Recommendation:
    if state_exists(settings):
        with reading_state(settings) as state:
            row = state.recommendation(recommendation_id)
        if row is not None and row["account_name"] == account:
            return Recommendation.from_row(row)
    raise HTTPException(404, f"There is no recommendation {recommendation_id!r} of {account}.")
