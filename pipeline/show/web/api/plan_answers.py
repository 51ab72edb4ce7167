"""The shapes of action plans, their items and what came of them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from pipeline.decide.plans.outcomes import ActualOutcome
from pipeline.decide.plans.plan import (
    MAX_ESTIMATED_HOURS,
    MAX_ITEMS,
    MAX_POSTS_OF_AN_ITEM,
    MAX_TEXT,
    MAX_TITLE,
    Item,
    ItemDraft,
    Plan,
    PlanStatus,
    PostKey,
    Projection,
    SourceKind,
    Urgency,
    Writer,
)
from pipeline.show.web.api.answers import Answer, Figure, Meta, PageInfo, Request

Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
ContentIdText = Annotated[
    str, Field(pattern=r"^[a-z]{1,20}:[\w:.\-]{1,200}$", examples=["tiktok:7672062462223686121"])
]
Hours = Annotated[float, Field(gt=0, le=MAX_ESTIMATED_HOURS)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Outcome = Literal[
    "views_72h", "views_7d", "engagement_72h", "engagement_7d", "engagement_rate_7d",
    "save_rate_7d", "share_rate_7d",
]  # fmt: skip


class ProjectionBody(Request):
    """What somebody expects of the posts of a plan."""

    outcome: Outcome
    ratio: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Against the account's usual, which is 1."""
    text: Text | None = None

    def projection(self) -> Projection:
        """As the domain has it."""
        return Projection(self.outcome, ratio=self.ratio, text=self.text)


class ItemBody(Request):
    """A new item."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Film the early bedtime guide",
                    "due_date": "2026-11-27",
                    "estimated_hours": 2.5,
                }
            ]
        },
    )

    title: Title
    notes: Text | None = None
    due_date: date | None = None
    """A day in the account's time zone."""
    estimated_hours: Hours | None = None
    projected_outcome: Text | None = None
    posts: list[ContentIdText] = Field(default_factory=list, max_length=MAX_POSTS_OF_AN_ITEM)

    def draft(self) -> ItemDraft:
        """As the domain has it."""
        return ItemDraft(
            title=self.title,
            notes=self.notes,
            due_date=self.due_date,
            estimated_hours=self.estimated_hours,
            projected_outcome=self.projected_outcome,
            posts=tuple(post_key(one) for one in self.posts),
        )


class PlanBody(Request):
    """A new plan: by hand, or from a recommendation, which then supplies what is left out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "name": "More step guides",
                    "goal": "See whether they still do better in December",
                    "items": [{"title": "Write three guides", "due_date": "2026-11-27"}],
                    "projected": {"outcome": "views_7d", "ratio": 1.3},
                },
                {"account": "dreamtimelullabies", "recommendation_id": "rec_0123456789ab"},
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    name: Title | None = None
    goal: Text | None = None
    items: Annotated[list[ItemBody], Field(max_length=MAX_ITEMS)] | None = None
    projected: ProjectionBody | None = None
    notes: Text | None = None
    recommendation_id: Annotated[str, Field(max_length=100)] | None = None
    content_id: ContentIdText | None = None
    """The post that gave the idea."""


class PlanChange(Request):
    """A change of a plan; what is left out stays, and null empties it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"version": 3, "status": "completed"}]}
    )

    version: Version
    """Of the plan that the change was made from: 409 when it has changed since."""
    name: Title = ""
    goal: Text = ""
    status: PlanStatus = PlanStatus.ACTIVE
    projected: ProjectionBody | None = None
    outcome_note: Text | None = None
    notes: Text | None = None

    def changes(self) -> Mapping[str, Any]:
        """What was named."""
        named = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        if isinstance(named.get("projected"), ProjectionBody):
            named["projected"] = named["projected"].projection()
        return named


class ItemChange(Request):
    """A change of an item; what is left out stays, and null empties it."""

    version: Version
    """Of the plan that the change was made from: 409 when it has changed since."""
    title: Title = ""
    notes: Text | None = None
    due_date: date | None = None
    estimated_hours: Hours | None = None
    projected_outcome: Text | None = None
    actual_outcome: Text | None = None

    def changes(self) -> Mapping[str, Any]:
        """What was named."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"version"}}


class OrderBody(Request):
    """The items of a plan in another order."""

    version: Version
    item_ids: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=MAX_ITEMS)]


class LinkBody(Request):
    """A post that was made for an item."""

    content_id: ContentIdText


class ActionItem(Answer):
    """One step of a plan."""

    id: str
    plan_id: str
    order_index: int
    title: str
    """Somebody's text, as are the other texts: escape them."""
    notes: str | None
    due_date: date | None
    urgency: Urgency
    """overdue, soon (within 3 days), later, no_date or done, by the account's day."""
    estimated_hours: Figure
    projected_outcome: str | None
    actual_outcome: str | None
    is_completed: bool
    completed_at: datetime | None
    completed_by: str | None
    posts: list[str]
    """``platform:post_id`` of the posts that were made for it."""


