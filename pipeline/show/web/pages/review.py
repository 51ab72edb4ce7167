"""``/review``: what is proposed, what was decided, and what came of it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response

from pipeline.errors import NothingPublishedError
from pipeline.learn.recommend.recommendation import Status
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.prediction_answers import PlannedPage, Skills
from pipeline.show.web.api.recommendation_answers import (
    Decided,
    Diff,
    EditBody,
    NoteBody,
    RecommendationDetail,
    RecommendationPage,
    RevertBody,
    Verdicts,
    VersionPage,
)
from pipeline.show.web.api.recommendations import (
    RecommendationId,
)
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.diffs import diff_lines
from pipeline.show.web.pages.rendering import Renderer

PER_PAGE = 25

AccountChoice = Annotated[str, Query(max_length=63)]
NoteField = Annotated[str, Form(max_length=2_000)]


class Tab(StrEnum):
    """A part of the page."""

    PENDING = "pending"
    PLANNED = "planned"
    DECIDED = "decided"
    HISTORY = "history"
    VERDICTS = "verdicts"


TABS = {
    Tab.PENDING: "Waiting",
    Tab.PLANNED: "Planned posts",
    Tab.DECIDED: "Decided",
    Tab.HISTORY: "Context history",
    Tab.VERDICTS: "Verdicts",
}

DONE = {
    "approved": "Approved. The context file of the account now says so.",
    "edited": "Approved with your value. The context file of the account now says so.",
    "rejected": "Rejected. The like of it rests for eight weeks.",
    "reverted": "The earlier version of the context file is back.",
}
"""What a page says after a change, by its word in the address."""


def review_pages(
    settings: Settings, renderer: Renderer, caller_of: Callable[..., Any], api: Api
) -> APIRouter:
    """The pages under ``/review``."""
    router = PagesRouter()
    recommendations = api["/recommendations"]
    contexts = api["/contexts"]
    verdicts = api["/verdicts"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/review")
    def review(
        request: Request,
        caller: Asking,
        tab: Tab = Tab.PENDING,
        account: AccountChoice = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        name = account or None
        accounts = chosen_accounts(settings, caller, None)
        values: dict[str, Any] = {}
        if tab in {Tab.PENDING, Tab.DECIDED}:
            values["page"] = _recommended(api, caller, tab, name, offset)
        elif tab is Tab.PLANNED:
            values |= _planned(api, caller, name, offset)
        elif tab is Tab.HISTORY:
            whose = name or (accounts[0] if accounts else None)
            values |= _history(caller, whose, offset)
        else:
            try:
                values["verdicts"] = verdicts.ask(Verdicts, "listed", caller, account=name)
            except NothingPublishedError as error:
                values |= {"verdicts": None, "why_none": str(error)}
        return renderer.page(
            request,
            "review.html",
            tabs=TABS,
            accounts=accounts,
            chosen={"tab": tab.value, "account": account},
            done=DONE.get(request.query_params.get("done", "")),
            **values,
        )

    @router.get("/review/{recommendation_id}")
    def one(request: Request, caller: Asking, recommendation_id: RecommendationId) -> Response:
        found = recommendations.ask(
            RecommendationDetail, "one", caller, recommendation_id=recommendation_id
        )
        return renderer.page(
            request,
            "recommendation.html",
            one=found,
            meta=found.meta,
            diff=None if found.context_diff is None else diff_lines(found.context_diff),
            done=DONE.get(request.query_params.get("done", "")),
        )

    def _history(caller: Caller, account: str | None, offset: int) -> dict[str, Any]:
        """Versions of a context, each with what it changed."""
        if account is None:
            return {"whose": None, "page": None, "changes": {}}
        page = contexts.ask(
            VersionPage, "history", caller, account=account, limit=PER_PAGE, offset=offset
        )
        changes = {
            later.sequence: diff_lines(
                contexts.ask(
                    Diff, "diff", caller, account=account, old=str(later.sequence - 1),
                    new=str(later.sequence),
                ).diff
            )
            for later in page.items
            if later.sequence > 1
        }  # fmt: skip
        return {"whose": account, "page": page, "changes": changes}

    router.include_router(_decision_forms(caller_of, api))
    return router


def _recommended(
    api: Api, caller: Caller, tab: Tab, account: str | None, offset: int
) -> RecommendationPage:
    recommendations = api["/recommendations"]
    if tab is Tab.PENDING:
        return recommendations.ask(
            RecommendationPage, "listed", caller, account=account, status=Status.PENDING,
            limit=PER_PAGE, offset=offset,
        )  # fmt: skip
    every = recommendations.ask(
        RecommendationPage, "listed", caller, account=account, limit=1_000_000, offset=0
    )
    decided = [one for one in every.items if one.status != Status.PENDING.value]
    return RecommendationPage(
        items=decided[offset : offset + PER_PAGE],
        total=len(decided),
        limit=PER_PAGE,
        offset=offset,
    )


def _planned(api: Api, caller: Caller, account: str | None, offset: int) -> dict[str, Any]:
    """Planned posts with what is expected of them, and how good such predictions were."""
    calls = api["/ml"]
    try:
        page = calls.ask(
            PlannedPage, "planned", caller, account=account, limit=PER_PAGE, offset=offset
        )
        skills = calls.ask(Skills, "skill", caller, account=account)
    except NothingPublishedError as error:
        return {"page": None, "why_none": str(error)}
    return {"page": page, "skills": [one for one in skills.items if one.description]}


def _decision_forms(caller_of: Callable[..., Any], api: Api) -> APIRouter:
    router = PagesRouter()
    recommendations, contexts = api["/recommendations"], api["/contexts"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("/review/{recommendation_id}/decide")
    def decide(
        caller: Asking,
        recommendation_id: RecommendationId,
        decision: Annotated[str, Form(pattern="^(approve|reject|edit)$")],
        note: NoteField = "",
        value: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        told = note.strip() or None
        body: NoteBody = NoteBody(note=told)
        if decision == "edit":
            body = EditBody(note=told, value=_number(value))
        recommendations.ask(
            Decided, decision, caller, recommendation_id=recommendation_id, body=body
        )
        done = {"approve": "approved", "reject": "rejected", "edit": "edited"}[decision]
        return back_to(f"/review/{recommendation_id}", done=done)

    @router.post("/review/contexts/{account}/revert")
    def revert(
        caller: Asking,
        account: str,
        to: Annotated[str, Form(pattern=r"^[\w:.\-]{0,100}$")] = "",
        note: NoteField = "",
    ) -> Response:
        body = RevertBody(to=to or None, note=note.strip() or None)
        contexts.ask(Decided, "revert", caller, account=account, body=body)
        return back_to("/review", tab="history", account=account, done="reverted")

    return router


def _number(text: str) -> float:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        raise HTTPException(422, f"{text[:40]!r} is no number.") from None
    if not 0 <= number <= 1_000:
        raise HTTPException(422, "The value is to lie between 0 and 1,000.")
    return int(number) if number.is_integer() else number
