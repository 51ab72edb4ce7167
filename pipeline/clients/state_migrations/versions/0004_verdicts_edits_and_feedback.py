"""What approvals are measured by, edited approvals, and feedback on planned posts.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create two tables and add the new columns."""
    with op.batch_alter_table("recommendations") as table:
        table.add_column(sa.Column("format_posteriors", sa.JSON))
        table.add_column(sa.Column("posts_per_week", sa.Float))
    with op.batch_alter_table("decisions") as table:
        table.add_column(sa.Column("operations", sa.JSON))
        table.add_column(sa.Column("proposed_patch", sa.JSON))
    op.create_table(
        "verdict_registrations",
        sa.Column(
            "recommendation_id",
            sa.String,
            sa.ForeignKey("recommendations.recommendation_id"),
            primary_key=True,
        ),
        sa.Column("account_name", sa.String, nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("dimension", sa.String, nullable=False),
        sa.Column("segment", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("smallest_useful_ratio", sa.Float, nullable=False),
        sa.Column("horizon_days", sa.Integer, nullable=False),
        sa.Column("control_shares", sa.JSON, nullable=False),
        sa.Column("context_id_before", sa.String, nullable=False),
        sa.Column("context_id_after", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("posts_per_week", sa.Float),
        sa.Column("expected_share_decided", sa.Float),
        sa.Column("sha256", sa.String, nullable=False),
    )
    op.create_table(
        "planned_feedback",
        sa.Column("account_name", sa.String, primary_key=True),
        sa.Column("planned_id", sa.String, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("feedback", sa.String, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("given_by", sa.String, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("planned_feedback")
    op.drop_table("verdict_registrations")
    with op.batch_alter_table("decisions") as table:
        table.drop_column("proposed_patch")
        table.drop_column("operations")
    with op.batch_alter_table("recommendations") as table:
        table.drop_column("posts_per_week")
        table.drop_column("format_posteriors")
