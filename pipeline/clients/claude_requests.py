"""One request to Claude's service: repeated where that can help, ended by a deadline.

The SDK's own retries are off: it would obey a ``retry-after`` of a day, and its time limit counts
per try. A request that the service refused is not billed and may be sent again; one whose answer
got lost on the way may have been billed, so it is sent once more and not five times.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import ModelUnavailableError
from pipeline.settings import Settings

if TYPE_CHECKING:
    import anthropic

MAX_TRIES = 5
"""Requests for one answer; those that the service refuses or drops are not billed."""

MAX_LOST = 2
"""Answers that may get lost before we stop: each of them may have been billed."""

RETRY_AFTER_CAP_S = 30.0
"""A longer wait than this is no wait but a refusal for now."""

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_RETRIED_STATUSES = frozenset({408, 409, 429, *range(500, 600)})
_SURELY_REFUSED = frozenset({429, 503, 529})
"""After these nothing was begun, so that even a request that must not be doubled is repeated."""

Call = Callable[["anthropic.Anthropic"], object]
"""What to ask of the SDK's client."""


@dataclass
class Deadline:
    """A time limit that has begun to run."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def remaining_s(self) -> float:
        """Seconds that are left; negative when it has passed."""
        return self.seconds - (time.monotonic() - self.started)


@dataclass(frozen=True)
class Sent:
    """What came back."""

    value: object
    lost_count: int = 0
    """Earlier answers that got lost on the way and may have been billed."""


class ServiceUnavailableError(ModelUnavailableError):
    """The service gave no answer."""

    def __init__(self, message: str, lost_count: int = 0) -> None:
        super().__init__(message)
        self.lost_count = lost_count
        """Answers that got lost on the way and may have been billed."""


def send(settings: Settings, call: Call, deadline: Deadline, *, is_repeatable: bool = True) -> Sent:
    """Send a request until it is answered, refused for good, or too late.

    Args:
        settings: Key and base URL.
        call: The request.
        deadline: For all tries together, their waits included.
        is_repeatable: Whether asking twice does no harm but its price; else the request is only
            repeated where the service surely did nothing.

    Raises:
        ServiceUnavailableError: No answer; the message says what happened, without the key.
    """
    import anthropic

    lost = 0
    for attempt in range(1, MAX_TRIES + 1):
        try:
            return Sent(_send(settings, call, deadline, lost), lost)
        except anthropic.APIStatusError as error:
            reason = status_reason(settings, error)
            retried = _RETRIED_STATUSES if is_repeatable else _SURELY_REFUSED
            if error.status_code not in retried:
                raise ServiceUnavailableError(reason, lost) from None
            wait_s = _asked_wait_s(error)
        except anthropic.APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            is_lost = cause != "ConnectError"
            lost += is_lost
            reason = f"{settings.anthropic_base_url} could not be reached ({cause})."
            if is_lost and (lost >= MAX_LOST or not is_repeatable):
                raise ServiceUnavailableError(
                    f"{reason} Gave up: an answer that gets lost may be billed.", lost
                ) from None
            wait_s = None
        if attempt == MAX_TRIES:
            raise ServiceUnavailableError(f"{reason} Gave up after {MAX_TRIES} tries.", lost)
        _wait(wait_s, attempt, deadline, reason, lost)
    raise AssertionError("the last try returns or raises")


def _wait(
    asked_s: float | None, attempt: int, deadline: Deadline, reason: str, lost_count: int
) -> None:
    wait_s = asked_s
    if wait_s is None:
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
        wait_s *= random.uniform(0.75, 1)  # noqa: S311 (spreads tries, hides nothing)
    if wait_s > min(RETRY_AFTER_CAP_S, deadline.remaining_s):
        raise ServiceUnavailableError(
            f"{reason} The next try would be in {wait_s:.0f} s, which is too late.", lost_count
        )
    time.sleep(wait_s)


def _send(settings: Settings, call: Call, deadline: Deadline, lost_count: int) -> object:
    """One try, ended by the deadline even when the service sends a byte now and then.

    Raises:
        ServiceUnavailableError: The deadline has passed, or what came is no JSON.
        anthropic.APIError: As the SDK has it.
    """
    import anthropic

    result: list[object] = []
    failure: list[Exception] = []
    assert settings.anthropic_api_key is not None
    client = anthropic.Anthropic(
        api_key=settings.anthropic_api_key.get_secret_value(),
        base_url=settings.anthropic_base_url,
        max_retries=0,
        timeout=max(0.001, deadline.remaining_s),
    )

    def run() -> None:
        try:
            result.append(call(client))
        except Exception as error:  # raised again by the thread that asked
            failure.append(error)

    # The SDK's time limit counts per read, so a slow drip would never reach it.
    thread = threading.Thread(target=run, name="claude", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline.remaining_s))
    late = thread.is_alive()
    client.close()
    if late or (failure and isinstance(failure[0], anthropic.APITimeoutError)):
        raise ServiceUnavailableError(
            f"{settings.anthropic_base_url} gave no answer within "
            f"{deadline.seconds:g} s (AFTERPOST_ANTHROPIC_DEADLINE_S).",
            lost_count + 1,
        )
    if not failure:
        return result[0]
    error = failure[0]
    if isinstance(error, anthropic.APIStatusError | anthropic.APIConnectionError):
        raise error
    # The SDK lets JSON errors, validation errors and errors of its HTTP library through.
    raise ServiceUnavailableError(
        f"{settings.anthropic_base_url} did not answer as the Messages API does "
        f"({type(error).__name__}).",
        lost_count + 1,
    ) from None


def status_reason(settings: Settings, error: "anthropic.APIStatusError") -> str:
    """What the service said when it refused, without the key."""
    kind = getattr(error, "type", None) or "error"
    details = ""
    if isinstance(error.body, dict):
        inner = error.body.get("error")
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            details = f": {inner['message'][:200]}"
    assert settings.anthropic_api_key is not None
    details = details.replace(settings.anthropic_api_key.get_secret_value(), "***")
    hint = ""
    if error.status_code in (401, 403):
        hint = " Check ANTHROPIC_API_KEY."
    elif error.status_code in (400, 404):
        hint = f" Check AFTERPOST_MODEL ({settings.model})."
    return f"Claude answered {error.status_code} {kind}{details}.{hint}"


def _asked_wait_s(error: "anthropic.APIStatusError") -> float | None:
    """The wait that the service asks for, or None; it also comes as a date, which is ignored."""
    headers = error.response.headers
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(header, "")) * unit_s
        except ValueError:
            continue
        if wait_s >= 0:
            return wait_s
    return None