class Projected(Answer):
    """What is expected of the posts, against the account's usual."""

    outcome: str
    ratio: Figure
    ratio_low: Figure
    ratio_high: Figure
    """With ``ratio_low``: the 90 % interval, of a measured projection."""
    n: int | None
    platform: str | None
    dimension: str | None
    segment: str | None
    text: str | None


class LinkedPost(Answer):
    """What one linked post did."""

    id: str
    is_known: bool
    """Whether a scrape has seen it as a post of the account."""
    posted_at: datetime | None
    value: Figure
    ratio: Figure
    """To the middle of the account's other posts on the platform."""
    n: int
    """Other posts that it is held against."""
    missing: str | None


class Actual(Answer):
    """What the linked posts did together, computed from the published copy."""

    outcome: str
    n: int
    linked_count: int
    ratio: Figure
    ratio_low: Figure
    ratio_high: Figure
    """With ``ratio_low``: the 90 % interval."""
    usual_n: int
    missing: str | None
    verdict: str
    """met, missed, cannot_tell or no_projection: whether the projection held."""
    posts: list[LinkedPost]
    source: str
    warehouse_version: str | None


class ActionPlan(Answer):
    """A plan with its items."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "plan_3f2a9c1b7d5e4f60",
                    "account": "dreamtimelullabies",
                    "name": "More step guides",
                    "goal": "See whether they still do better in December",
                    "status": "active",
                    "source_kind": "hand",
                    "source_id": None,
                    "writer": "person",
                    "writer_reason": None,
                    "progress_percentage": 0,
                    "completed_items": 0,
                    "total_items": 1,
                    "estimated_hours_left": 2.5,
                    "projected": None,
                    "outcome_note": None,
                    "notes": None,
                    "version": 1,
                    "created_by": "web",
                    "created_at": "2026-11-20T11:00:00Z",
                    "updated_at": "2026-11-20T11:00:00Z",
                    "completed_at": None,
                    "items": [],
                }
            ]
        }
    )

    id: str
    account: str
    name: str
    """Somebody's text, as are the other texts: escape them."""
    goal: str
    status: PlanStatus
    source_kind: SourceKind
    source_id: str | None
    writer: Writer
    writer_reason: str | None
    progress_percentage: int
    completed_items: int
    total_items: int
    estimated_hours_left: Figure
    projected: Projected | None
    outcome_note: str | None
    notes: str | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    items: list[ActionItem]

    @classmethod
    def of(cls, plan: Plan, today: date) -> "ActionPlan":
        """A plan as it stands on a day of the account's."""
        return cls(**plan_fields(plan, today))


class ActionPlanDetail(ActionPlan):
    """A plan with what its posts did."""

    model_config = ConfigDict(json_schema_extra=None)  # the example is of a plan in a list

    actual: Actual | None
    """Null while nothing is published."""
    meta: Meta | None


class ActionPlanPage(PageInfo):
    """A page of plans."""

    items: list[ActionPlan]


def plan_fields(plan: Plan, today: date) -> dict[str, Any]:
    """The fields of `ActionPlan`."""
    same = (
        "name", "goal", "status", "source_kind", "source_id", "writer", "writer_reason",
        "progress_percentage", "projected", "outcome_note", "notes", "version", "created_by",
        "created_at", "updated_at", "completed_at", "estimated_hours_left",
    )  # fmt: skip
    return {
        **{name: getattr(plan, name) for name in same},
        "id": plan.plan_id,
        "account": plan.account_name,
        "completed_items": plan.completed_count,
        "total_items": len(plan.items),
        "items": [_item(item, today) for item in plan.items],
    }


def actual_of(plan: Plan, outcome: ActualOutcome) -> Actual:
    """What the posts of a plan did, as it is told."""
    same = (
        "outcome", "n", "linked_count", "ratio", "ratio_low", "ratio_high", "usual_n", "missing",
        "source", "warehouse_version",
    )  # fmt: skip
    return Actual(
        **{name: getattr(outcome, name) for name in same},
        verdict=outcome.against(plan.projected.ratio if plan.projected else None),
        posts=[
            LinkedPost(
                id=one.post.content_id,
                is_known=one.is_known,
                posted_at=one.posted_at,
                value=one.value,
                ratio=one.ratio,
                n=one.usual_n,
                missing=one.missing,
            )
            for one in outcome.posts
        ],
    )


def post_key(content_id: str) -> PostKey:
    """A post from ``platform:post_id``."""
    platform, _, post_id = content_id.partition(":")
    return PostKey(platform, post_id)


def _item(item: Item, today: date) -> ActionItem:
    same = (
        "plan_id", "order_index", "title", "notes", "due_date", "estimated_hours",
        "projected_outcome", "actual_outcome", "is_completed", "completed_at", "completed_by",
    )  # fmt: skip
    return ActionItem(
        **{name: getattr(item, name) for name in same},
        id=item.item_id,
        urgency=item.urgency(today),
        posts=[post.content_id for post in item.posts],
    )
