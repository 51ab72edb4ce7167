"""One scrape: ask one source about one profile of one account, and land what it answered.

Before a run is paid for, a run of the same profile that a killed process left behind is taken.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.apify import ActorRun, ApifyService, RunState
from pipeline.clients.state_claims import claimed
from pipeline.clock import utc_now
from pipeline.collect.attempts import Attempt, Question, intend, unfinished
from pipeline.collect.drift import Drift, find_drift
from pipeline.collect.landing import (
    Answer,
    Manifest,
    Outcome,
    ScrapedAtSource,
    Source,
    SourceKind,
    Weighed,
    classify_row,
    land,
    manifests,
    weigh,
)
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import Actor, ActorKind, ItemKind, Service
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.run_reading import Reading, history_of, new_posts, owner_ids, read_run
from pipeline.collect.scrape_report import ScrapeReport, failure_of
from pipeline.errors import (
    AfterpostError,
    ClaimHeldError,
    ConfigurationError,
    PaidMeanwhileError,
    ScrapeError,
    ScrapeFailedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings

_STANDS_IN = timedelta(hours=5)
"""A run that was left behind and ended longer ago is kept, but is no answer to today's question."""
_KEPT_AT_APIFY = timedelta(days=7)

IsWanted = Callable[[AccountConfig], bool]
"""Asked when an account's turn has come and nobody else can scrape the profile."""


def always(_: AccountConfig) -> bool:
    """Whoever asks for a scrape wants it."""
    return True


def used_actors(settings: Settings, account: AccountConfig, platform: Platform) -> list[Actor]:
    """The actors that are asked about one profile; empty where the account has none there."""
    handle = account.platform_profiles.get(platform)
    if handle is None:
        return []
    actors = SOURCES[platform].actors
    return [actor for actor in actors if actor.is_used(settings, account, handle)]


def scrape(
    settings: Settings,
    account: AccountConfig,
    platform: Platform,
    actor: Actor,
    *,
    is_wanted: IsWanted = always,
) -> ScrapeReport:
    """Run one actor for the account's profile and land its answer.

    Args:
        settings: Where to land and how to reach Apify.
        account: Whose profile.
        platform: Which of its profiles.
        actor: One of the platform's actors.
        is_wanted: Whether to pay. Asked after the wait for another process that scrapes the same
            profile, which may have brought what was wanted; a run that was left behind is taken
            in either case.

    Raises:
        PaidMeanwhileError: It was not wanted any more; nothing was started.
        ConfigurationError: No token, or the account has no profile on the platform.
        BudgetSpentError: The account's budget of this month is spent; nothing was started.
        ScrapeRejectedError: Apify refused the request.
        ScrapeUnavailableError: Apify did not answer in time.
        ScrapeFailedError: The run failed without rows, was blocked, or answered only error rows;
            nothing landed. Or the profile has another name now; its rows landed as another's.
    """
    handle = _handle(settings, account, platform)
    is_profile = actor.kind is ActorKind.PROFILES
    limit = 1 if is_profile else min(account.scrape.limit, settings.apify_max_items)
    return ask(
        settings,
        account,
        Question(
            platform=platform,
            handle=handle,
            source_kind=SourceKind(actor.kind.value),
            actor_id=actor.actor_id,
            run_input=actor.build_input(handle, limit),
            limit=min(limit * actor.list_count, max(limit, settings.apify_max_items)),
            contract=actor.contract,
            service=actor.service,
        ),
        is_wanted,
    )


def scrape_posts(
    settings: Settings,
    account: AccountConfig,
    platform: Platform,
    addresses: Sequence[str],
    *,
    is_wanted: IsWanted = always,
) -> ScrapeReport:
    """Look single posts up by their addresses and land the answer, also "there is no such post".

    Raises:
        PaidMeanwhileError: As in `scrape`.
        ConfigurationError: No token, no profile, or the platform has no actor for it.
        BudgetSpentError: As in `scrape`, like the others.
        ScrapeRejectedError: Apify refused.
        ScrapeUnavailableError: No answer in time.
        ScrapeFailedError: The run failed or was blocked; nothing landed.
    """
    handle = _handle(settings, account, platform)
    actor = SOURCES[platform].direct
    if actor is None:
        raise ConfigurationError(f"Posts of {platform.value} cannot be looked up by address.")
    chosen = tuple(addresses)[: settings.apify_max_items]
    return ask(
        settings,
        account,
        Question(
            platform=platform,
            handle=handle,
            source_kind=SourceKind.DIRECT,
            actor_id=actor.actor_id,
            run_input=actor.build_input(chosen),
            limit=len(chosen),
            contract=actor.contract,
        ),
        is_wanted,
    )


