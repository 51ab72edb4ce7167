"""Apify: run an actor once, wait within a deadline, and read all it found.

Everything that can go wrong on the way becomes one of three errors: refused
(:class:`ScrapeRejectedError`), not answered (:class:`ScrapeUnavailableError`), or run without
success (:class:`ScrapeFailedError`). The platform's words are quoted; the token never is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from pipeline.clients.apify_errors import LostReplyError, PlainErrors
from pipeline.clock import utc_now
from pipeline.errors import (
    AfterpostError,
    ConfigurationError,
    ScrapeFailedError,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings

_Result = TypeVar("_Result")

_FINISHED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
_REQUEST_S = 30.0
_LONG_POLL_S = 5.0
"""Apify would hold a waiting request for 60 s, but an interrupt is only seen between requests."""
_ABORT_S = 10.0
_TRIES = 5
_SLOWEST_RETRY_S = 8.0
_PAGE_ITEMS = 1000
_CLOCK_SKEW = timedelta(seconds=30)
_RUNS_SEARCHED = 20


@dataclass(frozen=True)
class ActorRun:
    """One finished, successful run and everything it found."""

    run_id: str
    status: str
    status_message: str | None
    started_at: datetime
    finished_at: datetime | None
    dataset_id: str
    cost_usd: Decimal | None
    items: list[dict[str, Any]]
    items_total: int
    """Rows that the dataset says it has."""

    @property
    def is_complete(self) -> bool:
        """Whether every row of the dataset was read."""
        return len(self.items) >= self.items_total


class ApifyService:
    """Runs actors through apify-client.

    The client's own retries are off: it would repeat the request that starts (and pays) a run.
    Reading requests are retried here, within the caller's deadline.
    """

    def __init__(self, settings: Settings, *, first_retry_s: float = 0.5) -> None:
        """Make the client.

        Args:
            settings: Token and base URL.
            first_retry_s: Wait before the first retry of a reading request; doubles from there.

        Raises:
            ConfigurationError: No token is set.
        """
        token = settings.apify_token.get_secret_value().strip() if settings.apify_token else ""
        if not token:
            raise ConfigurationError(
                "Scraping needs a token: set APIFY_TOKEN in the environment or in .env "
                "(console.apify.com, Settings, API)."
            )
        from apify_client import ApifyClient

        self._ask = PlainErrors(settings.apify_api_base_url, token)
        self._base_url = settings.apify_api_base_url
        self._first_retry_s = first_retry_s
        self._client = ApifyClient(
            token,
            api_url=settings.apify_api_base_url,
            api_public_url=settings.apify_api_base_url,
            max_retries=0,
        )

    def run_actor(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        *,
        max_items: int | None,
        deadline_s: float,
        max_charge_usd: float | Decimal | None,
    ) -> ActorRun:
        """Start an actor once, wait for its end and read its whole dataset.

        Args:
            actor_id: ``owner/name``.
            run_input: The actor's input, already checked.
            max_items: Most rows that may be charged.
            deadline_s: Longest wait in seconds; then the run is aborted at Apify.
            max_charge_usd: Most that the run may charge.

        Raises:
            ScrapeRejectedError: Apify refuses (400, 401, 402, 403, 404); names the setting to fix.
            ScrapeUnavailableError: No usable answer in time (429, 5xx, broken connections and
                bodies, deadline).
            ScrapeFailedError: The run ended as FAILED, TIMED-OUT or ABORTED.
        """
        deadline = time.monotonic() + deadline_s
        max_charge = None if max_charge_usd is None else Decimal(str(max_charge_usd))
        run = self._start(actor_id, run_input, max_items, max_charge, deadline)
        try:
            run = self._wait(run, actor_id, deadline_s, deadline)
        except KeyboardInterrupt:
            self._abort(run.id)
            raise
        if run.status != "SUCCEEDED":
            words = self._ask.quoted(run.status_message) or "no message"
            raise ScrapeFailedError(
                f"The run {run.id} of {actor_id} ended as {run.status}: {words}. Nothing was "
                "stored; see the run's log at Apify, then try again."
            )
        try:
            items, total = self._read_items(run.default_dataset_id, deadline)
        except ScrapeUnavailableError as error:
            raise ScrapeUnavailableError(
                f"{error} The run {run.id} itself succeeded: its dataset {run.default_dataset_id} "
                "stays at Apify for 7 days and can be exported there and imported here."
            ) from error
        cost = run.usage_total_usd
        return ActorRun(
            run_id=run.id,
            status=str(run.status),
            status_message=run.status_message,
            started_at=run.started_at,
            finished_at=run.finished_at,
            dataset_id=run.default_dataset_id,
            cost_usd=None if cost is None else Decimal(str(cost)),
            items=items,
            items_total=total,
        )

    def _start(
        self,
        actor_id: str,
        run_input: dict[str, Any],
        max_items: int | None,
        max_charge: Decimal | None,
        deadline: float,
    ) -> Any:
        intent = utc_now()

        def start() -> Any:
            return self._client.actor(actor_id).start(
                run_input=run_input,
                max_items=max_items,
                max_total_charge_usd=max_charge,
                timeout=_timeout(deadline, _REQUEST_S),
            )

        try:
            return self._ask.call(start, f"starting {actor_id}")
        except LostReplyError as error:
            run = self._find_run(actor_id, run_input, intent, deadline)
            if run is None:
                raise ScrapeUnavailableError(
                    f"Apify at {self._base_url} did not answer when {actor_id} was started "
                    f"({error}), and no run of it has begun. Try again later."
                ) from error
            return run

    def _find_run(
        self, actor_id: str, run_input: dict[str, Any], intent: datetime, deadline: float
    ) -> Any | None:
        """The run that a start with a lost reply has begun after all, so that it is paid once."""

        def runs() -> Any:
            return (
                self._client.actor(actor_id)
                .runs()
                .list(
                    desc=True,
                    limit=_RUNS_SEARCHED,
                    started_after=intent - _CLOCK_SKEW,
                    timeout=_timeout(deadline, _REQUEST_S),
                )
            )

        for attempt in range(3):
            self._pause(attempt, deadline)
            found = self._read(runs, f"looking for a run of {actor_id}", deadline).items
            newest_unknown = None
            for run in sorted(found, key=lambda run: run.started_at, reverse=True):
                given = self._input_of(run.default_key_value_store_id, deadline)
                if given == run_input:
                    return self._get_run(run.id, deadline)
                if given is None and newest_unknown is None and run.started_at >= intent:
                    newest_unknown = run
            if newest_unknown is not None:
                return self._get_run(newest_unknown.id, deadline)
        return None

    def _input_of(self, store_id: str, deadline: float) -> Any | None:
        """The input that a run was started with, or None when its record cannot be read."""

        def record() -> Any:
            store = self._client.key_value_store(store_id)
            return store.get_record("INPUT", timeout=_timeout(deadline, _REQUEST_S))

        try:
            found = self._read(record, "reading a run's input", deadline)
        except (ScrapeRejectedError, ScrapeUnavailableError):
            return None
        return found["value"] if found else None

    def _get_run(self, run_id: str, deadline: float) -> Any:
        def get() -> Any:
            run = self._client.run(run_id).get(timeout=_timeout(deadline, _REQUEST_S))
            if run is None:
                raise ValueError(f"the run {run_id} is unknown")
            return run

        return self._read(get, f"asking for run {run_id}", deadline)

    def _wait(self, run: Any, actor_id: str, deadline_s: float, deadline: float) -> Any:
        """Ask for the run until it has ended; abort it at the deadline."""
        while run.status not in _FINISHED:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._abort(run.id)
                raise ScrapeUnavailableError(
                    f"The run {run.id} of {actor_id} had not finished after {deadline_s:.0f} s "
                    "and was aborted. Try again later, or raise AFTERPOST_APIFY_DEADLINE_S."
                )
            patience = min(_LONG_POLL_S, max(1.0, remaining))

            def poll(run_id: str = run.id, patience: float = patience) -> Any:
                found = self._client.run(run_id).wait_for_finish(
                    wait_duration=timedelta(seconds=patience),
                    timeout=timedelta(seconds=patience * 1.1 + 1),
                )
                if found is None:
                    raise ScrapeFailedError(
                        f"Apify no longer knows the run {run_id} of {actor_id}. Nothing was "
                        "stored; try again."
                    )
                return found

            try:
                # The run is paid for: an outage is sat out until the deadline.
                run = self._read(poll, f"waiting for run {run.id}", deadline, tries=1_000_000)
            except ScrapeUnavailableError:
                self._abort(run.id)
                raise
        return run

    def _abort(self, run_id: str) -> None:
        """Stop a run that nobody waits for any more; a failure to do so changes nothing here."""
        try:
            self._ask.call(
                lambda: self._client.run(run_id).abort(timeout=timedelta(seconds=_ABORT_S)),
                f"aborting run {run_id}",
            )
        except (LostReplyError, AfterpostError):
            return

    def _read_items(self, dataset_id: str, deadline: float) -> tuple[list[dict[str, Any]], int]:
        """All rows, and how many the dataset claims; a lagging answer is asked again."""
        items: list[dict[str, Any]] = []
        total = 0
        for attempt in range(3):
            self._pause(attempt, deadline)
            items, total = self._read_pages(dataset_id, deadline)
            total = max(total, self._item_count(dataset_id, deadline))
            if len(items) >= total:
                break
        return items, total

    def _read_pages(self, dataset_id: str, deadline: float) -> tuple[list[dict[str, Any]], int]:
        items: list[dict[str, Any]] = []
        while True:

            def page(offset: int = len(items)) -> Any:
                # No filters: the service's own notion of an empty or hidden row is not ours.
                found = self._client.dataset(dataset_id).list_items(
                    offset=offset, limit=_PAGE_ITEMS, timeout=_timeout(deadline, 120.0)
                )
                return _checked_page(found)

            found = self._read(page, f"reading dataset {dataset_id}", deadline)
            items.extend(found.items)
            if not found.items or len(items) >= found.total:
                return items, found.total

    def _item_count(self, dataset_id: str, deadline: float) -> int:
        def get() -> Any:
            return self._client.dataset(dataset_id).get(timeout=_timeout(deadline, _REQUEST_S))

        try:
            dataset = self._read(get, f"counting dataset {dataset_id}", deadline, tries=1)
        except (ScrapeRejectedError, ScrapeUnavailableError):
            return 0  # a second opinion only: the pages carry the dataset's total too
        return dataset.item_count if dataset is not None else 0

    def _read(
        self,
        request: Callable[[], _Result],
        purpose: str,
        deadline: float,
        *,
        tries: int = _TRIES,
    ) -> _Result:
        """A request that changes nothing, tried again until it answers or time is up."""
        attempt = 1
        while True:
            try:
                return self._ask.call(request, purpose)
            except (LostReplyError, ScrapeUnavailableError) as error:
                if attempt < tries and time.monotonic() < deadline:
                    self._pause(attempt, deadline)
                    attempt += 1
                    continue
                if isinstance(error, ScrapeUnavailableError):
                    raise
                raise ScrapeUnavailableError(
                    f"Apify at {self._base_url} gave no usable answer when {purpose} ({error}). "
                    "Try again later."
                ) from error

    def _pause(self, attempt: int, deadline: float) -> None:
        if attempt:
            wait = min(self._first_retry_s * 2 ** (attempt - 1), _SLOWEST_RETRY_S)
            time.sleep(max(0.0, min(wait, deadline - time.monotonic())))


def _timeout(deadline: float, most: float) -> timedelta:
    return timedelta(seconds=max(1.0, min(most, deadline - time.monotonic())))


def _checked_page(page: Any) -> Any:
    """Refuse an API error that came as a page, and anything that is no list of objects."""
    for item in page.items:
        if not isinstance(item, dict):
            raise TypeError("a row of the dataset is no object")
    if len(page.items) == 1 and set(page.items[0]) == {"error"}:
        error = page.items[0]["error"]
        if isinstance(error, dict) and "type" in error and "message" in error:
            raise ValueError("an API error instead of rows")
    return page
