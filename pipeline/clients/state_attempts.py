"""What the state database keeps about paid runs: the intent before the start, the end after it.

Every function is one transaction that is on disk when it returns; reading does not create the
database. Amounts are `Decimal` here and decimal text in the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_tables import scrape_attempts
from pipeline.settings import Settings

_COLUMNS = scrape_attempts.c
_NOTHING = Decimal(0)
_LEAST_CHARGE = Decimal("0.01")
"""Nothing useful can be bought for less."""


@dataclass(frozen=True)
class Intent:
    """A run that is about to be started."""

    attempt_id: str
    account_name: str
    platform: str
    source_kind: str
    actor_id: str
    handle: str | None
    run_input: Mapping[str, Any]
    items_asked: int | None
    max_charge_usd: Decimal
    intended_at: datetime


@dataclass(frozen=True)
class Spending:
    """What an account's runs cost from one moment on, in USD."""

    spent_usd: Decimal
    """Known costs."""
    reserved_usd: Decimal
    """The most that runs may charge whose cost is not known yet."""

    @property
    def total_usd(self) -> Decimal:
        """What may not be spent again."""
        return self.spent_usd + self.reserved_usd


@dataclass(frozen=True)
class NoBudgetLeft:
    """An intent that was not recorded, since nothing is left of the budget."""

    spending: Spending


def record_intent(
    settings: Settings, intent: Intent, *, budget_usd: Decimal | None, since: datetime
) -> Decimal | NoBudgetLeft:
    """Record that a run is about to be started, and reserve what it may charge.

    Args:
        settings: Where the database is.
        intent: The run; ``max_charge_usd`` is the most that is wanted for it.
        budget_usd: The account's budget from ``since`` on; None for no limit.
        since: Beginning of the budget's month.

    Returns:
        What the run may charge, within the budget; or that nothing is left, and then nothing was
        recorded.
    """
    with writing_state(settings) as state:
        may_charge = intent.max_charge_usd
        if budget_usd is not None:
            spending = _spending(state, intent.account_name, since)
            may_charge = min(may_charge, budget_usd - spending.total_usd)
            if may_charge < _LEAST_CHARGE:
                return NoBudgetLeft(spending)
        row = {
            "attempt_id": intent.attempt_id,
            "account_name": intent.account_name,
            "platform": intent.platform,
            "source_kind": intent.source_kind,
            "actor_id": intent.actor_id,
            "handle": intent.handle,
            "run_input": dict(intent.run_input),
            "items_asked": intent.items_asked,
            "max_charge_usd": str(may_charge),
            "intended_at": intent.intended_at,
        }
        state.execute(scrape_attempts.insert(), [row])
    return may_charge


def update_attempt(settings: Settings, attempt_id: str, values: Mapping[str, Any]) -> None:
    """Write down what became known of an attempt; columns as in `state_tables.scrape_attempts`."""
    stored = {
        name: str(value) if isinstance(value, (Decimal, StrEnum)) else value
        for name, value in values.items()
    }
    with writing_state(settings) as state:
        state.execute(
            scrape_attempts.update().where(_COLUMNS.attempt_id == attempt_id).values(**stored)
        )


def open_attempts(
    settings: Settings, account_name: str, platform: str, actor_id: str, source_kind: str
) -> list[dict[str, Any]]:
    """Attempts of one profile with one actor whose end is not known, oldest first."""
    return _rows(
        settings,
        sa.select(scrape_attempts)
        .where(
            _COLUMNS.account_name == account_name,
            _COLUMNS.platform == platform,
            _COLUMNS.actor_id == actor_id,
            _COLUMNS.source_kind == source_kind,
            _COLUMNS.finished_at.is_(None),
        )
        .order_by(_COLUMNS.intended_at, _COLUMNS.attempt_id),
    )


def attempts_since(
    settings: Settings, account_name: str | None = None, since: datetime | None = None
) -> list[dict[str, Any]]:
    """Attempts of one account or all, from one moment on or ever, oldest first."""
    query = sa.select(scrape_attempts).order_by(_COLUMNS.intended_at, _COLUMNS.attempt_id)
    if account_name is not None:
        query = query.where(_COLUMNS.account_name == account_name)
    if since is not None:
        query = query.where(_COLUMNS.intended_at >= since)
    return _rows(settings, query)


def known_run_ids(settings: Settings, actor_id: str) -> frozenset[str]:
    """Runs of an actor that belong to an attempt already."""
    query = sa.select(_COLUMNS.run_id).where(
        _COLUMNS.actor_id == actor_id, _COLUMNS.run_id.is_not(None)
    )
    return frozenset(str(row["run_id"]) for row in _rows(settings, query))


def spending_since(settings: Settings, account_name: str, since: datetime) -> Spending:
    """What the runs of an account cost that were meant at ``since`` or later."""
    if not state_exists(settings):
        return Spending(_NOTHING, _NOTHING)
    with reading_state(settings) as state:
        return _spending(state, account_name, since)


def scrape_attempt_rows(settings: Settings) -> list[dict[str, Any]]:
    """All attempts with the columns of ``raw.state_scrape_attempts``, oldest first.

    ``run_input`` is JSON text. Empty when there is no state database yet.
    """
    return [
        {**row, "run_input": orjson.dumps(row["run_input"]).decode()}
        for row in attempts_since(settings)
    ]


def _rows(settings: Settings, query: sa.Select[Any]) -> list[dict[str, Any]]:
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return state.rows(query)


def _spending(state: StateTransaction, account_name: str, since: datetime) -> Spending:
    rows = state.rows(
        sa.select(_COLUMNS.cost_usd, _COLUMNS.max_charge_usd).where(
            _COLUMNS.account_name == account_name, _COLUMNS.intended_at >= since
        )
    )
    known = (Decimal(row["cost_usd"]) for row in rows if row["cost_usd"] is not None)
    unknown = (Decimal(row["max_charge_usd"]) for row in rows if row["cost_usd"] is None)
    return Spending(sum(known, _NOTHING), sum(unknown, _NOTHING))
