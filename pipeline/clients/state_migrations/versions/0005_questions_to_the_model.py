"""Paid questions to the model, written down before they are sent.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "model_calls",
        sa.Column("call_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("prompt_sha256", sa.String, nullable=False),
        sa.Column("reserved_usd", sa.String),
        sa.Column("batch_id", sa.String),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String),
        sa.Column("reason", sa.Text),
        sa.Column("lost_count", sa.Integer, nullable=False),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost_usd", sa.String),
        sa.Index("ix_model_calls_account", "account_name", "purpose", "asked_at"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("model_calls")
