"""What is written down of a fitted model, so that it can be named, compared and replaced."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pipeline.clock import utc_text
from pipeline.learn.predict.predictor import FittedModel
from pipeline.learn.predict.scoring import Score, score

RETRAIN_AFTER = timedelta(days=7)
RETRAIN_BELOW_SHARE = 0.05
"""A model is fitted anew when the share of close predictions falls by more than this."""


@dataclass(frozen=True)
class ModelVersion:
    """One fitted model: what it predicts, what it learned from, and how it did out of time."""

    version: str
    """The same for the same posts, weights and figures."""
    outcome: str
    platform: str
    trained_at: datetime
    first_post_at: datetime
    last_post_at: datetime
    training_post_count: int
    account_count: int
    weights: Mapping[str, float]
    """Of the models in the average that is served; their sum is 1."""
    served: Score
    baseline: Score
    figures: Mapping[str, float]
    """Mean pinball loss out of time of each model alone, by name."""

    @property
    def loss_below_baseline_share(self) -> float:
        """By which share the served loss is below the baseline's; negative where it is above."""
        return self.served.below(self.baseline)


def model_version(
    model: FittedModel,
    *,
    outcome: str,
    platform: str,
    epoch: datetime,
    trained_at: datetime,
    figures: Mapping[str, float],
) -> ModelVersion:
    """Describe a fitted model.

    Args:
        model: As fitted.
        outcome: Its name, such as ``views_7d``.
        platform: Whose posts these are.
        epoch: What the hours of the posts count from.
        trained_at: When it was fitted, with its zone.
        figures: Losses of the models alone, see :func:`losses`.
    """
    posts, record = model.training, model.record
    usual = record.baseline[:, 1]
    window = [
        epoch + timedelta(hours=float(hours))
        for hours in (posts.posted_at_hours[[0, -1]] if len(posts) else (0.0, 0.0))
    ]
    values = {
        "outcome": outcome,
        "platform": platform,
        "trained_at": trained_at,
        "first_post_at": window[0],
        "last_post_at": window[1],
        "training_post_count": model.training_post_count,
        "account_count": len(set(posts.account.tolist())),
        "weights": dict(model.weights),
        "served": score(record.log_outcome, model.served_quantiles, usual),
        "baseline": score(record.log_outcome, record.baseline, usual),
        "figures": dict(figures),
    }
    return ModelVersion(version=_fingerprint(values), **values)  # type: ignore[arg-type]


def is_due(version: ModelVersion, now: datetime, close_share: float) -> str | None:
    """Why a model has to be fitted anew, or None.

    Args:
        version: The one that serves.
        now: With its zone.
        close_share: Share of the predictions that it made and that were scored since, which were
            within 25 % of the outcome; NaN where there are none.
    """
    if now - version.trained_at >= RETRAIN_AFTER:
        return f"{RETRAIN_AFTER.days} days have passed since the last training"
    if version.served.close_share - close_share > RETRAIN_BELOW_SHARE:
        return (
            f"the share of close predictions fell from {version.served.close_share:.0%}"
            f" to {close_share:.0%}"
        )
    return None


def losses(model: FittedModel) -> dict[str, float]:
    """Mean pinball loss out of time of each model in the average, alone; empty for few posts."""
    from pipeline.learn.predict.quantiles import pinball

    said = model.out_of_time_quantiles
    if said is None:
        return {}
    return {
        name: float(pinball(model.record.log_outcome, quantiles).mean())
        for name, quantiles in said.quantiles.items()
    }


def _fingerprint(values: Mapping[str, object]) -> str:
    def plain(value: object) -> object:
        if isinstance(value, datetime):
            return utc_text(value)
        return asdict(value) if isinstance(value, Score) else value

    text = json.dumps({name: plain(value) for name, value in values.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
