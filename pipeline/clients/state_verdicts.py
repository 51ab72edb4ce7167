"""What the state database keeps for looking back: registrations of verdicts, and feedback on plans.

Reading does not create the database.
"""

import json
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists
from pipeline.clients.state_tables import decisions, planned_feedback, verdict_registrations
from pipeline.settings import Settings


def add_registration(state: StateTransaction, row: dict[str, Any]) -> None:
    """Insert what an approved change will be judged by; it is never changed afterwards."""
    state.execute(verdict_registrations.insert(), [row])


def registration_rows(settings: Settings) -> list[dict[str, Any]]:
    """All registrations with the columns of ``raw.state_verdict_registrations``, oldest first.

    ``control_shares`` is JSON text. Empty when there is no state database yet.
    """
    columns = verdict_registrations.c
    query = sa.select(verdict_registrations).order_by(
        columns.registered_at, columns.recommendation_id
    )
    return [
        {**row, "control_shares": json.dumps(row["control_shares"])}
        for row in _rows(settings, query)
    ]


def decision_details(settings: Settings, account_name: str) -> list[dict[str, Any]]:
    """Whole rows of the decisions of an account, with their patches, oldest first."""
    columns = decisions.c
    return _rows(
        settings,
        sa.select(decisions)
        .where(columns.account_name == account_name)
        .order_by(columns.decided_at, columns.decision_id),
    )


def add_feedback(state: StateTransaction, row: dict[str, Any]) -> int:
    """Insert what somebody said about a planned post, after what was said before.

    Args:
        state: The transaction.
        row: Without ``sequence``.

    Returns:
        Its place among what was said about the plan, from 1.
    """
    columns = planned_feedback.c
    (found,) = state.rows(
        sa.select(sa.func.max(columns.sequence).label("last")).where(
            columns.account_name == row["account_name"], columns.planned_id == row["planned_id"]
        )
    )
    sequence = (found["last"] or 0) + 1
    state.execute(planned_feedback.insert(), [{**row, "sequence": sequence}])
    return int(sequence)


def feedback_rows(settings: Settings, account_name: str | None = None) -> list[dict[str, Any]]:
    """Feedback with the columns of ``raw.state_feedback``, of one account or all, oldest first."""
    columns = planned_feedback.c
    query = sa.select(planned_feedback).order_by(
        columns.given_at, columns.account_name, columns.planned_id, columns.sequence
    )
    if account_name is not None:
        query = query.where(columns.account_name == account_name)
    return _rows(settings, query)


def _rows(settings: Settings, query: sa.Select[Any]) -> list[dict[str, Any]]:
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return state.rows(query)
