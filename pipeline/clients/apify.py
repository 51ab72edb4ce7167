"""Apify: run an actor once, wait within a deadline, and read all it found.

A run that ended is handed back whatever its end: FAILED runs can hold rows that were paid for.
Everything else that can go wrong becomes one of two errors: refused (`ScrapeRejectedError`) or not
answered (`ScrapeUnavailableError`). The platform's words are quoted; the token never is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.clients.apify_errors import LostReplyError
from pipeline.clients.apify_requests import REQUEST_S, ApifyRequests, timeout
from pipeline.clock import utc_now
from pipeline.errors import (
    AfterpostError,
    ScrapeError,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings

_FINISHED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
_LONG_POLL_S = 5.0
"""Apify would hold a waiting request for 60 s, but an interrupt is only seen between requests."""
_ABORT_S = 10.0
_UNLIMITED = 1_000_000
_CLOCK_SKEW = timedelta(seconds=30)
_RUNS_SEARCHED = 20
_SEARCHES = 3


@dataclass(frozen=True)
class RunState:
    """What is known of a run at one moment."""

    run_id: str
    status: str
    cost_usd: Decimal | None
    """None until the run is over, or when Apify does not tell."""

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self.status in _FINISHED


@dataclass(frozen=True)
class ActorRun:
    """One finished run and everything it found."""

    run_id: str
    status: str
    """SUCCEEDED, FAILED, TIMED-OUT or ABORTED."""
    status_message: str | None
    """The platform's words, without the token, quoted."""
    started_at: datetime
    finished_at: datetime | None
    dataset_id: str
    cost_usd: Decimal | None
    items: list[dict[str, Any]]
    items_total: int
    """Rows that the dataset says it has."""
    quota_units: int | None = None
    """What the answer took of a free service's daily quota."""

    @property
    def has_succeeded(self) -> bool:
        """Whether the run ended as it should."""
        return self.status == "SUCCEEDED"

    @property
    def is_complete(self) -> bool:
        """Whether the run came to its end and every row of its dataset was read."""
        return self.has_succeeded and len(self.items) >= self.items_total


Observer = Callable[[RunState], None]
"""Is told what becomes of a run, so that the caller can write it down before anything else."""


def _nobody(_: RunState) -> None:
    """The observer of callers that keep no ledger."""


