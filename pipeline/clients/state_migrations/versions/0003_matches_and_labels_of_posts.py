"""What people said about posts, and what the model answered about captions.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "person_matches",
        sa.Column("account_name", sa.String, primary_key=True),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("post_id", sa.String, primary_key=True),
        sa.Column("planned_id", sa.String),
        sa.Column("decided_by", sa.String, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "person_labels",
        sa.Column("account_name", sa.String, primary_key=True),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("post_id", sa.String, primary_key=True),
        sa.Column("dimension", sa.String, primary_key=True),
        sa.Column("label", sa.String),
        sa.Column("decided_by", sa.String, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "model_label_batches",
        sa.Column("batch_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("prompt_sha256", sa.String, nullable=False),
        sa.Column("caption_count", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.String),
    )
    op.create_table(
        "model_labels",
        sa.Column("content_sha256", sa.String, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("labels", sa.JSON),
        sa.Column("refusal_count", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "batch_id", sa.String, sa.ForeignKey("model_label_batches.batch_id"), nullable=False
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("model_labels")
    op.drop_table("model_label_batches")
    op.drop_table("person_labels")
    op.drop_table("person_matches")
