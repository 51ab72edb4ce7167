"""Claude, word by word: one turn of a conversation, in which the model may ask for tools."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.clients.claude import Usage, require_key, usage_of
from pipeline.clients.claude_requests import ServiceUnavailableError, status_reason
from pipeline.settings import Settings

if TYPE_CHECKING:
    import anthropic

MAX_TURN_TOKENS = 4_000
"""Longest answer of one turn."""


@dataclass(frozen=True)
class ToolCall:
    """What the model wants to look up."""

    call_id: str
    name: str
    arguments: Any


@dataclass(frozen=True)
class Turn:
    """One finished turn."""

    content: list[dict[str, Any]]
    """Its blocks, to be sent back with the next turn."""
    text: str
    tool_calls: list[ToolCall]
    stop_reason: str | None
    usage: Usage


def turn_request(
    settings: Settings,
    *,
    system: str,
    messages: Sequence[dict[str, Any]],
    tools: Sequence[dict[str, Any]],
    max_tokens: int = MAX_TURN_TOKENS,
) -> dict[str, Any]:
    """What is sent for one turn."""
    request = {
        "model": settings.model,
        "max_tokens": max_tokens,
        "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
        "messages": list(messages),
    }
    return {**request, "tools": list(tools)} if tools else request


def stream_turn(
    settings: Settings, request: dict[str, Any], deadline_s: float
) -> Generator[str, None, Turn]:
    """Ask for one turn, give its words as they come, and return the whole.

    It is not asked again when it fails: what was said already cannot be taken back.

    Args:
        settings: Key and base URL.
        request: As `turn_request` makes it.
        deadline_s: Longest wait for the whole turn.

    Raises:
        ConfigurationError: No key is set.
        ServiceUnavailableError: The service refused, or what came is no answer.
    """
    require_key(settings)
    started = time.monotonic()
    with _open_stream(settings, request, deadline_s) as stream:
        for event in stream:
            if time.monotonic() - started > deadline_s:
                raise ServiceUnavailableError(
                    f"{settings.anthropic_base_url} did not finish within {deadline_s:g} s "
                    "(AFTERPOST_ANTHROPIC_DEADLINE_S).",
                    1,
                )
            if event.type == "text":
                yield event.text
        message = stream.get_final_message()
    content: list[dict[str, Any]] = []
    calls = []
    for block in message.content:
        if block.type == "text" and block.text:
            content.append({"type": "text", "text": block.text})
        elif block.type == "tool_use":
            calls.append(ToolCall(block.id, block.name, block.input))
            content.append(
                {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
            )
    return Turn(
        content=content,
        text="".join(one["text"] for one in content if one["type"] == "text"),
        tool_calls=calls,
        stop_reason=message.stop_reason,
        usage=usage_of(settings, message),
    )


@contextmanager
def _open_stream(
    settings: Settings, request: dict[str, Any], deadline_s: float
) -> Iterator["anthropic.MessageStream[Any]"]:
    """The SDK's stream, with its errors as ours."""
    import anthropic  # 2.5 s of CPU, so only when it is used

    assert settings.anthropic_api_key is not None
    client = anthropic.Anthropic(
        api_key=settings.anthropic_api_key.get_secret_value(),
        base_url=settings.anthropic_base_url,
        max_retries=0,
        timeout=deadline_s,
    )
    url = settings.anthropic_base_url
    try:
        with client, client.messages.stream(**request) as stream:
            yield stream
    except anthropic.APIStatusError as error:
        raise ServiceUnavailableError(status_reason(settings, error)) from None
    except anthropic.APIConnectionError as error:
        cause = type(error.__cause__ or error).__name__
        lost = int(cause != "ConnectError")
        raise ServiceUnavailableError(f"{url} could not be reached ({cause}).", lost) from None
    except (ServiceUnavailableError, GeneratorExit):
        raise
    except Exception as error:
        # The SDK lets JSON errors, validation errors and errors of its HTTP library through.
        raise ServiceUnavailableError(
            f"{url} did not answer as the Messages API does ({type(error).__name__}).", 1
        ) from None
