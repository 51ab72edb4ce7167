"""Action plans with their items and posts, and who changed what over the web.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "action_plans",
        sa.Column("plan_id", sa.String, primary_key=True),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("goal", sa.Text, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("source_kind", sa.String, nullable=False),
        sa.Column("source_id", sa.String),
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("writer_reason", sa.Text),
        sa.Column("projected", sa.JSON(none_as_null=True)),
        sa.Column("outcome_note", sa.Text),
        sa.Column("notes", sa.Text),
        sa.Column("progress_percentage", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_action_plans_account", "action_plans", ["account_name", "status"])
    op.create_table(
        "action_items",
        sa.Column("item_id", sa.String, primary_key=True),
        sa.Column("plan_id", sa.String, sa.ForeignKey("action_plans.plan_id"), nullable=False),
        sa.Column("order_index", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("notes", sa.Text),
        sa.Column("due_date", sa.Date),
        sa.Column("estimated_hours", sa.Float),
        sa.Column("projected_outcome", sa.Text),
        sa.Column("actual_outcome", sa.Text),
        sa.Column("is_completed", sa.Boolean, nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("completed_by", sa.String),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_action_items_plan", "action_items", ["plan_id", "order_index"])
    op.create_table(
        "action_item_posts",
        sa.Column("item_id", sa.String, sa.ForeignKey("action_items.item_id"), primary_key=True),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("post_id", sa.String, primary_key=True),
        sa.Column("linked_by", sa.String, nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.String, primary_key=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("account_name", sa.String),
        sa.Column("details", sa.JSON(none_as_null=True)),
    )
    op.create_index("ix_audit_entries_time", "audit_entries", ["happened_at"])
