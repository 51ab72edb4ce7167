"""The Claude writer: asks, checks, asks once more with the reasons, and gives up in words.

Every question is written down before it is sent, with the most that it may cost, and within the
account's budget of the week; what came of it is written down before anything else happens.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.clients.claude import (
    MAX_OUTPUT_TOKENS,
    Answer,
    UnusableAnswerError,
    Usage,
    affordable_output_tokens,
    ask,
    most_it_costs_usd,
    request_body,
)
from pipeline.clients.claude_requests import ServiceUnavailableError
from pipeline.clients.state_model_calls import (
    CallIntent,
    CallOutcome,
    record_call,
    settle_call,
    spent_usd,
)
from pipeline.clock import utc_now
from pipeline.errors import ModelUnavailableError
from pipeline.learn.recommend.checks import RecommendationAnswer, check_answer
from pipeline.learn.recommend.model_question import Question, instructions
from pipeline.learn.recommend.rules import Draft
from pipeline.settings import Settings

PURPOSE = "recommendations"
"""What the ledger calls these questions."""

MAX_REASONS_TOLD = 20
"""Reasons quoted when asking again; an answer with more is hopeless anyway."""


class BudgetReachedError(ModelUnavailableError):
    """The account's budget of the week does not cover another question; none was sent."""


@dataclass(frozen=True)
class Reply:
    """What came of a question that was asked in a batch."""

    call_id: str | None
    """In the ledger; None when it was not sent."""
    prompt_sha256: str
    answer: Answer[RecommendationAnswer] | None = None
    error: ModelUnavailableError | None = None


@dataclass(frozen=True)
class Written:
    """What came of asking the model."""

    drafts: list[Draft] | None
    """None when no answer could be used; the reason says why."""
    reason: str | None
    usage: Usage | None
    """None when nothing was sent."""
    prompt_sha256: str


def write(settings: Settings, question: Question, first: Reply | None = None) -> Written:
    """Let the model choose, order and word candidates.

    Args:
        settings: Key, model and deadline of each question.
        question: What to ask.
        first: What a batch has answered already; the first question is not asked then.
    """
    messages = question.messages
    prompt_sha256 = question.prompt_sha256 if first is None else first.prompt_sha256
    usage: Usage | None = None
    reasons: list[str] = []
    for turn in range(2):
        is_from_batch = turn == 0 and first is not None
        reply = first if is_from_batch else _ask(settings, question, messages)
        assert reply is not None
        answer = reply.answer
        if answer is None:
            assert reply.error is not None
            usage = _sum(usage, _usage_of(settings, reply))
            return Written(None, _why(reasons, str(reply.error)), usage, prompt_sha256)
        usage = _sum(usage, answer.usage)
        drafts, reasons = check_answer(
            answer.value,
            question.candidates,
            question.document,
            limit=question.limit,
            names=question.names,
        )
        if not reasons:
            return Written(drafts, None, usage, prompt_sha256)
        _note_rejection(settings, reply, reasons)
        messages += [
            {"role": "assistant", "content": answer.text},
            {"role": "user", "content": _objections(reasons)},
        ]
    return Written(
        None,
        f"The model's answer was rejected twice: {'; '.join(reasons[:3])}.",
        usage,
        prompt_sha256,
    )


def admit(
    settings: Settings,
    question: Question,
    messages: list[dict[str, Any]],
    share: Decimal = Decimal(1),
) -> tuple[str, int]:
    """Write down a question that is about to be sent.

    Args:
        settings: The model.
        question: Whose; its budget counts.
        messages: The conversation that is sent.
        share: Of the list price.

    Returns:
        Its id in the ledger, and how many tokens the answer may have.

    Raises:
        BudgetReachedError: It is not covered; nothing was written down.
    """
    body = request_body(
        settings, system=instructions(), messages=messages, answer_type=RecommendationAnswer
    )
    size = len(json.dumps(body, ensure_ascii=False).encode("utf-8", errors="replace"))
    max_tokens: int | None = MAX_OUTPUT_TOKENS
    if question.budget is not None:
        since, limit = question.budget.since, question.budget.limit_usd
        spent = spent_usd(settings, question.account_name, PURPOSE, since)
        max_tokens = affordable_output_tokens(
            settings.model, prompt_bytes=size, left_usd=limit - spent, share=share
        )
    if max_tokens is not None:
        intent = CallIntent(
            call_id=f"call_{uuid.uuid4().hex[:16]}",
            account_name=question.account_name,
            purpose=PURPOSE,
            asked_at=question.asked_at,
            model=settings.model,
            prompt_sha256=question.prompt_sha256,
            reserved_usd=most_it_costs_usd(
                settings.model, prompt_bytes=size, max_tokens=max_tokens, share=share
            ),
        )
        if record_call(settings, intent, question.budget):
            return intent.call_id, max_tokens
    raise BudgetReachedError(_budget_sentence(settings, question))


