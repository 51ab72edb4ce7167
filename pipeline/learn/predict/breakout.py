"""The probability that a post reaches a threshold, where there are many posts and features.

Trees of several kinds vote, and a regression. Half of them learn by how much posts reached or
missed the threshold (the ranks of outcomes) and not only whether: the yes and no of a threshold
throws that away. For one account, the distribution of
:class:`pipeline.learn.predict.predictor.Predictions` tells the same from few posts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.measure.effects import Floats

_SEED = 20260101
_FOLDS = 5
_SEEDS = 2
"""Boosted models that look at random columns are fitted this many times."""


Vote = Callable[[Floats], Floats]
"""A number between 0 and 1 for each row of columns, larger where more is expected."""


@dataclass(frozen=True)
class BreakoutModel:
    """Fitted votes, and what their mean stands for."""

    threshold: float
    training_post_count: int
    score: Vote
    """The mean of all votes: an order, no probability."""
    _meaning: Callable[[Floats], Floats]

    def probability(self, columns: Floats) -> Floats:
        """The probability of reaching the threshold; shape (rows,)."""
        return self._meaning(self.score(columns))


def fit(columns: Floats, outcomes: Floats, threshold: float) -> BreakoutModel:
    """Learn from posts whose outcomes are known.

    Args:
        columns: Features, shape (rows, columns), without missing values.
        outcomes: In their own unit, shape (rows,); some must reach the threshold and some not.
        threshold: The least outcome that counts as a breakout.

    Raises:
        ValueError: All posts are on one side of the threshold, so that nothing can be learned.
    """
    reached = (outcomes >= threshold).astype(np.float64)
    if np.ptp(reached) == 0:
        raise ValueError("breakouts cannot be told where all posts, or none, reach the threshold")
    folds = np.random.default_rng(_SEED).permutation(len(outcomes)) % _FOLDS
    held = np.empty(len(outcomes))
    # What a score stands for is learned from posts that the votes had not seen.
    for fold in range(_FOLDS):
        kept, asked = folds != fold, folds == fold
        held[asked] = ranking(columns[kept], outcomes[kept], threshold)(columns[asked])
    score = ranking(columns, outcomes, threshold)
    return BreakoutModel(threshold, len(outcomes), score, _logistic(held, reached))


def ranking(columns: Floats, outcomes: Floats, threshold: float) -> Vote:
    """Fit the votes alone, in a sixth of the time: an order of posts without probabilities."""
    from scipy import stats
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    reached = outcomes >= threshold
    ranks = stats.rankdata(outcomes) / len(outcomes)
    # Sums would be in another order with other threads.
    with threadpool_limits(limits=1, user_api="openmp"):
        votes = [
            _vote(model.fit(columns, ranks if by_rank else reached), by_rank=by_rank)
            for model, by_rank in _models()
        ]
    return lambda asked: np.mean([vote(asked) for vote in votes], axis=0)


def _models() -> list[tuple[Any, bool]]:
    """The models that vote, and whether each learns ranks."""
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    usual = {"max_iter": 150, "learning_rate": 0.03, "max_features": 0.2}
    strict = {"max_leaf_nodes": 6, "l2_regularization": 50.0, "min_samples_leaf": 40}
    loose = {"max_leaf_nodes": 8, "l2_regularization": 10.0, "min_samples_leaf": 30}
    random = {"learning_rate": 0.03, "min_samples_leaf": 20, "subsample": 0.5}
    normal = QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=_SEED)
    models: list[tuple[Any, bool]] = []
    for seed in range(_SEED, _SEED + _SEEDS):
        models += [
            (HistGradientBoostingClassifier(**usual, **strict, random_state=seed), False),
            (HistGradientBoostingRegressor(**usual, **loose, random_state=seed), True),
        ]
    return [
        *models,
        (
            GradientBoostingClassifier(
                n_estimators=200, max_depth=4, max_features=0.2, random_state=_SEED, **random
            ),
            False,
        ),
        (
            GradientBoostingRegressor(
                n_estimators=200, max_depth=5, max_features=0.15, random_state=_SEED, **random
            ),
            True,
        ),
        (
            RandomForestClassifier(
                200, min_samples_leaf=5, max_features=0.2, random_state=_SEED, n_jobs=1
            ),
            False,
        ),
        (make_pipeline(normal, LogisticRegression(C=0.01, max_iter=1000)), False),
    ]


def _vote(fitted: Any, *, by_rank: bool) -> Vote:
    def vote(columns: Floats) -> Floats:
        found = fitted.predict(columns) if by_rank else fitted.predict_proba(columns)[:, 1]
        return np.asarray(found, dtype=np.float64)

    return vote


def _logistic(score: Floats, reached: Floats) -> Callable[[Floats], Floats]:
    """Platt's calibration: a logistic curve through what came at each score."""
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6).fit(score[:, None], reached)
    return lambda asked: np.asarray(curve.predict_proba(asked[:, None])[:, 1], dtype=np.float64)
