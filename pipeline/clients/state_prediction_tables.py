"""Tables of the state database for predictions: what was said, by which model, what corrects it."""

import sqlalchemy as sa

from pipeline.clients.state_tables import Name, UtcDateTime, metadata

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("prediction_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("platform", Name, nullable=False),
    sa.Column("target", Name, nullable=False),
    sa.Column("planned_id", Name),
    sa.Column("post_id", Name),
    sa.Column("predicted_at", UtcDateTime, nullable=False),
    sa.Column("planned_at", UtcDateTime, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("quantiles", sa.JSON, nullable=False),
    sa.Column("breakout_threshold", sa.Float),
    sa.Column("breakout_probability", sa.Float),
    sa.Column("baseline_expected", sa.Float, nullable=False),
    sa.Column("baseline_low", sa.Float, nullable=False),
    sa.Column("baseline_high", sa.Float, nullable=False),
    sa.Column("model_version", Name),
    sa.Column("model_name", Name, nullable=False),
    sa.Column("features", sa.JSON, nullable=False),
    sa.Column("factors", sa.JSON, nullable=False),
    sa.Column("warehouse_version", Name, nullable=False),
    sa.Column("sha256", Name, nullable=False),
    sa.Index("ix_predictions_account", "account_name", "platform", "target", "predicted_at"),
    sa.Index("ix_predictions_planned", "account_name", "planned_id"),
    sa.Index("ix_predictions_post", "account_name", "platform", "post_id"),
)
"""One row per prediction, never changed afterwards; ``sha256`` tells a change of it. All values are
in the target's own unit, ``quantiles`` by level (``{"0.1": …}``), ``low`` and ``high`` the ends of
the 80 % interval. ``planned_at``: when the post is to go out, or went out. ``model_version`` is
null where the account's own quantiles were served."""

prediction_models = sa.Table(
    "prediction_models",
    metadata,
    sa.Column("model_version", Name, primary_key=True),
    sa.Column("platform", Name, nullable=False),
    sa.Column("target", Name, nullable=False),
    sa.Column("model_name", Name, nullable=False),
    sa.Column("trained_at", UtcDateTime, nullable=False),
    sa.Column("training_from", UtcDateTime, nullable=False),
    sa.Column("training_to", UtcDateTime, nullable=False),
    sa.Column("post_count", sa.Integer, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("serves", sa.JSON, nullable=False),
    sa.Column("file_sha256", Name, nullable=False),
    sa.Column("warehouse_version", Name, nullable=False),
    sa.Index("ix_prediction_models_target", "platform", "target", "trained_at"),
)
"""One row per fitted model. ``platform`` is ``*`` for a model of all; ``serves`` lists the accounts
for which it was better than their own quantiles out of time when it was fitted; its file is named
after ``model_version``, and loaded only when it has the registered checksum."""

reflexion_adjustments = sa.Table(
    "reflexion_adjustments",
    metadata,
    sa.Column("adjustment_id", Name, primary_key=True),
    sa.Column("account_name", Name, nullable=False),
    sa.Column("platform", Name, nullable=False),
    sa.Column("target", Name, nullable=False),
    sa.Column("dimension", Name, nullable=False),
    sa.Column("segment", Name, nullable=False),
    sa.Column("factor", sa.Float, nullable=False),
    sa.Column("proposed_at", UtcDateTime, nullable=False),
    sa.Column("status", Name, nullable=False),
    sa.Column("applied_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("recommendation_id", Name),
    sa.Index("ix_reflexion_account", "account_name", "platform", "target", "status"),
)
"""One row per correction of predictions of a segment's posts, by a factor from 0.5 to 1.5; it is
proposed, applied or ended, and counts while it is applied."""
