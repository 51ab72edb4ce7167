"""Several accounts' questions in one batch: half the price, and taken up again after a kill.

The batch's id is written down before anybody waits for it. A process that finds questions without
an outcome waits for their batch instead of asking, and paying, again.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pipeline.clients.claude import BATCH_PRICE, checked_answer, request_body
from pipeline.clients.claude_batches import (
    BatchItem,
    batch_items,
    cancel_batch,
    has_ended,
    start_batch,
)
from pipeline.clients.claude_requests import Deadline, ServiceUnavailableError
from pipeline.clients.state_model_calls import open_batch_calls, put_in_batch
from pipeline.errors import ModelUnavailableError
from pipeline.learn.recommend.checks import RecommendationAnswer
from pipeline.learn.recommend.model_question import Question, instructions
from pipeline.learn.recommend.model_writer import BudgetReachedError, Reply, admit, settle
from pipeline.settings import Settings

LEAST_QUESTIONS = 2
"""A single question is answered at once; to wait for a batch of one saves half a cent."""

RESULTS_ARE_KEPT_FOR = timedelta(days=28)
"""The service forgets a batch a day later."""

_GRACE_LOOKS = 5
"""Looks at a batch that was asked to stop."""

_FAILED_LOOKS = 3
"""Looks in a row that may fail before a batch is given up."""


def batched_replies(
    settings: Settings, questions: Mapping[str, Question], *, now: datetime
) -> dict[str, Reply]:
    """What batches say to questions, those left behind by a killed process first.

    Args:
        settings: Key, and whether to start batches at all.
        questions: By account.
        now: The moment of the run.

    Returns:
        Replies by account; an account that is missing has to be asked by itself.
    """
    replies: dict[str, Reply] = {}
    left = _left_behind(settings, now)
    for batch_id, rows in left.items():
        is_wanted = any(row["outcome"] is None and row["account_name"] in questions for row in rows)
        replies |= _collect(settings, batch_id, rows, is_waited_for=is_wanted)
    replies = {name: reply for name, reply in replies.items() if name in questions}
    rest = {name: question for name, question in questions.items() if name not in replies}
    if settings.anthropic_batches and len(rest) >= LEAST_QUESTIONS:
        replies |= _ask_together(settings, rest)
    return replies


def _left_behind(settings: Settings, now: datetime) -> dict[str, list[dict[str, Any]]]:
    batches: dict[str, list[dict[str, Any]]] = {}
    for row in open_batch_calls(settings):
        if now - row["asked_at"] < RESULTS_ARE_KEPT_FOR:
            batches.setdefault(row["batch_id"], []).append(row)
    return batches


def _ask_together(settings: Settings, questions: Mapping[str, Question]) -> dict[str, Reply]:
    replies: dict[str, Reply] = {}
    requests: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for name, question in questions.items():
        try:
            call_id, max_tokens = admit(settings, question, question.messages, BATCH_PRICE)
        except BudgetReachedError as error:
            replies[name] = Reply(None, question.prompt_sha256, error=error)
            continue
        requests[call_id] = request_body(
            settings,
            system=instructions(),
            messages=question.messages,
            answer_type=RecommendationAnswer,
            max_tokens=max_tokens,
        )
        rows.append(
            {
                "call_id": call_id,
                "account_name": name,
                "prompt_sha256": question.prompt_sha256,
                "outcome": None,
            }
        )
    if not requests:
        return replies
    try:
        batch_id = start_batch(settings, requests)
    except ServiceUnavailableError as error:
        return replies | _all_failed(settings, rows, error)
    put_in_batch(settings, list(requests), batch_id)
    return replies | _collect(settings, batch_id, rows, is_waited_for=True)


def _collect(
    settings: Settings,
    batch_id: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    is_waited_for: bool,
) -> dict[str, Reply]:
    """Replies to the questions of a batch; those given up before are only settled.

    A batch that nobody waits for is looked at once and else left for later.
    """
    try:
        if is_waited_for:
            _wait(settings, batch_id)
        elif not has_ended(settings, batch_id):
            return {}
        items = batch_items(settings, batch_id)
    except ServiceUnavailableError as error:
        # It may yet be answered and billed: a later run looks again for what it cost.
        lost = ServiceUnavailableError(str(error), lost_count=1)
        return _all_failed(settings, rows, lost) if is_waited_for else {}
    replies = {}
    for row in rows:
        reply = _reply(settings, row, items.get(row["call_id"]))
        settle(settings, reply)
        if row["outcome"] is None:
            replies[row["account_name"]] = reply
    return replies


def _wait(settings: Settings, batch_id: str) -> None:
    """Wait until a batch has ended; after the deadline it is asked to stop.

    Raises:
        ServiceUnavailableError: It did not end, or the service does not say.
    """
    deadline = Deadline(settings.anthropic_batch_deadline_s)
    looks_left: int | None = None
    failures = 0
    while True:
        try:
            if has_ended(settings, batch_id):
                return
            failures = 0
        except ServiceUnavailableError:
            failures += 1
            if failures >= _FAILED_LOOKS:
                raise
        if looks_left is None and deadline.remaining_s <= 0:
            cancel_batch(settings, batch_id)
            looks_left = _GRACE_LOOKS
        if looks_left is not None:
            if looks_left == 0:
                raise ServiceUnavailableError(
                    f"The batch did not end within {deadline.seconds:g} s "
                    "(AFTERPOST_ANTHROPIC_BATCH_DEADLINE_S)."
                )
            looks_left -= 1
        wait_s = settings.anthropic_batch_poll_s
        time.sleep(min(wait_s, max(0.0, deadline.remaining_s)) if looks_left is None else wait_s)


def _reply(settings: Settings, row: Mapping[str, Any], item: BatchItem | None) -> Reply:
    call_id, sha256 = row["call_id"], row["prompt_sha256"]
    if item is None:
        missing = ServiceUnavailableError("The batch has no result for this question.", 1)
        return Reply(call_id, sha256, error=missing)
    if item.message is None:
        return Reply(call_id, sha256, error=ServiceUnavailableError(str(item.reason)))
    try:
        answer = checked_answer(settings, item.message, RecommendationAnswer, share=BATCH_PRICE)
    except ModelUnavailableError as error:
        return Reply(call_id, sha256, error=error)
    return Reply(call_id, sha256, answer=answer)


def _all_failed(
    settings: Settings, rows: Iterable[Mapping[str, Any]], error: ServiceUnavailableError
) -> dict[str, Reply]:
    return {
        row["account_name"]: settle(
            settings, Reply(row["call_id"], row["prompt_sha256"], error=error)
        )
        for row in rows
        if row["outcome"] is None
    }