def ask(
    settings: Settings,
    account: AccountConfig,
    question: Question,
    is_wanted: IsWanted = always,
) -> ScrapeReport:
    """Have a question answered: by a run that was left behind, else by a new one.

    Raises as `scrape`.
    """
    apify = ApifyService(settings) if question.service is Service.APIFY else None
    with _one_at_a_time(settings, account, question):
        if apify is not None:
            report = _left_behind(settings, account, question, apify)
            if report is not None:
                return report
        if not is_wanted(account):
            raise PaidMeanwhileError(
                f"{account.name} on {question.platform.value} was scraped by another process in "
                "the meantime; nothing was started."
            )
        attempt = intend(settings, account, question)
        try:
            run = _run(settings, question, attempt, apify)
        except KeyboardInterrupt:
            attempt.interrupted()
            raise
        except AfterpostError as error:
            attempt.failed(error)
            raise
        return _take(settings, account, question, run, attempt)


def _run(
    settings: Settings, question: Question, attempt: Attempt, apify: ApifyService | None
) -> ActorRun:
    if apify is None:
        from pipeline.clients.youtube import YouTubeService

        run = YouTubeService(settings).read_channel(question.handle, question.limit)
        attempt.observe(RunState(run.run_id, run.status, run.cost_usd))
        return run
    return apify.run_actor(
        question.actor_id,
        question.run_input,
        max_items=question.limit,
        deadline_s=settings.apify_deadline_s,
        max_charge_usd=attempt.may_charge_usd,
        known_run_ids=attempt.known_run_ids,
        observer=attempt.observe,
    )


def _handle(settings: Settings, account: AccountConfig, platform: Platform) -> str:
    handle = account.platform_profiles.get(platform)
    if handle is None:
        raise ConfigurationError(
            f"Account {account.name!r} has no {platform.value} profile: add its handle under "
            f"platform_profiles in {settings.accounts_dir / account.name / 'account.yaml'}."
        )
    return handle


@contextmanager
def _one_at_a_time(
    settings: Settings, account: AccountConfig, question: Question
) -> Iterator[None]:
    """Two processes that scrape one profile at once would both find nothing to take, and pay."""
    name = f"scrape_{question.platform.value}_{account.name}_{question.source_kind.value}"
    try:
        with claimed(settings, name, timeout_s=settings.lock_timeout_s):
            yield
    except ClaimHeldError as error:
        raise ScrapeUnavailableError(
            f"Another process scrapes {account.name} on {question.platform.value} and did not "
            f"finish within {settings.lock_timeout_s:.0f} s. Nothing was started; try again when "
            "it has."
        ) from error


def _left_behind(
    settings: Settings, account: AccountConfig, question: Question, service: ApifyService
) -> ScrapeReport | None:
    """Take the runs that killed processes left behind; the report of one that answers today."""
    answer: ScrapeReport | None = None
    for attempt, row in unfinished(settings, account, question):
        if utc_now() - attempt.intended_at > _KEPT_AT_APIFY:
            attempt.given_up("Apify keeps no rows of a run that old.")
            continue
        try:
            run = _find(settings, service, attempt, row)
            report = None if run is None else _take(settings, account, question, run, attempt)
        except ScrapeFailedError:
            continue  # its end is in the ledger
        if run is None or report is None:
            continue
        ended_at = run.finished_at or run.started_at
        if run.has_succeeded and utc_now() - ended_at <= _STANDS_IN:
            answer = report
    return answer