def settle(settings: Settings, reply: Reply) -> Reply:
    """Write down what came of a question, and give it back."""
    assert reply.call_id is not None
    answer, error = reply.answer, reply.error
    if answer is not None:
        outcome, usage, lost = CallOutcome.ANSWERED, answer.usage, answer.lost_count
    elif isinstance(error, UnusableAnswerError):
        outcome, usage, lost = CallOutcome.UNUSABLE, error.usage, error.lost_count
    else:
        usage = None
        lost = error.lost_count if isinstance(error, ServiceUnavailableError) else 0
        outcome = CallOutcome.LOST if lost else CallOutcome.REFUSED
    settle_call(
        settings,
        reply.call_id,
        outcome,
        answered_at=utc_now(),
        usage=usage,
        reason=None if error is None else str(error),
        lost_count=lost,
    )
    return reply


def _ask(settings: Settings, question: Question, messages: list[dict[str, Any]]) -> Reply:
    """One question of its own, in the ledger before and after."""
    sha256 = question.prompt_sha256
    try:
        call_id, max_tokens = admit(settings, question, messages)
    except BudgetReachedError as error:
        return Reply(None, sha256, error=error)
    try:
        answer = ask(
            settings,
            system=instructions(),
            messages=messages,
            answer_type=RecommendationAnswer,
            max_tokens=max_tokens,
        )
    except ModelUnavailableError as error:
        return settle(settings, Reply(call_id, sha256, error=error))
    return settle(settings, Reply(call_id, sha256, answer=answer))


def _note_rejection(settings: Settings, reply: Reply, reasons: Sequence[str]) -> None:
    assert reply.answer is not None
    if reply.call_id is not None:
        settle_call(
            settings,
            reply.call_id,
            CallOutcome.ANSWERED,
            answered_at=utc_now(),
            usage=reply.answer.usage,
            reason=f"rejected: {'; '.join(reasons[:3])}",
            lost_count=reply.answer.lost_count,
        )


def _usage_of(settings: Settings, reply: Reply) -> Usage | None:
    """What a failed question used; a lost answer has an unknown cost, one not sent has none."""
    if isinstance(reply.error, UnusableAnswerError):
        return reply.error.usage
    if reply.call_id is None:
        return None
    lost = reply.error.lost_count if isinstance(reply.error, ServiceUnavailableError) else 0
    return Usage(settings.model, cost_usd=None if lost else Decimal(0))


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    return one + other


def _why(reasons: Sequence[str], error: str) -> str:
    """The error, and why a second question was needed where it was one."""
    if not reasons:
        return error
    return f"The model's answer was rejected: {'; '.join(reasons[:3])}. Asked again: {error}"


def _budget_sentence(settings: Settings, question: Question) -> str:
    assert question.budget is not None
    limit, since = question.budget.limit_usd, question.budget.since
    setting = "recommend.budget_usd_per_week in account.yaml"
    if most_it_costs_usd(settings.model, prompt_bytes=0, max_tokens=0) is None:
        return f"The price of {settings.model} is not known, so {setting} cannot be kept."
    spent = spent_usd(settings, question.account_name, PURPOSE, since)
    return (
        f"The week's budget for the model does not cover another question: ${spent:.4f} of "
        f"${limit:.4f} is spent or held back ({setting})."
    )


def _objections(reasons: Sequence[str]) -> str:
    listed = "\n".join(f"- {reason}" for reason in reasons[:MAX_REASONS_TOLD])
    return (
        "That answer cannot be used, for these reasons:\n"
        f"{listed}\n"
        "Answer again, whole and in the same form, without these faults."
    )
