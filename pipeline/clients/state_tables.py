"""The tables of the state database, for every database that SQLAlchemy speaks to."""

from datetime import UTC, datetime

import sqlalchemy as sa


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment with its zone; stored in UTC, refused without a zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To UTC; SQLite keeps no zone, so there it is dropped after the conversion."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: sa.Dialect,  # noqa: ARG002 (the signature is SQLAlchemy's)
    ) -> datetime | None:
        """Back with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

recommendations = sa.Table(
    "recommendations",
    metadata,
    sa.Column("recommendation_id", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
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
    sa.Column("format_posteriors", sa.JSON(none_as_null=True)),
    sa.Column("posts_per_week", sa.Float),
    sa.Column("warehouse_version", sa.String, nullable=False),
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("writer_reason", sa.Text),
    sa.Column("model", sa.String),
    sa.Column("prompt_sha256", sa.String),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", sa.String),
    sa.Column("decided_at", UtcDateTime),
    sa.Index("ix_recommendations_account_status", "account_name", "status"),
)
"""One row per proposed change. ``cost_usd`` is decimal text, exact on every database."""

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("decision_id", sa.String, primary_key=True),
    # A recommendation is decided once, whatever the code above believes.
    sa.Column(
        "recommendation_id",
        sa.String,
        sa.ForeignKey("recommendations.recommendation_id"),
        unique=True,
    ),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("patch", sa.JSON, nullable=False),
    sa.Column("operations", sa.JSON(none_as_null=True)),
    sa.Column("proposed_patch", sa.JSON(none_as_null=True)),
    sa.Column("context_id_before", sa.String),
    sa.Column("context_id_after", sa.String),
)
"""One row per approval, edit, rejection or revert. ``patch`` is what was really changed; after an
edit ``proposed_patch`` is what would have been, and ``operations`` what was approved instead."""

context_versions = sa.Table(
    "context_versions",
    metadata,
    sa.Column("account_name", sa.String, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("context_id", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("decision_id", sa.String, sa.ForeignKey("decisions.decision_id")),
    sa.Column("created_at", UtcDateTime, nullable=False),
    # False between the commit of a version and the write of its file.
    sa.Column("is_written", sa.Boolean, nullable=False),
)
"""Every version of every context file, byte for byte, numbered from 1 per account."""

verdict_registrations = sa.Table(
    "verdict_registrations",
    metadata,
    sa.Column(
        "recommendation_id",
        sa.String,
        sa.ForeignKey("recommendations.recommendation_id"),
        primary_key=True,
    ),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
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
"""What will be measured about an approved change, fixed at its approval and never changed.
``sha256`` is of everything else in the row."""

planned_feedback = sa.Table(
    "planned_feedback",
    metadata,
    sa.Column("account_name", sa.String, primary_key=True),
    sa.Column("planned_id", sa.String, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("feedback", sa.String, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("given_by", sa.String, nullable=False),
    sa.Column("given_at", UtcDateTime, nullable=False),
)
"""What people said about what the generator made; the highest ``sequence`` of a plan counts."""

person_matches = sa.Table(
    "person_matches",
    metadata,
    sa.Column("account_name", sa.String, primary_key=True),
    sa.Column("platform", sa.String, primary_key=True),
    sa.Column("post_id", sa.String, primary_key=True),
    sa.Column("planned_id", sa.String),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
)
"""What a person said about a post's plan; a null ``planned_id`` says that it has none."""

person_labels = sa.Table(
    "person_labels",
    metadata,
    sa.Column("account_name", sa.String, primary_key=True),
    sa.Column("platform", sa.String, primary_key=True),
    sa.Column("post_id", sa.String, primary_key=True),
    sa.Column("dimension", sa.String, primary_key=True),
    sa.Column("label", sa.String),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
)
"""What a person said about a post in one dimension; a null ``label`` says that none fits."""

