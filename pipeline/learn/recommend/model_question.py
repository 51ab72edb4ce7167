"""What an account's findings ask of the model: instructions first, findings as data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.accounts import AccountConfig
from pipeline.clients.state_model_calls import Budget
from pipeline.learn.operations import (
    SetFormatWeight,
    current_weight,
    dump_operations,
    weight_bounds,
)
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.checks import RecommendationAnswer
from pipeline.learn.recommend.rendering import placeholders
from pipeline.settings import Settings

PROMPT_PATH = Path(__file__).with_name("prompt.md")


@dataclass(frozen=True)
class Question:
    """What one account's findings ask of the model."""

    account_name: str
    candidates: tuple[Candidate, ...]
    document: Mapping[str, Any]
    limit: int
    """Most recommendations wanted."""
    names: frozenset[str]
    """Formats, pillars and platforms that a sentence may only name by placeholder."""
    asked_at: datetime
    budget: Budget | None
    text: str
    """The findings as the model reads them."""
    prompt_sha256: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation so far."""
        return [{"role": "user", "content": self.text}]


def make_question(
    settings: Settings,
    candidates: Sequence[Candidate],
    document: Mapping[str, Any],
    *,
    account: AccountConfig,
    limit: int,
    names: frozenset[str],
    now: datetime,
) -> Question:
    """Put one account's findings into words for the model.

    Args:
        settings: The model.
        candidates: What may be recommended.
        document: The account's context as JSON.
        account: Its name, for the model's orientation, and its budget.
        limit: Most recommendations wanted.
        names: Formats, pillars and platforms that a sentence may only name by placeholder.
        now: The moment of the run.
    """
    text = _text(candidates, document, account_name=account.name, limit=limit)
    return Question(
        account_name=account.name,
        candidates=tuple(candidates),
        document=document,
        limit=limit,
        names=names,
        asked_at=now,
        budget=Budget.of_week(account.recommend.budget_usd_per_week, now, account.zone),
        text=text,
        prompt_sha256=_prompt_sha256(settings.model, instructions(), text),
    )


@cache
def instructions() -> str:
    """What stays the same between questions, and so stands first and is cached: rules and schema.

    The service makes sure of the form by the schema alone; the model reads here what the fields
    mean, and a longer common beginning is what makes the cache take it.
    """
    form = RecommendationAnswer.model_json_schema()
    schema = json.dumps(form, separators=(",", ":"), sort_keys=True)
    rules = PROMPT_PATH.read_text(encoding="utf-8")
    return f"{rules}\nThe answer's JSON schema:\n\n{schema}\n"


def _text(
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
    if candidate.direction is not None:
        told["direction"] = candidate.direction.value
        told["expected_gain"] = round(candidate.expected_gain, 4)
    for operation in candidate.operations:
        if isinstance(operation, SetFormatWeight):
            current = current_weight(document, operation.format)
            low, high = weight_bounds(current)
            told["current_weight"] = current
            told["weight_range"] = [current, high] if operation.weight > current else [low, current]
    return told


def _prompt_sha256(model: str, system: str, question: str) -> str:
    parts = json.dumps([model, system, question], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(parts.encode(errors="replace")).hexdigest()
