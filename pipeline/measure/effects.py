"""How a segment's posts do against the account's own usual, from moments alone.

One mechanism serves every dimension: it gets counts, means and squared deviations of log outcomes,
which the warehouse has summed, and knows nothing of formats or weekdays. Everything here is of one
account at a time; :mod:`pipeline.measure.pooling` lets accounts learn from each other.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

INTERVAL_COVERAGE = 0.90
MINIMUM_POSTS = 5
"""Fewer posts in a segment, or outside of it, give no figure: their spread is unknown."""
MINIMUM_POSTS_FOR_VERDICT = 8
"""A verdict on fewer posts would rest on one or two of them, whatever a test says."""
MINIMUM_USEFUL_RATIO = 1.10
"""A difference below a tenth changes no decision, however certain it is."""
FALSE_DISCOVERY_RATE = 0.05
_SPREAD_PRIOR_POSTS = 20.0
"""Posts that the usual spread within segments is worth beside a segment's own spread."""
_ERROR_FLOOR = 1e-6
"""Log values are kept to a millionth: nothing is known more exactly."""
_NEWTON_STEPS = 50
_NEWTON_TOLERANCE = 1e-12


class Verdict(StrEnum):
    """What a figure allows to say."""

    BETTER = "better"
    WORSE = "worse"
    NO_CLEAR_DIFFERENCE = "no_clear_difference"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True)
