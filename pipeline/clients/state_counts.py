"""Counts and sums over the state database, for metrics and the health screen.

Reading does not create the database; functions say None where there is none yet, which is not the
same as zero.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists
from pipeline.clients.state_tables import (
    decisions,
    model_calls,
    model_label_batches,
    recommendations,
    scrape_attempts,
)
from pipeline.settings import Settings


@dataclass(frozen=True)
class ScrapeCounts:
    """The runs of one account and platform with one outcome."""

    account_name: str
    platform: str
    outcome: str | None
    """None while a run is under way, or when its end never became known."""
    run_count: int
    cost_usd: Decimal
    """What is known of it."""
    last_at: datetime


@dataclass(frozen=True)
class ModelCounts:
    """Questions of one purpose with one outcome."""

    purpose: str
    outcome: str | None
    """None while nothing came."""
    call_count: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True)
class StateCounts:
    """Everything that is counted, from one state of the database."""

    recommendations: dict[tuple[str, str], int]
    """By account and status."""
    oldest_pending_at: dict[str, datetime]
    """By account, when the oldest proposal was made that waits for a decision."""
    decisions: dict[tuple[str, str], int]
    """By account and decision."""
    scrapes: tuple[ScrapeCounts, ...]
    model_calls: tuple[ModelCounts, ...]


def state_counts(settings: Settings) -> StateCounts | None:
    """Count what the state database holds; None when there is none yet.

    Raises:
        ConfigurationError: The database cannot be used.
    """
    if not state_exists(settings):
        return None
    with reading_state(settings) as state:
        return StateCounts(
            recommendations=_by_account(state, recommendations, recommendations.c.status),
            oldest_pending_at=_oldest_pending(state),
            decisions=_by_account(state, decisions, decisions.c.decision),
            scrapes=_scrapes(state),
            model_calls=(*_calls(state), *_label_batches(state)),
        )


def _by_account(
    state: StateTransaction, table: sa.Table, column: sa.Column[Any]
) -> dict[tuple[str, str], int]:
    rows = state.rows(
        sa.select(table.c.account_name, column.label("what"), sa.func.count().label("count"))
        .group_by(table.c.account_name, column)
        .order_by(table.c.account_name, column)
    )
    return {(row["account_name"], row["what"]): row["count"] for row in rows}


def _oldest_pending(state: StateTransaction) -> dict[str, datetime]:
    columns = recommendations.c
    rows = state.rows(
        sa.select(columns.account_name, sa.func.min(columns.created_at).label("oldest"))
        .where(columns.status == "pending")
        .group_by(columns.account_name)
        .order_by(columns.account_name)
    )
    return {row["account_name"]: row["oldest"] for row in rows}


def _scrapes(state: StateTransaction) -> tuple[ScrapeCounts, ...]:
    columns = scrape_attempts.c
    # Costs are decimal text: a database would add them as floats.
    rows = state.rows(
        sa.select(
            columns.account_name,
            columns.platform,
            columns.outcome,
            columns.cost_usd,
            sa.func.count().label("count"),
            sa.func.max(columns.intended_at).label("last_at"),
        )
        .group_by(columns.account_name, columns.platform, columns.outcome, columns.cost_usd)
        .order_by(columns.account_name, columns.platform, columns.outcome)
    )
    found: dict[tuple[str, str, str | None], ScrapeCounts] = {}
    for row in rows:
        key = (row["account_name"], row["platform"], row["outcome"])
        before = found.get(key)
        cost_usd = Decimal(row["cost_usd"] or 0) * row["count"]
        found[key] = ScrapeCounts(
            *key,
            run_count=row["count"] + (before.run_count if before else 0),
            cost_usd=cost_usd + (before.cost_usd if before else Decimal(0)),
            last_at=max(row["last_at"], before.last_at) if before else row["last_at"],
        )
    return tuple(found.values())


def _calls(state: StateTransaction) -> tuple[ModelCounts, ...]:
    columns = model_calls.c
    return _summed(
        state.rows(
            sa.select(
                columns.purpose,
                columns.outcome,
                columns.input_tokens,
                columns.output_tokens,
                columns.cost_usd,
            )
        )
    )


def _label_batches(state: StateTransaction) -> tuple[ModelCounts, ...]:
    columns = model_label_batches.c
    rows = state.rows(
        sa.select(columns.reason, columns.input_tokens, columns.output_tokens, columns.cost_usd)
    )
    for row in rows:
        row["purpose"] = "labels"
        row["outcome"] = "answered" if row["reason"] is None else "unusable"
    return _summed(rows)


def _summed(rows: list[dict[str, Any]]) -> tuple[ModelCounts, ...]:
    found: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["purpose"], row["outcome"]), []).append(row)
    return tuple(
        ModelCounts(
            *key,
            call_count=len(group),
            input_tokens=sum(row["input_tokens"] or 0 for row in group),
            output_tokens=sum(row["output_tokens"] or 0 for row in group),
            cost_usd=sum((Decimal(row["cost_usd"] or 0) for row in group), Decimal(0)),
        )
        for key, group in sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    )
