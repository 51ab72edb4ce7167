"""How a segment's posts do against the account's own usual, with honest uncertainty.

One mechanism serves every dimension: it gets log outcomes and segment names and knows nothing of
formats or weekdays. The point is partially pooled towards "no difference", because the best of
many small groups is mostly luck; the interval is not shrunk, because plug-in empirical-Bayes
intervals cover far less than they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

INTERVAL_COVERAGE = 0.90
MINIMUM_POSTS = 5
"""Fewer posts in a segment, or outside of it, give no figure: their spread is unknown."""
MINIMUM_POSTS_FOR_VERDICT = 8
"""A verdict on fewer posts would rest on one or two of them, whatever a test says."""
MINIMUM_USEFUL_RATIO = 1.10
"""A difference below a tenth changes no decision, however certain it is."""
FALSE_DISCOVERY_RATE = 0.05
_SPREAD_FLOOR = 0.10
"""Segments are taken to differ by at least this much (standard deviation of log effects)."""
_OUTLIER_LIMIT = 3.5
"""Robust standard deviations beyond which a post is pulled in (Iglewicz and Hoaglin, 1993)."""


class Verdict(StrEnum):
    """What a figure allows to say."""

    BETTER = "better"
    WORSE = "worse"
    NO_CLEAR_DIFFERENCE = "no_clear_difference"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True)
class SegmentEffect:
    """One segment against the account's usual; all but ``n`` on the log scale.

    ``estimate`` and ``standard_error`` are unpooled; ``pooled`` is the point to show; ``low`` and
    ``high`` are the 90 % interval. ``p_value`` is two-sided. ``null_best`` is the log effect that
    the best of these segments would typically show if none differed.
    """

    segment: str
    n: int
    estimate: float
    standard_error: float
    degrees_of_freedom: float
    pooled: float
    low: float
    high: float
    probability_better: float
    p_value: float
    null_best: float


def pull_in_outliers(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Limit each value to 3.5 robust standard deviations around its group's median.

    Args:
        values: Log outcomes, shape (posts,).
        groups: Index of each post's group, shape (posts,).

    Returns:
        Values of the same shape; unchanged where the spread is zero.

    Source: winsorising by the median absolute deviation, Iglewicz and Hoaglin (1993), "How to
    Detect and Handle Outliers".
    """
    medians = np.array(
        [np.median(values[groups == group]) for group in range(int(groups.max()) + 1)]
    )
    residuals = values - medians[groups]
    scale = 1.4826 * float(np.median(np.abs(residuals)))
    if scale == 0:
        return values
    limit = _OUTLIER_LIMIT * scale
    pulled: NDArray[np.float64] = medians[groups] + np.clip(residuals, -limit, limit)
    return pulled


def segment_effects(values: Sequence[float], segments: Sequence[str | None]) -> list[SegmentEffect]:
    """Effects of all segments of one dimension within one account and platform.

    A segment's effect is the mean of its log outcomes less the mean of all posts' log outcomes,
    so that ``exp(effect)`` is its ratio to the account's usual. Its standard error uses the
    pooled spread within segments; intervals and p-values are Student's t. The shown point is
    pooled towards zero with the between-segment variance of DerSimonian and Laird (1986),
    https://doi.org/10.1016/0197-2456(86)90046-2, and stays inside its interval.

    Args:
        values: Log outcomes, one per post.
        segments: The posts' segments, in the same order; None for a post that has none in this
            dimension: it belongs to the usual and gets no effect of its own.

    Returns:
        One effect per segment with at least five posts, when at least five posts lie outside of
        it; sorted by segment. Empty when no segment qualifies.

    Raises:
        ValueError: The arguments differ in length or hold a value that is not finite.
    """
    if len(values) != len(segments):
        raise ValueError(f"{len(values)} values but {len(segments)} segments")
    y = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(y)):
        raise ValueError("log outcomes must be finite numbers")
    names: list[str | None] = [*sorted({s for s in segments if s is not None})]
    if None in segments:
        names.append(None)
    place = {name: index for index, name in enumerate(names)}
    groups = np.array([place[segment] for segment in segments], dtype=np.int64)
    counts = np.bincount(groups, minlength=len(names))
    total = len(y)
    degrees = total - len(names)
    usable = [
        k
        for k, name in enumerate(names)
        if name is not None and counts[k] >= MINIMUM_POSTS <= total - counts[k]
    ]
    if len(names) < 2 or degrees < 1 or not usable:
        return []

    y = pull_in_outliers(y, groups)
    means = np.bincount(groups, weights=y, minlength=len(names)) / counts
    spread = float(np.sum((y - means[groups]) ** 2) / degrees)
    estimates = means - y.mean()
    errors = np.sqrt(spread * (1 / counts - 1 / total))

    own_estimates, own_errors = estimates[usable], np.maximum(errors[usable], 1e-12)
    between = max(between_variance(own_estimates, own_errors), _SPREAD_FLOOR**2)
    null_best = typical_best_under_null(own_errors)
    width = float(stats.t.ppf((1 + INTERVAL_COVERAGE) / 2, degrees))
    effects = []
    for k, estimate, error in zip(usable, own_estimates, own_errors, strict=True):
        low, high = estimate - width * error, estimate + width * error
        weight = between / (between + error**2)
        posterior_mean = weight * estimate
        effects.append(
            SegmentEffect(
                segment=str(names[k]),
                n=int(counts[k]),
                estimate=float(estimate),
                standard_error=float(error),
                degrees_of_freedom=float(degrees),
                pooled=float(np.clip(posterior_mean, low, high)),
                low=float(low),
                high=float(high),
                probability_better=float(
                    stats.norm.cdf(posterior_mean / (error * np.sqrt(weight)))
                ),
                p_value=float(2 * stats.t.sf(abs(estimate) / error, degrees)),
                null_best=null_best,
            )
        )
    return effects


