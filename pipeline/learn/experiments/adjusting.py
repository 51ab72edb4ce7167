"""Adjustment by what was to be expected of a unit before it was treated.

CUPED (Deng, Xu, Kohavi and Walker, 2013, "Improving the sensitivity of online controlled
experiments by utilizing pre-experiment data"): an outcome less slope · (covariate - centre) has the
same mean difference between arms, and less variance where the covariate explains something. Two
things are not as in the paper:

- The slope and the centre are those of earlier units and frozen when the experiment is registered,
  not estimated from the experiment. So each unit's adjusted value is final when its outcome is, and
  what is said of any number of looks at plain values holds of looks at adjusted ones.
- The slope is shrunk by its own uncertainty (James and Stein, 1961), so that a covariate that
  explains nothing costs nothing that can be measured.

Values and logarithms of values are adjusted as they are. A ratio of sums is adjusted in its
numerators by slope · (covariate - centre) · denominator, where the covariate is an expected ratio
and the slope is that of a regression weighted by denominators: the linearised ratio's adjustment.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.learn.experiments.arms import Floats

FEWEST_EARLIER = 20
"""Earlier units below which no slope is estimated."""


@dataclass(frozen=True)
class Adjustment:
    """A frozen slope and centre of the covariate.

    Attributes:
        slope: What the outcome changes by for one more of the covariate.
        centre: Mean of the covariate.
        variance_left: Share of the variance between units that is left, estimated on the earlier
            units; at most 1.
    """

    slope: float
    centre: float
    variance_left: float = 1.0


def fit(
    outcomes: ArrayLike, covariates: ArrayLike, denominators: ArrayLike | None = None
) -> Adjustment | None:
    """Slope and centre from earlier units.

    Args:
        outcomes: One per unit: values, logarithms of values, or numerators of a ratio.
        covariates: What was to be expected of each; nan where nothing was known.
        denominators: Of a ratio; the covariates are then expected ratios.

    Returns:
        None where fewer than :data:`FEWEST_EARLIER` units have a covariate, where covariates do
        not differ, or where they explain no more than chance does.
    """
    top, x = np.asarray(outcomes, float), np.asarray(covariates, float)
    weight = np.ones_like(top) if denominators is None else np.asarray(denominators, float)
    known = np.isfinite(x) & np.isfinite(top) & (weight > 0)
    top, x, weight = top[known], x[known], weight[known]
    n = len(x)
    if n < FEWEST_EARLIER or not np.ptp(x) > 0:
        return None
    centre = float((weight * x).sum() / weight.sum())
    apart = weight * (x - centre)  # what a numerator changes by for a slope of 1
    residual = top - weight * top.sum() / weight.sum()
    moved = float((apart * (x - centre)).sum())
    slope = float((residual * (x - centre)).sum()) / moved
    # Its variance is the units' own, so that overdispersion and unequal denominators are in it.
    scatter = (residual - slope * apart) * (x - centre)
    t_squared = slope**2 / (float((scatter**2).sum()) * n / (n - 2) / moved**2 or np.inf)
    if scatter.any() and t_squared <= 1:
        return None
    slope *= 1 - (1 / t_squared if scatter.any() else 0.0)
    left = float(((residual - slope * apart) ** 2).sum() / (residual**2).sum())
    return Adjustment(slope, centre, min(1.0, left * (n - 1) / (n - 2)))


def adjusted(
    values: ArrayLike,
    covariates: ArrayLike,
    adjustment: Adjustment | None,
    denominators: ArrayLike | None = None,
) -> Floats:
    """Outcomes less what was to be expected of them.

    Args:
        values: Values, logarithms of values, or numerators of a ratio, of any shape.
        covariates: Of the same shape; a unit whose covariate is nan stays as it is.
        adjustment: As :func:`fit` gave it; None leaves everything as it is.
        denominators: Of a ratio.
    """
    given = np.asarray(values, float)
    if adjustment is None:
        return given
    apart = np.nan_to_num(np.asarray(covariates, float) - adjustment.centre)
    weight = 1.0 if denominators is None else np.asarray(denominators, float)
    return np.asarray(given - adjustment.slope * apart * weight)
