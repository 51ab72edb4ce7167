"""Experiments with the arms they give to posts, and what happened to them.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("registration", sa.JSON, nullable=False),
        sa.Column("registration_sha256", sa.String, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("concluded_at", sa.DateTime(timezone=True)),
        sa.Column("verdict", sa.String),
        sa.Column("because", sa.Text),
        sa.Column("result", sa.JSON(none_as_null=True)),
        sa.Column("recommendation_id", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_experiments_account", "experiments", ["account_name", "platform", "status"])
    op.create_table(
        "experiment_assignments",
        sa.Column("assignment_id", sa.String, primary_key=True),
        sa.Column(
            "experiment_id", sa.String, sa.ForeignKey("experiments.experiment_id"), nullable=False
        ),
        sa.Column("arm", sa.String, nullable=False),
        sa.Column("stratum", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("draw_id", sa.String),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("experiment_id", "stratum", "position", name="uq_assignments_place"),
        sa.UniqueConstraint("experiment_id", "subject", name="uq_assignments_subject"),
    )
    op.create_table(
        "experiment_events",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column(
            "experiment_id", sa.String, sa.ForeignKey("experiments.experiment_id"), nullable=False
        ),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String),
        sa.Column("details", sa.JSON(none_as_null=True)),
    )
    op.create_index(
        "ix_experiment_events_time", "experiment_events", ["experiment_id", "happened_at"]
    )
