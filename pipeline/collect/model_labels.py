"""Labels from the model, for posts that neither a plan nor a person nor a rule has labelled.

Captions go to the model as quoted data, a batch at a time, and only names that the account lists
can come back: the answer's schema allows nothing else, and it is checked again here. A batch whose
answer cannot be used gives no label at all. Its captions are asked again one by one, so that one
of them cannot hold up the others, and then no more. The warehouse is read under its lock and left
before anything is asked.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from pipeline.accounts import AccountConfig
from pipeline.clients.claude import Answer, UnusableAnswerError, Usage, ask
from pipeline.clients.claude_requests import ServiceUnavailableError
from pipeline.clients.state_claims import claimed
from pipeline.clients.warehouse import writing
from pipeline.collect.caption_answers import (
    PROMPT_PATH,
    allowed_names,
    content_hashes,
    shown_caption,
)
from pipeline.collect.labelling import account_posts
from pipeline.collect.labels import open_dimensions
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.raw import ensure_raw_tables, refresh_labels
from pipeline.errors import ClaimHeldError, ModelUnavailableError
from pipeline.settings import Settings

BATCH_SIZE = 20
"""Captions per question: the instructions are paid once for all of them."""

MOST_CAPTIONS = 400
"""Captions per account and run, the newest first; the others wait for the next run."""

MOST_REFUSALS = 2
"""After so many unusable answers about a caption, the last of them alone, it is not asked again."""

MOST_UNUSABLE_ANSWERS = 3
"""Unusable answers after which a run stops: they are paid for, and more would be like them."""


@dataclass(frozen=True)
class ModelLabelReport:
    """What asking about one account's captions gave."""

    account_name: str
    asked_count: int = 0
    """Different captions that were asked about."""
    labelled_count: int = 0
    """Of these, captions with an answer; it may be that no name fits."""
    waiting_count: int = 0
    """Captions that are left for a later run."""
    cost_usd: Decimal | None = Decimal(0)
    """None when the model's price is not known."""
    reason: str | None = None
    """Why captions stay without an answer; their rule labels stand."""

    @property
    def line(self) -> str:
        """One line for a log or a terminal."""
        if not self.asked_count:
            return f"{self.account_name}: no caption to ask about" + (
                f" ({self.reason})" if self.reason else ""
            )
        cost = "" if self.cost_usd is None else f" for ${self.cost_usd:.4f}"
        why = f": {self.reason}" if self.reason else ""
        return (
            f"{self.account_name}: {self.labelled_count} of {self.asked_count} captions "
            f"labelled by the model{cost}{why}"
        )


def label_posts(
    settings: Settings, accounts: Sequence[AccountConfig], *, now: datetime
) -> list[ModelLabelReport]:
    """Ask about all accounts' open posts and bring the answers into the raw tables.

    Raises: as :func:`label_with_model`.
    """
    reports = [label_with_model(settings, account, now=now) for account in accounts]
    if any(report.labelled_count for report in reports):
        refresh_labels(settings)
    return reports


def label_with_model(
    settings: Settings, account: AccountConfig, *, now: datetime
) -> ModelLabelReport:
    """Ask the model about the posts of one account that have no plan and lack a label.

    Answers go to the state database, where the raw load finds them. What is stored is not asked
    again. Without a key nothing happens.

    Args:
        settings: Key and model; the warehouse holds the posts.
        account: Whose posts; its lists are the names that may come back.
        now: The moment that is stored with the answers.

    Raises:
        WarehouseLockedError: Another process is writing.
        ConfigurationError: The state database is unusable.
    """
    if settings.anthropic_api_key is None:
        return ModelLabelReport(account.name, reason="ANTHROPIC_API_KEY is not set")
    try:
        # Two runs at once would pay for the same captions.
        with claimed(settings, f"labels-{account.name}", timeout_s=settings.lock_timeout_s):
            return _label(settings, account, now)
    except ClaimHeldError:
        return ModelLabelReport(account.name, reason="another run is asking for this account")


@dataclass(frozen=True)
class _Question:
    content_sha256: str
    caption: str
    refusal_count: int = 0


@dataclass
class _Progress:
    usage: Usage
    asked: int = 0
    labelled: int = 0
    unusable: int = 0
    reasons: list[str] = field(default_factory=list)


def _label(settings: Settings, account: AccountConfig, now: datetime) -> ModelLabelReport:
    questions = _questions(settings, account)
    chosen = questions[:MOST_CAPTIONS]
    progress = _Progress(Usage(settings.model))
    answer_type = _answer_type(account)
    for batch in _batches(chosen):
        go_on = _ask_batch(settings, account, batch, answer_type, progress, now)
        if not go_on or progress.unusable >= MOST_UNUSABLE_ANSWERS:
            break
    return ModelLabelReport(
        account_name=account.name,
        asked_count=progress.asked,
        labelled_count=progress.labelled,
        waiting_count=len(questions) - progress.asked,
        cost_usd=progress.usage.cost_usd,
        reason=progress.reasons[-1] if progress.reasons else None,
    )


