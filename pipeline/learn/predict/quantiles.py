"""Distributions by their quantiles at three levels, and the loss that tells good ones from bad."""

import numpy as np
from scipy import special

from pipeline.measure.effects import Floats

LEVELS = np.array([0.1, 0.5, 0.9])
"""The levels that models learn: the middle and the ends of an 80 % interval."""
_SCORES = special.ndtri(LEVELS)
_NARROWEST = 1e-6
"""Least distance of two quantiles, so that each value has one level."""


def pinball(values: Floats, quantiles: Floats, levels: Floats = LEVELS) -> Floats:
    """The loss of each row, averaged over the levels; shape (rows,).

    A quantile that is too low costs its level for each unit, one that is too high the rest. In
    expectation the true quantiles have the least loss (Koenker and Bassett, 1978,
    https://doi.org/10.2307/1913643).

    Args:
        values: What came, shape (rows,).
        quantiles: What was said, shape (rows, levels).
        levels: Between 0 and 1, shape (levels,).
    """
    missed = values[:, None] - quantiles
    loss: Floats = np.maximum(levels * missed, (levels - 1) * missed).mean(axis=1)
    return loss


def at_levels(quantiles: Floats, levels: Floats) -> Floats:
    """Quantiles at any levels from those at ``LEVELS``, shape (rows, levels).

    Between and beyond they lie on straight lines over the scores of a normal distribution: exact
    where each half of the distribution is normal, which log counts are nearly.
    """
    scores = special.ndtri(levels)
    low, middle, high = (quantiles[:, [place]] for place in range(3))
    down = (low - middle) / _SCORES[0]
    up = (high - middle) / _SCORES[2]
    found: Floats = middle + np.where(scores < 0, down, up) * scores
    return found


def share_above(quantiles: Floats, value: Floats) -> Floats:
    """The probability of at least a value, from the quantiles at ``LEVELS``; shape (rows,)."""
    low, middle, high = in_order(quantiles).T
    above = value - middle
    scores = above / np.where(above < 0, (low - middle) / _SCORES[0], (high - middle) / _SCORES[2])
    share: Floats = special.ndtr(-scores)
    return share


def in_order(quantiles: Floats) -> Floats:
    """Quantiles whose ends do not cross the middle, which stays; shape (rows, levels)."""
    low, middle, high = quantiles.T
    return np.column_stack(
        [np.minimum(low, middle - _NARROWEST), middle, np.maximum(high, middle + _NARROWEST)]
    )
