"""Scrape attempts: what was meant to be run at a paying service, and what became of it.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "scrape_attempts",
        sa.Column("attempt_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("source_kind", sa.String, nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("handle", sa.String),
        sa.Column("run_input", sa.JSON, nullable=False),
        sa.Column("items_asked", sa.Integer),
        sa.Column("max_charge_usd", sa.String, nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String),
        sa.Column("run_status", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("message", sa.Text),
        sa.Column("items_got", sa.Integer),
        sa.Column("post_count", sa.Integer),
        sa.Column("new_post_count", sa.Integer),
        sa.Column("cost_usd", sa.String),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("scrape_id", sa.String),
    )
    op.create_index(
        "ix_scrape_attempts_profile",
        "scrape_attempts",
        ["account_name", "platform", "intended_at"],
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("scrape_attempts")
