"""Claude: one question, one checked answer, by a deadline.

What comes back counts only when the model says that it ended by itself and the text validates;
everything else is a `ModelUnavailableError` that says what happened and carries what it cost. No
message of ours holds the key.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from pipeline.atomic_files import write_atomically
from pipeline.clients.claude_requests import Deadline, ServiceUnavailableError, send
from pipeline.errors import ConfigurationError, ModelUnavailableError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from anthropic.types import Message
    from anthropic.types import Usage as AnthropicUsage

MAX_OUTPUT_TOKENS = 16_000
"""Room for the model's own thinking and five recommendations."""

LEAST_OUTPUT_TOKENS = 1_000
"""With less room than this an answer would be cut off, and paid for."""

BATCH_PRICE = Decimal("0.5")
"""What a question of a batch costs, as a fraction of a single one's price."""

_BYTES_PER_TOKEN = 2
"""Fewer than any text has; so no request has more tokens than its bytes divided by this."""

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

    def __init__(self, message: str, usage: Usage, lost_count: int = 0) -> None:
        super().__init__(message)
        self.usage = usage
        self.lost_count = lost_count


@dataclass(frozen=True)
class Answer(Generic[ModelT]):
    """A validated answer."""

    value: ModelT
    text: str
    """The answer's JSON as it came, to be quoted when asking again."""
    usage: Usage
    lost_count: int = 0
    """Earlier answers that got lost on the way and may have been billed on top."""


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
    require_key(settings)
    request = request_body(
        settings, system=system, messages=messages, answer_type=answer_type, max_tokens=max_tokens
    )
    sent = send(
        settings,
        lambda client: client.messages.create(**request),
        Deadline(settings.anthropic_deadline_s),
    )
    if settings.anthropic_record_dir is not None:
        _record(settings.anthropic_record_dir, request, sent.value)
    return checked_answer(settings, sent.value, answer_type, lost_count=sent.lost_count)


def require_key(settings: Settings) -> None:
    """Refuse to go on without a key.

    Raises:
        ConfigurationError: No key is set.
    """
    if settings.anthropic_api_key is None:
        raise ConfigurationError("ANTHROPIC_API_KEY is not set: set it to ask the model.")


def request_body(
    settings: Settings,
    *,
    system: str,
    messages: list[dict[str, Any]],
    answer_type: type[BaseModel],
    max_tokens: int = MAX_OUTPUT_TOKENS,
) -> dict[str, Any]:
    """What is sent for one question, alone or in a batch; arguments as for `ask`."""
    import anthropic  # 2.5 s of CPU, so only when it is used

    return {
        "model": settings.model,
        "max_tokens": max_tokens,
        "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
        "messages": messages,
        "output_config": {
            "format": {"type": "json_schema", "schema": anthropic.transform_schema(answer_type)}
        },
    }


def most_it_costs_usd(
    model: str, *, prompt_bytes: int, max_tokens: int, share: Decimal = Decimal(1)
) -> Decimal | None:
    """Upper bound of what a question costs, or None when the model's price is not known.

    Args:
        model: The model's id.
        prompt_bytes: Everything that is sent: instructions, schema and messages.
        max_tokens: Longest answer.
        share: Of the list price; `BATCH_PRICE` in a batch.
    """
    price = PRICES.get(model)
    if price is None:
        return None
    tokens = -(-prompt_bytes // _BYTES_PER_TOKEN)
    dearest = max(price.input_usd, price.cache_write_usd)
    return share * (tokens * dearest + max_tokens * price.output_usd) / _MILLION


def affordable_output_tokens(
    model: str, *, prompt_bytes: int, left_usd: Decimal, share: Decimal = Decimal(1)
) -> int | None:
    """Longest answer that a remaining budget pays for, up to `MAX_OUTPUT_TOKENS`.

    None when that is too short for an answer, or when the model's price is not known.
    """
    price = PRICES.get(model)
    prompt_usd = most_it_costs_usd(model, prompt_bytes=prompt_bytes, max_tokens=0, share=share)
    if price is None or prompt_usd is None:
        return None
    tokens = int((left_usd - prompt_usd) * _MILLION / (price.output_usd * share))
    return min(tokens, MAX_OUTPUT_TOKENS) if tokens >= LEAST_OUTPUT_TOKENS else None


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


def checked_answer(
    settings: Settings,
    message: object,
    answer_type: type[ModelT],
    *,
    share: Decimal = Decimal(1),
    lost_count: int = 0,
) -> Answer[ModelT]:
    """The validated answer in a message of the service.

    Args:
        settings: For the message's wording.
        message: What the SDK made of the body.
        answer_type: What the text has to be.
        share: Of the list price that it cost.
        lost_count: Answers that got lost before it.

    Raises:
        ServiceUnavailableError: This is no message.
        UnusableAnswerError: A refusal, a cut-off, or text that is not of the type.
    """
    from anthropic.types import Message, TextBlock

    if not isinstance(message, Message) or not isinstance(message.content, list):
        raise ServiceUnavailableError(
            f"{settings.anthropic_base_url} did not answer as the Messages API does "
            "(no message in the body).",
            lost_count + 1,
        )
    usage = usage_of(settings, message, share)
    if message.stop_reason != "end_turn":
        raise UnusableAnswerError(_stop_reason_words(message.stop_reason), usage, lost_count)
    text = "".join(block.text for block in message.content if isinstance(block, TextBlock))
    try:
        value = answer_type.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise UnusableAnswerError(
            f"The model's answer is not of the agreed form ({where}: {first['msg']}).",
            usage,
            lost_count,
        ) from None
    return Answer(value, text, usage, lost_count)


def usage_of(settings: Settings, message: "Message", share: Decimal = Decimal(1)) -> Usage:
    """What an answer used, at a share of the list price."""
    # A body of another form still becomes a message, one that is full of None.
    usage: AnthropicUsage | None = getattr(message, "usage", None)
    model = message.model or settings.model
    if usage is None:
        return Usage(model, cost_usd=None)
    fresh = usage.input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    read = usage.cache_read_input_tokens or 0
    output = usage.output_tokens or 0
    cost = cost_usd(
        model, input_tokens=fresh, output_tokens=output, cache_write=written, cache_read=read
    )
    return Usage(model, fresh + written + read, output, None if cost is None else cost * share)


def _stop_reason_words(stop_reason: str | None) -> str:
    match stop_reason:
        case "refusal":
            return "The model refused to answer (stop reason refusal)."
        case "max_tokens" | "model_context_window_exceeded":
            return f"The model's answer was cut off (stop reason {stop_reason})."
        case _:
            return f"The model's answer did not end properly (stop reason {stop_reason})."


def _record(folder: Path, request: Mapping[str, Any], message: object) -> None:
    """Keep a question with its answer, to be replayed without a key."""
    from anthropic.types import Message

    if not isinstance(message, Message):
        return
    content = {"request": request, "response": message.model_dump(mode="json")}
    name = hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    try:
        write_atomically(folder / f"{name}.json", orjson.dumps(content, option=options))
    except OSError as error:
        raise ConfigurationError(
            f"AFTERPOST_RECORD_ANSWERS_DIR: {folder} cannot be written ({error.strerror})."
        ) from None
