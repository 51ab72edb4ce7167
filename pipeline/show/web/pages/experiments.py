"""``/experiments``: what is tried out, how far it is, and what it says."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import ValidationError

from pipeline.accounts import Platform
from pipeline.learn.experiments.registering import RefusedDesignError, Word
from pipeline.learn.experiments.registration import Status
from pipeline.settings import Settings
from pipeline.show.charts.experiment_looks import experiment_looks_chart
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.experiment_answers import (
    ContrastReading,
    Design,
    Experiment,
    ExperimentDetail,
    ExperimentPage,
    GuardReading,
    PlannedExperiment,
)
from pipeline.show.web.api.experiment_bodies import DecideBody, Dimension
from pipeline.show.web.api.experiments import ExperimentId
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.experiment_forms import ExperimentForm
from pipeline.show.web.pages.experiment_words import DONE, WORDS, told_events, usual_words
from pipeline.show.web.pages.panels import CHART_CONFIG, page_spec
from pipeline.show.web.pages.rendering import Renderer

PER_PAGE = 20
LOOKS_SHOWN = 60


def experiment_pages(
    settings: Settings, renderer: Renderer, caller_of: Callable[..., Any], api: Api
) -> APIRouter:
    """The pages under ``/experiments``."""
    router = PagesRouter()
    experiments = api["/experiments"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/experiments")
    def listed(
        request: Request,
        caller: Asking,
        account: Annotated[str, Query(max_length=63)] = "",
        status: Annotated[str, Query(pattern=f"^({'|'.join(Status)})?$")] = "",
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        page = experiments.ask(
            ExperimentPage, "listed", caller, account=account or None,
            status=Status(status) if status else None, limit=PER_PAGE, offset=offset,
        )  # fmt: skip
        return renderer.page(
            request,
            "experiments.html",
            page=page,
            accounts=chosen_accounts(settings, caller, None),
            chosen={"account": account, "status": status},
            done=None,
            **WORDS,
        )

    @router.get("/experiments/new")
    def form(
        request: Request, caller: Asking, account: Annotated[str, Query(max_length=63)] = ""
    ) -> Response:
        return _form(request, caller, ExperimentForm(account=account))

    @router.post("/experiments/plan")
    def plan(request: Request, caller: Asking, form: Annotated[ExperimentForm, Form()]) -> Response:
        try:
            planned = experiments.ask(PlannedExperiment, "plan", caller, body=form.body())
        except (ValidationError, RefusedDesignError) as error:
            return _form(request, caller, form, refusals=_reasons(error))
        return _form(request, caller, form, planned=planned)

    @router.post("/experiments")
    def register(
        request: Request, caller: Asking, form: Annotated[ExperimentForm, Form()]
    ) -> Response:
        try:
            made = experiments.ask(
                Experiment, "create", caller, body=form.registering(), response=Response()
            )
        except (ValidationError, RefusedDesignError) as error:
            return _form(request, caller, form, refusals=_reasons(error))
        return back_to(f"/experiments/{made.id}", done="registered")

    @router.get("/experiments/{experiment_id}")
    def one(request: Request, caller: Asking, experiment_id: ExperimentId) -> Response:
        found = experiments.ask(ExperimentDetail, "one", caller, experiment_id=experiment_id)
        reading = found.reading
        return renderer.page(
            request,
            "experiment.html",
            one=found,
            meta=found.meta,
            arms={arm.name: arm for arm in reading.arms} if reading else {},
            guards=_guards(found),
            charts=[_chart(found.design, one) for one in reading.contrasts] if reading else [],
            chart_config=CHART_CONFIG,
            looks_shown=LOOKS_SHOWN,
            usual=usual_words(found.design),
            events=told_events(found.events),
            done=DONE.get(request.query_params.get("done", "")),
            **WORDS,
        )

    @router.post("/experiments/{experiment_id}/decide")
    def decide(
        caller: Asking,
        experiment_id: ExperimentId,
        decision: Annotated[Word, Form()],
        version: Annotated[int, Form(ge=1, le=2**31 - 1)],
        note: Annotated[str, Form(max_length=2_000)] = "",
    ) -> Response:
        body = DecideBody(version=version, note=note.strip() or None)
        experiments.ask(Experiment, decision.value, caller, experiment_id=experiment_id, body=body)
        return back_to(f"/experiments/{experiment_id}", done=decision.value)

    def _form(
        request: Request,
        caller: Caller,
        form: ExperimentForm,
        *,
        planned: PlannedExperiment | None = None,
        refusals: list[str] | None = None,
    ) -> Response:
        return renderer.page(
            request,
            "experiment_new.html",
            status_code=422 if refusals else 200,
            accounts=chosen_accounts(settings, caller, None),
            platforms=list(Platform),
            dimensions=get_args(Dimension),
            form=form,
            hidden=list(form.hidden()),
            planned=planned,
            refusals=refusals,
            **WORDS,
        )

    return router


def _reasons(error: ValidationError | RefusedDesignError) -> list[str]:
    """What speaks against a form, a sentence each."""
    if isinstance(error, RefusedDesignError):
        return list(error.reasons)
    return [
        f"{' '.join(str(part) for part in one['loc']).replace('_', ' ')}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    ]


def _chart(design: Design | None, contrast: ContrastReading) -> str | None:
    """A contrast's looks as a specification; None where there is nothing to draw."""
    if design is None:
        return None
    chart = experiment_looks_chart(
        contrast.looks,
        smallest_useful_ratio=design.smallest_useful_ratio,
        planned_n=2 * design.planned_per_arm,
        ratio=contrast.ratio,
    )
    return None if chart is None else page_spec(chart)


def _guards(found: ExperimentDetail) -> Mapping[str, list[GuardReading]]:
    """What is known of each guarded metric."""
    told: defaultdict[str, list[GuardReading]] = defaultdict(list)
    for one in found.reading.guards if found.reading else []:
        told[one.metric].append(one)
    return told
