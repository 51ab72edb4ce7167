"""Texts sort by their bytes on a server too, as they do in a file.

The language's order of a server differs between servers, and between versions of its libraries,
which leaves indexes of texts behind that find nothing. SQLite knows no other order than this one.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = (
    "recommendations", "decisions", "context_versions", "verdict_registrations",
    "planned_feedback", "person_matches", "person_labels", "model_label_batches", "model_labels",
    "model_calls", "scrape_attempts", "alerts", "alert_events", "report_deliveries",
    "action_plans", "action_items", "action_item_posts", "audit_entries", "experiments",
    "experiment_assignments", "experiment_events", "predictions", "prediction_models",
    "reflexion_adjustments",
)  # fmt: skip


def upgrade() -> None:
    """Give every column of texts the collation C."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    inspector = sa.inspect(connection)
    for table in _TABLES:
        changes = [
            f'alter column "{column["name"]}" type {column["type"].compile()} collate "C"'
            for column in inspector.get_columns(table)
            if isinstance(column["type"], sa.String)
        ]
        op.execute(f"alter table {table} {', '.join(changes)}")
