"""Recommendations, decisions and context versions.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "recommendations",
        sa.Column("recommendation_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("insight", sa.Text, nullable=False),
        sa.Column("insight_template", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("operations", sa.JSON, nullable=False),
        sa.Column("patch", sa.JSON, nullable=False),
        sa.Column("base_context_id", sa.String),
        sa.Column("confidence", sa.String, nullable=False),
        sa.Column("sample_size", sa.Integer, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("warehouse_version", sa.String, nullable=False),
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("writer_reason", sa.Text),
        sa.Column("model", sa.String),
        sa.Column("prompt_sha256", sa.String),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost_usd", sa.String),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "ix_recommendations_account_status", "recommendations", ["account_name", "status"]
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String, primary_key=True),
        sa.Column(
            "recommendation_id",
            sa.String,
            sa.ForeignKey("recommendations.recommendation_id"),
            unique=True,
        ),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("decided_by", sa.String, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("patch", sa.JSON, nullable=False),
        sa.Column("context_id_before", sa.String),
        sa.Column("context_id_after", sa.String),
    )
    op.create_table(
        "context_versions",
        sa.Column("account_name", sa.String, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("context_id", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("decision_id", sa.String, sa.ForeignKey("decisions.decision_id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_written", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("context_versions")
    op.drop_table("decisions")
    op.drop_table("recommendations")
