"""The analysis at the one planned end, as any statistics package does it.

Right once, at the size that was planned. Looked at more often, its p-values are too small:
:mod:`pipeline.learn.experiments.anytime` is for that.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.learn.experiments.arms import Arm, Difference, Floats, difference


@dataclass(frozen=True)
class Fixed:
    """The comparison at the planned end.

    Attributes:
        p_value: Two-sided: two-proportion z with the pooled variance, rates of Poisson arms
            likewise, Welch's t for units.
        low: Lower end of the effect's interval.
        high: Upper end.
        log_ratio_low: Lower end for the logarithm of the ratio of means (nan where it has none).
        log_ratio_high: Upper end.
    """

    p_value: Floats
    low: Floats
    high: Floats
    log_ratio_low: Floats
    log_ratio_high: Floats


def compare(first: Arm, second: Arm, *, alpha: float = 0.05) -> Fixed:
    """The second arm minus the first at the planned end.

    Shares have the hybrid score interval (Newcombe, 1998, "Interval estimation for the difference
    between independent proportions", method 10), which keeps its coverage where shares are small.

    Raises:
        NotComparableError: The arms are of different kinds.
    """
    seen = difference(first, second)
    quantile = np.asarray(special.stdtrit(seen.df, 1 - alpha / 2))
    low, high = seen.effect - quantile * seen.se, seen.effect + quantile * seen.se
    if first.kind == "binomial":
        low, high = _hybrid_score(first, second, float(special.ndtri(1 - alpha / 2)))
    return Fixed(
        p_value=p_value(seen),
        low=low,
        high=high,
        log_ratio_low=seen.log_ratio - quantile * seen.log_ratio_se,
        log_ratio_high=seen.log_ratio + quantile * seen.log_ratio_se,
    )


def p_value(seen: Difference) -> Floats:
    """Two-sided p-value of a difference; 1 where neither arm varies and they are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.abs(seen.effect / seen.null_se)
    normal = seen.kind in ("binomial", "poisson")
    tail = special.ndtr(-statistic) if normal else special.stdtr(seen.df, -statistic)
    return np.where(np.isnan(statistic), 1.0, 2 * tail)


def _hybrid_score(first: Arm, second: Arm, z: float) -> tuple[Floats, Floats]:
    (low_1, high_1), (low_2, high_2) = _score(first, z), _score(second, z)
    effect = second.mean - first.mean
    low = effect - np.hypot(second.mean - low_2, high_1 - first.mean)
    high = effect + np.hypot(high_2 - second.mean, first.mean - low_1)
    return low, high


def _score(arm: Arm, z: float) -> tuple[Floats, Floats]:
    """Wilson's interval of one share (Wilson, 1927)."""
    n, share = arm.size, arm.mean
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half
