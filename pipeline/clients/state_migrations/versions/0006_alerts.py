"""Alerts, what became of them, and which of it was told.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("platform", sa.String),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("acknowledged_by", sa.String),
        sa.Column("acknowledged_note", sa.Text),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.Column("quiet_until", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "ix_alerts_open",
        "alerts",
        ["account_name", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "alert_events",
        sa.Column("alert_id", sa.String, sa.ForeignKey("alerts.alert_id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("done_by", sa.String),
        sa.Column("note", sa.Text),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("told_to", sa.String),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("message_channel", sa.String),
        sa.Column("message_id", sa.String),
    )
    op.create_index("ix_alert_events_told", "alert_events", ["told_at"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("alert_events")
    op.drop_table("alerts")
