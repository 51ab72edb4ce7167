"""What intervals of 90 % share: their reach, and the interval of a share."""

import math
from dataclasses import dataclass
from functools import lru_cache

DEVIATIONS_90 = 1.645
"""Standard errors of a normal estimate from its middle to the ends of its 90 % interval."""


@lru_cache(maxsize=512)
def student_quantile(share: float, degrees: float) -> float:
    """What Student's t stays below with probability ``share``."""
    from scipy import special  # a third of a second, so only when it is used

    return float(special.stdtrit(degrees, share))


def student_deviations(degrees: float) -> float:
    """As `DEVIATIONS_90`, for an estimate whose spread is known with so many degrees of freedom."""
    return student_quantile(0.95, degrees)


def log_error(low: float, high: float) -> float:
    """Standard error of the logarithm of a ratio whose 90 % interval goes from low to high."""
    return math.log(high / low) / (2 * DEVIATIONS_90)


@dataclass(frozen=True)
class Share:
    """A part of a whole with its 90 % interval."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The fraction itself."""
        return self.part / self.whole


def share_of(part: int, whole: int) -> Share:
    """``part`` of ``whole``, which is above 0 (Wilson, 1927, https://doi.org/10.2307/2276774)."""
    squared = DEVIATIONS_90**2 / whole
    value = part / whole
    middle = (value + squared / 2) / (1 + squared)
    reach = math.sqrt(value * (1 - value) * squared + squared**2 / 4) / (1 + squared)
    # The ends of the bounds are exact, and rounding would take them away.
    low = 0.0 if part == 0 else max(0.0, middle - reach)
    high = 1.0 if part == whole else min(1.0, middle + reach)
    return Share(part, whole, low, high)
