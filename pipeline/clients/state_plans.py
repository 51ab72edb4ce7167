"""What the state database keeps about action plans: plans, their items, and the items' posts.

Every change of a plan goes through :func:`begin_change`, which counts the plan's version up, so
that a change made from an older version finds that out before it has done anything.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_plan_tables import (
    action_item_posts,
    action_items,
    action_plans,
    audit_entries,
)
from pipeline.settings import Settings

Row = dict[str, Any]
_PLANS, _ITEMS, _POSTS, _AUDIT = (
    action_plans.c,
    action_items.c,
    action_item_posts.c,
    audit_entries.c,
)


def add_plan(
    state: StateTransaction, plan: Row, items: Sequence[Row], posts: Sequence[Row]
) -> None:
    """Insert a plan with its items and their posts."""
    state.execute(action_plans.insert(), [plan])
    add_items(state, items)
    add_posts(state, posts)


def plan_row(state: StateTransaction, plan_id: str) -> Row | None:
    """One plan, or None."""
    found = state.rows(sa.select(action_plans).where(_PLANS.plan_id == plan_id))
    return found[0] if found else None


def plan_rows(
    settings: Settings,
    *,
    accounts: Collection[str] | None = None,
    status: str | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[Row], list[Row], list[Row], int]:
    """Plans, the newest first, with their items and posts, and how many there are in all.

    Args:
        settings: Where the database is; reading does not create it.
        accounts: Of these accounts only; of every one when left out.
        status: Of this status only.
        limit: At most so many plans.
        offset: After so many.
    """
    if not state_exists(settings):
        return [], [], [], 0
    condition: sa.ColumnElement[bool] = sa.true()
    if accounts is not None:
        condition = sa.and_(condition, _PLANS.account_name.in_(accounts))
    if status is not None:
        condition = sa.and_(condition, _PLANS.status == status)
    with reading_state(settings) as state:
        (counted,) = state.rows(
            sa.select(sa.func.count().label("total")).select_from(action_plans).where(condition)
        )
        plans = state.rows(
            sa.select(action_plans)
            .where(condition)
            .order_by(_PLANS.created_at.desc(), _PLANS.plan_id)
            .limit(limit)
            .offset(offset)
        )
        items = item_rows(state, [plan["plan_id"] for plan in plans])
        posts = post_rows(state, [item["item_id"] for item in items])
    return plans, items, posts, int(counted["total"])


def item_rows(state: StateTransaction, plan_ids: Collection[str]) -> list[Row]:
    """The items of plans, in their order."""
    if not plan_ids:
        return []
    return state.rows(
        sa.select(action_items)
        .where(_ITEMS.plan_id.in_(plan_ids))
        .order_by(_ITEMS.plan_id, _ITEMS.order_index, _ITEMS.item_id)
    )


def item_row(state: StateTransaction, item_id: str) -> Row | None:
    """One item, or None."""
    found = state.rows(sa.select(action_items).where(_ITEMS.item_id == item_id))
    return found[0] if found else None


def post_rows(state: StateTransaction, item_ids: Collection[str]) -> list[Row]:
    """The posts of items, in the order in which they were linked."""
    if not item_ids:
        return []
    return state.rows(
        sa.select(action_item_posts)
        .where(_POSTS.item_id.in_(item_ids))
        .order_by(_POSTS.item_id, _POSTS.linked_at, _POSTS.platform, _POSTS.post_id)
    )


def begin_change(
    state: StateTransaction, plan_id: str, now: datetime, version: int | None = None
) -> Row | None:
    """Count the plan's version up and give the plan back.

    Args:
        state: The transaction.
        plan_id: The plan.
        now: The moment.
        version: What the change was made from; None for one that fits any version.

    Returns:
        None when there is no such plan, or none of that version; nothing was changed then.
    """
    condition = _PLANS.plan_id == plan_id
    if version is not None:
        condition = sa.and_(condition, _PLANS.version == version)
    changed = state.rows(
        action_plans.update()
        .where(condition)
        .values(version=_PLANS.version + 1, updated_at=now)
        .returning(*_PLANS)
    )
    return changed[0] if changed else None


def change_plan(state: StateTransaction, plan_id: str, values: Row) -> None:
    """Set columns of a plan whose change was begun."""
    state.execute(action_plans.update().where(_PLANS.plan_id == plan_id).values(**values))


def change_item(state: StateTransaction, item_id: str, values: Row) -> None:
    """Set columns of an item of a plan whose change was begun."""
    state.execute(action_items.update().where(_ITEMS.item_id == item_id).values(**values))


def add_items(state: StateTransaction, rows: Sequence[Row]) -> None:
    """Insert items."""
    if rows:
        state.execute(action_items.insert(), list(rows))


def add_posts(state: StateTransaction, rows: Sequence[Row]) -> None:
    """Link posts to items; each pair must be new."""
    if rows:
        state.execute(action_item_posts.insert(), list(rows))


def remove_post(state: StateTransaction, item_id: str, platform: str, post_id: str) -> None:
    """Unlink a post from an item."""
    state.execute(
        action_item_posts.delete().where(
            _POSTS.item_id == item_id, _POSTS.platform == platform, _POSTS.post_id == post_id
        )
    )


def remove_items(state: StateTransaction, item_ids: Collection[str]) -> None:
    """Delete items with the links to their posts."""
    if item_ids:
        state.execute(action_item_posts.delete().where(_POSTS.item_id.in_(item_ids)))
        state.execute(action_items.delete().where(_ITEMS.item_id.in_(item_ids)))


def remove_plan(state: StateTransaction, plan_id: str) -> None:
    """Delete a plan without items."""
    state.execute(action_plans.delete().where(_PLANS.plan_id == plan_id))


def record_audit(
    settings: Settings,
    *,
    now: datetime,
    by: str,
    action: str,
    target: str,
    account_name: str | None = None,
    details: Row | None = None,
) -> None:
    """Write down that somebody changed something.

    Args:
        settings: Where the database is.
        now: When.
        by: Who.
        action: What was done, for example ``plan.create``.
        target: To what: an id.
        account_name: Whose it is.
        details: What else tells the change; never a secret.
    """
    row = {
        "entry_id": f"aud_{uuid.uuid4().hex[:16]}",
        "happened_at": now,
        "done_by": by,
        "action": action,
        "target": target,
        "account_name": account_name,
        "details": details,
    }
    with writing_state(settings) as state:
        state.execute(audit_entries.insert(), [row])


def audit_rows(settings: Settings, *, limit: int, offset: int = 0) -> tuple[list[Row], int]:
    """Who changed what, the newest first, and how many entries there are in all."""
    if not state_exists(settings):
        return [], 0
    with reading_state(settings) as state:
        (counted,) = state.rows(
            sa.select(sa.func.count().label("total")).select_from(audit_entries)
        )
        rows = state.rows(
            sa.select(audit_entries)
            .order_by(_AUDIT.happened_at.desc(), _AUDIT.entry_id)
            .limit(limit)
            .offset(offset)
        )
    return rows, int(counted["total"])
