"""Plans made, changed, followed and put away, so that no change is ever lost.

A change that depends on what its maker saw names the version that they saw, and is refused when
the plan has moved on. Ticking an item off depends on nothing: two people may do it at once.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pipeline.clients import state_plans
from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.decide.plans.plan import (
    MAX_ITEMS,
    MAX_POSTS_OF_AN_ITEM,
    ItemDraft,
    Plan,
    PlanDraft,
    PlanStatus,
    PostKey,
    one_line,
    plain_text,
    progress,
)
from pipeline.decide.plans.stored import (
    assembled,
    checked_hours,
    checked_posts,
    item_rows_of,
    plan_from,
    post_row_of,
    projection_row,
)
from pipeline.errors import PlanConflictError, PlanError, PlanNotFoundError
from pipeline.settings import Settings

Changes = Mapping[str, Any]

PLAN_FIELDS = frozenset({"name", "goal", "status", "projected", "outcome_note", "notes"})
ITEM_FIELDS = frozenset(
    {"title", "notes", "due_date", "estimated_hours", "projected_outcome", "actual_outcome"}
)


def create_plan(settings: Settings, draft: PlanDraft, *, by: str, now: datetime) -> Plan:
    """Store a plan.

    Args:
        settings: Where.
        draft: The plan; its account exists.
        by: Who makes it.
        now: The moment.

    Raises:
        PlanError: Something in it is empty, too long, or no post.
    """
    plan_id = f"plan_{uuid.uuid4().hex[:16]}"
    items, posts = item_rows_of(plan_id, draft.items, first=0, by=by, now=now)
    row = {
        "plan_id": plan_id,
        "account_name": draft.account_name,
        "name": one_line(draft.name),
        "goal": plain_text(draft.goal) or "",
        "status": PlanStatus.ACTIVE.value,
        "source_kind": draft.source_kind.value,
        "source_id": draft.source_id,
        "writer": draft.writer.value,
        "writer_reason": draft.writer_reason,
        "projected": projection_row(draft.projected),
        "outcome_note": None,
        "notes": plain_text(draft.notes),
        "progress_percentage": 0,
        "version": 1,
        "created_by": by,
        "created_at": now,
        "updated_at": now,
        "completed_at": None,
    }
    with writing_state(settings) as state:
        state_plans.add_plan(state, row, items, posts)
        return plan_from(state, row)


def get_plan(settings: Settings, plan_id: str) -> Plan:
    """A plan with its items.

    Raises:
        PlanNotFoundError: There is none.
    """
    if state_exists(settings):
        with reading_state(settings) as state:
            row = state_plans.plan_row(state, plan_id)
            if row is not None:
                return plan_from(state, row)
    raise _no_plan(plan_id)


def list_plans(
    settings: Settings,
    *,
    accounts: Collection[str] | None = None,
    status: PlanStatus | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Plan], int]:
    """Plans, the newest first, and how many there are in all."""
    plans, items, posts, total = state_plans.plan_rows(
        settings,
        accounts=accounts,
        status=None if status is None else status.value,
        limit=limit,
        offset=offset,
    )
    return [assembled(plan, items, posts) for plan in plans], total


def plan_of_item(settings: Settings, item_id: str) -> Plan:
    """The plan that an item belongs to.

    Raises:
        PlanNotFoundError: There is no such item.
    """
    return get_plan(settings, _plan_id_of(settings, item_id))


def change_plan(
    settings: Settings, plan_id: str, changes: Changes, *, version: int, now: datetime
) -> Plan:
    """Change what a plan says.

    Args:
        settings: Where.
        plan_id: Which.
        changes: Of `PLAN_FIELDS`; what is not named stays.
        version: Of the plan that the changes were made from.
        now: The moment.

    Raises:
        PlanNotFoundError: There is no such plan.
        PlanConflictError: It was changed since.
        PlanError: A value cannot be kept.
    """
    assert changes.keys() <= PLAN_FIELDS
    with _changing(settings, plan_id, now, version) as (state, row):
        values: dict[str, Any] = {}
        if "name" in changes:
            values["name"] = one_line(changes["name"])
        if "goal" in changes:
            values["goal"] = plain_text(changes["goal"]) or ""
        for field in ("outcome_note", "notes"):
            if field in changes:
                values[field] = plain_text(changes[field])
        if "projected" in changes:
            values["projected"] = projection_row(changes["projected"])
        if "status" in changes:
            status = PlanStatus(changes["status"])
            values["status"] = status.value
            if status is PlanStatus.ACTIVE:
                values["completed_at"] = None
            elif status is PlanStatus.COMPLETED and row["status"] != status.value:
                values["completed_at"] = now
        if values:
            state_plans.change_plan(state, plan_id, values)
        return plan_from(state, {**row, **values})


def delete_plan(settings: Settings, plan_id: str, *, version: int | None, now: datetime) -> Plan:
    """Delete a plan with its items; gives back what it was.

    Raises:
        PlanNotFoundError: There is no such plan.
        PlanConflictError: It was changed since ``version``.
    """
    with _changing(settings, plan_id, now, version) as (state, row):
        plan = plan_from(state, row)
        state_plans.remove_items(state, [item.item_id for item in plan.items])
        state_plans.remove_plan(state, plan_id)
    return plan


def add_item(settings: Settings, plan_id: str, draft: ItemDraft, *, by: str, now: datetime) -> Plan:
    """Put an item at the end of a plan.

    Raises:
        PlanNotFoundError: There is no such plan.
        PlanError: The plan is full, or the item cannot be kept.
    """
    with _changing(settings, plan_id, now) as (state, row):
        former = state_plans.item_rows(state, [plan_id])
        if len(former) >= MAX_ITEMS:
            raise PlanError(f"A plan has at most {MAX_ITEMS} items.")
        first = 1 + max((item["order_index"] for item in former), default=-1)
        items, posts = item_rows_of(plan_id, [draft], first=first, by=by, now=now)
        state_plans.add_items(state, items)
        state_plans.add_posts(state, posts)
        return _with_progress(state, row)


def change_item(
    settings: Settings, item_id: str, changes: Changes, *, version: int, now: datetime
) -> Plan:
    """Change what an item says; arguments and errors as `change_plan`, with `ITEM_FIELDS`.

    Args:
        settings: Where.
        item_id: Which.
        changes: What is not named stays.
        version: Of the plan that the changes were made from.
        now: The moment.
    """
    assert changes.keys() <= ITEM_FIELDS
    values = dict(changes)
    if "title" in values:
        values["title"] = one_line(values["title"])
    if "estimated_hours" in values:
        values["estimated_hours"] = checked_hours(values["estimated_hours"])
    for field in ("notes", "projected_outcome", "actual_outcome"):
        if field in values:
            values[field] = plain_text(values[field])
    with _changing(settings, _plan_id_of(settings, item_id), now, version) as (state, row):
        if values:
            state_plans.change_item(state, item_id, values)
        return plan_from(state, row)


def remove_item(settings: Settings, item_id: str, *, version: int | None, now: datetime) -> Plan:
    """Take an item out of its plan. Raises as `change_plan`."""
    with _changing(settings, _plan_id_of(settings, item_id), now, version) as (state, row):
        state_plans.remove_items(state, [item_id])
        return _with_progress(state, row)


def set_completed(
    settings: Settings, item_id: str, is_completed: bool, *, by: str, now: datetime
) -> Plan:
    """Tick an item off, or open it again; doing it twice changes nothing.

    Raises:
        PlanNotFoundError: There is no such item.
    """
    plan = plan_of_item(settings, item_id)
    if plan.item(item_id).is_completed is is_completed:
        return plan
    with _changing(settings, plan.plan_id, now) as (state, row):
        item = state_plans.item_row(state, item_id)
        if item is None:
            raise _no_item(item_id)
        if item["is_completed"] is not is_completed:
            state_plans.change_item(
                state,
                item_id,
                {
                    "is_completed": is_completed,
                    "completed_at": now if is_completed else None,
                    "completed_by": by if is_completed else None,
                },
            )
        return _with_progress(state, row)


def reorder(
    settings: Settings, plan_id: str, item_ids: Sequence[str], *, version: int, now: datetime
) -> Plan:
    """Put the items of a plan in another order.

    Raises:
        PlanError: The ids are not exactly those of the plan's items.
        PlanNotFoundError: There is no such plan.
        PlanConflictError: It was changed since ``version``.
    """
    with _changing(settings, plan_id, now, version) as (state, row):
        known = [item["item_id"] for item in state_plans.item_rows(state, [plan_id])]
        if sorted(known) != sorted(item_ids):
            raise PlanError("An order names every item of the plan once and nothing else.")
        for place, item_id in enumerate(item_ids):
            state_plans.change_item(state, item_id, {"order_index": place})
        return plan_from(state, row)


def link_post(settings: Settings, item_id: str, post: PostKey, *, by: str, now: datetime) -> Plan:
    """Say that a post was made for an item; saying it twice changes nothing.

    Raises:
        PlanNotFoundError: There is no such item.
        PlanError: That is no post, or the item has too many.
    """
    (checked,) = checked_posts([post])
    plan = plan_of_item(settings, item_id)
    if checked in plan.item(item_id).posts:
        return plan
    with _changing(settings, plan.plan_id, now) as (state, row):
        if state_plans.item_row(state, item_id) is None:  # taken out meanwhile
            raise _no_item(item_id)
        former = state_plans.post_rows(state, [item_id])
        if len(former) >= MAX_POSTS_OF_AN_ITEM:
            raise PlanError(f"An item has at most {MAX_POSTS_OF_AN_ITEM} posts.")
        if (checked.platform, checked.post_id) not in {
            (one["platform"], one["post_id"]) for one in former
        }:
            state_plans.add_posts(state, [post_row_of(item_id, checked, by=by, now=now)])
        return plan_from(state, row)


def unlink_post(settings: Settings, item_id: str, post: PostKey, *, now: datetime) -> Plan:
    """Take back that a post was made for an item; doing it twice changes nothing.

    Raises:
        PlanNotFoundError: There is no such item.
    """
    plan = plan_of_item(settings, item_id)
    if post not in plan.item(item_id).posts:
        return plan
    with _changing(settings, plan.plan_id, now) as (state, row):
        state_plans.remove_post(state, item_id, post.platform, post.post_id)
        return plan_from(state, row)


@contextmanager
def _changing(
    settings: Settings, plan_id: str, now: datetime, version: int | None = None
) -> Iterator[tuple[StateTransaction, dict[str, Any]]]:
    """A transaction that changes one plan, and the plan's row with its new version.

    Raises:
        PlanNotFoundError: There is no such plan.
        PlanConflictError: It is of another version.
    """
    if not state_exists(settings):
        raise _no_plan(plan_id)
    with writing_state(settings) as state:
        row = state_plans.begin_change(state, plan_id, now, version)
        if row is None:
            found = state_plans.plan_row(state, plan_id)
            if found is None:
                raise _no_plan(plan_id)
            raise PlanConflictError(
                f"{plan_id} was changed since: it is of version {found['version']}, and the change "
                f"was made from version {version}. Nothing was changed; read it again."
            )
        yield state, row


def _plan_id_of(settings: Settings, item_id: str) -> str:
    if state_exists(settings):
        with reading_state(settings) as state:
            row = state_plans.item_row(state, item_id)
        if row is not None:
            return str(row["plan_id"])
    raise _no_item(item_id)


def _with_progress(state: StateTransaction, row: dict[str, Any]) -> Plan:
    items = state_plans.item_rows(state, [row["plan_id"]])
    values = {"progress_percentage": progress([item["is_completed"] for item in items])}
    state_plans.change_plan(state, row["plan_id"], values)
    return plan_from(state, {**row, **values})


def _no_plan(plan_id: str) -> PlanNotFoundError:
    return PlanNotFoundError(f"There is no action plan {plan_id!r}.")


def _no_item(item_id: str) -> PlanNotFoundError:
    return PlanNotFoundError(f"There is no action item {item_id!r}.")
