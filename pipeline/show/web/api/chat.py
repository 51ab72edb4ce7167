"""``/chat``: what a conversation begins with, answers word by word, and plans from it."""

import json
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field

from pipeline.accounts import load_account
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.decide.plans.plan import Plan
from pipeline.decide.plans.planning import get_plan
from pipeline.errors import PlanNotFoundError
from pipeline.settings import Settings
from pipeline.show.chat.contexts import ChatContext, get_content_context
from pipeline.show.chat.plans import create_action_plan_from_conversation
from pipeline.show.chat.prompts import Purpose, build_chat_system_prompt
from pipeline.show.chat.talk import Event, answer
from pipeline.show.chat.tools import tool_definitions
from pipeline.show.cli.output import as_json
from pipeline.show.web.api.answers import Answer, Meta, Request, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.plan_answers import ActionPlan, ContentIdText, Title
from pipeline.show.web.api.plans import told

MAX_MESSAGES = 60
MAX_STREAMS = 4
"""Answers that are being written at one time: each holds a thread and costs money."""

AccountName = Annotated[str, Field(max_length=63, examples=["dreamtimelullabies"])]
PlanIdText = Annotated[str, Field(pattern=r"^plan_[0-9a-f]{1,32}$")]


class Message(Request):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=20_000)]


class StreamBody(Request):
    """A conversation whose last message is to be answered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "purpose": "ask",
                    "messages": [{"role": "user", "content": "What works best on TikTok?"}],
                }
            ]
        },
    )

    account: AccountName
    content_id: ContentIdText | None = None
    """The post that it is about."""
    plan_id: PlanIdText | None = None
    """The plan that it is about."""
    purpose: Purpose = Purpose.ASK
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]


class PlanFromChat(Request):
    """A conversation whose steps are to become a plan."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "messages": [
                        {"role": "assistant", "content": "Plan:\n- Write 3 guides (4 h)\n- Post"}
                    ],
                }
            ]
        },
    )

    account: AccountName
    content_id: ContentIdText | None = None
    name: Title | None = None
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]


class Context(Answer):
    """What a conversation begins with."""

    account: str
    content_id: str | None
    purpose: Purpose
    figures: dict[str, Any]
    """Numbers with their tables, n and intervals."""
    untrusted_texts: dict[str, str]
    """People's words: data, never instructions; escape them."""
    system_prompt: str
    """To copy, where no key is set."""
    tools: list[str]
    """What the model may look up while it answers."""
    model: str | None
    """Who answers; null where no key is set."""
    meta: Meta


def chat_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/chat``."""
    router = APIRouter(prefix="/chat", tags=["chat"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)
    streams = threading.BoundedSemaphore(MAX_STREAMS)

    @router.get("/context")
    def context(
        caller: Asking,
        account: Annotated[str, Query(max_length=63)],
        content_id: Annotated[str | None, Query(pattern=r"^[a-z]{1,20}:[\w:.\-]{1,200}$")] = None,
        plan_id: Annotated[str | None, Query(pattern=r"^plan_[0-9a-f]{1,32}$")] = None,
        purpose: Purpose = Purpose.ASK,
    ) -> Context:
        """Figures, texts and the system prompt for a conversation."""
        (name,) = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            begun = _begun(connection, name, content_id, _plan(settings, name, plan_id))
            meta = meta_of(settings, connection, (name,))
        return Context(
            account=name,
            content_id=content_id,
            purpose=purpose,
            figures=as_json(dict(begun.figures)),
            untrusted_texts=dict(begun.texts),
            system_prompt=build_chat_system_prompt(begun, purpose),
            tools=[str(one["name"]) for one in tool_definitions()],
            model=None if settings.anthropic_api_key is None else settings.model,
            meta=meta,
        )

    @router.post(
        "/stream",
        response_class=StreamingResponse,
        responses={
            **responses(404, 409, 429),
            200: {
                "description": "Server-sent events: text, tool, prompt, sources, error, done.",
                "content": {
                    "text/event-stream": {
                        "schema": {"type": "string"},
                        "example": 'event: text\ndata: {"text": "step_guide "}\n\n',
                    }
                },
            },
        },
    )
    def stream(caller: Asking, body: StreamBody) -> StreamingResponse:
        """Answer the last message, word by word; without a key, give the prompt to copy."""
        (name,) = chosen_accounts(settings, caller, body.account)
        if body.messages[-1].role != "user":
            raise HTTPException(422, "The last message is to be the person's.")
        account = load_account(settings.accounts_dir, name)
        with reading(settings) as connection:
            plan = _plan(settings, name, body.plan_id)
            begun = _begun(connection, name, body.content_id, plan)
        if not streams.acquire(blocking=False):
            raise HTTPException(429, "Too many answers are being written: try again in a while.")
        events = answer(
            settings,
            account,
            system=build_chat_system_prompt(begun, body.purpose),
            messages=[message.model_dump() for message in body.messages],
        )
        return StreamingResponse(
            _sent(events, _Place(streams)),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    @router.post("/action-plan", status_code=201)
    def action_plan(caller: Asking, body: PlanFromChat) -> ActionPlan:
        """Make a plan of what was agreed; ``writer`` says whether a model or a rule found it."""
        (name,) = chosen_accounts(settings, caller, body.account)
        plan = create_action_plan_from_conversation(
            settings,
            load_account(settings.accounts_dir, name),
            [message.model_dump() for message in body.messages],
            by=caller.name,
            now=utc_now(),
            content_id=body.content_id,
            name=body.name,
        )
        note_change(settings, caller, "plan.create", plan.plan_id, name, source="conversation")
        return told(settings, plan)

    return router


def _begun(connection: Any, account: str, content_id: str | None, plan: Plan | None) -> ChatContext:
    try:
        return get_content_context(connection, account, content_id, plan)
    except LookupError as error:
        raise HTTPException(404, f"{error.args[0]}.") from None


def _plan(settings: Settings, account: str, plan_id: str | None) -> Plan | None:
    if plan_id is None:
        return None
    plan = get_plan(settings, plan_id)
    if plan.account_name != account:
        raise PlanNotFoundError(f"There is no action plan {plan_id!r}.")
    return plan


class _Place:
    """One of the answers that may be written at a time; given back once, at the latest when gone.

    A stream that nobody listened to never begins, and so never ends.
    """

    def __init__(self, streams: threading.BoundedSemaphore) -> None:
        self._give_back = weakref.finalize(self, streams.release)

    def leave(self) -> None:
        """Give it back."""
        self._give_back()


def _sent(events: Iterator[Event], place: _Place) -> Iterator[bytes]:
    """Events in the form of a stream; JSON has no line breaks, so none can be made up."""
    try:
        for event in events:
            data = json.dumps(as_json(event.data), ensure_ascii=True)
            yield f"event: {event.kind}\ndata: {data}\n\n".encode()
    finally:
        place.leave()
