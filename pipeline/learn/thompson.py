"""Which format is tried how often while it is not known which is best.

Only the standard library: the generator's side reads this too. A format is tried as often as it is
the best in the light of what is known (Thompson, 1933, "On the likelihood that one unknown
probability exceeds another"), which is computed here instead of sampled, so that every pick has
an exact probability.
"""

import math
from collections.abc import Mapping

PRIOR_SD = 0.25
"""How far formats are taken to differ before anything is known: standard deviation of log effects.
Two thirds of all formats are taken to lie within 0.78 to 1.28 times the usual."""

SPREAD = 0.6
"""Factor on the standard deviations. Below 1 the exploration favours what looks good more than
plain Thompson sampling does; half a year of posts is too short for the plain rule to pay off."""

_STEPS = 600
_REACH = 6.0
"""Standard deviations on both sides that the integral runs over."""

Posterior = tuple[float, float]
"""Mean and standard deviation of a format's log effect."""

PRIOR: Posterior = (0.0, PRIOR_SD)
"""What is known of a format that has no figures."""


def chances_of_being_best(
    posteriors: Mapping[str, Posterior], *, spread: float = SPREAD
) -> dict[str, float]:
    """The probability of each format that its effect is the largest.

    Independent normals; the integral over the largest value is a sum over a grid.

    Args:
        posteriors: Mean and standard deviation on the log scale, by format.
        spread: Factor on the standard deviations.

    Returns:
        Probabilities that sum to 1, in the order of the argument; empty for no format.
    """
    if not posteriors:
        return {}
    normals = {name: (mean, max(sd * spread, 1e-6)) for name, (mean, sd) in posteriors.items()}
    # The largest of all is hardly ever below the largest of the formats' own lower ends.
    low = max(mean - _REACH * sd for mean, sd in normals.values())
    high = max(mean + _REACH * sd for mean, sd in normals.values())
    width = (high - low) / _STEPS
    totals = dict.fromkeys(normals, 0.0)
    edges = {
        name: [_cdf((low + step * width - mean) / sd) for step in range(_STEPS + 1)]
        for name, (mean, sd) in normals.items()
    }
    for step in range(_STEPS):
        middles = {name: (cdf[step] + cdf[step + 1]) / 2 for name, cdf in edges.items()}
        for name, cdf in edges.items():
            others = math.prod(value for other, value in middles.items() if other != name)
            totals[name] += (cdf[step + 1] - cdf[step]) * others
    whole = sum(totals.values())
    return {name: total / whole for name, total in totals.items()}


def _cdf(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2))
