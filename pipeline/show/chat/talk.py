"""One answer in a conversation: word by word, with what was looked up and what it rests on."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.accounts import AccountConfig
from pipeline.clients.claude import Usage
from pipeline.clients.claude_requests import ServiceUnavailableError
from pipeline.clients.claude_stream import ToolCall, Turn, stream_turn, turn_request
from pipeline.clients.state_model_calls import CallOutcome
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.errors import AfterpostError, ModelUnavailableError
from pipeline.settings import Settings
from pipeline.show.chat.figures import unsourced_figures
from pipeline.show.chat.ledger import admit, settle
from pipeline.show.chat.tools import ToolResult, run_tool, tool_definitions

MAX_TURNS = 6
"""Turns of one answer; in the last one there is nothing left to look up with."""


@dataclass(frozen=True)
class Event:
    """Something to show: ``text``, ``tool``, ``prompt``, ``sources``, ``error`` or ``done``."""

    kind: str
    data: dict[str, Any]


@dataclass
class _Answer:
    messages: list[dict[str, Any]]
    said: list[str] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str | None = "0"


def answer(
    settings: Settings,
    account: AccountConfig,
    *,
    system: str,
    messages: Sequence[dict[str, Any]],
) -> Iterator[Event]:
    """Answer the last message of a conversation.

    Without a key the prompt is given, to be copied into whatever the person talks to. What fails
    is an event and not an exception, because the answer has begun by then.

    Args:
        settings: Key, model and where the copy is.
        account: Whose conversation; nothing of another account is looked up.
        system: As `build_chat_system_prompt` makes it.
        messages: ``role`` and ``content``, oldest first; the last one is the person's.
    """
    if settings.anthropic_api_key is None:
        reason = "ANTHROPIC_API_KEY is not set."
        yield Event("prompt", {"reason": reason, "prompt": to_copy(system, messages)})
        yield Event("done", {"writer": "none"})
        return
    made = _Answer([dict(message) for message in messages])
    try:
        yield from _turns(settings, account, system, made)
    except ModelUnavailableError as error:
        yield Event("error", {"message": str(error)})
        if not made.said:
            yield Event("prompt", {"reason": str(error), "prompt": to_copy(system, messages)})
    except AfterpostError as error:
        yield Event("error", {"message": str(error)})
    yield Event("sources", _sources(system, messages, made))
    yield Event(
        "done",
        {
            "writer": settings.model,
            "input_tokens": made.input_tokens,
            "output_tokens": made.output_tokens,
            "cost_usd": made.cost_usd,
        },
    )


def to_copy(system: str, messages: Sequence[dict[str, Any]]) -> str:
    """The whole conversation as one text, for another chat program."""
    turns = "\n\n".join(f"{one['role']}: {one['content']}" for one in messages)
    return f"{system}\n{turns}\n"


def _turns(
    settings: Settings, account: AccountConfig, system: str, made: _Answer
) -> Iterator[Event]:
    for number in range(MAX_TURNS):
        tools = tool_definitions() if number < MAX_TURNS - 1 else []
        request = turn_request(settings, system=system, messages=made.messages, tools=tools)
        turn = yield from _turn(settings, account, request)
        made.input_tokens += turn.usage.input_tokens
        made.output_tokens += turn.usage.output_tokens
        if made.cost_usd is not None and turn.usage.cost_usd is not None:
            made.cost_usd = f"{float(made.cost_usd) + float(turn.usage.cost_usd):.8f}"
        else:
            made.cost_usd = None
        made.said.append(turn.text)
        if turn.stop_reason == "refusal":
            raise ModelUnavailableError("The model refused to answer (stop reason refusal).")
        if turn.stop_reason == "max_tokens":
            raise ModelUnavailableError("The model's answer was cut off (stop reason max_tokens).")
        if turn.stop_reason != "tool_use" or not turn.tool_calls:
            return
        made.messages.append({"role": "assistant", "content": turn.content})
        blocks = []
        for call in turn.tool_calls:
            result = _look_up(settings, account.name, call)
            made.results.append(result)
            yield Event(
                "tool",
                {
                    "name": result.name,
                    "arguments": dict(result.arguments),
                    "source": result.source,
                    "n": result.n,
                    "error": result.content if result.is_error else None,
                },
            )
            blocks.append(
                {
                    "type": "tool_result",
                    "tool_use_id": call.call_id,
                    "content": result.content,
                    "is_error": result.is_error,
                }
            )
        made.messages.append({"role": "user", "content": blocks})


def _turn(
    settings: Settings, account: AccountConfig, request: dict[str, Any]
) -> Generator[Event, None, Turn]:
    """One turn in the ledger before and after; its words as events."""
    call_id = admit(settings, account, request, utc_now())
    # Until we know better: somebody who hangs up has perhaps been billed.
    outcome, lost = CallOutcome.LOST, 1
    usage: Usage | None = None
    reason: str | None = "nobody listened any more"
    try:
        turn: Turn
        words = stream_turn(settings, request, settings.anthropic_deadline_s)
        while True:
            try:
                text = next(words)
            except StopIteration as stop:
                turn = stop.value
                break
            yield Event("text", {"text": text})
        outcome, usage, reason, lost = CallOutcome.ANSWERED, turn.usage, None, 0
    except ServiceUnavailableError as error:
        lost = error.lost_count
        outcome, reason = (CallOutcome.LOST if lost else CallOutcome.REFUSED), str(error)
        raise
    finally:
        settle(settings, call_id, outcome, usage, reason, lost)
    return turn


def _look_up(settings: Settings, account_name: str, call: ToolCall) -> ToolResult:
    with reading(settings) as connection:
        return run_tool(connection, account_name, call.name, call.arguments)


def _sources(system: str, messages: Sequence[dict[str, Any]], made: _Answer) -> dict[str, Any]:
    """What the answer rests on, and its figures that stand nowhere."""
    told = [system, *(result.content for result in made.results)]
    told += [str(message["content"]) for message in messages]
    return {
        "sources": [
            {"tool": one.name, "source": one.source, "n": one.n}
            for one in made.results
            if not one.is_error
        ],
        "unsourced_figures": unsourced_figures("\n".join(made.said), told),
    }
