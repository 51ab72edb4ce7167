"""What a young post's count will be at an age, with an 80 % interval, from how others grew.

Three methods, by how many posts there are to learn from. All start from an extrapolation without
training (:func:`~pipeline.measure.projection_features.untrained`) and learn what it misses:

- ``boosting``: gradient boosted trees (Friedman, 2001, https://doi.org/10.1214/aos/1013203451) on
  the absolute error, which give a median, and then the account's own usual deviation.
- ``curve``: one shift, the median of what was missed, and the account's own.
- ``built_in_curve``: nothing learned, and a wide interval that was set by hand.

Intervals are cross-conformal (Vovk, 2015, https://doi.org/10.1007/s10472-013-9368-4): what posts
show that a model has not seen, divided by how uncertain such a post is (Lei and others, 2018,
https://doi.org/10.1080/01621459.2017.1307116), with a quantile of its own on each side. They hold
for posts like those that were learned from, whatever the model is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.measure.projection_features import Histories, disagreement, features, untrained

INTERVAL_COVERAGE = 0.80
MINIMUM_POSTS_FOR_BOOSTING = 60
MINIMUM_POSTS_FOR_CURVE = 12
"""Fewer give no 10th percentile to speak of."""
_FOLDS = 5
_SEED = 20260101
_ACCOUNT_POSTS_FOR_HALF = 20
"""An account's own deviation counts by half when it is known from this many of its posts."""
_BUILT_IN_LOW, _BUILT_IN_HIGH = -0.5, 0.9
"""Of the log distance ahead; real series of two platforms stay well within."""
_SMALLEST_ERROR = 1e-3
_DECIMALS = 6

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Method(StrEnum):
    """How a projection was made."""

    BOOSTING = "boosting"
    CURVE = "curve"
    BUILT_IN_CURVE = "built_in_curve"


@dataclass(frozen=True)
class Projection:
    """Expected counts with the ends of their 80 % intervals, shape (rows,) each."""

    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class _Uncertainty:
    """How far a projection of some histories is usually off, on the log scale."""

    weights: Floats

    @staticmethod
    def _design(histories: Histories) -> Floats:
        once = histories.is_seen_once
        apart = np.where(once, 1.0, np.maximum(disagreement(histories), _SMALLEST_ERROR))
        columns = [np.ones(len(histories)), np.log(histories.log_ahead), np.log(apart), once]
        return np.column_stack(columns)

    @classmethod
    def learn(cls, histories: Histories, errors: Floats, weights: Floats) -> "_Uncertainty":
        """Least squares on the log of absolute errors, held towards in proportion to distance."""
        design = cls._design(histories)
        root = np.sqrt(weights)[:, None]
        target = np.log(np.abs(errors) + 10 * _SMALLEST_ERROR)
        usual = np.array([0.0, 1.0, 0.0, 0.0])
        penalty = np.diag([1e-9, 2.0, 2.0, 2.0])
        return cls(
            usual
            + np.linalg.solve(
                (design * root).T @ (design * root) + penalty,
                (design * root).T @ ((target - design @ usual)[:, None] * root)[:, 0],
            )
        )

    def __call__(self, histories: Histories) -> Floats:
        return np.exp(self._design(histories) @ self.weights)


@dataclass(frozen=True)
class Projector:
    """A fitted projection of one metric of one platform."""

    method: Method
    training_post_count: int
    _correction: Callable[[Histories], Floats]
    _uncertainty: Callable[[Histories], Floats]
    _account_shifts: dict[int, float]
    _low: float
    _high: float
    _can_fall: bool

    def project(self, histories: Histories, accounts: Codes | None = None) -> Projection:
        """What counts to expect at the target ages.

        Args:
            histories: Of posts that were not learned from.
            accounts: Code of each row's account as in the fit, shape (rows,); other codes, or none
                at all, get the platform's usual.
        """
        centre = untrained(histories) + self._correction(histories)
        spread = self._uncertainty(histories)
        if accounts is not None and self._account_shifts:
            centre = centre + spread * _shift_of(self._account_shifts, accounts)
        floor = None if self._can_fall else histories.last_count

        def count(log_count: Floats) -> Floats:
            found = np.maximum(np.expm1(log_count), 0.0 if floor is None else floor)
            return np.asarray(np.round(found, _DECIMALS), dtype=np.float64)

        expected = count(centre)
        # Both ends can lie on one side of the point when nearly all posts deviate to one side.
        low = np.minimum(count(centre + self._low * spread), expected)
        return Projection(expected, low, np.maximum(count(centre + self._high * spread), expected))


