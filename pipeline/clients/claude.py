"""Claude: one question, one checked answer, by a deadline.

The SDK's own retries are off: it would obey a ``retry-after`` of a day, and its time limit counts
per try. What comes back counts only when the model says that it ended by itself and the text
validates; everything else is a `ModelUnavailableError` that says what happened and carries what it
cost. No message of ours holds the key.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import ConfigurationError, ModelUnavailableError
from pipeline.settings import Settings

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message
    from anthropic.types import Usage as AnthropicUsage

MAX_TRIES = 5
"""Requests for one answer; those that the service refuses or drops are not billed."""

RETRY_AFTER_CAP_S = 30.0
"""A longer wait than this is no wait but a refusal for now."""

MAX_OUTPUT_TOKENS = 16_000
"""Room for the model's own thinking and five recommendations."""

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_RETRIED_STATUSES = frozenset({408, 409, 429, *range(500, 600)})
_MILLION = Decimal(1_000_000)

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    input_usd: Decimal
    output_usd: Decimal
    cache_write_usd: Decimal
    cache_read_usd: Decimal


PRICES: dict[str, Price] = {
    "claude-sonnet-5-5": Price(Decimal(2), Decimal(10), Decimal("2.50"), Decimal("0.20")),
    "claude-sonnet-5": Price(Decimal(2), Decimal(10), Decimal("2.50"), Decimal("0.20")),
}
"""List prices as of 2026-11. A model that is not listed has no cost here (None), never a guess;
add it with the figures of the provider's price list. Cache writes are those kept for 5 minutes."""


@dataclass(frozen=True)
class Usage:
    """What one or more answers used."""

    model: str
    input_tokens: int = 0
    """All tokens read, those from and into the cache included."""
    output_tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)
    """None when a price is not known."""

    def __add__(self, other: "Usage") -> "Usage":
        """Both together; an unknown cost makes the sum unknown."""
        unknown = self.cost_usd is None or other.cost_usd is None
        return Usage(
            self.model,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            None if unknown else (self.cost_usd or Decimal(0)) + (other.cost_usd or Decimal(0)),
        )


class UnusableAnswerError(ModelUnavailableError):
    """The model answered, and the answer was billed, but it cannot be used."""

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True)
class Answer(Generic[ModelT]):
    """A validated answer."""

    value: ModelT
    text: str
    """The answer's JSON as it came, to be quoted when asking again."""
    usage: Usage


@dataclass
class _Deadline:
    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def remaining_s(self) -> float:
        return self.seconds - (time.monotonic() - self.started)


def ask(
    settings: Settings,
    *,
    system: str,
    messages: list[dict[str, Any]],
    answer_type: type[ModelT],
    max_tokens: int = MAX_OUTPUT_TOKENS,
) -> Answer[ModelT]:
    """Ask for an answer of a given type.

    Args:
        settings: Key, base URL, model and deadline.
        system: Instructions that stay the same between calls; they are cached by the service.
        messages: The conversation, as the Messages API takes it.
        answer_type: The answer's model. Its bounds are not enforced by the service, so they are
            checked here.
        max_tokens: Longest answer.

    Raises:
        ConfigurationError: No key is set.
        UnusableAnswerError: A refusal, a cut-off, or text that is not of the type.
        ModelUnavailableError: No answer by ``anthropic_deadline_s``, or the service refused.
    """
    if settings.anthropic_api_key is None:
        raise ConfigurationError("ANTHROPIC_API_KEY is not set: set it to ask the model.")
    import anthropic  # 2.5 s of CPU, so only when it is used

    deadline = _Deadline(settings.anthropic_deadline_s)
    request = {
        "model": settings.model,
        "max_tokens": max_tokens,
        "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
        "messages": messages,
        "output_config": {
            "format": {"type": "json_schema", "schema": anthropic.transform_schema(answer_type)}
        },
    }
    message = _send_with_retries(settings, request, deadline)
    return _checked(settings, message, answer_type)


def cost_usd(
    model: str, *, input_tokens: int, output_tokens: int, cache_write: int, cache_read: int
) -> Decimal | None:
    """List price of one answer, or None when the model's price is not known.

    Args:
        model: The model's id.
        input_tokens: Tokens read that did not touch the cache.
        output_tokens: Tokens written.
        cache_write: Tokens read and put into the cache.
        cache_read: Tokens read from the cache.
    """
    price = PRICES.get(model)
    if price is None:
        return None
    total = (
        input_tokens * price.input_usd
        + output_tokens * price.output_usd
        + cache_write * price.cache_write_usd
        + cache_read * price.cache_read_usd
    )
    return total / _MILLION