class SegmentMoments:
    """Moments of log outcomes; one element per segment in every array, shape (segments,).

    A group is all segments of one account, platform, dimension and outcome. Posts that have no
    segment there are what ``all_*`` has more than the group's segments together.
    """

    group: Integers
    """Index of the group, from 0 without gaps."""
    n: Floats
    log_mean: Floats
    log_squared_deviations: Floats
    """Sum of squared deviations from ``log_mean``."""
    all_n: Floats
    """The same of all posts of the account on the platform that have the outcome."""
    all_log_mean: Floats
    all_log_squared_deviations: Floats

    @property
    def group_count(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1 if len(self.group) else 0


@dataclass(frozen=True)
class OwnEffects:
    """Each segment against the account's usual, unpooled, on the log scale; shape (segments,).

    Only elements with ``has_figure`` mean anything; the others are NaN.
    """

    has_figure: Flags
    estimate: Floats
    standard_error: Floats
    degrees_of_freedom: Floats
    low: Floats
    high: Floats
    """With ``low`` the 90 % interval."""
    p_value: Floats
    """Two-sided."""
    null_best: Floats
    """Log effect that the best of the group would typically show if none of them differed."""


def own_effects(moments: SegmentMoments) -> OwnEffects:
    """Effects of all segments of all groups at once.

    A segment's effect is the mean of its log outcomes less the mean of all posts' log outcomes, so
    that ``exp(estimate)`` is its ratio to the account's usual; a post without a segment belongs to
    the usual. Intervals and p-values are Student's t. The spread of a segment is its own, moderated
    by the spread within all segments of the group as if that were 20 more posts: segments with few
    posts borrow a spread, segments with many keep theirs. Degrees of freedom are those of
    Satterthwaite (1946), https://doi.org/10.2307/3002019

    Args:
        moments: One row per segment with at least one post.

    Returns:
        A figure for each segment with at least five posts, when at least five posts lie outside.

    Source of the moderated spread: Smyth (2004), https://doi.org/10.2202/1544-6115.1027, with the
    weight of the prior fixed instead of estimated.
    """
    group, groups = moments.group, moments.group_count

    def summed(values: Floats) -> Floats:
        return summed_by(values, group, groups)

    first = np.zeros(groups, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    n, total = moments.n, moments.all_n[first]
    offset = moments.log_mean - moments.all_log_mean
    rest_n = np.maximum(total - summed(n), 0.0)
    rest_offset = _divided(-summed(n * offset), rest_n)
    rest_squares = np.maximum(
        moments.all_log_squared_deviations[first]
        - summed(moments.log_squared_deviations + n * offset**2)
        - rest_n * rest_offset**2,
        0.0,
    )
    rest_squares[rest_n == 0] = 0.0

    degrees = total - summed(np.ones_like(n)) - (rest_n > 0)
    spread = _divided(summed(moments.log_squared_deviations) + rest_squares, degrees)
    variance = _moderated(moments.log_squared_deviations, n, spread[group])
    rest_variance = _moderated(rest_squares, np.maximum(rest_n, 1.0), spread)

    has_figure = (n >= MINIMUM_POSTS) & (total[group] - n >= MINIMUM_POSTS)
    usual = summed(n * variance) + rest_n * rest_variance
    # mean_k - mean of all = (1 - n/N) mean_k - sum over the others of their share times their mean
    own_part = (1 - n / total[group]) ** 2 * variance / n
    other_part = np.maximum(usual[group] - n * variance, 0.0) / total[group] ** 2
    error = np.maximum(np.sqrt(own_part + other_part), _ERROR_FLOOR)
    freedom = _satterthwaite(own_part, other_part, n, degrees[group])

    def figure(values: Floats) -> Floats:
        return np.where(has_figure, values, np.nan)

    width = special.stdtrit(freedom, (1 + INTERVAL_COVERAGE) / 2) * error
    return OwnEffects(
        has_figure=has_figure,
        estimate=figure(offset),
        standard_error=figure(error),
        degrees_of_freedom=figure(freedom),
        low=figure(offset - width),
        high=figure(offset + width),
        p_value=figure(2 * special.stdtr(freedom, -np.abs(offset) / error)),
        null_best=figure(
            typical_best_under_null(error, np.where(has_figure, group, -1), groups)[group]
        ),
    )


def typical_best_under_null(errors: Floats, group: Integers, groups: int) -> Floats:
    """Median of the largest estimate of each group when no segment differs, on the log scale.

    The estimates are taken as independent normals, so the median x solves
    ``prod(Phi(x / error)) = 1/2``. Its logarithm is concave and rising in x, so Newton's steps from
    0 climb to the root without passing it.

    Args:
        errors: Standard errors, shape (segments,).
        group: Index of each segment's group, from 0; below 0 for one that takes no part.
        groups: Number of groups.

    Returns:
        One value per group, shape (groups,); NaN for a group without segments.
    """
    takes_part = group >= 0
    error, index = errors[takes_part], group[takes_part]
    best = np.zeros(groups)
    for _ in range(_NEWTON_STEPS):
        z = best[index] / error
        log_share = special.log_ndtr(z)
        slope = np.exp(-0.5 * z**2 - log_share) / (error * np.sqrt(2 * np.pi))
        excess = summed_by(log_share, index, groups) - np.log(0.5)
        step = _divided(excess, summed_by(slope, index, groups))
        best = best - step
        if not np.any(np.abs(step) > _NEWTON_TOLERANCE):
            break
    best[np.bincount(index, minlength=groups) == 0] = np.nan
    return best


def verdicts(
    *, n: Floats, pooled: Floats, low: Floats, high: Floats, q_value: Floats
) -> NDArray[np.object_]:
    """Better or worse only where the family-wide test, the interval, the size and n agree.

    Args:
        n: Posts in the segment.
        pooled: The shown point on the log scale; NaN where there is no figure.
        low: Lower bound on the log scale.
        high: Upper bound on the log scale.
        q_value: Adjusted p-value of the effect within its run.

    Returns:
        Values of :class:`Verdict`, of the same shape.
    """
    with np.errstate(invalid="ignore"):
        clear = (
            (q_value <= FALSE_DISCOVERY_RATE)
            & (n >= MINIMUM_POSTS_FOR_VERDICT)
            & (np.abs(pooled) >= np.log(MINIMUM_USEFUL_RATIO))
        )
        return np.select(
            [np.isnan(pooled), clear & (low > 0), clear & (high < 0)],
            [Verdict.NOT_ENOUGH_DATA.value, Verdict.BETTER.value, Verdict.WORSE.value],
            Verdict.NO_CLEAR_DIFFERENCE.value,
        ).astype(object)


def summed_by(values: Floats, index: Integers, size: int) -> Floats:
    """Sum of the values of each index, shape (size,)."""
    # Whole numbers for no values at all: an empty sum has no type of its own.
    return np.bincount(index, weights=values, minlength=size).astype(np.float64)


def _divided(above: Floats, below: Floats) -> Floats:
    """Above / below, and 0 where there is nothing below."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _moderated(squares: Floats, n: Floats, spread: Floats) -> Floats:
    return (_SPREAD_PRIOR_POSTS * spread + squares) / (_SPREAD_PRIOR_POSTS + n - 1)


def _satterthwaite(own_part: Floats, other_part: Floats, n: Floats, degrees: Floats) -> Floats:
    """Degrees of freedom of an error that is made of two variances, at least 1."""
    own = n - 1
    prior = _divided(np.full_like(degrees, _SPREAD_PRIOR_POSTS**2), degrees)
    own_freedom = _divided((_SPREAD_PRIOR_POSTS + own) ** 2, own + prior)
    parts = _divided(own_part**2, own_freedom) + _divided(other_part**2, degrees)
    return np.maximum(_divided((own_part + other_part) ** 2, parts), 1.0)
