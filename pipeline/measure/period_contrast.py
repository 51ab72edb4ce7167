"""How the posts of one period compare with those of the period before, at one age.

Outcomes are heavy-tailed, so all is done on the log scale, and the single hit or flop of a period
must not be its whole story: a tenth of the posts is trimmed from each end (none of fewer than ten).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MINIMUM_POSTS = 5
"""In each of the two periods; fewer give no figure."""
_TRIMMED = 0.1
_TAIL = 0.05


@dataclass(frozen=True)
class Contrast:
    """A difference of means on the log scale with what its interval takes."""

    n: int
    former_n: int
    estimate: float
    variance: float
    degrees_of_freedom: float

    @property
    def _reach(self) -> float:
        return float(-special.stdtrit(self.degrees_of_freedom, _TAIL)) * math.sqrt(self.variance)

    @property
    def ratio(self) -> float:
        """The period's typical post to that of the period before; 1.0 is no movement."""
        return math.exp(self.estimate)

    @property
    def low(self) -> float:
        """Lower bound of the 90 % interval of the ratio."""
        return math.exp(self.estimate - self._reach)

    @property
    def high(self) -> float:
        """Upper bound of that interval."""
        return math.exp(self.estimate + self._reach)

    @property
    def p_value(self) -> float:
        """Two-sided, of no movement."""
        if self.variance == 0:
            return float(self.estimate == 0)
        t = -abs(self.estimate) / math.sqrt(self.variance)
        return float(2 * special.stdtr(self.degrees_of_freedom, t))


def contrast(log_values: Floats, former_log_values: Floats) -> Contrast | None:
    """Compare two groups of log outcomes that may differ in spread and size.

    Args:
        log_values: Of the period's posts, shape (posts,).
        former_log_values: Of the posts of the period before, shape (posts,).

    Returns:
        None with fewer than five posts on a side, or without any spread to go by.

    Source: Yuen (1974), "The two-sample trimmed t for unequal population variances",
    https://doi.org/10.1093/biomet/61.1.165; without trimming it is Welch's (1947).
    """
    if min(len(log_values), len(former_log_values)) < MINIMUM_POSTS:
        return None
    mean, variance, kept = _trimmed(log_values)
    former_mean, former_variance, former_kept = _trimmed(former_log_values)
    total = variance + former_variance
    if total == 0:
        return None
    return Contrast(
        n=len(log_values),
        former_n=len(former_log_values),
        estimate=mean - former_mean,
        variance=total,
        degrees_of_freedom=total**2
        / (variance**2 / (kept - 1) + former_variance**2 / (former_kept - 1)),
    )


def combined(contrasts: Sequence[Contrast]) -> Contrast | None:
    """One movement out of several profiles' own, so that a big profile is not the whole answer.

    Each is weighted by n · m / (n + m), which is what it can tell when all spread alike (Cochran,
    1954, https://doi.org/10.2307/3001616); degrees of freedom after Satterthwaite (1946,
    https://doi.org/10.2307/3002019). The number of posts is that of all of them.
    """
    if not contrasts:
        return None
    weights = np.array([one.n * one.former_n / (one.n + one.former_n) for one in contrasts])
    weights /= weights.sum()
    parts = weights**2 * np.array([one.variance for one in contrasts])
    degrees = np.array([one.degrees_of_freedom for one in contrasts])
    return Contrast(
        n=sum(one.n for one in contrasts),
        former_n=sum(one.former_n for one in contrasts),
        estimate=float(weights @ np.array([one.estimate for one in contrasts])),
        variance=float(parts.sum()),
        degrees_of_freedom=float(parts.sum() ** 2 / np.sum(parts**2 / degrees)),
    )


def _trimmed(values: Floats) -> tuple[float, float, int]:
    """Trimmed mean, its squared standard error by the winsorised spread, and how many are kept."""
    ordered = np.sort(values)
    count = len(ordered)
    cut = int(_TRIMMED * count)
    kept = count - 2 * cut
    winsorised = np.clip(ordered, ordered[cut], ordered[count - cut - 1])
    squares = float(np.sum((winsorised - winsorised.mean()) ** 2))
    return float(ordered[cut : count - cut].mean()), squares / (kept * (kept - 1)), kept
