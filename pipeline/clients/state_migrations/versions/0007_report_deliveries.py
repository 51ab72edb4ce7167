"""Reports that were sent, claimed before they are.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "report_deliveries",
        sa.Column("period_kind", sa.String, primary_key=True),
        sa.Column("period_key", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, primary_key=True),
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("claim_id", sa.String, nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("warehouse_version", sa.String),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("channel_id", sa.String),
        sa.Column("message_id", sa.String),
        sa.Column("reason", sa.Text),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("report_deliveries")
