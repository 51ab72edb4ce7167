"""Fitting the models of all platforms and targets, and what is written down of each.

One model for each platform and target learns from all accounts; whether it serves an account is
decided by the account's own losses (:mod:`pipeline.learn.predict.gate`). A model is fitted anew
after a week, or when the predictions that it made have become worse.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipeline.clients.state_predictions import add_model, model_rows
from pipeline.clients.warehouse import reading
from pipeline.learn.predict.gate import MINIMUM_POSTS
from pipeline.learn.predict.model_files import (
    FILES_KEPT,
    ModelFileError,
    remove_models,
    write_model,
)
from pipeline.learn.predict.posts import Posts
from pipeline.learn.predict.predictor import FittedModel, fit
from pipeline.learn.predict.ready_models import usable_model
from pipeline.learn.predict.registry import ModelVersion, is_due, losses, model_version
from pipeline.learn.predict.scoring import Score, score
from pipeline.learn.predict.warehouse_features import EPOCH, Knowledge, Target, hours_of
from pipeline.settings import Settings

MODEL_NAME = "weighted_average"


@dataclass(frozen=True)
class Trained:
    """What came of one platform and target."""

    platform: str
    target: Target
    line: str
    """In a sentence."""
    row: Mapping[str, Any] | None = None
    """Of the registry, where a model was fitted."""


def train_models(
    settings: Settings, now: datetime, *, knowledge: Knowledge | None = None, force: bool = False
) -> list[Trained]:
    """Fit the models that are due and register them.

    Args:
        settings: Whose newest published copy to learn from.
        now: The moment, with its zone; outcomes that were known later are not used.
        knowledge: What the copy knows, where it was read already.
        force: Fit all of them, due or not.

    Returns:
        One entry for each platform and target of the copy, in order.

    Raises:
        NothingPublishedError: No build has been green yet.
        OSError: A model's file cannot be written; nothing is registered of it.
    """
    if knowledge is None:
        from pipeline.learn.predict.warehouse_features import load_knowledge

        knowledge = load_knowledge(settings)
    close_shares = _close_shares(settings)
    return [
        _train(settings, knowledge, platform, target, now, None if force else close_shares)
        for platform in knowledge.platforms()
        for target in Target
    ]


def registered_version(row: Mapping[str, Any]) -> ModelVersion:
    """A row of the registry as the model's version says it."""
    figures = row["figures"]
    return ModelVersion(
        version=row["model_version"],
        outcome=row["target"],
        platform=row["platform"],
        trained_at=row["trained_at"],
        first_post_at=row["training_from"],
        last_post_at=row["training_to"],
        training_post_count=row["post_count"],
        account_count=figures["account_count"],
        weights=figures["weights"],
        served=_score_of(figures["served"]),
        baseline=_score_of(figures["baseline"]),
        figures=figures["losses"],
    )


def _train(
    settings: Settings,
    knowledge: Knowledge,
    platform: str,
    target: Target,
    now: datetime,
    close_shares: Mapping[str, float] | None,
) -> Trained:
    def told(what: str, row: Mapping[str, Any] | None = None) -> Trained:
        return Trained(platform, target, f"{platform}, {target}: {what}", row)

    posts = knowledge.posts(platform, target)
    most = _most_known(posts, hours_of(now))
    if most < MINIMUM_POSTS:
        return told(f"not enough training data ({most} of {MINIMUM_POSTS} in the largest account).")
    earlier = model_rows(settings, platform=platform, target=target)
    if earlier and close_shares is not None:
        newest = registered_version(earlier[0])
        if earlier[0]["trained_at"] >= now:
            return told(f"model {newest.version} is newer than the moment asked for.")
        why = _trouble(settings, earlier[0]) or is_due(
            newest, now + _EARLY, close_shares.get(newest.version, math.nan)
        )
        if why is None:
            return told(f"model {newest.version} is not due.")
    # A later copy may know outcomes from between this one and now: they are still to come.
    until = min(hours_of(now), knowledge.known_until_hours)
    model = fit(posts, target.scale, trained_at_hours=until)
    row = _row(settings, model, platform, target, knowledge, now)
    add_model(settings, row)
    remove_models(settings, [one["model_version"] for one in earlier[FILES_KEPT - 1 :]])
    return told(_in_words(row), row)