def _questions(settings: Settings, account: AccountConfig) -> list[_Question]:
    """Captions to ask about, each once, those of the newest posts first."""
    from pipeline.clients.state_labels import model_label_rows

    if not settings.database_path.exists():
        return []
    with writing(settings, "read posts to label") as connection:
        ensure_raw_tables(connection)
        known = account_posts(settings, connection, account)
    posts = sorted(known.unplanned_posts, key=_newest_first)
    wanted = [post for post in posts if open_dimensions(account, post, known.person_labels)]
    posts_of = content_hashes(account, wanted)
    rows = model_label_rows(settings, list(posts_of))
    former = {row["content_sha256"]: row for row in rows if row["model"] == settings.model}
    questions = []
    for content, same in posts_of.items():
        row, caption = former.get(content), shown_caption(same[0])
        refusals = 0 if row is None else row["refusal_count"]
        is_answered = row is not None and row["labels"] is not None
        if caption is not None and not is_answered and refusals < MOST_REFUSALS:
            questions.append(_Question(content, caption, refusals))
    return questions


def _newest_first(post: OwnPost) -> tuple[float, str]:
    return (-post.posted_at.timestamp() if post.posted_at else 0.0, post.post_id)


def _batches(questions: Sequence[_Question]) -> list[list[_Question]]:
    """Fresh captions together; one that spoilt an answer, or was beside one that did, alone."""
    fresh = [question for question in questions if not question.refusal_count]
    batches = [fresh[first : first + BATCH_SIZE] for first in range(0, len(fresh), BATCH_SIZE)]
    return batches + [[question] for question in questions if question.refusal_count]


def _answer_type(account: AccountConfig) -> type[BaseModel]:
    """The form of an answer: one item per caption, with only the account's names in it."""
    names: dict[str, Any] = {
        dimension: (Literal[tuple(keywords)] | None, ...)
        for dimension, keywords in allowed_names(account).items()
    }
    strict = ConfigDict(extra="forbid")
    item = create_model("PostLabels", __config__=strict, post=(int, ...), **names)
    return create_model("Labels", __config__=strict, labels=(list[item], ...))


def _ask_batch(
    settings: Settings,
    account: AccountConfig,
    batch: Sequence[_Question],
    answer_type: type[BaseModel],
    progress: _Progress,
    now: datetime,
) -> bool:
    """Ask one batch and store what came; False when asking further would not help."""
    system = PROMPT_PATH.read_text(encoding="utf-8")
    question = _question_text(account, batch)
    reason: str | None = None
    labels: dict[str, dict[str, str]] = {}
    usage = Usage(settings.model)
    is_reachable = True
    try:
        answer: Answer[BaseModel] = ask(
            settings,
            system=system,
            messages=[{"role": "user", "content": question}],
            answer_type=answer_type,
        )
        usage = answer.usage
        labels, reason = _checked(answer.value, batch)
    except UnusableAnswerError as error:
        usage, reason = error.usage, str(error)
    except ModelUnavailableError as error:
        is_reachable, reason = False, str(error)
        if isinstance(error, ServiceUnavailableError) and error.lost_count:
            usage = Usage(settings.model, cost_usd=None)  # it may have been billed
    rows = [
        _row(settings, one, labels.get(one.content_sha256), now) for one in batch if is_reachable
    ]
    _store(settings, account, batch, rows, usage, reason, _sha256(system, question), now)
    progress.usage = progress.usage + usage
    progress.asked += len(batch)
    progress.labelled += len(labels)
    if reason is not None:
        progress.reasons.append(reason)
        progress.unusable += is_reachable
    return is_reachable


def _question_text(account: AccountConfig, batch: Sequence[_Question]) -> str:
    captions = [
        {"post": number, "caption": question.caption}
        for number, question in enumerate(batch, start=1)
    ]
    return (
        f"<names>\n{_quoted(allowed_names(account))}\n</names>\n"
        f"<captions>\n{_quoted(captions)}\n</captions>"
    )


def _quoted(value: object) -> str:
    # An escaped "<" cannot end the block that marks the data as data.
    text = json.dumps(value, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _checked(
    value: BaseModel, batch: Sequence[_Question]
) -> tuple[dict[str, dict[str, str]], str | None]:
    """Labels by content hash, or none of them and the reason."""
    items: list[dict[str, Any]] = value.model_dump()["labels"]
    numbers = [item["post"] for item in items]
    if sorted(numbers) != list(range(1, len(batch) + 1)):
        return {}, "The model's answer does not name each caption once."
    return {
        batch[item["post"] - 1].content_sha256: {
            key: label for key, label in item.items() if key != "post" and label is not None
        }
        for item in items
    }, None


def _row(
    settings: Settings, question: _Question, labels: Mapping[str, str] | None, now: datetime
) -> dict[str, Any]:
    return {
        "content_sha256": question.content_sha256,
        "model": settings.model,
        "labels": None if labels is None else dict(labels),
        "refusal_count": question.refusal_count + (labels is None),
        "asked_at": now,
    }


def _store(
    settings: Settings,
    account: AccountConfig,
    batch: Sequence[_Question],
    rows: Sequence[Mapping[str, Any]],
    usage: Usage,
    reason: str | None,
    prompt_sha256: str,
    now: datetime,
) -> None:
    from pipeline.clients.state_labels import put_model_answer

    put_model_answer(
        settings,
        {
            "batch_id": f"labels_{uuid.uuid4().hex[:16]}",
            "account_name": account.name,
            "asked_at": now,
            "model": settings.model,
            "prompt_sha256": prompt_sha256,
            "caption_count": len(batch),
            "reason": reason,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": None if usage.cost_usd is None else f"{usage.cost_usd:.8f}",
        },
        rows,
    )


def _sha256(system: str, question: str) -> str:
    return hashlib.sha256(f"{system}\0{question}".encode("utf-8", errors="replace")).hexdigest()
