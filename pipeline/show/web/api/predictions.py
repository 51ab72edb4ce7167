"""``/ml``: what posts will reach, said before they are out, and how good that was."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import JSONResponse

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.state_predictions import model_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.collect.planned import read_planned_posts
from pipeline.errors import UsageError
from pipeline.learn.predict.planned_predictions import requests_of
from pipeline.learn.predict.requests import PredictionRequest, check_request
from pipeline.learn.predict.serving import predict as predict_post
from pipeline.learn.predict.skill import ANY_MODEL, Row, skill_in_words, skill_rows
from pipeline.learn.predict.stored_answers import said_before, waiting_posts
from pipeline.settings import Settings
from pipeline.show.web.api import prediction_answers as shapes
from pipeline.show.web.api.answers import Limit, Offset, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import Problem, problem_answer, responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.insights import ContentId, content_of

Account = Annotated[str | None, Query(max_length=63, description="All when left out.")]


def prediction_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/ml``."""
    router = APIRouter(prefix="/ml", tags=["predictions"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("/predict")
    def predict(caller: Asking, body: shapes.PredictBody) -> shapes.Said:
        """What a post will reach at 7 days; kept, and scored once the post is old enough.

        Asked twice on a day about the same post, the first answer is what is kept.
        """
        (name,) = chosen_accounts(settings, caller, body.account)
        account = load_account(settings.accounts_dir, name)
        now = utc_now()
        request = body.request(account)
        # As strict with what is said beside a plan.
        check_request(request, account, now)
        if body.concept_id is not None:
            request = _with_plan(settings, account, body, body.concept_id)
        said = predict_post(settings, request, now)
        kept = [one.row["prediction_id"] for one in said.targets if one.row and one.is_new]
        if kept:
            note_change(settings, caller, "prediction.make", kept[0], name, targets=len(kept))
        return shapes.Said.of(said)

    @router.post("/train", status_code=409, response_model=Problem)
    def train(caller: Asking) -> JSONResponse:  # noqa: ARG001 (whoever may ask)
        """Models are not fitted in the web server; the answer says what fits them."""
        return problem_answer(
            409,
            "Nothing was started: every day the job train_predictions fits the models that are "
            "due, and `afterpost predict --train` fits all of them at once.",
            code="not_here",
        )

    @router.get("/skill")
    def skill(caller: Asking, account: Account = None) -> shapes.Skills:
        """How good predictions were against the account's own quantiles, and what serves now."""
        accounts = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            rows = [
                row for row in skill_rows(connection, account) if row["account_name"] in accounts
            ]
            meta = meta_of(settings, connection, accounts)
        return shapes.Skills(
            items=[shapes.Skill(**row, description=_words(row)) for row in rows],
            models=_newest_models(settings, frozenset(accounts)),
            meta=meta,
        )

    @router.get("/planned")
    def planned(
        caller: Asking,
        account: Account = None,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> shapes.PlannedPage:
        """Planned posts that are not out yet, with what is expected of them."""
        found = waiting_posts(settings, chosen_accounts(settings, caller, account), utc_now())
        page = found[offset : offset + limit]
        return shapes.PlannedPage(
            items=[shapes.PlannedPost.of(one) for one in page],
            total=len(found),
            limit=limit,
            offset=offset,
        )

    @router.get("/posts/{content_id}")
    def of_post(
        caller: Asking, content_id: ContentId, account: Account = None
    ) -> shapes.SaidOfPost:
        """What was said of a post that is out, and what came of it."""
        accounts = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            post = content_of(connection, content_id, accounts)[0]
            said = said_before(settings, connection, post.account_name, post.platform, post.post_id)
            meta = meta_of(settings, connection, (post.account_name,))
        return shapes.SaidOfPost.of(said, meta)

    return router


def _with_plan(
    settings: Settings, account: AccountConfig, body: shapes.PredictBody, planned_id: str
) -> PredictionRequest:
    """A planned post with what the body says otherwise; it is the plan only where it says nothing.

    Raises:
        HTTPException: There is no such folder.
        UsageError: The plan is for no platform of the account.
    """
    plans = [
        one for one in read_planned_posts(settings, account).posts if one.planned_id == planned_id
    ]
    if not plans:
        raise HTTPException(404, f"{account.name} has no planned post {planned_id!r}.")
    requests = requests_of(account, plans[0])
    told = body.told(account)
    platform = told.pop("platform", None)
    fitting = [one for one in requests if platform in {None, one.platform}]
    if not fitting:
        where = platform or plans[0].platform
        raise UsageError(f"The planned post {planned_id!r} is not for {where!r}.")
    if not told:
        return fitting[0]
    return dataclasses.replace(fitting[0], **told, planned_id=None)


def _newest_models(settings: Settings, accounts: frozenset[str]) -> list[shapes.RegisteredModel]:
    newest: dict[tuple[str, str], Row] = {}
    for row in model_rows(settings):
        newest.setdefault((row["platform"], row["target"]), row)
    return [
        shapes.RegisteredModel.of(row, accounts)
        for row in newest.values()
        if not accounts.isdisjoint(row["figures"]["accounts"])
    ]


def _words(row: Row) -> str | None:
    is_told = row["model_name"] == ANY_MODEL and row["period"] == "all"
    return skill_in_words(row) if is_told else None
