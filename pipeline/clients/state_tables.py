"""The tables of the state database, for every database that SQLAlchemy speaks to."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine


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


def without_nul(text: str) -> str:
    """A text as every database can keep it: with U+FFFD for each character NUL."""
    return text.replace("\0", "\ufffd")


class Name(sa.TypeDecorator[str]):
    """A text that every database stores and sorts alike: by its bytes in UTF-8.

    PostgreSQL has no place for the character NUL, which captions and requests may hold: it becomes
    U+FFFD, the sign for what could not be kept, in what is stored and in what is looked for.
    """

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[str]:
        """The order of bytes is SQLite's own, and one of many on PostgreSQL."""
        kind = sa.Text if isinstance(self.impl_instance, sa.Text) else sa.String
        is_server = dialect.name == "postgresql"
        return dialect.type_descriptor(kind(collation="C") if is_server else kind())

    def process_bind_param(
        self,
        value: str | None,
        dialect: sa.Dialect,  # noqa: ARG002 (the signature is SQLAlchemy's)
    ) -> str | None:
        """Without NUL."""
        return without_nul(value) if isinstance(value, str) else value


class Words(Name):
    """As `Name`, of any length; in no key."""

    impl = sa.Text
    cache_ok = True


metadata = sa.MetaData()

recommendations = sa.Table(
    "recommendations",
    metadata,
    sa.Column("recommendation_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", Name, nullable=False),
    sa.Column("category", Name, nullable=False),
    sa.Column("target", Name, nullable=False),
    sa.Column("insight", Words, nullable=False),
    sa.Column("insight_template", Words, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("operations", sa.JSON, nullable=False),
    sa.Column("patch", sa.JSON, nullable=False),
    sa.Column("base_context_id", Name),
    sa.Column("confidence", Name, nullable=False),
    sa.Column("sample_size", sa.Integer, nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    sa.Column("format_posteriors", sa.JSON(none_as_null=True)),
    sa.Column("posts_per_week", sa.Float),
    sa.Column("warehouse_version", Name, nullable=False),
    sa.Column("writer", Name, nullable=False),
    sa.Column("writer_reason", Words),
    sa.Column("model", Name),
    sa.Column("prompt_sha256", Name),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", Name),
    sa.Column("decided_at", UtcDateTime),
    sa.Index("ix_recommendations_account_status", "account_name", "status"),
)
"""One row per proposed change. ``cost_usd`` is decimal text, exact on every database."""

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("decision_id", Name, primary_key=True),
    # A recommendation is decided once, whatever the code above believes.
    sa.Column(
        "recommendation_id",
        Name,
        sa.ForeignKey("recommendations.recommendation_id"),
        unique=True,
    ),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("decision", Name, nullable=False),
    sa.Column("decided_by", Name, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
    sa.Column("note", Words),
    sa.Column("patch", sa.JSON, nullable=False),
    sa.Column("operations", sa.JSON(none_as_null=True)),
    sa.Column("proposed_patch", sa.JSON(none_as_null=True)),
    sa.Column("context_id_before", Name),
    sa.Column("context_id_after", Name),
)
"""One row per approval, edit, rejection or revert. ``patch`` is what was really changed; after an
edit ``proposed_patch`` is what would have been, and ``operations`` what was approved instead."""

context_versions = sa.Table(
    "context_versions",
    metadata,
    sa.Column("account_name", Name, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("context_id", Name, nullable=False),
    sa.Column("sha256", Name, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("cause", Name, nullable=False),
    sa.Column("decision_id", Name, sa.ForeignKey("decisions.decision_id")),
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
        Name,
        sa.ForeignKey("recommendations.recommendation_id"),
        primary_key=True,
    ),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("platform", Name, nullable=False),
    sa.Column("dimension", Name, nullable=False),
    sa.Column("segment", Name, nullable=False),
    sa.Column("outcome", Name, nullable=False),
    sa.Column("direction", Name, nullable=False),
    sa.Column("smallest_useful_ratio", sa.Float, nullable=False),
    sa.Column("horizon_days", sa.Integer, nullable=False),
    sa.Column("control_shares", sa.JSON, nullable=False),
    sa.Column("context_id_before", Name, nullable=False),
    sa.Column("context_id_after", Name, nullable=False),
    sa.Column("rule", Name, nullable=False),
    sa.Column("posts_per_week", sa.Float),
    sa.Column("expected_share_decided", sa.Float),
    sa.Column("sha256", Name, nullable=False),
)
"""What will be measured about an approved change, fixed at its approval and never changed.
``sha256`` is of everything else in the row."""

planned_feedback = sa.Table(
    "planned_feedback",
    metadata,
    sa.Column("account_name", Name, primary_key=True),
    sa.Column("planned_id", Name, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("feedback", Name, nullable=False),
    sa.Column("note", Words),
    sa.Column("given_by", Name, nullable=False),
    sa.Column("given_at", UtcDateTime, nullable=False),
)
"""What people said about what the generator made; the highest ``sequence`` of a plan counts."""

person_matches = sa.Table(
    "person_matches",
    metadata,
    sa.Column("account_name", Name, primary_key=True),
    sa.Column("platform", Name, primary_key=True),
    sa.Column("post_id", Name, primary_key=True),
    sa.Column("planned_id", Name),
    sa.Column("decided_by", Name, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
)
"""What a person said about a post's plan; a null ``planned_id`` says that it has none."""

person_labels = sa.Table(
    "person_labels",
    metadata,
    sa.Column("account_name", Name, primary_key=True),
    sa.Column("platform", Name, primary_key=True),
    sa.Column("post_id", Name, primary_key=True),
    sa.Column("dimension", Name, primary_key=True),
    sa.Column("label", Name),
    sa.Column("decided_by", Name, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
)
"""What a person said about a post in one dimension; a null ``label`` says that none fits."""

model_label_batches = sa.Table(
    "model_label_batches",
    metadata,
    sa.Column("batch_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("model", Name, nullable=False),
    sa.Column("prompt_sha256", Name, nullable=False),
    sa.Column("caption_count", sa.Integer, nullable=False),
    sa.Column("reason", Words),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost_usd", Name),
)
"""One row per question about captions: what it cost, and why it gave nothing where it did."""

model_labels = sa.Table(
    "model_labels",
    metadata,
    sa.Column("content_sha256", Name, primary_key=True),
    sa.Column("model", Name, primary_key=True),
    sa.Column("labels", sa.JSON),
    sa.Column("refusal_count", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("batch_id", Name, sa.ForeignKey("model_label_batches.batch_id"), nullable=False),
)
"""Answers by caption and lists of names. ``labels`` is null while no answer could be used."""

model_calls = sa.Table(
    "model_calls",
    metadata,
    sa.Column("call_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("purpose", Name, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("model", Name, nullable=False),
    sa.Column("prompt_sha256", Name, nullable=False),
    sa.Column("reserved_usd", Name),
    sa.Column("batch_id", Name),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("outcome", Name),
    sa.Column("reason", Words),
    sa.Column("lost_count", sa.Integer, nullable=False),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", Name),
    sa.Index("ix_model_calls_account", "account_name", "purpose", "asked_at"),
)
"""One row per question about recommendations, written before it is sent; ``outcome`` is null until
something came. ``reserved_usd`` is the most that it may cost; ``batch_id`` is the service's."""

scrape_attempts = sa.Table(
    "scrape_attempts",
    metadata,
    sa.Column("attempt_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("platform", Name, nullable=False),
    sa.Column("source_kind", Name, nullable=False),
    sa.Column("actor_id", Name, nullable=False),
    sa.Column("handle", Name),
    sa.Column("run_input", sa.JSON, nullable=False),
    sa.Column("items_asked", sa.Integer),
    sa.Column("max_charge_usd", Name, nullable=False),
    sa.Column("intended_at", UtcDateTime, nullable=False),
    sa.Column("run_id", Name),
    sa.Column("run_status", Name),
    sa.Column("outcome", Name),
    sa.Column("message", Words),
    sa.Column("items_got", sa.Integer),
    sa.Column("post_count", sa.Integer),
    sa.Column("new_post_count", sa.Integer),
    sa.Column("cost_usd", Name),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("scrape_id", Name),
    sa.Index("ix_scrape_attempts_profile", "account_name", "platform", "intended_at"),
)
"""One row per run that was meant to be paid for; ``finished_at`` is null until its end is known.

``max_charge_usd`` and ``cost_usd`` are decimal text, exact on every database.
"""

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("kind", Name, nullable=False),
    sa.Column("platform", Name),
    sa.Column("subject", Name, nullable=False),
    sa.Column("severity", Name, nullable=False),
    sa.Column("sentence", Words, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("acknowledged_at", UtcDateTime),
    sa.Column("acknowledged_by", Name),
    sa.Column("acknowledged_note", Words),
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
    sa.Column("alert_id", Name, sa.ForeignKey("alerts.alert_id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("event", Name, nullable=False),
    sa.Column("severity", Name, nullable=False),
    sa.Column("sentence", Words, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("done_by", Name),
    sa.Column("note", Words),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("told_to", Name),
    sa.Column("told_at", UtcDateTime),
    sa.Column("message_channel", Name),
    sa.Column("message_id", Name),
    sa.Index("ix_alert_events_told", "told_at"),
)
"""The history of alerts, numbered from 1 each. ``told_at`` is null while an event waits to be sent;
``claimed_until`` is how long one process has it in hand."""

report_deliveries = sa.Table(
    "report_deliveries",
    metadata,
    sa.Column("period_kind", Name, primary_key=True),
    sa.Column("period_key", Name, primary_key=True),
    sa.Column("account_name", Name, primary_key=True),
    sa.Column("target", Name, primary_key=True),
    sa.Column("status", Name, nullable=False),
    sa.Column("claim_id", Name, nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("warehouse_version", Name),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("channel_id", Name),
    sa.Column("message_id", Name),
    sa.Column("reason", Words),
)
"""One row per report and target, whose ``account_name`` is ``*`` for all accounts. ``claim_id`` is
of the process that may send it; ``status`` is claimed, sending, sent, failed or unclear."""
