"""What is checked of an experiment beside its effect: split, multiplicity, chances."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from pipeline.learn.experiments.arms import NotComparableError

MISMATCH = 0.01
"""Sample-ratio p-value below which the split of units cannot be trusted."""

_STEPS = 600
_REACH = 6.0
"""Standard errors on both sides that an integral over the best mean runs over."""


def sample_ratio_p(sizes: Sequence[float], shares: Sequence[float] | None = None) -> float:
    """P-value of the split of units, read once (Fabijan et al., 2019).

    Two arms: tea-tasting's, which is exact below 1,000 units and the z test of one share above.
    More arms, which it does not take: SciPy's chi-square.

    Args:
        sizes: Units that came to each arm.
        shares: Declared shares of the arms; equal when absent.

    Raises:
        NotComparableError: There are fewer than two arms, or shares do not belong to them.
    """
    came, declared = _split(sizes, shares)
    if came.sum() == 0:
        return 1.0
    if len(came) > 2:
        expected = came.sum() * declared
        return float(special.chdtrc(len(came) - 1, ((came - expected) ** 2 / expected).sum()))
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import SampleRatio

    check = SampleRatio(float(declared[1] / declared[0]), correction=False)
    arms: dict[object, Aggregates] = {i: Aggregates(count_=int(came[i])) for i in (0, 1)}
    return float(check.analyze(arms, control=0, treatment=1).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values adjusted so that the chance of any false winner is kept (Holm, 1979).

    By tea-tasting, whose procedure takes results of experiments.
    """
    from tea_tasting import adjust_fwer
    from tea_tasting.experiment import ExperimentResult

    results: dict[object, ExperimentResult] = {
        name: ExperimentResult({"": {"pvalue": value}}) for name, value in p_values.items()
    }
    if not results:
        return {}
    found = adjust_fwer(results, arbitrary_dependence=True, method="bonferroni")
    return {name: float(found[name][""]["pvalue_adj"]) for name in p_values}


def bonferroni(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values times their number; intervals at alpha / number agree with these.

    Libraries at hand have Holm's, Hochberg's and those of false discoveries, and not this one.
    """
    return {name: min(1.0, len(p_values) * value) for name, value in p_values.items()}


def chances_best(
    arms: Mapping[str, tuple[float, float]], *, larger: bool = True
) -> dict[str, float]:
    """The probability of each arm that its mean is the best, with nothing assumed before.

    The integral of :func:`pipeline.learn.thompson.chances_of_being_best`, which has to do without
    NumPy and takes twenty times as long.

    Args:
        arms: Mean and standard error by arm; in any unit.
        larger: Whether larger is better.

    Returns:
        Probabilities that sum to 1; empty for no arm.
    """
    if not arms:
        return {}
    mean, se = (np.array(column, float)[:, None] for column in zip(*arms.values(), strict=True))
    if not larger:
        mean = -mean
    se = np.maximum(se, max(1e-6 * float(se.max()), 1e-12 * float(np.abs(mean).max()), 1e-300))
    # The largest of all is hardly ever below the largest of the arms' own lower ends.
    low, high = (mean - _REACH * se).max(), (mean + _REACH * se).max()
    below = special.ndtr((np.linspace(low, high, _STEPS + 1) - mean) / se)
    middles = (below[:, 1:] + below[:, :-1]) / 2
    others = np.array([np.delete(middles, i, axis=0).prod(axis=0) for i in range(len(arms))])
    chances = (np.diff(below) * others).sum(axis=1)
    return dict(zip(arms, (chances / chances.sum()).tolist(), strict=True))


def _split(sizes: Sequence[float], shares: Sequence[float] | None) -> tuple[np.ndarray, np.ndarray]:
    came = np.asarray(sizes, float)
    declared = np.ones(len(came)) if shares is None else np.asarray(shares, float)
    if len(came) < 2 or declared.shape != came.shape or np.any(declared <= 0) or np.any(came < 0):
        raise NotComparableError("A sample-ratio check needs two arms, each with a declared share.")
    return came, declared / declared.sum()
