"""Requests to Apify that change nothing: asked again, within a deadline, until they answer."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from pipeline.clients.apify_errors import LostReplyError, PlainErrors
from pipeline.errors import ConfigurationError, ScrapeRejectedError, ScrapeUnavailableError
from pipeline.settings import Settings

_Result = TypeVar("_Result")

REQUEST_S = 30.0
"""Longest wait for one answer."""
_PAGE_S = 120.0
_PAGE_ITEMS = 1000
_READINGS = 3
_TRIES = 5
_SLOWEST_RETRY_S = 8.0


class ApifyRequests:
    """apify-client without its own retries, which would repeat the request that pays for a run."""

    def __init__(self, settings: Settings, first_retry_s: float) -> None:
        """Make the client.

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

        self.errors = PlainErrors(settings.apify_api_base_url, token)
        self.base_url = settings.apify_api_base_url
        self._first_retry_s = first_retry_s
        self.client = ApifyClient(
            token,
            api_url=settings.apify_api_base_url,
            api_public_url=settings.apify_api_base_url,
            max_retries=0,
        )

    def read(
        self,
        request: Callable[[], _Result],
        purpose: str,
        deadline: float,
        *,
        tries: int = _TRIES,
    ) -> _Result:
        """One answer.

        Args:
            request: Makes the request; must change nothing at Apify.
            purpose: What it is for, to follow "when".
            deadline: On the monotonic clock.
            tries: How often to ask.

        Raises:
            ScrapeRejectedError: Refused.
            ScrapeUnavailableError: No usable answer in time.
        """
        attempt = 1
        while True:
            try:
                return self.errors.call(request, purpose)
            except (LostReplyError, ScrapeUnavailableError) as error:
                if attempt < tries and time.monotonic() < deadline:
                    self.pause(attempt, deadline)
                    attempt += 1
                    continue
                if isinstance(error, ScrapeUnavailableError):
                    raise
                raise ScrapeUnavailableError(
                    f"Apify at {self.base_url} gave no usable answer when {purpose} ({error}). "
                    "Try again later."
                ) from error

    def pause(self, attempt: int, deadline: float) -> None:
        """Wait before the next try, longer each time; not at all before the first (0)."""
        if attempt:
            wait = min(self._first_retry_s * 2 ** (attempt - 1), _SLOWEST_RETRY_S)
            time.sleep(max(0.0, min(wait, deadline - time.monotonic())))

    def read_items(self, dataset_id: str, deadline: float) -> tuple[list[dict[str, Any]], int]:
        """All rows, and how many the dataset claims; a lagging answer is asked again.

        Raises:
            ScrapeRejectedError: Refused.
            ScrapeUnavailableError: Not readable, or rows are counted and none is given.
        """
        items: list[dict[str, Any]] = []
        total = 0
        for attempt in range(_READINGS):
            self.pause(attempt, deadline)
            found, counted = self._read_pages(dataset_id, deadline)
            items = found if len(found) >= len(items) else items
            total = max(total, counted, self._item_count(dataset_id, deadline))
            if len(items) >= total:
                break
        if total and not items:
            raise ScrapeUnavailableError(
                f"Apify counts {total} rows in the dataset {dataset_id} and gave none of them. "
                "Try again later."
            )
        return items, total

    def _read_pages(self, dataset_id: str, deadline: float) -> tuple[list[dict[str, Any]], int]:
        items: list[dict[str, Any]] = []
        former: list[dict[str, Any]] = []
        while True:

            def page(offset: int = len(items)) -> Any:
                # No filters: the service's own notion of an empty or hidden row is not ours.
                found = self.client.dataset(dataset_id).list_items(
                    offset=offset, limit=_PAGE_ITEMS, timeout=timeout(deadline, _PAGE_S)
                )
                return _checked_page(found)

            found = self.read(page, f"reading dataset {dataset_id}", deadline)
            if found.items and found.items == former:  # the same page twice: the next is missing
                return items, found.total
            items.extend(found.items)
            former = found.items
            if not found.items or len(items) >= found.total:
                return items, found.total

    def _item_count(self, dataset_id: str, deadline: float) -> int:
        def get() -> Any:
            return self.client.dataset(dataset_id).get(timeout=timeout(deadline, REQUEST_S))

        try:
            dataset = self.read(get, f"counting dataset {dataset_id}", deadline, tries=1)
        except (ScrapeRejectedError, ScrapeUnavailableError):
            return 0  # a second opinion only: the pages carry the dataset's total too
        return dataset.item_count if dataset is not None else 0


def timeout(deadline: float, most: float) -> timedelta:
    """Longest wait for one answer: what is left until the deadline, at least a second."""
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
