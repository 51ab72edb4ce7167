"""Tables of the state database for experiments: registrations, given arms, and what happened."""

import sqlalchemy as sa

from pipeline.clients.state_tables import Name, UtcDateTime, Words, metadata

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("experiment_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("platform", Name, nullable=False),
    sa.Column("status", Name, nullable=False),
    sa.Column("origin", Name, nullable=False),
    sa.Column("registration", sa.JSON, nullable=False),
    sa.Column("registration_sha256", Name, nullable=False),
    sa.Column("created_by", Name, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("decided_by", Name),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("started_at", UtcDateTime),
    sa.Column("concluded_at", UtcDateTime),
    sa.Column("verdict", Name),
    sa.Column("because", Words),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("recommendation_id", Name),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_experiments_account", "account_name", "platform", "status"),
)
"""One row per experiment. ``registration`` is frozen, and ``registration_sha256`` tells a change of
it; ``decided_by`` approved, rejected or stopped it; ``version`` counts the changes of the row."""

experiment_assignments = sa.Table(
    "experiment_assignments",
    metadata,
    sa.Column("assignment_id", Name, primary_key=True),
    sa.Column("experiment_id", Name, sa.ForeignKey("experiments.experiment_id"), nullable=False),
    sa.Column("arm", Name, nullable=False),
    sa.Column("stratum", Name, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("subject", Words),
    sa.Column("draw_id", Name),
    sa.Column("assigned_at", UtcDateTime, nullable=False),
    # A place in the randomised order is given once, and a subject goes to the audience once.
    sa.UniqueConstraint("experiment_id", "stratum", "position", name="uq_assignments_place"),
    sa.UniqueConstraint("experiment_id", "subject", name="uq_assignments_subject"),
)
"""Which arm a post is made for. ``position`` counts from 0 in a stratum such as ``3/evening``;
``subject`` is casefolded."""

experiment_events = sa.Table(
    "experiment_events",
    metadata,
    sa.Column("event_id", Name, primary_key=True),
    sa.Column("experiment_id", Name, sa.ForeignKey("experiments.experiment_id"), nullable=False),
    sa.Column("event", Name, nullable=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("done_by", Name),
    sa.Column("details", sa.JSON(none_as_null=True)),
    sa.Index("ix_experiment_events_time", "experiment_id", "happened_at"),
)
"""What happened to an experiment. The key is a hash of what happened, so that it is told once."""