def fit(
    histories: Histories,
    target_counts: Floats,
    posts: Codes,
    accounts: Codes | None = None,
    *,
    can_fall: bool = False,
) -> Projector:
    """Learn from posts whose counts at the target ages are known.

    The same arguments give the same projector, bit for bit.

    Args:
        histories: What was known of the posts when they were young; a post can have several rows.
        target_counts: Its count at each row's target age, shape (rows,).
        posts: Code of each row's post, shape (rows,): rows of one post are never on both sides of
            a split.
        accounts: Code of each row's account, shape (rows,); none when there is one or none.
        can_fall: Whether a count can go down; a projection of one that cannot is never below what
            was seen.
    """
    post_count = len(np.unique(posts))
    if post_count < MINIMUM_POSTS_FOR_CURVE:
        return _built_in(post_count, can_fall=can_fall)
    method = Method.BOOSTING if post_count >= MINIMUM_POSTS_FOR_BOOSTING else Method.CURVE
    learn = _boosted if method is Method.BOOSTING else _shifted
    missed = np.log1p(target_counts) - untrained(histories)
    _, place, rows_of_post = np.unique(posts, return_inverse=True, return_counts=True)
    weights = 1 / rows_of_post[place]
    folds = np.random.default_rng(_SEED).permutation(post_count)[place] % _FOLDS

    errors = np.empty(len(missed))
    for fold in range(_FOLDS):
        held = folds == fold
        kept = ~held
        correction = learn(histories.rows(kept), missed[kept], weights[kept])
        errors[held] = missed[held] - correction(histories.rows(held))
    uncertainty = _Uncertainty.learn(histories, errors, weights)
    scores = errors / uncertainty(histories)
    if accounts is not None:
        unshifted = scores.copy()
        for fold in range(_FOLDS):
            held = folds == fold
            shifts = _account_shifts(unshifted[~held], accounts[~held], weights[~held])
            scores[held] -= _shift_of(shifts, accounts[held])
        shifts = _account_shifts(unshifted, accounts, weights)
    tail = (1 - INTERVAL_COVERAGE) / 2
    return Projector(
        method=method,
        training_post_count=post_count,
        _correction=learn(histories, missed, weights),
        _uncertainty=uncertainty,
        _account_shifts=shifts if accounts is not None else {},
        _low=-_conformal_quantile(-scores, weights, 1 - tail),
        _high=_conformal_quantile(scores, weights, 1 - tail),
        _can_fall=can_fall,
    )


def _built_in(post_count: int, *, can_fall: bool) -> Projector:
    return Projector(
        method=Method.BUILT_IN_CURVE,
        training_post_count=post_count,
        _correction=lambda histories: np.zeros(len(histories)),
        _uncertainty=lambda histories: histories.log_ahead,
        _account_shifts={},
        _low=_BUILT_IN_LOW,
        _high=_BUILT_IN_HIGH,
        _can_fall=can_fall,
    )


def _shifted(
    histories: Histories, missed: Floats, weights: Floats
) -> Callable[[Histories], Floats]:
    """What is missed, in proportion to how far ahead; apart for posts that were seen once."""
    relative = missed / histories.log_ahead
    once = histories.is_seen_once
    shifts = [
        weighted_quantile(relative[chosen], weights[chosen], 0.5) if chosen.any() else 0.0
        for chosen in (~once, once)
    ]
    return lambda asked: np.where(asked.is_seen_once, shifts[1], shifts[0]) * asked.log_ahead


def _boosted(
    histories: Histories, missed: Floats, _weights: Floats
) -> Callable[[Histories], Floats]:
    """What is missed in proportion to how far ahead, by boosted trees of the absolute error."""
    # Heavy, and not needed where there is nothing to project.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=60,
        learning_rate=0.12,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    known = features(histories)
    # A feature that nothing is known of (no companion is published, say) cannot be binned.
    is_told = ~np.isnan(known).all(axis=0)
    # Weights would cost ten times as much as the trees, in the binning of the features; a post's
    # rows are few and alike in number. Sums would be in another order with other threads.
    with threadpool_limits(limits=1, user_api="openmp"):
        model.fit(known[:, is_told], missed / histories.log_ahead)

    def correction(asked: Histories) -> Floats:
        if not len(asked):  # no post is young: scikit-learn would not hear of it
            return np.empty(0)
        with threadpool_limits(limits=1, user_api="openmp"):
            predicted: Floats = model.predict(features(asked)[:, is_told]) * asked.log_ahead
        return predicted

    return correction


def _account_shifts(scores: Floats, accounts: Codes, weights: Floats) -> dict[int, float]:
    """Each account's usual score, drawn towards 0 where it is known from few posts."""
    shifts = {}
    for account in np.unique(accounts):
        own = accounts == account
        posts = float(weights[own].sum())
        usual = weighted_quantile(scores[own], weights[own], 0.5)
        shifts[int(account)] = usual * posts / (posts + _ACCOUNT_POSTS_FOR_HALF)
    return shifts


def _shift_of(shifts: dict[int, float], accounts: Codes) -> Floats:
    codes, place = np.unique(accounts, return_inverse=True)
    of_code: Floats = np.array([shifts.get(int(code), 0.0) for code in codes])[place]
    return of_code


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value with at least a share of all weight at or below it."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, share * reached[-1] - 1e-12))
    return float(values[order][min(place, len(values) - 1)])


def _conformal_quantile(scores: Floats, weights: Floats, share: float) -> float:
    """The score that a new post stays under with the given probability.

    A new post counts as one more with an endless score, so that the share is raised by what one
    post more takes (split conformal prediction with the weights of exchangeable posts).
    """
    posts = weights.sum()
    return weighted_quantile(scores, weights, min(1.0, share * (posts + 1) / posts))
