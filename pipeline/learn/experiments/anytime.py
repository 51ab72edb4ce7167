"""Readings that stay right however often one looks.

Construction: the likelihood ratio of "the standardised effect is drawn from a normal distribution
around 0" against "there is no effect" is a non-negative martingale while there is no effect, so
the chance that it ever exceeds 1/α is at most α (Ville, 1939; Robbins, 1970, "Statistical methods
related to the law of the iterated logarithm"). Its inverse is an always-valid p-value, and the
effects that it does not reject are a confidence sequence (Johari, Pekelis and Walsh, 2015, "Always
valid inference"; Johari, Koomen, Pekelis and Walsh, 2017, "Peeking at A/B tests"; 2022).

The likelihood here is that of the t statistic, which knows that the variance is estimated: exact at
every n for normal values with equal variances (Lai, 1976, "On confidence sequences"; Hendriksen,
de Heide and Grünwald, 2021, "Optional stopping with Bayes factors"; Wang and Ramdas, 2024,
"Anytime-valid t-tests"). It is infinite where units are too few to exclude anything. For unequal
variances (Welch's degrees of freedom), shares and counts it is right as n grows, as every
asymptotic confidence sequence is (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2021,
"Time-uniform central limit theory and asymptotic confidence sequences"); fewer units and events
than :mod:`pipeline.learn.experiments.arms` names conclude nothing.

Ville's bound is for experiments without end. One that ends at :data:`LONGEST` times its planned
size spends 1 to 2.7 % of 5 %, the least where few units are planned, whose t statistics need the
most. So small plans spend part of the rest (:func:`_spent`), as group-sequential designs do that
count on their end (Lan and DeMets, 1983, "Discrete sequential boundaries for clinical trials"): the
evidence that is needed is less by a factor that keeps false winners at 2.8 % with normal values and
a look after every unit, and is more after that end, so that both together stay below α by Ville's
bound for good. A plan of 25 per arm then needs 1.04 times as many units on average as the fixed
analysis, and not 1.09. Plans of about ten still need 1.1 times: twenty units tell a variance too
badly, and the factor has nothing left to give.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.learn.experiments.arms import Difference, Floats

TUNING = 12.0
"""Mixture variance × information at the planned size. From 5 to 20 an experiment with the planned
effect hardly changes its mean length; larger values end larger effects sooner."""

LONGEST = 1.75
"""Times the planned size after which an experiment that has shown nothing is ended."""

_AFTER_THE_END = 1.4
_LARGEST_P_SPENT = 0.1
"""The factor is simulated for α of 0.01 to 0.1, and for no larger ones."""


@dataclass(frozen=True)
class Anytime:
    """What one look, or all looks so far, say.

    Attributes:
        p_value: Always-valid; the smallest so far where looks are followed.
        low: Lower end of the effect's confidence sequence (-inf where nothing is excluded).
        high: Upper end.
        log_ratio_low: Lower end for the logarithm of the ratio of means (nan where it has none).
        log_ratio_high: Upper end.
        drifted: Looks contradict each other, which one unchanging effect does with a chance of
            less than α: the ends are then those of the latest look.
    """

    p_value: Floats
    low: Floats
    high: Floats
    log_ratio_low: Floats
    log_ratio_high: Floats
    drifted: NDArray[np.bool_]


def log_evidence(statistic: ArrayLike, df: ArrayLike, progress: ArrayLike) -> Floats:
    """Logarithm of the mixture likelihood ratio of a t statistic.

    Args:
        statistic: Effect over its standard error.
        df: Degrees of freedom of the standard error.
        progress: Information there is over the information planned for; its scale must not be
            chosen anew at each look.
    """
    t2, nu = np.asarray(statistic, float) ** 2, np.asarray(df, float)
    ratio = TUNING * np.asarray(progress, float)
    gain = np.log1p(t2 / nu) - np.log1p(t2 / (nu * (1 + ratio)))
    return np.asarray(((nu + 1) * gain - np.log1p(ratio)) / 2)


def bound(df: ArrayLike, progress: ArrayLike, alpha: ArrayLike) -> Floats:
    """The t statistic at which the evidence reaches 1/alpha; inf where none can."""
    nu, ratio = np.asarray(df, float), TUNING * np.asarray(progress, float)
    log_needed = (np.log1p(ratio) - 2 * np.log(alpha)) / (nu + 1)
    left = -np.expm1(log_needed - np.log1p(ratio))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        squared = nu * np.expm1(log_needed) / left
    return np.sqrt(np.where(left > 0, squared, np.inf))


def look(seen: Difference, planned_per_arm: float, *, alpha: float = 0.05) -> Anytime:
    """What one look says, at whatever time and after however many others.

    Args:
        seen: The difference at the look.
        planned_per_arm: Units (trials, exposure) per arm that were planned, the same at all looks.
        alpha: Chance of ever being wrong; divide it by the number of declared contrasts.
    """
    progress = seen.information / (planned_per_arm / 2)
    # Where the arms do not vary at all there is no evidence of how much they would.
    known = seen.ready & (seen.se > 0) & (seen.null_se > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(known, seen.effect / seen.null_se, 0.0)
    spent = _spent(planned_per_arm, progress)
    ville = np.exp(-log_evidence(statistic, seen.df, progress))
    p_value = np.where((spent > 1) | (spent * ville <= _LARGEST_P_SPENT), spent * ville, ville)
    level = alpha / spent if alpha <= _LARGEST_P_SPENT else alpha / np.maximum(spent, 1)
    reach = np.where(known, bound(seen.df, progress, level), np.inf)
    with np.errstate(invalid="ignore"):
        half = np.where(known, reach * seen.se, np.inf)
        log_half = np.where(known, reach * seen.log_ratio_se, np.inf)
    return Anytime(
        p_value=np.where(known, np.minimum(p_value, 1.0), 1.0),
        low=seen.effect - half,
        high=seen.effect + half,
        log_ratio_low=seen.log_ratio - log_half,
        log_ratio_high=seen.log_ratio + log_half,
        drifted=np.zeros(np.shape(p_value), bool),
    )


def _spent(planned_per_arm: float, progress: Floats) -> Floats:
    """What the needed evidence is multiplied by; 1 from 83 planned units on.

    ``make bench-experiments`` prints the false winners of small plans that this leaves.
    """
    until_the_end = 0.25 + 0.17 * np.log(max(planned_per_arm, 2.0))
    if until_the_end >= 1:
        return np.ones_like(progress)
    return np.where(progress <= LONGEST * (1 + 1e-9), until_the_end, _AFTER_THE_END)


def follow(looks: Anytime) -> Anytime:
    """What all looks up to each say together: smallest p-value, ends that hold for all.

    Args:
        looks: Looks in their order along the last axis.
    """
    low, high, drifted = _common(looks.low, looks.high)
    log_low, log_high, _ = _common(looks.log_ratio_low, looks.log_ratio_high)
    return Anytime(
        np.minimum.accumulate(looks.p_value, axis=-1), low, high, log_low, log_high, drifted
    )


def _common(low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    highest_low = np.fmax.accumulate(low, axis=-1)
    lowest_high = np.fmin.accumulate(high, axis=-1)
    drifted = np.logical_or.accumulate(highest_low > lowest_high, axis=-1)
    return np.where(drifted, low, highest_low), np.where(drifted, high, lowest_high), drifted