def _row(
    settings: Settings,
    model: FittedModel,
    platform: str,
    target: Target,
    knowledge: Knowledge,
    now: datetime,
) -> dict[str, Any]:
    version = model_version(
        model,
        outcome=target,
        platform=platform,
        epoch=EPOCH,
        trained_at=now,
        figures=losses(model),
    )
    # The file comes first: what is registered can be loaded.
    checksum = write_model(settings, version.version, model)
    known = _known_counts(model.training, model.trained_at_hours)
    serves = sorted(
        account
        for account, tally in model.experience.tallies.items()
        if tally.is_better and known.get(account, 0) >= MINIMUM_POSTS
    )
    return {
        "model_version": version.version,
        "platform": platform,
        "target": target.value,
        "model_name": MODEL_NAME,
        "trained_at": now,
        "training_from": version.first_post_at,
        "training_to": version.last_post_at,
        "post_count": version.training_post_count,
        "figures": {
            "account_count": version.account_count,
            "weights": dict(version.weights),
            "losses": dict(version.figures),
            "served": _plain(version.served),
            "baseline": _plain(version.baseline),
            "accounts": _account_figures(model),
        },
        "serves": serves,
        "file_sha256": checksum,
        "warehouse_version": knowledge.warehouse_version,
    }


def _trouble(settings: Settings, row: Mapping[str, Any]) -> str | None:
    """Why a registered model cannot be asked, or None."""
    try:
        usable_model(settings, row["model_version"], row["file_sha256"])
    except ModelFileError as error:
        return str(error)
    return None


def _account_figures(model: FittedModel) -> dict[str, dict[str, float | None]]:
    """The scores out of time of what would have been served, and of the baseline, by account."""
    record, found = model.record, {}
    for account in sorted(set(record.account.tolist())):
        own = record.account == account
        usual = record.baseline[own, 1]
        served = score(record.log_outcome[own], model.served_quantiles[own], usual)
        baseline = score(record.log_outcome[own], record.baseline[own], usual)
        found[account] = {**_plain(served), "baseline_pinball_loss": _known(baseline.pinball_loss)}
    return found


def _in_words(row: Mapping[str, Any]) -> str:
    served, baseline = row["figures"]["served"], row["figures"]["baseline"]
    start = f"model {row['model_version']} learned from {row['post_count']} posts"
    if served["pinball_loss"] is None or not baseline["pinball_loss"]:
        return f"{start}; too few to see how it does out of time."
    change = 100 * (served["pinball_loss"] / baseline["pinball_loss"] - 1)
    whom = ", ".join(row["serves"]) or "no account yet"
    return (
        f"{start}; out of time its loss is {change:+.1f} % against the accounts' own quantiles; "
        f"it serves {whom}."
    )


def _known_counts(posts: Posts, hours: float) -> dict[str, int]:
    accounts, counts = np.unique(posts.known_by(hours).account, return_counts=True)
    return {str(name): int(count) for name, count in zip(accounts, counts, strict=True)}


def _most_known(posts: Posts, hours: float) -> int:
    return max(_known_counts(posts, hours).values(), default=0)


def _close_shares(settings: Settings) -> dict[str, float]:
    """Of scored predictions, the share within 25 % of the outcome, by model version.

    Only of versions with enough of them that chance alone hardly moves the share by five points.
    """
    with reading(settings) as connection:
        has_scores = connection.execute(
            "select count(*) from information_schema.columns where table_schema = 'marts' "
            "and table_name = 'fct_prediction_score' "
            "and column_name in ('model_version', 'is_within_25_percent')"
        ).fetchone()
        if has_scores != (2,):
            return {}
        rows = connection.execute(
            "select model_version, avg(is_within_25_percent::integer) from "
            "marts.fct_prediction_score where model_version is not null "
            "group by model_version having count(*) >= ?",
            [_FEWEST_SCORED],
        ).fetchall()
    return {str(version): float(share) for version, share in rows}


_FEWEST_SCORED = 60
_EARLY = timedelta(hours=12)
"""A run at the same hour a week later is not to find that some seconds are missing."""


def _plain(one: Score) -> dict[str, float | None]:
    return {name: _known(value) for name, value in asdict(one).items()}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _score_of(figures: Mapping[str, float | None]) -> Score:
    known = {name: math.nan if value is None else value for name, value in figures.items()}
    return Score(**known)  # type: ignore[arg-type]
