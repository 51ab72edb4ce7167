"""Which weight each model gets in the average that is served, from what it said out of time.

Each fold is predicted by models that were fitted on what was known when the fold began (a rolling
origin; Tashman, 2000, https://doi.org/10.1016/S0169-2070(00)00065-0). Quantiles are averaged, not
probabilities: the average of the ends of intervals is an end of an interval (Lichtendahl and
others, 2013, https://doi.org/10.1287/mnsc.1120.1667).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.design import Situation
from pipeline.learn.predict.models import Fitted, Learner
from pipeline.learn.predict.quantiles import LEVELS, pinball
from pipeline.measure.effects import Floats, Integers

FIRST_ORIGIN = 0.3
"""Share of the posts that the first fold is predicted from."""
FOLDS = 5
MINIMUM_TRAINING_POSTS = 40
"""A fold is not predicted from fewer."""
MINIMUM_STANDING_POSTS = 5
"""Posts of accounts with fewer earlier outcomes teach nothing: what they miss is the account."""
_PENALTY = 0.02
"""Of weights that differ from equal ones, in units of the loss."""
_STEPS = 400
_STEP_SIZE = 0.5


@dataclass(frozen=True)
class OutOfTime:
    """What models said about posts that came after those they had learned from."""

    rows: Integers
    """Places of the posts, ascending; shape (rows,)."""
    quantiles: Mapping[str, Floats]
    """By model, on the log scale, shape (rows, levels)."""


def learnable(situation: Situation) -> Integers:
    """Places of the posts that models can learn from."""
    is_known = np.isfinite(situation.posts.known_at_hours)
    return np.flatnonzero(is_known & (situation.standing.known_posts >= MINIMUM_STANDING_POSTS))


def fit_all(
    learners: Mapping[str, Learner], training: Situation, logs: Floats
) -> dict[str, Fitted]:
    """Fit each model to the same posts."""
    return {name: learn(training, logs) for name, learn in learners.items()}


def out_of_time(
    learners: Mapping[str, Learner], situation: Situation, logs: Floats
) -> OutOfTime | None:
    """Predict the later posts in folds, each from what was known when it began.

    Args:
        learners: The models by name.
        situation: All posts, in the order of time, those without outcomes too.
        logs: Their outcomes on the log scale, NaN where not known; shape (rows,).

    Returns:
        What was said about posts whose outcomes are known; None where there are too few posts.
    """
    scored = learnable(situation)
    edges = np.linspace(FIRST_ORIGIN, 1.0, FOLDS + 1) * len(scored)
    rows: list[Integers] = []
    said: dict[str, list[Floats]] = {name: [] for name in learners}
    for start, end in zip(edges[:-1].astype(int), edges[1:].astype(int), strict=True):
        if start == end:
            continue
        fold = scored[start:end]
        begins = situation.posts.posted_at_hours[fold[0]]
        training = scored[:start][situation.posts.known_at_hours[scored[:start]] < begins]
        if len(training) < MINIMUM_TRAINING_POSTS:
            continue
        rows.append(fold)
        fitted = fit_all(learners, situation.rows(training), logs[training])
        for name, model in fitted.items():
            said[name].append(model(situation.rows(fold)))
    if not rows:
        return None
    return OutOfTime(
        np.concatenate(rows), {name: np.concatenate(parts) for name, parts in said.items()}
    )


def average(quantiles: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The weighted average of what models say; shape (rows, levels)."""
    mixed: Floats = np.sum([weights[name] * quantiles[name] for name in weights], axis=0)
    return mixed


def weights_of(said: OutOfTime, logs: Floats) -> dict[str, float]:
    """Weights, 0 or more with the sum 1, whose average has the least pinball loss.

    Differences from equal weights cost something, because the losses of a few hundred posts tell
    little. By exponentiated gradients (Kivinen and Warmuth, 1997,
    https://doi.org/10.1006/inco.1996.2612), from equal weights, in a fixed number of steps.

    Args:
        said: Out of time.
        logs: The outcomes of its rows, shape (rows,).
    """
    names = list(said.quantiles)
    stacked = np.stack([said.quantiles[name] for name in names])
    equal = np.full(len(names), 1 / len(names))
    weights, best, best_loss = equal, equal, np.inf
    for step in range(_STEPS):
        mixed = np.tensordot(weights, stacked, axes=1)
        loss = float(pinball(logs, mixed).mean() + _PENALTY * ((weights - equal) ** 2).sum())
        if loss < best_loss:
            best, best_loss = weights, loss
        slope = np.where(logs[:, None] > mixed, -LEVELS, 1 - LEVELS)
        gradient = (stacked * slope).mean(axis=(1, 2)) + 2 * _PENALTY * (weights - equal)
        moved = weights * np.exp(-_STEP_SIZE / np.sqrt(1 + step / 20) * (gradient - gradient.min()))
        weights = moved / moved.sum()
    return {name: float(weight) for name, weight in zip(names, best, strict=True)}
