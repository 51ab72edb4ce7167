"""``/chat``: talk about an account, a post or a plan with the numbers at hand."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Form, Query, Request, Response

from pipeline.accounts import load_account
from pipeline.settings import Settings
from pipeline.show.chat.prompts import Purpose
from pipeline.show.chat.talk import Event, answer
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.chat import Context, PlanFromChat, StreamBody
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.plan_answers import ActionPlan
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.rendering import Renderer

PURPOSES = {
    Purpose.ASK: "Ask",
    Purpose.MAKE_MORE: "Make more like this",
    Purpose.DIAGNOSE: "Diagnose",
    Purpose.PLAN: "Make a plan",
}
FIRST_WORDS = {
    Purpose.ASK: "What works best, and how sure is that?",
    Purpose.MAKE_MORE: "Help me to make more posts like this one.",
    Purpose.DIAGNOSE: "Why did this post not do better?",
    Purpose.PLAN: "Let us plan the next steps for this account.",
}

Choice = Annotated[str, Query(max_length=230)]
Words = Annotated[str, Form(max_length=20_000)]


def chat_pages(
    settings: Settings, renderer: Renderer, caller_of: Callable[..., Any], api: Api
) -> APIRouter:
    """The pages under ``/chat``."""
    router = PagesRouter()
    chat = api["/chat"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    def shown(
        request: Request,
        caller: Caller,
        asked: dict[str, str],
        purpose: Purpose,
        said: dict[str, Any] | None = None,
    ) -> Response:
        accounts = chosen_accounts(settings, caller, None)
        name = asked["account"] or (accounts[0] if accounts else "")
        context = None
        if name:
            context = chat.ask(
                Context, "context", caller, account=name, purpose=purpose,
                content_id=asked["content_id"] or None, plan_id=asked["plan_id"] or None,
            )  # fmt: skip
        return renderer.page(
            request,
            "chat.html",
            context=context,
            meta=None if context is None else context.meta,
            accounts=accounts,
            purposes=PURPOSES,
            first_words=FIRST_WORDS[purpose],
            chosen={**asked, "account": name, "purpose": purpose.value},
            said=said,
        )

    @router.get("/chat")
    def begun(
        request: Request,
        caller: Asking,
        account: Choice = "",
        content_id: Choice = "",
        plan_id: Choice = "",
        purpose: Purpose = Purpose.ASK,
    ) -> Response:
        asked = {"account": account, "content_id": content_id, "plan_id": plan_id}
        return shown(request, caller, asked, purpose)

    @router.post("/chat")
    def whole_answer(
        request: Request,
        caller: Asking,
        account: Words,
        message: Words,
        content_id: Words = "",
        plan_id: Words = "",
        purpose: Annotated[Purpose, Form()] = Purpose.ASK,
    ) -> Response:
        """One question and its whole answer, for browsers without JavaScript."""
        asked = {"account": account, "content_id": content_id, "plan_id": plan_id}
        context = chat.ask(
            Context, "context", caller, account=account, purpose=purpose,
            content_id=content_id or None, plan_id=plan_id or None,
        )  # fmt: skip
        events = answer(
            settings,
            load_account(settings.accounts_dir, context.account),
            system=context.system_prompt,
            messages=[{"role": "user", "content": message}],
        )
        return shown(request, caller, asked, purpose, _gathered(message, list(events)))

    @router.post("/chat/stream")
    def stream(caller: Asking, body: Annotated[StreamBody, Body()]) -> Response:
        """The API's stream, for the pages' own script."""
        return chat.ask_raw("stream", caller, body=body)

    @router.post("/chat/plan")
    def plan(
        caller: Asking, account: Words, conversation: Words, content_id: Words = ""
    ) -> Response:
        fields = {
            "account": account,
            "content_id": content_id or None,
            "messages": [{"role": "assistant", "content": conversation}],
        }
        body = PlanFromChat.model_validate(fields)
        made = chat.ask(ActionPlan, "action_plan", caller, body=body)
        return back_to(f"/action-plans/{made.id}")

    return router


def _gathered(message: str, events: list[Event]) -> dict[str, Any]:
    """An answer's events, sorted for a page that is written at once."""
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        of_kind.setdefault(event.kind, []).append(event.data)
    sources = (of_kind.get("sources") or [{}])[0]
    return {
        "message": message,
        "text": "".join(one["text"] for one in of_kind.get("text", [])),
        "looked_up": of_kind.get("tool", []),
        "errors": [one["message"] for one in of_kind.get("error", [])],
        "prompt": next((one["prompt"] for one in of_kind.get("prompt", [])), None),
        "unsourced": sources.get("unsourced_figures", []),
        "done": (of_kind.get("done") or [{}])[0],
    }
