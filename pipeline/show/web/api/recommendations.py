"""``/recommendations``, ``/contexts``, ``/verdicts``: what is proposed, decided, and came of it."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from pipeline.accounts import load_account
from pipeline.clients.state import reading_state, state_exists
from pipeline.clients.state_experiments import experiment_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.decide import context as contexts
from pipeline.decide import review, track_record
from pipeline.decide.changes import approved_document, edit_of, is_editable
from pipeline.decide.decision import Decision
from pipeline.decide.registrations import expected_share_decided
from pipeline.decide.schema import neutral_context, parse_context, render_context
from pipeline.decide.versions import read_file
from pipeline.decide.wording import describe
from pipeline.errors import DecisionError, NothingPublishedError
from pipeline.learn.experiments.registration import Status as ExperimentStatus
from pipeline.learn.recommend.recommendation import Recommendation, Status
from pipeline.settings import Settings
from pipeline.show.reports.insights.segment_posts import segment_posts
from pipeline.show.web.api import recommendation_answers as shapes
from pipeline.show.web.api.answers import Limit, Offset, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.insights import cards

RecommendationId = Annotated[str, Path(pattern=r"^[\w:.\-]{1,100}$", examples=["rec_0123456789ab"])]
Account = Annotated[str | None, Query(max_length=63, description="All when left out.")]
AccountPath = Annotated[str, Path(max_length=63, examples=["dreamtimelullabies"])]
Version = Annotated[
    str | None, Query(pattern=r"^[\w:.\-]{1,100}$", description="Number or id of a version.")
]
POSTS_SHOWN = 10


def recommendation_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/recommendations``."""
    router = APIRouter(
        prefix="/recommendations", tags=["recommendations"], responses=responses(404, 409)
    )
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("")
    def listed(
        caller: Asking,
        account: Account = None,
        status: Annotated[Status | None, Query(description="All when left out.")] = None,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> shapes.RecommendationPage:
        """Recommendations, the newest and most worth while first."""
        accounts = chosen_accounts(settings, caller, account)
        rows: list[dict[str, Any]] = []
        if state_exists(settings):
            with reading_state(settings) as state:
                rows = state.recommendations(status=status.value if status else None)
        own = [Recommendation.from_row(row) for row in rows if row["account_name"] in accounts]
        own.sort(key=lambda one: (one.created_at, -one.rank), reverse=True)
        page = own[offset : offset + limit]
        came_of = _experiments(settings)
        return shapes.RecommendationPage(
            items=[_told(settings, one, came_of) for one in page],
            total=len(own),
            limit=limit,
            offset=offset,
        )

    @router.get("/{recommendation_id}")
    def one(caller: Asking, recommendation_id: RecommendationId) -> shapes.RecommendationDetail:
        """A recommendation with its evidence, the posts behind it and the change of the context."""
        found = _own(settings, caller, recommendation_id)
        told = _told(settings, found, _experiments(settings))
        decided = _decision(settings, recommendation_id)
        detail = {
            **told.model_dump(),
            "evidence": found.findings,
            "context_diff": _diff(settings, found),
            "decision": decided,
        }
        try:
            with reading(settings) as connection:
                finding = found.findings[0] if found.findings else {}
                posts = segment_posts(connection, found.account_name, finding, POSTS_SHOWN)
                return shapes.RecommendationDetail(
                    **detail,
                    posts=cards(connection, posts),
                    meta=meta_of(settings, connection, (found.account_name,)),
                )
        except NothingPublishedError:
            return shapes.RecommendationDetail(**detail, posts=[], meta=None)

    @router.post("/{recommendation_id}/approve")
    def approve(
        caller: Asking, recommendation_id: RecommendationId, body: shapes.NoteBody
    ) -> shapes.Decided:
        """Approve, and change the account's context by it; twice is once."""
        _own(settings, caller, recommendation_id)
        made = review.approve(
            settings, recommendation_id, by=caller.name, now=utc_now(), note=body.note
        )
        return _noted(settings, caller, "recommendation.approve", made)

    @router.post("/{recommendation_id}/reject")
    def reject(
        caller: Asking, recommendation_id: RecommendationId, body: shapes.NoteBody
    ) -> shapes.Decided:
        """Reject; the like of it rests for eight weeks. Twice is once."""
        _own(settings, caller, recommendation_id)
        made = review.reject(
            settings, recommendation_id, by=caller.name, now=utc_now(), note=body.note
        )
        return _noted(settings, caller, "recommendation.reject", made)

    @router.post("/{recommendation_id}/edit")
    def edit(
        caller: Asking, recommendation_id: RecommendationId, body: shapes.EditBody
    ) -> shapes.Decided:
        """Approve with another weight or slide count than is proposed."""
        found = _own(settings, caller, recommendation_id)
        operations = edit_of(found, _document(settings, found.account_name), str(body.value))
        made = review.approve(
            settings,
            recommendation_id,
            by=caller.name,
            now=utc_now(),
            note=body.note,
            operations=operations,
        )
        return _noted(settings, caller, "recommendation.edit", made)

    return router


def context_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/contexts``."""
    router = APIRouter(prefix="/contexts", tags=["contexts"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/{account}")
    def present(caller: Asking, account: AccountPath) -> shapes.ContextNow:
        """The context file as it stands."""
        (name,) = chosen_accounts(settings, caller, account)
        return shapes.ContextNow(account=name, document=_document(settings, name))

    @router.get("/{account}/history")
    def history(
        caller: Asking,
        account: AccountPath,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> shapes.VersionPage:
        """The versions of a context, the newest first."""
        (name,) = chosen_accounts(settings, caller, account)
        versions = contexts.history(settings, name)[::-1]
        return shapes.VersionPage(
            items=shapes.Version.all_of(versions[offset : offset + limit]),
            total=len(versions),
            limit=limit,
            offset=offset,
        )

    @router.get("/{account}/diff")
    def diff(
        caller: Asking, account: AccountPath, old: Version = None, new: Version = None
    ) -> shapes.Diff:
        """What changed between two versions; by default the last change."""
        (name,) = chosen_accounts(settings, caller, account)
        return shapes.Diff(account=name, diff=contexts.diff(settings, name, old=old, new=new))

    @router.post("/{account}/revert")
    def revert(caller: Asking, account: AccountPath, body: shapes.RevertBody) -> shapes.Decided:
        """Put an earlier version back; by default the one before the present one."""
        (name,) = chosen_accounts(settings, caller, account)
        made = contexts.revert(
            settings, name, by=caller.name, now=utc_now(), to=body.to, note=body.note
        )
        return _noted(settings, caller, "context.revert", made)

    return router


def verdict_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """``/verdicts``."""
    router = APIRouter(prefix="/verdicts", tags=["verdicts"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("")
    def listed(caller: Asking, account: Account = None) -> shapes.Verdicts:
        """What approved changes did, and how good the recommender is."""
        accounts = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            rows = [
                row
                for row in track_record.verdicts(connection, account)
                if row["account_name"] in accounts
            ]
            meta = meta_of(settings, connection, accounts)
        made: list[Recommendation] = []
        if state_exists(settings):
            with reading_state(settings) as state:
                made = [
                    Recommendation.from_row(row)
                    for row in state.recommendations(account)
                    if row["account_name"] in accounts
                ]
        record = track_record.track_record(rows, made)
        return shapes.Verdicts(
            items=shapes.Verdict.all_of(rows),
            record=shapes.Record.model_validate(dataclasses.asdict(record)),
            meta=meta,
        )

    return router


def _own(settings: Settings, caller: Caller, recommendation_id: str) -> Recommendation:
    """A recommendation of the caller's.

    Raises:
        HTTPException: There is none of that id, or it is not open to the caller.
    """
    if state_exists(settings):
        with reading_state(settings) as state:
            row = state.recommendation(recommendation_id)
        if row is not None and caller.may_see(row["account_name"]):
            return Recommendation.from_row(row)
    raise HTTPException(404, f"There is no recommendation {recommendation_id!r}.")


def _decision(settings: Settings, recommendation_id: str) -> Mapping[str, Any] | None:
    with reading_state(settings) as state:
        return state.decision_about(recommendation_id)


def _document(settings: Settings, account_name: str, now: datetime | None = None) -> dict[str, Any]:
    """The context as it stands, or as it would begin; nothing is written.

    Raises:
        ContextError: The file is not valid.
    """
    path = contexts.context_path(settings, account_name)
    raw = read_file(path)
    if raw is not None:
        return parse_context(raw, path)[1]
    account = load_account(settings.accounts_dir, account_name)
    return neutral_context(account, (now or utc_now()).date())


def _experiments(settings: Settings) -> Mapping[str, str]:
    """The experiments that recommendations came of, by the recommendations' ids."""
    rows = experiment_rows(settings, statuses=[ExperimentStatus.CONCLUDED])
    return {row["recommendation_id"]: row["experiment_id"] for row in rows}


def _told(
    settings: Settings, found: Recommendation, came_of: Mapping[str, str]
) -> shapes.Recommended:
    document = _document(settings, found.account_name)
    share = None
    if found.status is Status.PENDING:
        try:
            after, _ = approved_document(found, document, now=utc_now())
        except DecisionError:
            pass  # it no longer fits; approving it will say so
        else:
            share = expected_share_decided(found, document, after)
    same = {name: getattr(found, name) for name in shapes.SAME_FIELDS}
    return shapes.Recommended(
        **same,
        id=found.recommendation_id,
        account=found.account_name,
        proposed=describe(found.operations, document),
        proposed_change=found.patch,
        is_editable=is_editable(found),
        expected_share_decided=share,
        experiment_id=came_of.get(found.recommendation_id),
    )


def _diff(settings: Settings, found: Recommendation) -> str | None:
    """What approving would change in the file; None where it is decided or does not fit."""
    if found.status is not Status.PENDING:
        return None
    document = _document(settings, found.account_name)
    try:
        after, _ = approved_document(found, document, now=utc_now())
    except DecisionError:
        return None
    return "".join(
        difflib.unified_diff(_lines(document), _lines(after), fromfile="now", tofile="approved")
    )


def _lines(document: Mapping[str, Any]) -> Sequence[str]:
    return render_context(document).decode().splitlines(keepends=True)


def _noted(settings: Settings, caller: Caller, action: str, made: Decision) -> shapes.Decided:
    target = made.recommendation_id or made.decision_id
    note_change(settings, caller, action, target, made.account_name, decision=made.decision_id)
    return shapes.Decided.of(made)
