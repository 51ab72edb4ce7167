"""The models whose average is served, behind one interface: quantiles on the log scale.

All start from the account's own quantiles before the post, and learn only what these miss: most of
what can be known is how large an account is. Fitted models are plain data and can be stored.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.design import Design, Situation
from pipeline.learn.predict.regressions import BoostedQuantiles, Ridge
from pipeline.measure.effects import Floats

RIDGE_PENALTY = 200.0
"""In posts: standardised columns with this many posts behind them count by half."""
OWN_EFFECT_POSTS = 20.0
"""What a segment does in one account counts by half when this many posts show it."""
_WINSOR_SHARE = 0.03
"""Of the outcomes on each side that are pulled in before squares are summed."""
_SHRUNK = {
    "max_iter": 120,
    "learning_rate": 0.05,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 40,
    "l2_regularization": 50.0,
    "max_features": 0.3,
}

Fitted = Callable[[Situation], Floats]
"""Quantiles at ``LEVELS`` on the log scale; shape (rows, 3)."""
Learner = Callable[[Situation, Floats], Fitted]
"""Fits posts to the logarithms of their outcomes, shape (rows,)."""


def account_quantiles(_training: Situation, _logs: Floats) -> Fitted:
    """The account's own quantiles of all its posts so far: the baseline to beat."""
    return OwnQuantiles(is_recent=False)


def recent_account_quantiles(_training: Situation, _logs: Floats) -> Fitted:
    """The account's own quantiles with weights that halve every 30 posts."""
    return OwnQuantiles(is_recent=True)


def pooled_effects(training: Situation, logs: Floats) -> Fitted:
    """The baseline, moved by what a post's segments do: in all accounts, and in this one.

    The effects of all segments are estimated together, so that a format that is posted at good
    hours is not credited with them, and drawn towards none; then what each does in the account
    beyond that, drawn towards nothing by the number of its posts. The same idea as the effects of
    :mod:`pipeline.measure.pooling`, for sums of effects instead of intervals.
    """
    design = Design.learn(training)
    missed = _winsorised(logs - training.standing.quantiles[:, 1])
    common = Ridge.fit(design.indicators(training.posts), missed, OWN_EFFECT_POSTS)
    rest = missed - common(design.indicators(training.posts))
    own: list[OwnEffects] = []
    for dimension in range(len(design.segments)):
        effects = OwnEffects.fit(training, dimension, rest)
        rest = rest - effects(training)
        own.append(effects)
    return MovedByEffects(design, common, tuple(own))


def ridge(training: Situation, logs: Floats) -> Fitted:
    """The baseline, moved by a ridge regression of what it misses on all columns."""
    design = Design.learn(training)
    missed = _winsorised(logs - training.standing.quantiles[:, 1])
    return MovedByRidge(design, Ridge.fit(design(training), missed, RIDGE_PENALTY))


def boosted(training: Situation, logs: Floats) -> Fitted:
    """The baseline, each quantile moved by boosted trees of the pinball loss, heavily shrunk."""
    design = Design.learn(training)
    missed = logs[:, None] - training.standing.quantiles
    return MovedByTrees(design, BoostedQuantiles.fit(design(training), missed, _SHRUNK))


EXPERTS: dict[str, Learner] = {
    "account_quantiles": account_quantiles,
    "recent_account_quantiles": recent_account_quantiles,
    "pooled_effects": pooled_effects,
    "ridge": ridge,
    "boosted": boosted,
}
"""The models whose weighted average is served; the first is the baseline."""


@dataclass(frozen=True)
class OwnQuantiles:
    """The account's own quantiles as they stood before the post."""

    is_recent: bool

    def __call__(self, asked: Situation) -> Floats:
        """Quantiles of the account's earlier posts."""
        known = asked.standing
        return known.recent_quantiles if self.is_recent else known.quantiles


@dataclass(frozen=True)
class OwnEffects:
    """What the segments of one dimension do in each account."""

    dimension: int
    effects: dict[tuple[str, str], float]
    """By account and segment, on the log scale."""

    @classmethod
    def fit(cls, training: Situation, dimension: int, rest: Floats) -> "OwnEffects":
        """Means of what is left to explain, drawn towards nothing."""
        sums: dict[tuple[str, str], tuple[float, int]] = {}
        for key, value in zip(_keys(training, dimension), rest.tolist(), strict=True):
            total, count = sums.get(key, (0.0, 0))
            sums[key] = (total + value, count + 1)
        found = {key: total / (count + OWN_EFFECT_POSTS) for key, (total, count) in sums.items()}
        return cls(dimension, found)

    def __call__(self, asked: Situation) -> Floats:
        """The effect of each post's segment in its account; shape (rows,)."""
        return np.array([self.effects.get(key, 0.0) for key in _keys(asked, self.dimension)])


@dataclass(frozen=True)
class MovedByEffects:
    """The baseline, moved by effects of segments."""

    design: Design
    common: Ridge
    own: tuple[OwnEffects, ...]

    def __call__(self, asked: Situation) -> Floats:
        """Quantiles that are all moved by the same."""
        shift = self.common(self.design.indicators(asked.posts))
        for effects in self.own:
            shift = shift + effects(asked)
        return asked.standing.quantiles + shift[:, None]


@dataclass(frozen=True)
class MovedByRidge:
    """The baseline, moved by a regression."""

    design: Design
    regression: Ridge

    def __call__(self, asked: Situation) -> Floats:
        """Quantiles that are all moved by the same."""
        return asked.standing.quantiles + self.regression(self.design(asked))[:, None]


@dataclass(frozen=True)
class MovedByTrees:
    """The baseline, each quantile moved by itself."""

    design: Design
    trees: BoostedQuantiles

    def __call__(self, asked: Situation) -> Floats:
        """Quantiles that are moved apart or together too."""
        return asked.standing.quantiles + self.trees(self.design(asked))


def _keys(situation: Situation, dimension: int) -> list[tuple[str, str]]:
    posts = situation.posts
    return list(zip(posts.account.tolist(), posts.segments[:, dimension].tolist(), strict=True))


def _winsorised(values: Floats) -> Floats:
    return np.clip(values, *np.quantile(values, [_WINSOR_SHARE, 1 - _WINSOR_SHARE]))
