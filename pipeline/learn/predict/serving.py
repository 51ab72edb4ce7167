"""Answering what a post will reach, before it is out; each answer is kept for its later scoring."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.accounts import AccountConfig, account_dir, load_account
from pipeline.clients.state_predictions import (
    adjustment_rows,
    model_rows,
    prediction_id_of,
    store_predictions,
)
from pipeline.learn.predict.answers import Prediction, TargetPrediction
from pipeline.learn.predict.factor_words import GROUPS, factor_json, is_told
from pipeline.learn.predict.factors import factors
from pipeline.learn.predict.gate import shortage
from pipeline.learn.predict.model_files import FILES_KEPT, ModelFileError
from pipeline.learn.predict.post_features import DIMENSIONS, NUMBERS, REFLEXION_WEIGHT, PostFacts
from pipeline.learn.predict.posts import Posts
from pipeline.learn.predict.predictor import BASELINE, Predictions
from pipeline.learn.predict.quantiles import LEVELS
from pipeline.learn.predict.ready_models import ReadyModel, ready_baseline, ready_model
from pipeline.learn.predict.requests import PredictionRequest, check_request, facts_of
from pipeline.learn.predict.standing import OWN_POSTS_FOR_QUANTILES, Standing, standing
from pipeline.learn.predict.warehouse_features import Knowledge, Target, hours_of, load_knowledge
from pipeline.settings import Settings

Row = dict[str, Any]


@dataclass(frozen=True)
class _World:
    """What all answers of one question need."""

    settings: Settings
    now: datetime
    knowledge: Knowledge


@dataclass(frozen=True)
class _Asked:
    """One post of one account on one platform."""

    request: PredictionRequest
    account: AccountConfig
    facts: PostFacts
    models: Sequence[Row]
    """Of the registry and the platform, the newest first."""
    adjustments: Sequence[Row]


def predict(
    settings: Settings, request: PredictionRequest, now: datetime, *, store: bool = True
) -> Prediction:
    """What a post will reach at 7 days, by the newest published copy and the registered models.

    Args:
        settings: Where everything is.
        request: The post.
        now: The moment, with its zone.
        store: Keep the answer, unless there is one of the same post and day.

    Raises:
        UsageError: A name is unknown, or the post's time is over.
        UnknownAccountError: No such account.
        NothingPublishedError: No build has been green yet.
    """
    return predict_all(settings, [request], now, store=store)[0]


def predict_all(
    settings: Settings,
    requests: Sequence[PredictionRequest],
    now: datetime,
    *,
    store: bool = True,
) -> list[Prediction]:
    """As :func:`predict` for several posts, kept in one transaction; in their order."""
    world = _World(settings, now, load_knowledge(settings))
    answers = [_answer(world, request) for request in requests]
    if not store:
        return answers
    rows = [one.row for answer in answers for one in answer.targets if one.row is not None]
    stored = store_predictions(settings, rows)
    return [answer.kept(stored) for answer in answers]


def _answer(world: _World, request: PredictionRequest) -> Prediction:
    account = _account(world.settings, request.account)
    if request.is_asked:
        check_request(request, account, world.now)
    platform = request.platform or _usual_platform(account, world.knowledge)
    posted_at = request.planned_at or world.now
    if request.post_id is None:
        # A plan whose day has come is about to go out.
        posted_at = max(posted_at, world.now)
    posted_at = posted_at.astimezone(UTC)
    followers = world.knowledge.followers_at(account.name, platform, hours_of(posted_at))
    asked = _Asked(
        request=request,
        account=account,
        facts=facts_of(request, account, platform, posted_at, followers),
        models=model_rows(world.settings, platform=platform, limit=len(Target) * FILES_KEPT),
        adjustments=adjustment_rows(world.settings, account_name=account.name, platform=platform),
    )
    return Prediction(
        account_name=account.name,
        platform=platform,
        planned_id=request.planned_id,
        post_id=request.post_id,
        planned_at=posted_at,
        predicted_at=world.now,
        targets=tuple(_of_target(world, asked, target) for target in Target),
    )


def _of_target(world: _World, asked: _Asked, target: Target) -> TargetPrediction:
    facts = asked.facts
    history = world.knowledge.posts(facts.platform, target)
    post = world.knowledge.asked([facts])
    usual = _usual(world.knowledge, post, facts, target)
    if not (history.known_at_hours < post.posted_at_hours[0]).any():
        return TargetPrediction(target, None, None, "nothing is known of posts there yet", False)
    model_row, model, trouble = _model(world, asked, target)
    said = model.predict(post)
    is_model = bool(said.is_model[0])
    weight = _reflexion_weight(asked, target)
    said = Predictions(
        said.scale, said.log_quantiles + math.log(weight), said.is_model, said.known_posts
    )
    threshold = _breakout_threshold(asked.account, usual, target)
    row = {
        "prediction_id": prediction_id_of(
            asked.account.name, facts.platform, target, asked.request.subject, world.now
        ),
        "account_name": asked.account.name,
        "platform": facts.platform,
        "target": target.value,
        "planned_id": asked.request.planned_id,
        "post_id": asked.request.post_id,
        "predicted_at": world.now,
        "planned_at": facts.posted_at,
        "expected": float(said.expected[0]),
        "low": float(said.low[0]),
        "high": float(said.high[0]),
        "quantiles": _by_level(said, target),
        "breakout_threshold": threshold,
        "breakout_probability": None
        if threshold is None
        else float(said.share_above(np.array([threshold]))[0]),
        **_baseline(usual, target),
        "model_version": model_row["model_version"] if model_row and is_model else None,
        "model_name": model_row["model_name"] if model_row and is_model else BASELINE,
        "features": _features(facts, post, said, weight),
        "factors": _factors(model, post, world, asked, target) if is_model else [],
        "warehouse_version": world.knowledge.warehouse_version,
    }
    reason = shortage(int(said.known_posts[0])) or trouble or said.reason(0)
    return TargetPrediction(target, row, model_row, reason, False)


def _model(
    world: _World, asked: _Asked, target: Target
) -> tuple[Row | None, ReadyModel, str | None]:
    """The newest model from before the post, or the baseline and why there is no model to ask."""
    knowledge, platform = world.knowledge, asked.facts.platform
    rows = [row for row in asked.models if row["target"] == target]
    fitting = [row for row in rows if row["trained_at"] <= asked.facts.posted_at]
    if fitting:
        version, checksum = fitting[0]["model_version"], fitting[0]["file_sha256"]
        try:
            model = ready_model(world.settings, knowledge, platform, target, version, checksum)
        except ModelFileError as error:
            trouble = str(error).rstrip(".")
        else:
            return fitting[0], model, None
    else:
        too_late = "every model was fitted after the post went out"
        trouble = too_late if rows else "no model is fitted yet"
    until = min(hours_of(asked.facts.posted_at), knowledge.known_until_hours)
    return None, ready_baseline(knowledge, platform, target, until), trouble


def _usual(knowledge: Knowledge, post: Posts, facts: PostFacts, target: Target) -> Standing:
    """How the account stands; the others count only where it has too few posts of its own."""
    own = knowledge.posts_of(facts.account_name, facts.platform, target)
    found = standing(post, own, target.scale)
    if found.known_posts[0] >= OWN_POSTS_FOR_QUANTILES:
        return found
    return standing(post, knowledge.posts(facts.platform, target), target.scale)


def _baseline(usual: Standing, target: Target) -> dict[str, float]:
    low, middle, high = target.scale.from_log(usual.quantiles[0]).tolist()
    return {"baseline_expected": middle, "baseline_low": low, "baseline_high": high}


def _by_level(said: Predictions, target: Target) -> dict[str, float]:
    values = target.scale.from_log(said.log_quantiles[0])
    return {f"{level:g}": float(value) for level, value in zip(LEVELS, values, strict=True)}


def _breakout_threshold(account: AccountConfig, usual: Standing, target: Target) -> float | None:
    """From where on the account's alerts call it a breakout; None while its usual is not known."""
    if usual.known_posts[0] < OWN_POSTS_FOR_QUANTILES:
        return None
    middle = float(target.scale.from_log(usual.quantiles[0, 1:2])[0])
    return account.alerts.breakout_ratio * middle if middle > 0 else None


