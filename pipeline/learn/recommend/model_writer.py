"""The Claude writer: asks, checks, asks once more with the reasons, and gives up in words."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.clients.claude import Answer, UnusableAnswerError, Usage, ask
from pipeline.errors import ModelUnavailableError
from pipeline.learn.findings import Finding
from pipeline.learn.operations import (
    SetFormatWeight,
    current_weight,
    dump_operations,
    weight_bounds,
)
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.checks import RecommendationAnswer, check_answer
from pipeline.learn.recommend.rendering import placeholders
from pipeline.learn.recommend.rules import Draft
from pipeline.settings import Settings

PROMPT_PATH = Path(__file__).with_name("prompt.md")

MAX_REASONS_TOLD = 20
"""Reasons quoted when asking again; an answer with more is hopeless anyway."""


@dataclass(frozen=True)
class Written:
    """What came of asking the model."""

    drafts: list[Draft] | None
    """None when no answer could be used; the reason says why."""
    reason: str | None
    usage: Usage
    prompt_sha256: str


def write(
    settings: Settings,
    candidates: Sequence[Candidate],
    document: Mapping[str, Any],
    *,
    account_name: str,
    limit: int,
    names: frozenset[str],
) -> Written:
    """Let the model choose, order and word candidates.

    Args:
        settings: Key, model and deadline of each question.
        candidates: What may be recommended.
        document: The account's context as JSON.
        account_name: For the model's orientation.
        limit: Most recommendations wanted.
        names: Formats, pillars and platforms that a sentence may only name by placeholder.
    """
    system = PROMPT_PATH.read_text(encoding="utf-8")
    question = _question(candidates, document, account_name=account_name, limit=limit)
    messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
    prompt_sha256 = _prompt_sha256(settings.model, system, question)
    usage = Usage(settings.model)
    reasons: list[str] = []
    for _ in range(2):
        try:
            answer: Answer[RecommendationAnswer] = ask(
                settings, system=system, messages=messages, answer_type=RecommendationAnswer
            )
        except UnusableAnswerError as error:
            return Written(None, str(error), usage + error.usage, prompt_sha256)
        except ModelUnavailableError as error:
            return Written(None, str(error), usage, prompt_sha256)
        usage = usage + answer.usage
        drafts, reasons = check_answer(answer.value, candidates, document, limit=limit, names=names)
        if not reasons:
            return Written(drafts, None, usage, prompt_sha256)
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


def _question(
    candidates: Sequence[Candidate],
    document: Mapping[str, Any],
    *,
    account_name: str,
    limit: int,
) -> str:
    data = {
        "account": account_name,
        "limit": limit,
        "findings": [_told(candidate, document) for candidate in candidates],
    }
    # An escaped "<" cannot end the block that marks the data as data.
    text = json.dumps(data, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return f"<findings>\n{text}\n</findings>"


def _told(candidate: Candidate, document: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "finding_id": candidate.finding.finding_id,
        "category": candidate.category.value,
        "confidence": candidate.confidence.value,
        "placeholders": placeholders(candidate.figures),
        "proposed_operations": dump_operations(candidate.operations),
    }
    if isinstance(candidate.finding, Finding):
        told["direction"] = candidate.finding.direction.value
        told["expected_gain"] = round(candidate.finding.expected_gain, 4)
    for operation in candidate.operations:
        if isinstance(operation, SetFormatWeight):
            current = current_weight(document, operation.format)
            low, high = weight_bounds(current)
            told["current_weight"] = current
            told["weight_range"] = [current, high] if operation.weight > current else [low, current]
    return told


def _objections(reasons: Sequence[str]) -> str:
    listed = "\n".join(f"- {reason}" for reason in reasons[:MAX_REASONS_TOLD])
    return (
        "That answer cannot be used, for these reasons:\n"
        f"{listed}\n"
        "Answer again, whole and in the same form, without these faults."
    )


def _prompt_sha256(model: str, system: str, question: str) -> str:
    schema = RecommendationAnswer.model_json_schema()
    parts = json.dumps([model, system, schema, question], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()
