"""What the state database keeps about paid questions to the model: the intent, then the answer.

A question is written down with the most that it may cost before it is sent, so that a killed
process leaves no answer that nobody knows of, and a budget holds whatever happens. Every function
is one transaction; reading does not create the database. Amounts are `Decimal` here and decimal
text in the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pipeline.clients.claude import Usage
from pipeline.clients.state import (
    StateTransaction,
    in_parts,
    reading_state,
    state_exists,
    writing_state,
)
from pipeline.clients.state_tables import model_calls, model_label_batches
from pipeline.settings import Settings

_COLUMNS = model_calls.c


class CallOutcome(StrEnum):
    """What came of a question."""

    ANSWERED = "answered"
    UNUSABLE = "unusable"
    """Billed: a refusal, a cut-off, or text of another form."""
    REFUSED = "refused"
    """Not billed: the service did not take or answer it."""
    LOST = "lost"
    """Perhaps billed: the answer did not arrive, or was not waited for."""


@dataclass(frozen=True)
class CallIntent:
    """A question that is about to be sent."""

    call_id: str
    account_name: str
    purpose: str
    """``recommendations``."""
    asked_at: datetime
    model: str
    prompt_sha256: str
    reserved_usd: Decimal | None
    """The most that it may cost; None when the model's price is not known."""


@dataclass(frozen=True)
class Budget:
    """What questions of one purpose may cost an account from one moment on."""

    limit_usd: Decimal
    since: datetime

    @classmethod
    def of_week(cls, limit_usd: Decimal | None, now: datetime, zone: ZoneInfo) -> "Budget | None":
        """Of the week since Monday on an account's clock; None without a limit."""
        if limit_usd is None:
            return None
        local = now.astimezone(zone)
        monday = (local - timedelta(days=local.weekday())).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return cls(limit_usd, monday.astimezone(UTC))


def spent_usd(settings: Settings, account_name: str, purpose: str, since: datetime) -> Decimal:
    """Known costs from one moment on, and what may yet be charged, in USD."""
    if not state_exists(settings):
        return Decimal(0)
    with reading_state(settings) as state:
        return _spent(state, account_name, purpose, since)


def record_call(settings: Settings, intent: CallIntent, budget: Budget | None) -> bool:
    """Write down that a question is about to be sent, unless the budget does not cover it.

    Args:
        settings: Where the database is.
        intent: The question.
        budget: None for no limit. With one, a question of unknown price is not covered.

    Returns:
        Whether it was written down and may be sent.
    """
    row = {
        "call_id": intent.call_id,
        "account_name": intent.account_name,
        "purpose": intent.purpose,
        "asked_at": intent.asked_at,
        "model": intent.model,
        "prompt_sha256": intent.prompt_sha256,
        "reserved_usd": _text(intent.reserved_usd),
        "lost_count": 0,
    }
    with writing_state(settings) as state:
        if budget is not None:
            if intent.reserved_usd is None:
                return False
            spent = _spent(state, intent.account_name, intent.purpose, budget.since)
            if spent + intent.reserved_usd > budget.limit_usd:
                return False
        state.execute(model_calls.insert(), [row])
    return True


def settle_call(
    settings: Settings,
    call_id: str,
    outcome: CallOutcome,
    *,
    answered_at: datetime,
    usage: Usage | None = None,
    reason: str | None = None,
    lost_count: int = 0,
) -> None:
    """Write down what came of a question.

    Args:
        settings: Where the database is.
        call_id: Its id.
        outcome: What came.
        answered_at: When that was known.
        usage: What the answer used, where there is one.
        reason: Why it was of no use.
        lost_count: Answers that got lost and may have been billed on top.
    """
    values: dict[str, Any] = {
        "outcome": outcome.value,
        "answered_at": answered_at,
        "reason": reason,
        "lost_count": lost_count,
    }
    if usage is not None:
        values |= {
            "model": usage.model,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": _text(usage.cost_usd),
        }
    elif outcome is CallOutcome.REFUSED and not lost_count:
        values |= {"input_tokens": 0, "output_tokens": 0, "cost_usd": "0"}
    with writing_state(settings) as state:
        state.execute(model_calls.update().where(_COLUMNS.call_id == call_id).values(**values))


def put_in_batch(settings: Settings, call_ids: Sequence[str], batch_id: str) -> None:
    """Write down under which id the service keeps a batch of questions."""
    with writing_state(settings) as state:
        for wanted in in_parts(call_ids):
            state.execute(
                model_calls.update().where(_COLUMNS.call_id.in_(wanted)).values(batch_id=batch_id)
            )


def open_batch_calls(settings: Settings) -> list[dict[str, Any]]:
    """Questions in batches whose outcome is not known, or whose cost is not; oldest first.

    The latter were not waited for: their outcome is ``lost``.
    """
    if not state_exists(settings):
        return []
    query = (
        sa.select(model_calls)
        .where(
            _COLUMNS.batch_id.is_not(None),
            sa.or_(
                _COLUMNS.outcome.is_(None),
                sa.and_(_COLUMNS.outcome == CallOutcome.LOST.value, _COLUMNS.cost_usd.is_(None)),
            ),
        )
        .order_by(_COLUMNS.asked_at, _COLUMNS.call_id)
    )
    with reading_state(settings) as state:
        return state.rows(query)


def model_call_rows(settings: Settings) -> list[dict[str, Any]]:
    """All questions with the columns of ``raw.state_model_calls``, oldest first.

    Those about captions are kept in a table of their own, with fewer columns.
    """
    if not state_exists(settings):
        return []
    labels = model_label_batches.c
    with reading_state(settings) as state:
        calls = state.rows(sa.select(model_calls).order_by(_COLUMNS.asked_at, _COLUMNS.call_id))
        batches = state.rows(
            sa.select(model_label_batches).order_by(labels.asked_at, labels.batch_id)
        )
    columns = [column.name for column in model_calls.columns]
    about_captions = [
        {
            **dict.fromkeys(columns),
            **{name: row[name] for name in columns if name in row},
            "call_id": row["batch_id"],
            "batch_id": None,
            "purpose": "caption_labels",
            "outcome": None,
            "answered_at": row["asked_at"],
            "lost_count": 0,
        }
        for row in batches
    ]
    return [*calls, *about_captions]


def _spent(state: StateTransaction, account_name: str, purpose: str, since: datetime) -> Decimal:
    rows = state.rows(
        sa.select(_COLUMNS.reserved_usd, _COLUMNS.cost_usd, _COLUMNS.lost_count).where(
            _COLUMNS.account_name == account_name,
            _COLUMNS.purpose == purpose,
            _COLUMNS.asked_at >= since,
        )
    )
    total = Decimal(0)
    for row in rows:
        reserved = Decimal(row["reserved_usd"] or 0)
        # What is not known counts as the most that it may be.
        known = row["cost_usd"] is not None
        total += Decimal(row["cost_usd"]) + row["lost_count"] * reserved if known else reserved
    return total


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.8f}"
