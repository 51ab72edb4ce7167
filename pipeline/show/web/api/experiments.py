"""``/experiments``: planned before anything is stored, registered, read at any time, decided on."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from pipeline.clients.state_experiments import experiment_row, experiment_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.errors import NothingPublishedError
from pipeline.learn.experiments.content_variations import test_content_variations
from pipeline.learn.experiments.planning_for_account import plan_experiment, register
from pipeline.learn.experiments.reading_stored import (
    StoredExperiment,
    analyze_test_results,
    read_stored,
)
from pipeline.learn.experiments.registering import (
    ExperimentNotFoundError,
    RefusedDesignError,
    Word,
    decide_experiment,
)
from pipeline.learn.experiments.registration import Status
from pipeline.learn.pace import posts_per_week
from pipeline.settings import Settings
from pipeline.show.web.api import experiment_answers as shapes
from pipeline.show.web.api import experiment_bodies as bodies
from pipeline.show.web.api.answers import Limit, Offset, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import PREFIX, chosen_accounts

ExperimentId = Annotated[str, Path(pattern=r"^exp_[0-9a-f]{1,32}$", examples=["exp_3f2a9c1b7d5e"])]

_AFTERWARDS = {
    Word.APPROVE: Status.REGISTERED,
    Word.REJECT: Status.REJECTED,
    Word.STOP: Status.STOPPED,
}
"""What an experiment is once a word was said; saying it again is no conflict."""


def experiment_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/experiments``."""
    router = APIRouter(prefix="/experiments", tags=["experiments"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("")
    def listed(
        caller: Asking,
        account: Annotated[
            str | None, Query(max_length=63, description="All when left out.")
        ] = None,
        status: Annotated[Status | None, Query(description="All when left out.")] = None,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> shapes.ExperimentPage:
        """Experiments, the newest first."""
        rows = experiment_rows(
            settings,
            accounts=_accounts(settings, caller, account),
            statuses=None if status is None else [status.value],
        )
        page = rows[offset : offset + limit]
        return shapes.ExperimentPage(
            items=[_told(settings, row) for row in page],
            total=len(rows),
            limit=limit,
            offset=offset,
        )

    @router.post("", status_code=201)
    def create(caller: Asking, body: bodies.RegisterBody, response: Response) -> shapes.Experiment:
        """Register an experiment, which freezes its design; the hourly job starts it."""
        chosen_accounts(settings, caller, body.account)
        made = _registered(settings, caller, body)
        return _made(settings, caller, made, response)

    @router.post("/plan")
    def plan(caller: Asking, body: bodies.ExperimentBody) -> shapes.PlannedExperiment:
        """What an experiment would take, from the account's own posts; nothing is stored."""
        chosen_accounts(settings, caller, body.account)
        return shapes.PlannedExperiment.of(plan_experiment(settings, body.request()))

    @router.post("/content-variations", status_code=201)
    def variations(
        caller: Asking, body: bodies.VariationsBody, response: Response
    ) -> shapes.Experiment:
        """Register a test of ways to write, from an example of each; the first is the usual one."""
        chosen_accounts(settings, caller, body.account)
        made = test_content_variations(
            settings,
            body.account,
            [one.model_dump() for one in body.variations],
            body.target_metric,
            platform=body.platform.value if body.platform else None,
            smallest_useful_ratio=body.smallest_useful_ratio,
            by=caller.name,
            now=utc_now(),
        )
        return _made(settings, caller, made, response)

    @router.get("/{experiment_id}")
    def one(caller: Asking, experiment_id: ExperimentId) -> shapes.ExperimentDetail:
        """An experiment with what its posts say until now and what happened to it."""
        _own(settings, caller, experiment_id)
        return _detail(settings, read_stored(settings, experiment_id, utc_now()))

    @router.get("/{experiment_id}/results")
    def results(caller: Asking, experiment_id: ExperimentId) -> shapes.Results:
        """What an experiment says, as one document."""
        _own(settings, caller, experiment_id)
        told = analyze_test_results(settings, experiment_id, utc_now())
        return shapes.Results.model_validate(told)

    @router.post("/{experiment_id}/approve")
    def approve(
        caller: Asking, experiment_id: ExperimentId, body: bodies.DecideBody
    ) -> shapes.Experiment:
        """Approve a proposed experiment; twice is once."""
        return _decide(settings, caller, experiment_id, Word.APPROVE, body)

    @router.post("/{experiment_id}/reject")
    def reject(
        caller: Asking, experiment_id: ExperimentId, body: bodies.DecideBody
    ) -> shapes.Experiment:
        """Reject a proposed experiment; twice is once."""
        return _decide(settings, caller, experiment_id, Word.REJECT, body)

    @router.post("/{experiment_id}/stop")
    def stop(
        caller: Asking, experiment_id: ExperimentId, body: bodies.DecideBody
    ) -> shapes.Experiment:
        """Stop an experiment that is registered or running; twice is once."""
        return _decide(settings, caller, experiment_id, Word.STOP, body)

    return router


def _accounts(settings: Settings, caller: Caller, account: str | None) -> frozenset[str] | None:
    """The accounts whose experiments are listed; None for all."""
    if account is not None:
        return frozenset(chosen_accounts(settings, caller, account))
    # Experiments of an account whose folder is gone are still the caller's to see.
    return caller.accounts


def _registered(settings: Settings, caller: Caller, body: bodies.RegisterBody) -> str:
    """The id of what was registered.

    Raises:
        RefusedDesignError: The design could not answer its question.
        HTTPException: It would take another number of posts than the caller was told.
    """
    planned = plan_experiment(settings, body.request())
    needed = planned.plan.per_arm
    if body.posts_per_arm not in {None, needed}:
        raise HTTPException(
            409,
            f"The plan said {body.posts_per_arm:,} posts per arm, and the account's numbers now "
            f"ask for {needed:,}: plan it again.",
        )
    return register(settings, planned, by=caller.name, now=utc_now()).experiment_id


def _decide(
    settings: Settings, caller: Caller, experiment_id: str, word: Word, body: bodies.DecideBody
) -> shapes.Experiment:
    before = _own(settings, caller, experiment_id)
    is_stale = body.version not in {None, before["version"]}
    if is_stale and before["status"] != _AFTERWARDS[word]:
        raise HTTPException(
            409,
            f"The experiment was changed since version {body.version}: "
            f"it is {before['status']} now.",
        )
    try:
        row = decide_experiment(
            settings, experiment_id, word, by=caller.name, now=utc_now(), note=body.note
        )
    except RefusedDesignError as error:
        # What was asked for is right; another experiment is in its way.
        raise HTTPException(409, str(error)) from None
    if row["version"] != before["version"]:
        note_change(settings, caller, f"experiment.{word}", experiment_id, row["account_name"])
    return _told(settings, row)


def _made(
    settings: Settings, caller: Caller, experiment_id: str, response: Response
) -> shapes.Experiment:
    """A new experiment as it is answered, noted and located."""
    row = _own(settings, caller, experiment_id)
    note_change(settings, caller, "experiment.register", experiment_id, row["account_name"])
    response.headers["Location"] = f"{PREFIX}/experiments/{experiment_id}"
    return _told(settings, row)


def _own(settings: Settings, caller: Caller, experiment_id: str) -> dict[str, Any]:
    """The row of an experiment of the caller's.

    Raises:
        ExperimentNotFoundError: None of that id, or not the caller's; which of both is not told.
    """
    row = experiment_row(settings, experiment_id)
    if row is None or not caller.may_see(row["account_name"]):
        raise ExperimentNotFoundError(f"There is no experiment {experiment_id!r}.")
    return row


def _detail(settings: Settings, stored: StoredExperiment) -> shapes.ExperimentDetail:
    """An experiment in full; without where its figures come from where nothing is published."""
    account = stored.row["account_name"]
    try:
        with reading(settings) as connection:
            meta = meta_of(settings, connection, (account,))
            pace = posts_per_week(connection, account).get(stored.row["platform"])
    except NothingPublishedError:
        meta, pace = None, None
    return shapes.ExperimentDetail.of_stored(stored, meta, pace)


def _told(settings: Settings, row: dict[str, Any]) -> shapes.Experiment:
    """An experiment in a list, with how far it is."""
    result = row["result"]
    if row["status"] in {Status.RUNNING, Status.STOPPED} and result is None:
        result = read_stored(settings, row["experiment_id"], utc_now()).result
    return shapes.Experiment.of(row, None if result is None else result["progress"])