def _send_with_retries(settings: Settings, request: dict[str, Any], deadline: _Deadline) -> object:
    import anthropic

    for attempt in range(1, MAX_TRIES + 1):
        try:
            return _send(settings, request, deadline)
        except anthropic.APIStatusError as error:
            reason = _status_reason(settings, error)
            if error.status_code not in _RETRIED_STATUSES:
                raise ModelUnavailableError(reason) from None
            wait_s = _asked_wait_s(error)
        except anthropic.APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            reason = f"{settings.anthropic_base_url} could not be reached ({cause})."
            wait_s = None
        if attempt == MAX_TRIES:
            raise ModelUnavailableError(f"{reason} Gave up after {MAX_TRIES} tries.")
        if wait_s is None:
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
            wait_s *= random.uniform(0.75, 1)  # noqa: S311 (spreads tries, hides nothing)
        if wait_s > min(RETRY_AFTER_CAP_S, deadline.remaining_s):
            raise ModelUnavailableError(
                f"{reason} The next try would be in {wait_s:.0f} s, which is too late."
            )
        time.sleep(wait_s)
    raise AssertionError("the last try returns or raises")


def _send(settings: Settings, request: dict[str, Any], deadline: _Deadline) -> object:
    """One request, ended by the deadline even when the service sends a byte now and then.

    Raises:
        ModelUnavailableError: The deadline has passed, or what came is no JSON.
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

    def send() -> None:
        try:
            result.append(client.messages.create(**request))
        except Exception as error:  # raised again by the thread that asked
            failure.append(error)

    # The SDK's time limit counts per read, so a slow drip would never reach it.
    thread = threading.Thread(target=send, name="claude", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline.remaining_s))
    late = thread.is_alive()
    client.close()
    if late or (failure and isinstance(failure[0], anthropic.APITimeoutError)):
        raise ModelUnavailableError(
            f"{settings.anthropic_base_url} gave no answer within "
            f"{deadline.seconds:g} s (AFTERPOST_ANTHROPIC_DEADLINE_S)."
        )
    if not failure:
        return result[0]
    error = failure[0]
    if isinstance(error, anthropic.APIStatusError | anthropic.APIConnectionError):
        raise error
    # The SDK lets JSON errors, validation errors and errors of its HTTP library through.
    raise ModelUnavailableError(
        f"{settings.anthropic_base_url} did not answer as the Messages API does "
        f"({type(error).__name__})."
    ) from None


def _checked(settings: Settings, message: object, answer_type: type[ModelT]) -> Answer[ModelT]:
    from anthropic.types import Message, TextBlock

    if not isinstance(message, Message) or not isinstance(message.content, list):
        raise ModelUnavailableError(
            f"{settings.anthropic_base_url} did not answer as the Messages API does "
            "(no message in the body)."
        )
    usage = _usage(settings, message)
    if message.stop_reason != "end_turn":
        raise UnusableAnswerError(_stop_reason_words(message.stop_reason), usage)
    text = "".join(block.text for block in message.content if isinstance(block, TextBlock))
    try:
        value = answer_type.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise UnusableAnswerError(
            f"The model's answer is not of the agreed form ({where}: {first['msg']}).", usage
        ) from None
    return Answer(value, text, usage)


def _usage(settings: Settings, message: "Message") -> Usage:
    # A body of another form still becomes a message, one that is full of None.
    usage: AnthropicUsage | None = getattr(message, "usage", None)
    model = message.model or settings.model
    if usage is None:
        return Usage(model, cost_usd=None)
    fresh = usage.input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    read = usage.cache_read_input_tokens or 0
    output = usage.output_tokens or 0
    return Usage(
        model,
        fresh + written + read,
        output,
        cost_usd(
            model,
            input_tokens=fresh,
            output_tokens=output,
            cache_write=written,
            cache_read=read,
        ),
    )


def _stop_reason_words(stop_reason: str | None) -> str:
    match stop_reason:
        case "refusal":
            return "The model refused to answer (stop reason refusal)."
        case "max_tokens" | "model_context_window_exceeded":
            return f"The model's answer was cut off (stop reason {stop_reason})."
        case _:
            return f"The model's answer did not end properly (stop reason {stop_reason})."


def _status_reason(settings: Settings, error: "anthropic.APIStatusError") -> str:
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
