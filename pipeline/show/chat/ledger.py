"""Questions of a conversation in the ledger of paid questions, within the account's budget."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.accounts import AccountConfig
from pipeline.clients.claude import Usage, most_it_costs_usd
from pipeline.clients.state_model_calls import (
    Budget,
    CallIntent,
    CallOutcome,
    record_call,
    settle_call,
    spent_usd,
)
from pipeline.clock import utc_now
from pipeline.errors import ModelUnavailableError
from pipeline.settings import Settings

CHAT = "chat"
"""What the ledger calls these questions; plans from conversations are among them."""


def admit(
    settings: Settings, account: AccountConfig, request: Mapping[str, Any], now: datetime
) -> str:
    """Write a question down that is about to be sent; gives its id.

    Args:
        settings: The model.
        account: Whose budget counts.
        request: What is sent.
        now: The moment.

    Raises:
        ModelUnavailableError: The week's budget does not cover it; nothing was written down.
    """
    text = json.dumps(request, ensure_ascii=False, default=str).encode("utf-8", "replace")
    budget = Budget.of_week(account.chat.budget_usd_per_week, now, account.zone)
    intent = CallIntent(
        call_id=f"call_{uuid.uuid4().hex[:16]}",
        account_name=account.name,
        purpose=CHAT,
        asked_at=now,
        model=settings.model,
        prompt_sha256=hashlib.sha256(text).hexdigest(),
        reserved_usd=most_it_costs_usd(
            settings.model, prompt_bytes=len(text), max_tokens=request["max_tokens"]
        ),
    )
    if record_call(settings, intent, budget):
        return intent.call_id
    assert budget is not None, "without a budget every question is taken"
    spent = spent_usd(settings, account.name, CHAT, budget.since)
    raise ModelUnavailableError(
        f"The week's budget for chats does not cover another question: ${spent:.4f} of "
        f"${budget.limit_usd:.4f} is spent or held back (chat.budget_usd_per_week in account.yaml)."
    )


def settle(
    settings: Settings,
    call_id: str,
    outcome: CallOutcome,
    usage: Usage | None = None,
    reason: str | None = None,
    lost_count: int = 0,
) -> None:
    """Write down what came of a question."""
    settle_call(
        settings,
        call_id,
        outcome,
        answered_at=utc_now(),
        usage=usage,
        reason=reason,
        lost_count=lost_count,
    )
