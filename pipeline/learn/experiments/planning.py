"""How many units an experiment needs, before it starts.

Sizes are for the analysis at the planned end. Reading at any time costs nothing on average and
up to :data:`pipeline.learn.experiments.anytime.LONGEST` times as many units where luck is bad.
"""

import math
from dataclasses import dataclass

from scipy import special

from pipeline.learn.experiments.anytime import LONGEST
from pipeline.learn.experiments.arms import FEWEST_UNITS, NotComparableError

_MOST_UNITS = 10**9


@dataclass(frozen=True)
class Plan:
    """How large an experiment has to be.

    Attributes:
        per_arm: Units (trials, exposure) per arm at the planned end.
        longest_per_arm: Units per arm after which it is ended when it has shown nothing.
        weeks: Weeks until the planned end at the given pace; None without a pace.
        longest_weeks: Weeks until the latest end.
    """

    per_arm: int
    longest_per_arm: int
    weeks: float | None
    longest_weeks: float | None


def plan(per_arm: int, *, arms: int = 2, units_per_week: float | None = None) -> Plan:
    """The planned and the latest end, in units and in weeks.

    Args:
        per_arm: Units per arm of the fixed-sample analysis.
        arms: Arms that share the units.
        units_per_week: Units of all arms together that come in a week.

    Raises:
        NotComparableError: There are fewer than two arms.
    """
    if arms < 2:
        raise NotComparableError("An experiment compares at least two arms.")
    longest = math.floor(per_arm * LONGEST)
    if not units_per_week or units_per_week <= 0:
        return Plan(per_arm, longest, None, None)
    return Plan(per_arm, longest, per_arm * arms / units_per_week, longest * arms / units_per_week)


def units_for_means(
    effect: float,
    variance: float,
    other_variance: float | None = None,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    """Units per arm of equal arms that Welch's t needs, by tea-tasting.

    It takes one variance for both arms. Their mean gives the same standard error; the degrees of
    freedom that are too many where they differ cost less than one unit.

    Args:
        effect: Smallest useful difference of the means: log(1.3) for 1.3 times on log values.
        variance: Variance between units of one arm: of the values, or, for a ratio, of
            (numerator - ratio · denominator) / mean denominator.
        other_variance: That of the other arm under the effect; the same when absent.
        power: Chance of seeing the effect.
        alpha: Two-sided chance of seeing one that is not there; divided by the declared contrasts.

    Returns:
        At least :data:`pipeline.learn.experiments.arms.FEWEST_UNITS`, below which a running
        experiment concludes nothing.

    Raises:
        NotComparableError: The effect is nothing, or the variances or chances make no sense.
    """
    _check(effect, power, alpha)
    other = variance if other_variance is None else other_variance
    if variance < 0 or other < 0 or variance + other == 0:
        raise NotComparableError("A sample size needs the variance between units.")
    middle = (variance + other) / 2
    z = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    if 2 * middle * (z / effect) ** 2 > _MOST_UNITS:
        raise NotComparableError("No experiment can be long enough for so small an effect.")
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import Mean

    # One-sided at half the error: a winner in the wrong direction is no power, and the tail of
    # SciPy's noncentral t on that side is nan for small errors, which ends tea-tasting's search.
    metric = Mean(
        "value",
        alternative="greater",
        equal_var=False,
        use_t=True,
        alpha=alpha / 2,
        power=power,
        effect_size=abs(effect),
        n_obs=2 * FEWEST_UNITS,
    )
    sample = Aggregates(count_=2, mean_={"value": 1.0}, var_={"value": middle})
    (fewest,) = metric.solve_power_from_aggregates(sample, "power")
    if fewest.power >= power:  # its search for a size fails where three units are enough
        return FEWEST_UNITS
    (found,) = metric.solve_power_from_aggregates(sample, "n_obs")
    return math.ceil(float(found.n_obs) / 2)


def units_for_shares(
    share: float,
    other: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    overdispersion: float = 1,
) -> int:
    """Trials per arm of equal arms that the pooled two-proportion z needs.

    Tea-tasting sizes means only, so this is the textbook's formula: Fleiss, Levin and Paik, 2003,
    "Statistical Methods for Rates and Proportions", section 4.2, without continuity correction.

    Args:
        share: Share of successes without the effect.
        other: Share with the smallest useful effect.
        power: Chance of seeing the effect.
        alpha: Two-sided chance of seeing one that is not there.
        overdispersion: Variance of shares over that of independent trials.

    Raises:
        NotComparableError: A share lies outside 0 to 1, or the shares are equal.
    """
    _check(other - share, power, alpha)
    if not (0 <= share <= 1 and 0 <= other <= 1) or overdispersion <= 0:
        raise NotComparableError("Shares lie between 0 and 1.")
    middle = (share + other) / 2
    z_alpha, z_power = special.ndtri(1 - alpha / 2), special.ndtri(power)
    null = z_alpha * math.sqrt(2 * middle * (1 - middle))
    planned = z_power * math.sqrt(share * (1 - share) + other * (1 - other))
    return math.ceil(float(overdispersion * ((null + planned) / (other - share)) ** 2))


def _check(effect: float, power: float, alpha: float) -> None:
    if effect == 0 or not math.isfinite(effect):
        raise NotComparableError("The smallest useful effect must be more than nothing.")
    if not (0 < alpha < power < 1):
        raise NotComparableError("Power and error lie between 0 and 1, and power is the larger.")
