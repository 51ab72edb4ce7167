"""Plans as rows of the state database, and back."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline.clients import state_plans
from pipeline.clients.state import StateTransaction
from pipeline.decide.plans.plan import (
    MAX_ESTIMATED_HOURS,
    MAX_ITEMS,
    MAX_POSTS_OF_AN_ITEM,
    POST_ID,
    Item,
    ItemDraft,
    Plan,
    PlanStatus,
    PostKey,
    Projection,
    SourceKind,
    Writer,
    checked_projection,
    one_line,
    plain_text,
)
from pipeline.errors import PlanError
from pipeline.platform_names import platform_names


def plan_from(state: StateTransaction, row: Mapping[str, Any]) -> Plan:
    """A plan's row with its items and their posts, as this transaction sees them."""
    items = state_plans.item_rows(state, [row["plan_id"]])
    return assembled(row, items, state_plans.post_rows(state, [one["item_id"] for one in items]))


def assembled(
    row: Mapping[str, Any], items: Sequence[Mapping[str, Any]], posts: Sequence[Mapping[str, Any]]
) -> Plan:
    """A plan from its row and from the rows of items and posts, which may hold other plans' too."""
    return Plan(
        **{
            **row,
            "status": PlanStatus(row["status"]),
            "source_kind": SourceKind(row["source_kind"]),
            "writer": Writer(row["writer"]),
            "projected": Projection.from_row(row["projected"]),
        },
        items=tuple(
            Item(
                **item,
                posts=tuple(
                    PostKey(post["platform"], post["post_id"])
                    for post in posts
                    if post["item_id"] == item["item_id"]
                ),
            )
            for item in items
            if item["plan_id"] == row["plan_id"]
        ),
    )


def item_rows_of(
    plan_id: str, drafts: Sequence[ItemDraft], *, first: int, by: str, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of new items, numbered on from ``first``, and of their posts.

    Raises:
        PlanError: An item cannot be kept.
    """
    if len(drafts) > MAX_ITEMS:
        raise PlanError(f"A plan has at most {MAX_ITEMS} items.")
    items: list[dict[str, Any]] = []
    posts: list[dict[str, Any]] = []
    for place, draft in enumerate(drafts, start=first):
        item_id = f"item_{uuid.uuid4().hex[:16]}"
        items.append(
            {
                "item_id": item_id,
                "plan_id": plan_id,
                "order_index": place,
                "title": one_line(draft.title),
                "notes": plain_text(draft.notes),
                "due_date": draft.due_date,
                "estimated_hours": checked_hours(draft.estimated_hours),
                "projected_outcome": plain_text(draft.projected_outcome),
                "actual_outcome": None,
                "is_completed": False,
                "completed_at": None,
                "completed_by": None,
                "created_at": now,
            }
        )
        if len(draft.posts) > MAX_POSTS_OF_AN_ITEM:
            raise PlanError(f"An item has at most {MAX_POSTS_OF_AN_ITEM} posts.")
        posts += [post_row_of(item_id, one, by=by, now=now) for one in checked_posts(draft.posts)]
    return items, posts


def post_row_of(item_id: str, post: PostKey, *, by: str, now: datetime) -> dict[str, Any]:
    """The row that links a post to an item."""
    return {"item_id": item_id, **post.__dict__, "linked_by": by, "linked_at": now}


def checked_posts(posts: Sequence[PostKey]) -> list[PostKey]:
    """The posts, each once.

    Raises:
        PlanError: One is no post of a platform.
    """
    for post in posts:
        if post.platform not in platform_names() or not POST_ID.fullmatch(post.post_id):
            raise PlanError(
                f"{post.content_id!r} is no post: write platform:post_id, with one of "
                f"{', '.join(platform_names())}."
            )
    return list(dict.fromkeys(posts))


def checked_hours(hours: float | None) -> float | None:
    """An estimate in hours.

    Raises:
        PlanError: It is no number above 0, or too large.
    """
    if hours is not None and not 0 < hours <= MAX_ESTIMATED_HOURS:
        raise PlanError(f"{hours} is no estimate: write hours from 0 up to {MAX_ESTIMATED_HOURS}.")
    return hours


def projection_row(projection: Projection | None) -> dict[str, Any] | None:
    """A projection as it is stored. Raises PlanError for an outcome that is not measured."""
    checked = checked_projection(projection)
    return None if checked is None else checked.to_row()
