"""Tables of the state database for action plans, and for who changed what over the web."""

import sqlalchemy as sa

from pipeline.clients.state_tables import Name, UtcDateTime, Words, metadata

action_plans = sa.Table(
    "action_plans",
    metadata,
    sa.Column("plan_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("goal", Words, nullable=False),
    sa.Column("status", Name, nullable=False),
    sa.Column("source_kind", Name, nullable=False),
    sa.Column("source_id", Name),
    sa.Column("writer", Name, nullable=False),
    sa.Column("writer_reason", Words),
    sa.Column("projected", sa.JSON(none_as_null=True)),
    sa.Column("outcome_note", Words),
    sa.Column("notes", Words),
    sa.Column("progress_percentage", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_by", Name, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("completed_at", UtcDateTime),
    sa.Index("ix_action_plans_account", "account_name", "status"),
)
"""What somebody means to do. ``version`` counts every change of the plan, its items and their
posts, so that a change made from an older version is noticed."""

action_items = sa.Table(
    "action_items",
    metadata,
    sa.Column("item_id", Name, primary_key=True),
    sa.Column("plan_id", Name, sa.ForeignKey("action_plans.plan_id"), nullable=False),
    sa.Column("order_index", sa.Integer, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("notes", Words),
    sa.Column("due_date", sa.Date),
    sa.Column("estimated_hours", sa.Float),
    sa.Column("projected_outcome", Words),
    sa.Column("actual_outcome", Words),
    sa.Column("is_completed", sa.Boolean, nullable=False),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("completed_by", Name),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index("ix_action_items_plan", "plan_id", "order_index"),
)
"""The steps of a plan, numbered from 0. ``due_date`` is a day in the account's zone."""

action_item_posts = sa.Table(
    "action_item_posts",
    metadata,
    sa.Column("item_id", Name, sa.ForeignKey("action_items.item_id"), primary_key=True),
    sa.Column("platform", Name, primary_key=True),
    sa.Column("post_id", Name, primary_key=True),
    sa.Column("linked_by", Name, nullable=False),
    sa.Column("linked_at", UtcDateTime, nullable=False),
)
"""The posts that were made for a step; they may be newer than the newest scrape."""

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("entry_id", Name, primary_key=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("done_by", Name, nullable=False),
    sa.Column("action", Name, nullable=False),
    sa.Column("target", Name, nullable=False),
    sa.Column("account_name", Name),
    sa.Column("details", sa.JSON(none_as_null=True)),
    sa.Index("ix_audit_entries_time", "happened_at"),
)
"""Every change that was made over the web, by whom and to what."""
