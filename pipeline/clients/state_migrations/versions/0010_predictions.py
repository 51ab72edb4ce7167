"""Predictions, the models that made them, and corrections of both by their misses.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "predictions",
        sa.Column("prediction_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("planned_id", sa.String),
        sa.Column("post_id", sa.String),
        sa.Column("predicted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("low", sa.Float, nullable=False),
        sa.Column("high", sa.Float, nullable=False),
        sa.Column("quantiles", sa.JSON, nullable=False),
        sa.Column("breakout_threshold", sa.Float),
        sa.Column("breakout_probability", sa.Float),
        sa.Column("baseline_expected", sa.Float, nullable=False),
        sa.Column("baseline_low", sa.Float, nullable=False),
        sa.Column("baseline_high", sa.Float, nullable=False),
        sa.Column("model_version", sa.String),
        sa.Column("model_name", sa.String, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("factors", sa.JSON, nullable=False),
        sa.Column("warehouse_version", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
    )
    op.create_index(
        "ix_predictions_account",
        "predictions",
        ["account_name", "platform", "target", "predicted_at"],
    )
    op.create_index("ix_predictions_planned", "predictions", ["account_name", "planned_id"])
    op.create_index("ix_predictions_post", "predictions", ["account_name", "platform", "post_id"])
    op.create_table(
        "prediction_models",
        sa.Column("model_version", sa.String, primary_key=True),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("model_name", sa.String, nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("training_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("training_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("post_count", sa.Integer, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("serves", sa.JSON, nullable=False),
        sa.Column("file_sha256", sa.String, nullable=False),
        sa.Column("warehouse_version", sa.String, nullable=False),
    )
    op.create_index(
        "ix_prediction_models_target", "prediction_models", ["platform", "target", "trained_at"]
    )
    op.create_table(
        "reflexion_adjustments",
        sa.Column("adjustment_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("dimension", sa.String, nullable=False),
        sa.Column("segment", sa.String, nullable=False),
        sa.Column("factor", sa.Float, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("recommendation_id", sa.String),
    )
    op.create_index(
        "ix_reflexion_account",
        "reflexion_adjustments",
        ["account_name", "platform", "target", "status"],
    )
