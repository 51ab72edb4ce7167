"""What the state database held at a past moment, written into another home's database.

A row counts from the moment that its own table names. Where a later event only changed a row (a
recommendation was decided, a run came to its end), the change is taken back. What was overwritten
is not kept anywhere: a person's word about a post that was changed after the moment is missing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import reading_state, state_exists, writing_state
from pipeline.clients.state_tables import metadata
from pipeline.settings import Settings

KNOWN_FROM: Mapping[str, str] = {
    "recommendations": "created_at",
    "decisions": "decided_at",
    "context_versions": "created_at",
    "person_matches": "decided_at",
    "person_labels": "decided_at",
    "model_label_batches": "asked_at",
    "model_labels": "asked_at",
    "model_calls": "asked_at",
    "scrape_attempts": "intended_at",
    "verdict_registrations": "registered_at",
    "planned_feedback": "given_at",
    "alerts": "first_seen_at",
    "alert_events": "happened_at",
    "report_deliveries": "claimed_at",
    "action_plans": "created_at",
    "action_items": "created_at",
    "action_item_posts": "linked_at",
    "audit_entries": "happened_at",
    "experiments": "created_at",
    "experiment_assignments": "assigned_at",
    "experiment_events": "happened_at",
    "predictions": "predicted_at",
    "prediction_models": "trained_at",
    "reflexion_adjustments": "proposed_at",
}
"""The column of each table that says when a row came to be."""

_UNKNOWN_BEFORE: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "model_calls": {
        "answered_at": {
            **dict.fromkeys(
                ("answered_at", "outcome", "reason", "input_tokens", "output_tokens", "cost_usd")
            ),
            "lost_count": 0,
        },
    },
    "recommendations": {"decided_at": {"status": "pending", "decided_at": None}},
    "scrape_attempts": {
        "finished_at": dict.fromkeys(
            (
                "run_status", "outcome", "message", "items_got", "post_count", "new_post_count",
                "cost_usd", "finished_at", "scrape_id",
            )
        ),
    },
    "alerts": {
        "acknowledged_at": dict.fromkeys(
            ("acknowledged_at", "acknowledged_by", "acknowledged_note")
        ),
        "resolved_at": dict.fromkeys(("resolved_at", "quiet_until")),
    },
    "action_plans": {"completed_at": {"status": "active", "completed_at": None}},
    "action_items": {
        "completed_at": {"is_completed": False, "completed_at": None, "completed_by": None},
    },
    "experiments": {
        "concluded_at": {
            "status": "running",
            **dict.fromkeys(("concluded_at", "verdict", "because", "result", "recommendation_id")),
        },
        "started_at": {"status": "registered", "started_at": None},
        "decided_at": dict.fromkeys(("decided_by", "decided_at", "because")),
    },
    "reflexion_adjustments": {
        "ended_at": {"status": "applied", "ended_at": None},
        "applied_at": {"status": "proposed", "applied_at": None},
    },
    "alert_events": {
        "told_at": dict.fromkeys(
            ("claimed_until", "told_to", "told_at", "message_channel", "message_id")
        ),
    },
}  # fmt: skip
"""Further moments of some tables: what is said of a row until then."""


def copy_state_as_of(source: Settings, target: Settings, known_at: datetime) -> dict[str, int]:
    """Copy the rows that were known at a moment.

    Args:
        source: Whose state; it is only read.
        target: A home without a state database; one is made.
        known_at: The moment, with its zone. A row of that very moment is known.

    Returns:
        How many rows of each table were copied; empty when the source has no database.
    """
    if not state_exists(source):
        return {}
    with reading_state(source) as state:
        # One transaction: a decision is never seen without its recommendation.
        known = {
            table: state.rows(sa.select(table).where(table.c[KNOWN_FROM[table.name]] <= known_at))
            for table in metadata.sorted_tables
        }
    with writing_state(target) as state:
        for table, rows in known.items():
            if rows:
                state.execute(table.insert(), [_as_of(table.name, row, known_at) for row in rows])
    return {table.name: len(rows) for table, rows in known.items()}


def _as_of(table: str, row: dict[str, Any], known_at: datetime) -> dict[str, Any]:
    as_of = dict(row)
    for column, unknown in _UNKNOWN_BEFORE.get(table, {}).items():
        if row[column] is not None and row[column] > known_at:
            as_of |= unknown
    if table == "experiments" and as_of["started_at"] is None:
        as_of |= _before_its_start(row, as_of)
    if table == "reflexion_adjustments" and as_of["applied_at"] is None:
        # One that ended without ever being applied was a proposal until then.
        as_of |= {"status": "proposed"} if as_of["ended_at"] is None else {}
    return as_of


def _before_its_start(row: dict[str, Any], as_of: dict[str, Any]) -> dict[str, Any]:
    """The state of an experiment that had not started: a gap's waits for a person's word."""
    if as_of["concluded_at"] is not None or as_of["decided_at"] is not None:
        return {}
    is_proposal = row["origin"] == "gap"
    return {"status": "proposed" if is_proposal else "registered"}