model_label_batches = sa.Table(
    "model_label_batches",
    metadata,
    sa.Column("batch_id", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("prompt_sha256", sa.String, nullable=False),
    sa.Column("caption_count", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost_usd", sa.String),
)
"""One row per question about captions: what it cost, and why it gave nothing where it did."""

model_labels = sa.Table(
    "model_labels",
    metadata,
    sa.Column("content_sha256", sa.String, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("labels", sa.JSON),
    sa.Column("refusal_count", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("batch_id", sa.String, sa.ForeignKey("model_label_batches.batch_id"), nullable=False),
)
"""Answers by caption and lists of names. ``labels`` is null while no answer could be used."""

model_calls = sa.Table(
    "model_calls",
    metadata,
    sa.Column("call_id", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("prompt_sha256", sa.String, nullable=False),
    sa.Column("reserved_usd", sa.String),
    sa.Column("batch_id", sa.String),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("outcome", sa.String),
    sa.Column("reason", sa.Text),
    sa.Column("lost_count", sa.Integer, nullable=False),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", sa.String),
    sa.Index("ix_model_calls_account", "account_name", "purpose", "asked_at"),
)
"""One row per question about recommendations, written before it is sent; ``outcome`` is null until
something came. ``reserved_usd`` is the most that it may cost; ``batch_id`` is the service's."""

scrape_attempts = sa.Table(
    "scrape_attempts",
    metadata,
    sa.Column("attempt_id", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("platform", sa.String, nullable=False),
    sa.Column("source_kind", sa.String, nullable=False),
    sa.Column("actor_id", sa.String, nullable=False),
    sa.Column("handle", sa.String),
    sa.Column("run_input", sa.JSON, nullable=False),
    sa.Column("items_asked", sa.Integer),
    sa.Column("max_charge_usd", sa.String, nullable=False),
    sa.Column("intended_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String),
    sa.Column("run_status", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("message", sa.Text),
    sa.Column("items_got", sa.Integer),
    sa.Column("post_count", sa.Integer),
    sa.Column("new_post_count", sa.Integer),
    sa.Column("cost_usd", sa.String),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("scrape_id", sa.String),
    sa.Index("ix_scrape_attempts_profile", "account_name", "platform", "intended_at"),
)
"""One row per run that was meant to be paid for; ``finished_at`` is null until its end is known.

``max_charge_usd`` and ``cost_usd`` are decimal text, exact on every database.
"""

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("platform", sa.String),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("acknowledged_at", UtcDateTime),
    sa.Column("acknowledged_by", sa.String),
    sa.Column("acknowledged_note", sa.Text),
    sa.Column("resolved_at", UtcDateTime),
    sa.Column("quiet_until", UtcDateTime),
)
"""What deserved attention. ``subject`` names what it is about, the same every time; until
``quiet_until`` no new alert of that kind and subject is raised."""

sa.Index(
    # However many processes look at once, a thing has one open alert.
    "ix_alerts_open",
    alerts.c.account_name,
    alerts.c.kind,
    alerts.c.subject,
    unique=True,
    sqlite_where=sa.text("resolved_at IS NULL"),
    postgresql_where=sa.text("resolved_at IS NULL"),
)

alert_events = sa.Table(
    "alert_events",
    metadata,
    sa.Column("alert_id", sa.String, sa.ForeignKey("alerts.alert_id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("done_by", sa.String),
    sa.Column("note", sa.Text),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("told_to", sa.String),
    sa.Column("told_at", UtcDateTime),
    sa.Column("message_channel", sa.String),
    sa.Column("message_id", sa.String),
    sa.Index("ix_alert_events_told", "told_at"),
)
"""The history of alerts, numbered from 1 each. ``told_at`` is null while an event waits to be sent;
``claimed_until`` is how long one process has it in hand."""

report_deliveries = sa.Table(
    "report_deliveries",
    metadata,
    sa.Column("period_kind", sa.String, primary_key=True),
    sa.Column("period_key", sa.String, primary_key=True),
    sa.Column("account_name", sa.String, primary_key=True),
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("claim_id", sa.String, nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("warehouse_version", sa.String),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("channel_id", sa.String),
    sa.Column("message_id", sa.String),
    sa.Column("reason", sa.Text),
)
"""One row per report and target, whose ``account_name`` is ``*`` for all accounts. ``claim_id`` is
of the process that may send it; ``status`` is claimed, sending, sent, failed or unclear."""
