"""``/feedback`` and ``/metrics``: what people say of planned posts, and numbers only they see."""

import json
import string
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import ConfigDict, Field

from pipeline.accounts import Platform, load_account
from pipeline.clients.state_verdicts import feedback_rows
from pipeline.clock import utc_now
from pipeline.collect.native_imports import import_native
from pipeline.collect.native_values import read_post_id
from pipeline.decide.feedback import FeedbackKind, give_feedback
from pipeline.errors import DecisionError, UsageError
from pipeline.settings import Settings
from pipeline.show.web.api.answers import Answer, Limit, Offset, PageInfo, Request
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts

Count = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_LABELS = {
    "impressions": "impressions",
    "reach": "reach",
    "saves": "saves",
    "link_clicks": "link clicks",
    "profile_visits": "profile visits",
    "follows": "follows",
    "watch_time_s": "watch time (seconds)",
    "average_view_s": "average watch time (seconds)",
    "retention_rate": "retention rate",
    "revenue_usd": "estimated revenue (usd)",
}
"""How a platform's own export would call each figure."""


_SHORT_CODE_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


class FeedbackBody(Request):
    """What somebody says about a planned post."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "planned_id": "2026-11-14_1830_tiktok_night_waking",
                    "feedback": "reject",
                    "note": "off topic",
                }
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    planned_id: Annotated[str, Field(min_length=1, max_length=300)]
    """Name of a folder under the account's ``output/``."""
    feedback: FeedbackKind
    note: Annotated[str, Field(max_length=2_000)] | None = None


class FeedbackGiven(Answer):
    """What was said, as it is stored."""

    account_name: str
    planned_id: str
    sequence: int
    """Its place among what was said about the plan, from 1; the last word counts."""
    feedback: FeedbackKind
    note: str | None
    given_by: str
    given_at: datetime


class FeedbackPage(PageInfo):
    """A page of feedback, the newest first."""

    items: list[FeedbackGiven]


class PostMetrics(Request):
    """Figures of one post that the platform shows to its owner alone."""

    post_id: Annotated[str, Field(pattern=r"^[\w:.\-]{1,200}$")]
    impressions: Count | None = None
    reach: Count | None = None
    saves: Count | None = None
    link_clicks: Count | None = None
    profile_visits: Count | None = None
    follows: Count | None = None
    watch_time_s: Amount | None = None
    average_view_s: Amount | None = None
    retention_rate: Fraction | None = None
    revenue_usd: Amount | None = None


class MetricsBody(Request):
    """Figures of posts of one profile, as they stood at one moment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "platform": "tiktok",
                    "seen_at": "2026-11-20T09:00:00Z",
                    "posts": [{"post_id": "7672062462223686121", "reach": 18200}],
                }
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    platform: Platform
    seen_at: datetime | None = None
    """When the platform showed them, with a zone; now when left out."""
    posts: Annotated[list[PostMetrics], Field(min_length=1, max_length=500)]


class MetricsTaken(Answer):
    """What was landed."""

    scrape_id: str
    is_new: bool
    """False when the same figures of the same moment are there already."""
    post_count: int
    value_count: int
    counts_after: str
    """When the figures show up."""


def feedback_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """``/feedback`` and ``/metrics``."""
    router = APIRouter(tags=["feedback"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("/feedback", status_code=201)
    def give(caller: Asking, body: FeedbackBody) -> FeedbackGiven:
        """Approve, reject or mark as edited what the generator made."""
        (account,) = chosen_accounts(settings, caller, body.account)
        now = utc_now()
        try:
            sequence = give_feedback(
                settings,
                account,
                body.planned_id,
                body.feedback,
                by=caller.name,
                now=now,
                note=body.note,
            )
        except DecisionError as error:
            raise HTTPException(404, str(error)) from None
        note_change(settings, caller, "feedback.give", body.planned_id, account)
        return FeedbackGiven(
            account_name=account,
            planned_id=body.planned_id,
            sequence=sequence,
            feedback=body.feedback,
            note=body.note,
            given_by=caller.name,
            given_at=now,
        )

    @router.get("/feedback")
    def listed(
        caller: Asking,
        account: Annotated[str | None, Query(max_length=63)] = None,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> FeedbackPage:
        """What was said about planned posts."""
        accounts = chosen_accounts(settings, caller, account)
        rows = [row for row in feedback_rows(settings, account) if row["account_name"] in accounts]
        items = rows[::-1][offset : offset + limit]
        return FeedbackPage(
            items=FeedbackGiven.all_of(items), total=len(rows), limit=limit, offset=offset
        )

    @router.post("/metrics", status_code=202)
    def metrics(caller: Asking, body: MetricsBody) -> MetricsTaken:
        """Take figures that only the owner of the posts can see; they stand beside the scraped."""
        (account,) = chosen_accounts(settings, caller, body.account)
        now = utc_now()
        seen_at = body.seen_at or now
        if seen_at.tzinfo is None:
            raise UsageError("seen_at has no time zone: write for example 2026-11-20T09:00:00Z.")
        if seen_at > now:
            raise UsageError("seen_at is in the future.")
        rows = [
            {
                **_named(body.platform, post.post_id),
                **{
                    label: value
                    for name, label in _LABELS.items()
                    if (value := getattr(post, name)) is not None
                },
            }
            for post in body.posts
        ]
        if all(len(row) == 1 for row in rows):
            raise UsageError("No post has a figure.")
        with tempfile.TemporaryDirectory() as folder:
            # Landing files hold what came in, whole: the figures go the way of every export.
            path = FilePath(folder) / "submitted.json"
            path.write_text(json.dumps(rows), encoding="utf-8")
            report = import_native(
                settings,
                load_account(settings.accounts_dir, account),
                path,
                platform=body.platform,
                exported_at=seen_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            )
        scrape_id = report.manifest.scrape_id
        note_change(settings, caller, "metrics.submit", scrape_id, account, posts=len(rows))
        return MetricsTaken(
            scrape_id=scrape_id,
            is_new=report.is_new,
            post_count=report.post_count,
            value_count=report.value_count,
            counts_after="the next build",
        )

    return router


def _named(platform: Platform, post_id: str) -> dict[str, str]:
    """The column that names a post in an export, with what it says.

    Raises:
        UsageError: The platform has no ids of that form.
    """
    label, cell = "post id", post_id
    if platform is Platform.INSTAGRAM and post_id.isascii() and post_id.isdigit():
        label, cell = "permalink", _instagram_address(int(post_id[:20]))
    if read_post_id(platform, cell) != post_id:
        raise UsageError(f"{post_id!r} is no post id of {platform.value}.")
    return {label: cell}


def _instagram_address(number: int) -> str:
    """A post's address: exports of Instagram name posts by another id than scrapes do."""
    code = ""
    while number:
        number, place = divmod(number, len(_SHORT_CODE_LETTERS))
        code = _SHORT_CODE_LETTERS[place] + code
    return f"https://www.instagram.com/p/{code.rjust(5, _SHORT_CODE_LETTERS[0])}/"