def between_variance(estimates: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Variance of true effects around their mean, by the method of moments; at least 0.

    Source: DerSimonian and Laird (1986), https://doi.org/10.1016/0197-2456(86)90046-2
    """
    if len(estimates) < 2:
        return 0.0
    weights = 1 / errors**2
    mean = np.sum(weights * estimates) / weights.sum()
    heterogeneity = np.sum(weights * (estimates - mean) ** 2)
    scale = weights.sum() - np.sum(weights**2) / weights.sum()
    return float(max(0.0, (heterogeneity - (len(estimates) - 1)) / scale))


def typical_best_under_null(errors: NDArray[np.float64]) -> float:
    """Median of the largest estimate when no segment differs, on the log scale.

    The estimates are taken as independent normals, so the median solves
    ``prod(Phi(x / error)) = 1/2``.
    """
    largest = float(errors.max())

    def excess(x: float) -> float:
        return float(np.sum(stats.norm.logcdf(x / errors)) - np.log(0.5))

    return float(optimize.brentq(excess, -10 * largest, 10 * largest))


@dataclass(frozen=True)
class CommonEffect:
    """One segment across accounts, on the log scale; ``n`` counts posts."""

    n: int
    account_count: int
    pooled: float
    low: float
    high: float
    probability_better: float
    p_value: float


def common_effect(effects: Sequence[SegmentEffect]) -> CommonEffect | None:
    """What one segment does across accounts, from each account's own effect of it.

    Random effects, so that a large account is not the whole answer, with the interval of
    Hartung and Knapp, never narrower than the plain one: with three or four accounts the plain
    one is far too sure. Source: IntHout, Ioannidis and Borm (2014),
    https://doi.org/10.1186/1471-2288-14-25

    Returns:
        None with fewer than two accounts.
    """
    if len(effects) < 2:
        return None
    estimates = np.array([effect.estimate for effect in effects])
    errors = np.array([effect.standard_error for effect in effects])
    between = between_variance(estimates, errors)
    weights = 1 / (errors**2 + between)
    mean = float(np.sum(weights * estimates) / weights.sum())
    plain = 1 / weights.sum()
    degrees = len(effects) - 1
    adjusted = np.sum(weights * (estimates - mean) ** 2) / (degrees * weights.sum())
    error = float(np.sqrt(max(plain, adjusted)))
    width = float(stats.t.ppf((1 + INTERVAL_COVERAGE) / 2, degrees))
    weight = max(between, _SPREAD_FLOOR**2) / (max(between, _SPREAD_FLOOR**2) + error**2)
    low, high = mean - width * error, mean + width * error
    return CommonEffect(
        n=sum(effect.n for effect in effects),
        account_count=len(effects),
        pooled=float(np.clip(weight * mean, low, high)),
        low=low,
        high=high,
        probability_better=float(stats.t.cdf(mean / error, degrees)),
        p_value=float(2 * stats.t.sf(abs(mean) / error, degrees)),
    )


def q_values(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg adjusted p-values of one family, in the given order.

    Source: Benjamini and Hochberg (1995), https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    if not p_values:
        return []
    return [float(q) for q in stats.false_discovery_control(list(p_values), method="bh")]


def verdict(*, n: int, pooled: float, low: float, high: float, q_value: float) -> Verdict:
    """Better or worse only when the family-wide test, the interval and the size agree.

    Args:
        n: Posts in the segment.
        pooled: The shown point on the log scale.
        low: Lower bound on the log scale.
        high: Upper bound on the log scale.
        q_value: Adjusted p-value of the effect within its family.
    """
    useful = n >= MINIMUM_POSTS_FOR_VERDICT and abs(pooled) >= np.log(MINIMUM_USEFUL_RATIO)
    if q_value <= FALSE_DISCOVERY_RATE and useful and low > 0:
        return Verdict.BETTER
    if q_value <= FALSE_DISCOVERY_RATE and useful and high < 0:
        return Verdict.WORSE
    return Verdict.NO_CLEAR_DIFFERENCE