class ApifyService:
    """Runs actors: a start is asked for once, everything else until it answers."""

    def __init__(self, settings: Settings, *, first_retry_s: float | None = None) -> None:
        """Make the client.

        Args:
            settings: Token and base URL.
            first_retry_s: Wait before the first retry of a reading request; doubles from there.

        Raises:
            ConfigurationError: No token is set.
        """
        wait = settings.apify_first_retry_s if first_retry_s is None else first_retry_s
        self._requests = ApifyRequests(settings, wait)
        self._client = self._requests.client
        self._ask = self._requests.errors

    def run_actor(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        *,
        max_items: int | None,
        deadline_s: float,
        max_charge_usd: float | Decimal | None,
        known_run_ids: frozenset[str] = frozenset(),
        observer: Observer = _nobody,
    ) -> ActorRun:
        """Start an actor once, wait for its end and read its whole dataset.

        Args:
            actor_id: ``owner/name``.
            run_input: The actor's input, already checked.
            max_items: Most rows that may be charged.
            deadline_s: Longest wait in seconds; then the run is aborted at Apify.
            max_charge_usd: Most that the run may charge.
            known_run_ids: Runs that are somebody else's answer and must not be taken for this one.
            observer: Told as soon as the run has an id, and at its end.

        Raises:
            ScrapeRejectedError: Apify refuses (400, 401, 402, 403, 404); names the setting to fix.
            ScrapeUnavailableError: No usable answer in time (429, 5xx, broken connections and
                bodies, deadline).
        """
        deadline = time.monotonic() + deadline_s
        max_charge = None if max_charge_usd is None else Decimal(str(max_charge_usd))
        run = self._start(actor_id, run_input, max_items, max_charge, known_run_ids, deadline)
        observer(_state(run))
        return self._finish(run, actor_id, deadline_s, deadline, observer)

    def find_run(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        *,
        intended_at: datetime,
        known_run_ids: frozenset[str],
        deadline_s: float,
    ) -> str | None:
        """Id of the run that a former, interrupted start has begun after all; None: there is none.

        Args:
            actor_id: ``owner/name``.
            run_input: What the run was to be started with; a run of another input is not it.
            intended_at: When the start was about to be asked for.
            known_run_ids: Runs that are known to be another start's.
            deadline_s: Longest search in seconds.

        Raises:
            ScrapeRejectedError: Apify refuses.
            ScrapeUnavailableError: No usable answer in time.
        """
        deadline = time.monotonic() + deadline_s
        run = self._search(actor_id, run_input, intended_at, known_run_ids, deadline)
        return None if run is None else str(run.id)

    def follow_run(
        self, run_id: str, actor_id: str, *, deadline_s: float, observer: Observer = _nobody
    ) -> ActorRun:
        """Wait for the end of a run that was started before, and read its whole dataset.

        Raises:
            ScrapeRejectedError: Apify refuses, or no longer knows the run or its dataset (404).
            ScrapeUnavailableError: No usable answer in time.
        """
        deadline = time.monotonic() + deadline_s
        run = self._get_run(run_id, actor_id, deadline)
        return self._finish(run, actor_id, deadline_s, deadline, observer)

    def _finish(
        self, run: Any, actor_id: str, deadline_s: float, deadline: float, observer: Observer
    ) -> ActorRun:
        try:
            run = self._wait(run, actor_id, deadline_s, deadline, observer)
        except KeyboardInterrupt:
            self._abort(run.id, observer)
            raise
        state = _state(run)
        observer(state)
        try:
            items, total = self._requests.read_items(run.default_dataset_id, deadline)
        except (ScrapeUnavailableError, ScrapeRejectedError) as error:
            told = type(error)(
                f"{error} The run {run.id} itself ended as {run.status}: its dataset "
                f"{run.default_dataset_id} stays at Apify for 7 days, and the next scrape reads "
                "it before it pays for another run."
            )
            told.status = error.status
            raise told from error
        return ActorRun(
            run_id=run.id,
            status=str(run.status),
            status_message=self._ask.quoted(run.status_message) or None,
            started_at=run.started_at,
            finished_at=run.finished_at,
            dataset_id=run.default_dataset_id,
            cost_usd=state.cost_usd,
            items=items,
            items_total=total,
        )

    def _start(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        max_items: int | None,
        max_charge: Decimal | None,
        known_run_ids: frozenset[str],
        deadline: float,
    ) -> Any:
        intent = utc_now()

        def start() -> Any:
            return self._client.actor(actor_id).start(
                run_input=run_input,
                max_items=max_items,
                max_total_charge_usd=max_charge,
                timeout=timeout(deadline, REQUEST_S),
            )

        try:
            return self._ask.call(start, f"starting {actor_id}")
        except LostReplyError as error:
            try:
                run = self._search(
                    actor_id, run_input, intent, known_run_ids, deadline, is_only_start=True
                )
                if run is None:
                    raise ScrapeUnavailableError(
                        f"Apify at {self._requests.base_url} did not answer when {actor_id} was "
                        f"started ({error}), and no run of it has begun. Try again later."
                    ) from error
            except ScrapeError as lost:
                lost.may_have_started = True
                raise
            return run

    def _search(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        intent: datetime,
        known_run_ids: frozenset[str],
        deadline: float,
        *,
        is_only_start: bool = False,
    ) -> Any | None:
        """The run that a start with a lost reply has begun after all, so that it is paid once.

        Args:
            actor_id: ``owner/name``.
            run_input: Its input.
            intent: When the start was about to be asked for.
            known_run_ids: Runs of other starts.
            deadline: On the monotonic clock.
            is_only_start: The start was a moment ago, so that a new run is ours even when its
                input cannot be read.
        """

        def runs() -> Any:
            return (
                self._client.actor(actor_id)
                .runs()
                .list(
                    desc=True,
                    limit=_RUNS_SEARCHED,
                    started_after=intent - _CLOCK_SKEW,
                    timeout=timeout(deadline, REQUEST_S),
                )
            )

        for attempt in range(_SEARCHES):
            self._requests.pause(attempt, deadline)
            found = self._requests.read(runs, f"looking for a run of {actor_id}", deadline).items
            newest_unknown = None
            for run in sorted(found, key=lambda run: run.started_at, reverse=True):
                if run.id in known_run_ids:
                    continue
                given = self._input_of(run.default_key_value_store_id, deadline)
                if given == run_input:
                    return self._get_run(run.id, actor_id, deadline)
                if given is None and newest_unknown is None and run.started_at >= intent:
                    newest_unknown = run
            if newest_unknown is not None and is_only_start:
                return self._get_run(newest_unknown.id, actor_id, deadline)
        return None

    def _input_of(self, store_id: str, deadline: float) -> Any | None:
        """The input that a run was started with, or None when its record cannot be read."""

        def record() -> Any:
            store = self._client.key_value_store(store_id)
            return store.get_record("INPUT", timeout=timeout(deadline, REQUEST_S))

        try:
            found = self._requests.read(record, "reading a run's input", deadline)
        except (ScrapeRejectedError, ScrapeUnavailableError):
            return None
        return found["value"] if found else None

    def _get_run(self, run_id: str, actor_id: str, deadline: float) -> Any:
        def get() -> Any:
            return self._client.run(run_id).get(timeout=timeout(deadline, REQUEST_S))

        run = self._requests.read(get, f"asking for run {run_id}", deadline)
        return _known(run, run_id, actor_id)

    def _wait(
        self, run: Any, actor_id: str, deadline_s: float, deadline: float, observer: Observer
    ) -> Any:
        """Ask for the run until it has ended; abort it at the deadline."""
        while run.status not in _FINISHED:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._abort(run.id, observer)
                raise ScrapeUnavailableError(
                    f"The run {run.id} of {actor_id} had not finished after {deadline_s:.0f} s "
                    "and was aborted. Try again later, or raise AFTERPOST_APIFY_DEADLINE_S."
                )
            patience = min(_LONG_POLL_S, max(1.0, remaining))

            def poll(run_id: str = run.id, patience: float = patience) -> Any:
                return self._client.run(run_id).wait_for_finish(
                    wait_duration=timedelta(seconds=patience),
                    timeout=timedelta(seconds=patience * 1.1 + 1),
                )

            try:
                # The run is paid for: an outage is sat out until the deadline.
                found = self._requests.read(
                    poll, f"waiting for run {run.id}", deadline, tries=_UNLIMITED
                )
            except ScrapeUnavailableError:
                self._abort(run.id, observer)
                raise
            run = _known(found, run.id, actor_id)
        return run

    def _abort(self, run_id: str, observer: Observer) -> None:
        """Stop a run that nobody waits for any more; a failure to do so changes nothing here."""
        try:
            run = self._ask.call(
                lambda: self._client.run(run_id).abort(timeout=timedelta(seconds=_ABORT_S)),
                f"aborting run {run_id}",
            )
        except (LostReplyError, AfterpostError):
            return
        observer(_state(run))


def _known(run: Any, run_id: str, actor_id: str) -> Any:
    if run is not None:
        return run
    error = ScrapeRejectedError(
        f"Apify no longer knows the run {run_id} of {actor_id} (404): check APIFY_API_BASE_URL, "
        "and the run in Apify's console. Nothing was stored."
    )
    error.status = 404
    raise error


def _state(run: Any) -> RunState:
    cost = run.usage_total_usd
    is_over = run.status in _FINISHED
    return RunState(
        run_id=run.id,
        status=str(run.status),
        cost_usd=Decimal(str(cost)) if is_over and cost is not None else None,
    )
