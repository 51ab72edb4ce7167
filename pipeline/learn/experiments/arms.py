"""What is known of an arm, and of the difference between two.

Everything takes and gives arrays of any common shape: one pair of arms, one pair at many looks, or
many simulated pairs at many looks. Four kinds of arm:

- ``binomial``: successes among independent trials; the mean is a share.
- ``poisson``: events in an exposure, as many as a Poisson process gives; the mean is a rate.
- ``ratio``: a sum of numerators over a sum of denominators of units (clicks over impressions of
  posts, comments per post). Its variance is the units' own, so that overdispersion is in it.
- ``log``: logarithms of values of units; differences are logarithms of ratios.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import AfterpostError

Floats = NDArray[np.float64]
Kind = Literal["binomial", "poisson", "ratio", "log"]

NO_LIMIT_DF = 1e9
"""Degrees of freedom of a variance that is known from the mean (float arithmetic stays exact)."""

FEWEST_UNITS = 5
"""Units per arm below which nothing is concluded while an experiment runs."""

FEWEST_EVENTS = 10
"""Successes, and failures, of both arms together below which nothing is concluded."""


MOST_UNEQUAL = 2.0
"""Times as many units as the other arm up to which raw counts conclude anything before the planned
end. Skewness cancels between equal arms only: at 4 to 1, heavily skewed counts call 7 % false
winners over 100 looks, at 2 to 1 under 3 %. Logarithms need no such limit."""


class NotComparableError(AfterpostError):
    """Two arms whose difference has no meaning, or an arm without data."""


@dataclass(frozen=True)
class Arm:
    """An arm's mean and how well it is known.

    Attributes:
        kind: How the mean was made.
        size: Trials of a binomial arm, exposure of a Poisson arm, otherwise units.
        mean: Share, rate, ratio or mean logarithm.
        variance: Variance of the mean.
        df: Degrees of freedom of that variance.
        events: Successes or counts; of the other kinds, units.
    """

    kind: Kind
    size: Floats
    mean: Floats
    variance: Floats
    df: Floats
    events: Floats


@dataclass(frozen=True)
class Difference:
    """The second arm minus the first.

    Attributes:
        kind: The arms' kind.
        effect: Difference of the means.
        se: Its standard error, each arm with its own variance.
        null_se: Its standard error where the arms do not differ (pooled; equal to ``se`` for kinds
            whose variance does not follow from the mean).
        df: Degrees of freedom of the standard errors (Welch, 1947).
        log_ratio: Logarithm of the second mean over the first; nan where one is not positive.
        log_ratio_se: Its standard error (delta method).
        information: n1 · n2 / (n1 + n2) in units (trials, exposure).
        ready: Whether there is enough to conclude anything before the planned end.
    """

    kind: Kind
    effect: Floats
    se: Floats
    null_se: Floats
    df: Floats
    log_ratio: Floats
    log_ratio_se: Floats
    information: Floats
    ready: NDArray[np.bool_]


def binomial_arm(successes: ArrayLike, trials: ArrayLike) -> Arm:
    """Successes among trials that do not depend on each other.

    Raises:
        NotComparableError: There are more successes than trials, or no trials.
    """
    won, size = np.asarray(successes, float), np.asarray(trials, float)
    if np.any(size <= 0) or np.any(won < 0) or np.any(won > size):
        raise NotComparableError(
            "Successes must lie between 0 and the trials, of which there is one."
        )
    share = won / size
    no_limit = np.full_like(share, NO_LIMIT_DF)
    return Arm("binomial", size, share, share * (1 - share) / size, no_limit, won)


def poisson_arm(events: ArrayLike, exposure: ArrayLike) -> Arm:
    """Events in an exposure, without anything that makes them vary more than Poisson's law.

    Raises:
        NotComparableError: A count is negative, or an exposure is not positive.
    """
    count, size = np.asarray(events, float), np.asarray(exposure, float)
    if np.any(size <= 0) or np.any(count < 0):
        raise NotComparableError("Counts cannot be negative, and their exposure is positive.")
    rate = count / size
    return Arm("poisson", size, rate, rate / size, np.full_like(rate, NO_LIMIT_DF), count)


def ratio_arm(
    numerators: ArrayLike, denominators: ArrayLike | None = None, *, looks: ArrayLike | None = None
) -> Arm:
    """Sum of numerators over sum of denominators, with the variance between units.

    The variance is that of the linearised ratio (Cochran, 1977, "Sampling Techniques", section
    2.11; Deng, Knoblich and Lu, 2018, "Applying the Delta Method in Metric Analytics"), with the
    jackknife's first-order correction for units of large denominators, which draw the ratio to
    themselves (Royall and Cumberland, 1981, "An empirical study of the ratio estimator").

    Args:
        numerators: One per unit along the last axis, in the order the units came.
        denominators: The same shape; 1 each when absent, and the ratio is a mean.
        looks: After how many units the arm is looked at; once at the end when absent. The results
            then have the looks as last axis.

    Raises:
        NotComparableError: A look has fewer than two units, or nothing in its denominators.
    """
    return _from_units("ratio", numerators, denominators, looks)


def log_arm(log_values: ArrayLike, *, looks: ArrayLike | None = None) -> Arm:
    """Mean of logarithms, one per unit along the last axis.

    Raises:
        NotComparableError: A look has fewer than two units.
    """
    return _from_units("log", log_values, None, looks)


def _from_units(
    kind: Kind, numerators: ArrayLike, denominators: ArrayLike | None, looks: ArrayLike | None
) -> Arm:
    top = np.asarray(numerators, float)
    below = np.ones_like(top) if denominators is None else np.asarray(denominators, float)
    if top.shape != below.shape:
        raise NotComparableError("Every unit needs one numerator and one denominator.")
    units = np.array([top.shape[-1]]) if looks is None else np.asarray(looks, int)
    if np.any(units < 2) or np.any(units > top.shape[-1]):
        raise NotComparableError("The variance of an arm needs at least two units.")

    def total(values: Floats) -> Floats:
        sums: Floats = np.cumsum(values, axis=-1)[..., units - 1]
        return sums if looks is not None else sums[..., 0]

    weight = total(below)
    size = np.broadcast_to(units if looks is not None else units[0], weight.shape).astype(float)
    if np.any(weight <= 0):
        raise NotComparableError("The denominators of an arm sum to nothing.")
    mean = total(top) / weight
    residual = total(top**2) - 2 * mean * total(top * below) + mean**2 * total(below**2)
    variance = residual * size / (size - 1)
    if denominators is not None:
        weighted = (
            total(top**2 * below) - 2 * mean * total(top * below**2) + mean**2 * total(below**3)
        )
        variance = variance + 2 * (weighted / weight - residual / size)
    variance = np.maximum(variance, 0.0) / weight**2
    return Arm(kind, size, mean, variance, size - 1, size)


def difference(first: Arm, second: Arm) -> Difference:
    """The second arm minus the first.

    Raises:
        NotComparableError: The arms are of different kinds.
    """
    if first.kind != second.kind:
        raise NotComparableError(f"A {first.kind} arm does not compare with a {second.kind} arm.")
    variance = first.variance + second.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        df = variance**2 / (first.variance**2 / first.df + second.variance**2 / second.df)
        if first.kind == "log":
            log_ratio, log_ratio_se = second.mean - first.mean, np.sqrt(variance)
        else:
            log_ratio, log_ratio_se = _log_ratio(first, second)
    return Difference(
        kind=first.kind,
        effect=second.mean - first.mean,
        se=np.sqrt(variance),
        null_se=_null_se(first, second, variance),
        df=np.where(np.isfinite(df), np.minimum(df, NO_LIMIT_DF), first.df + second.df),
        log_ratio=log_ratio,
        log_ratio_se=log_ratio_se,
        information=first.size * second.size / (first.size + second.size),
        ready=_ready(first, second),
    )


def _log_ratio(first: Arm, second: Arm) -> tuple[Floats, Floats]:
    possible = (first.mean > 0) & (second.mean > 0)
    one = np.where(possible, first.mean, np.nan)
    two = np.where(possible, second.mean, np.nan)
    return np.log(two / one), np.sqrt(first.variance / one**2 + second.variance / two**2)


def _null_se(first: Arm, second: Arm, variance: Floats) -> Floats:
    if first.kind not in ("binomial", "poisson"):
        return np.asarray(np.sqrt(variance))
    mean = (first.events + second.events) / (first.size + second.size)
    each = mean * (1 - mean) if first.kind == "binomial" else mean
    return np.asarray(np.sqrt(each * (1 / first.size + 1 / second.size)))


def _ready(first: Arm, second: Arm) -> NDArray[np.bool_]:
    if first.kind in ("ratio", "log"):
        fewer, more = np.minimum(first.size, second.size), np.maximum(first.size, second.size)
        balanced = (first.kind == "log") | (more <= MOST_UNEQUAL * fewer)
        return np.asarray((fewer >= FEWEST_UNITS) & balanced)
    events = first.events + second.events
    enough = events >= FEWEST_EVENTS
    if first.kind == "binomial":
        enough = enough & (first.size + second.size - events >= FEWEST_EVENTS)
    return np.asarray(enough)