def _reflexion_weight(asked: _Asked, target: Target) -> float:
    """The product of the corrections that are applied to the post's segments, within its range."""
    segments = dict(zip(DIMENSIONS, asked.facts.segments(), strict=True))
    posted_at = asked.facts.posted_at
    weight = 1.0
    for row in asked.adjustments:
        is_over = row["ended_at"] is not None and row["ended_at"] <= posted_at
        if row["target"] != target or row["applied_at"] is None or is_over:
            continue
        if row["applied_at"] <= posted_at and segments.get(row["dimension"]) == row["segment"]:
            weight *= row["factor"]
    return float(REFLEXION_WEIGHT.within(np.array([weight]))[0])


def _features(
    facts: PostFacts, post: Posts, said: Predictions, weight: float
) -> dict[str, str | float | None]:
    """What went in, by name; null where not known."""
    segments = {name: text or None for name, text in zip(DIMENSIONS, facts.segments(), strict=True)}
    numbers = {
        name: None if math.isnan(number) else number
        for name, number in zip(NUMBERS, post.numbers[0].tolist(), strict=True)
    }
    return {
        **segments,
        **numbers,
        REFLEXION_WEIGHT.name: weight,
        "hook": facts.hook,
        "known_posts": int(said.known_posts[0]),
    }


def _factors(
    model: ReadyModel, post: Posts, world: _World, asked: _Asked, target: Target
) -> list[Mapping[str, Any]]:
    facts = asked.facts
    # A model serves accounts with enough posts of their own, whose standing needs no others.
    own = world.knowledge.posts_of(facts.account_name, facts.platform, target)
    (found,) = factors(model.model, post, own, GROUPS)
    return [factor_json(factor, facts) for factor in found if is_told(factor)]


def _account(settings: Settings, name: str) -> AccountConfig:
    """The account, read anew when its file has changed: parsing takes longer than predicting."""
    try:
        found = (account_dir(settings.accounts_dir, name) / "account.yaml").stat()
    except OSError:
        return load_account(settings.accounts_dir, name)
    return _load_account(settings.accounts_dir, name, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=64)
def _load_account(accounts_dir: Path, name: str, _changed_ns: int, _size: int) -> AccountConfig:
    return load_account(accounts_dir, name)


def _usual_platform(account: AccountConfig, knowledge: Knowledge) -> str:
    own = knowledge.platform[knowledge.account == account.name].tolist()
    profiles = sorted(platform.value for platform in account.platform_profiles)
    return max(profiles, key=own.count)