def _find(
    settings: Settings, service: ApifyService, attempt: Attempt, row: dict[str, object]
) -> ActorRun | None:
    """The run of an attempt that was cut short; None when it has none, which is written down."""
    actor_id, run_id = str(row["actor_id"]), row["run_id"]
    run_input = row["run_input"]
    try:
        if run_id is None and isinstance(run_input, dict):
            run_id = service.find_run(
                actor_id,
                run_input,
                intended_at=attempt.intended_at,
                known_run_ids=attempt.known_run_ids,
                deadline_s=settings.apify_deadline_s,
            )
        if run_id is None:
            attempt.given_up(str(row["message"] or "The run never began."), Decimal(0))
            return None
        return service.follow_run(
            str(run_id),
            actor_id,
            deadline_s=settings.apify_deadline_s,
            observer=attempt.observe,
        )
    except KeyboardInterrupt:
        attempt.interrupted()
        raise
    except ScrapeError as error:
        if error.status == 404:
            attempt.given_up(str(error))
            return None
        error.may_have_started = True
        attempt.failed(error)
        raise


def _take(
    settings: Settings,
    account: AccountConfig,
    question: Question,
    run: ActorRun,
    attempt: Attempt,
) -> ScrapeReport:
    """Read what a run said, land its rows where they are an observation, and close the ledger."""
    answer = _answer(account, question, run)
    former = manifests(settings, question.platform, account.name)
    history = history_of(former)
    drift = find_drift(answer.rows, question.contract)
    weighed = weigh(answer)
    source = SOURCES[question.platform]
    reading = read_run(
        source,
        weighed.manifest.model_copy(update={"status_message": run.status_message}),
        answer.rows,
        history,
        is_drifted=drift.is_breaking,
    )
    weighed = Weighed(_told(weighed.manifest, answer, run, reading, drift), weighed.lines)
    error = failure_of(weighed.manifest, reading)
    message = str(error) if error else reading.words
    if not reading.lands:
        attempt.answered(weighed.manifest, reading.outcome, message, None)
        raise error or ScrapeFailedError(message)
    fresh = new_posts(weighed.manifest, answer.rows, history)
    landed = land(settings, weighed)
    new_post_count = len(fresh) if reading.outcome.moves_baselines else 0
    attempt.answered(landed.manifest, reading.outcome, message, new_post_count)
    if error:
        raise error
    is_known = {one.drift and str(one.drift) for one in former}
    return ScrapeReport(
        manifest=landed.manifest,
        new_post_count=new_post_count,
        is_new=landed.is_new,
        outcome=reading.outcome,
        drift=drift,
        is_drift_new=str(drift.as_json()) not in is_known,
        follower_count=_followers(answer),
    )


def _answer(account: AccountConfig, question: Question, run: ActorRun) -> Answer:
    return Answer(
        platform=question.platform,
        account_name=account.name,
        handle=question.handle,
        source=Source(question.service.value),
        source_kind=question.source_kind,
        rows=run.items,
        scraped_at=run.finished_at or run.started_at,
        scraped_at_source=ScrapedAtSource.RUN,
        is_complete=run.is_complete,
        items_asked=question.limit,
        actor_id=question.actor_id,
        run_id=run.run_id,
        run_status=run.status,
        run_input=_input_with_quota(question, run),
        started_at=run.started_at,
        finished_at=run.finished_at,
        cost_usd=run.cost_usd,
    )


def _input_with_quota(question: Question, run: ActorRun) -> dict[str, Any]:
    """What was asked, and what the asking took of a daily quota where there is one."""
    if run.quota_units is None:
        return question.run_input
    return {**question.run_input, "quotaUnits": run.quota_units}


def _told(
    manifest: Manifest, answer: Answer, run: ActorRun, reading: Reading, drift: Drift
) -> Manifest:
    """The manifest with what the run said."""
    is_drifted = reading.outcome is RunOutcome.SCHEMA_DRIFT
    return manifest.model_copy(
        update={
            "outcome": Outcome.SCHEMA_DRIFT if is_drifted else manifest.outcome,
            "run_outcome": reading.outcome,
            "status_message": run.status_message,
            "drift": drift.as_json() or None,
            "owner_ids": owner_ids(answer.rows, answer.handle),
        }
    )


def _followers(answer: Answer) -> int | None:
    if answer.source_kind is not SourceKind.PROFILES:
        return None
    source = SOURCES[answer.platform]
    for row in answer.rows:
        what = classify_row(row, answer.platform, answer.handle, answer.is_any_author)
        if what.kind is ItemKind.PROFILE and isinstance(row, dict):
            return source.follower_count(row)
    return None
