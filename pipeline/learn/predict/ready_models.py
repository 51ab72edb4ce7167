"""Fitted models that have taken in all that became known since, kept to answer at once.

They say what :meth:`pipeline.learn.predict.predictor.FittedModel.predict` says, but for the last
bits, which depend on how many posts are asked about at once. That goes through all posts since the
training for every question; here this is done once for each copy of the warehouse, and a question
looks only at its own account.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pipeline.learn.predict.design import Situation
from pipeline.learn.predict.model_files import ModelFileError, load_model
from pipeline.learn.predict.models import account_quantiles
from pipeline.learn.predict.post_features import DIMENSIONS, NUMBERS
from pipeline.learn.predict.posts import Posts, together
from pipeline.learn.predict.predictor import (
    Experience,
    FittedModel,
    Predictions,
    Record,
    fit,
    served,
)
from pipeline.learn.predict.standing import OWN_POSTS_FOR_QUANTILES
from pipeline.learn.predict.warehouse_features import Knowledge, Target
from pipeline.settings import Settings


@dataclass(frozen=True)
class ReadyModel:
    """A model of one platform and target, as it stands with one copy of the warehouse."""

    model: FittedModel
    """Its training posts are all posts of the copy: what landed late counts too."""
    history: Posts
    own_history: Callable[[str], Posts]
    """The posts of one account."""
    experience: Experience
    until_hours: float
    """Right after the newest outcome that it has taken in."""

    def predict(self, asked: Posts) -> Predictions:
        """What posts of one account will reach; outcomes of theirs are not looked at.

        Raises:
            ValueError: A post is from before the model was fitted.
        """
        own = self.own_history(str(asked.account[0]))
        known = int((own.known_at_hours < self.until_hours).sum())
        is_later = bool((asked.posted_at_hours >= self.until_hours).all())
        if not is_later or known < OWN_POSTS_FOR_QUANTILES:
            return self.model.predict(asked, self.history)
        situation = Situation.of(
            asked, together(own, asked.without_outcomes())[0], self.model.scale
        )
        record = _record(self.model, situation)
        is_model, quantiles, _ = served(record, self.experience)
        known_posts = situation.standing.known_posts.astype(np.int64)
        return Predictions(self.model.scale, quantiles, is_model, known_posts)


@lru_cache(maxsize=32)
def ready_model(
    settings: Settings,
    knowledge: Knowledge,
    platform: str,
    target: Target,
    version: str,
    file_sha256: str,
) -> ReadyModel:
    """A registered model with what a copy of the warehouse knows beyond its training.

    Raises:
        ModelFileError: The file is missing, was changed, or is another version's.
    """
    model = usable_model(settings, version, file_sha256)
    return _caught_up(model, knowledge, platform, target)


def usable_model(settings: Settings, version: str, file_sha256: str) -> FittedModel:
    """A registered model that knows the features of this version of the program.

    Raises:
        ModelFileError: The file is missing, was changed, or is another version's.
    """
    model = load_model(settings, version, file_sha256)
    names = (model.training.dimension_names, model.training.number_names)
    if names != (DIMENSIONS, NUMBERS):
        raise ModelFileError(
            f"Model {version} was fitted to the features of another version of the program: run "
            "`afterpost predict --train` to fit a new one."
        )
    return model


@lru_cache(maxsize=32)
def ready_baseline(
    knowledge: Knowledge, platform: str, target: Target, until_hours: float
) -> ReadyModel:
    """The accounts' own quantiles with intervals that cover, where there is no model.

    Args:
        knowledge: What a copy of the warehouse knows.
        platform: Whose posts.
        target: What is predicted.
        until_hours: What was known later is taken in when a post from after it is asked about.
    """
    history = knowledge.posts(platform, target)
    baseline = {"account_quantiles": account_quantiles}
    model = fit(history, target.scale, trained_at_hours=until_hours, learners=baseline)
    return _caught_up(model, knowledge, platform, target)


def _caught_up(
    model: FittedModel, knowledge: Knowledge, platform: str, target: Target
) -> ReadyModel:
    history = knowledge.posts(platform, target)
    # What landed late, from before the training, counts for how accounts stand too.
    model = replace(model, training=history)
    since = history.rows(~(history.known_at_hours < model.trained_at_hours))
    experience, until = model.experience, model.trained_at_hours
    newest = since.known_at_hours[np.isfinite(since.known_at_hours)]
    if len(newest):
        known = history.known_by(model.trained_at_hours)
        situation = Situation.of(since, together(known, since)[0], model.scale)
        record = _record(model, situation)
        _, _, experience = served(record, experience)
        until = float(np.nextafter(newest.max(), np.inf))
    return ReadyModel(
        model=model,
        history=history,
        own_history=lambda account: knowledge.posts_of(account, platform, target),
        experience=experience,
        until_hours=until,
    )


def _record(model: FittedModel, situation: Situation) -> Record:
    posts, known = situation.posts, situation.standing
    return Record(
        account=posts.account,
        posted_at_hours=posts.posted_at_hours,
        known_at_hours=posts.known_at_hours,
        log_outcome=model.scale.to_log(posts.outcome),
        known_posts=known.known_posts,
        model=model.mixture(situation),
        baseline=known.quantiles,
    )
