"""What is checked of an experiment beside its effect: split, multiplicity, chances."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from pipeline.learn.experiments.arms import NotComparableError
from pipeline.learn.thompson import chances_of_being_best

MISMATCH = 0.01
"""Sample-ratio p-value below which the split of units cannot be trusted."""


def sample_ratio_p(sizes: Sequence[float], shares: Sequence[float] | None = None) -> float:
    """Chi-square p-value of the split of units, read once (Fabijan et al., 2019).

    Args:
        sizes: Units that came to each arm.
        shares: Declared shares of the arms; equal when absent.

    Raises:
        NotComparableError: There are fewer than two arms, or shares do not belong to them.
    """
    came, declared = _split(sizes, shares)
    expected = came.sum() * declared
    if came.sum() == 0:
        return 1.0
    return float(special.chdtrc(len(came) - 1, float(((came - expected) ** 2 / expected).sum())))


def sample_ratio_p_anytime(
    sizes: Sequence[float], shares: Sequence[float] | None = None, *, certainty: float = 100.0
) -> float:
    """The same for any number of looks (Lindon and Malek, 2022).

    "Anytime-valid inference for multinomial count data": the mixture over splits is a Dirichlet
    distribution around the declared shares. Less eager than the chi-square at one look.

    Args:
        sizes: Units that came to each arm.
        shares: Declared shares of the arms; equal when absent.
        certainty: Sum of the Dirichlet's parameters.

    Returns:
        P-value at this look; the smallest over looks is valid too.

    Raises:
        NotComparableError: There are fewer than two arms, or shares do not belong to them.
    """
    came, declared = _split(sizes, shares)
    prior = certainty * declared
    evidence = (
        special.gammaln(certainty)
        - special.gammaln(certainty + came.sum())
        + (special.gammaln(prior + came) - special.gammaln(prior)).sum()
        - (came * np.log(declared)).sum()
    )
    return float(min(1.0, np.exp(-evidence)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values adjusted so that the chance of any false winner is kept (Holm, 1979)."""
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def bonferroni(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values times their number; intervals at alpha / number agree with these."""
    return {name: min(1.0, len(p_values) * value) for name, value in p_values.items()}


def chances_best(
    arms: Mapping[str, tuple[float, float]], *, larger: bool = True
) -> dict[str, float]:
    """The probability of each arm that its mean is the best, with nothing assumed before.

    Args:
        arms: Mean and standard error by arm.
        larger: Whether larger is better.
    """
    sign = 1 if larger else -1
    scale = max((se for _, se in arms.values()), default=0.0) or 1.0
    return chances_of_being_best(
        {name: (sign * mean / scale, se / scale) for name, (mean, se) in arms.items()}, spread=1.0
    )


def _split(sizes: Sequence[float], shares: Sequence[float] | None) -> tuple[np.ndarray, np.ndarray]:
    came = np.asarray(sizes, float)
    declared = np.ones(len(came)) if shares is None else np.asarray(shares, float)
    if len(came) < 2 or declared.shape != came.shape or np.any(declared <= 0) or np.any(came < 0):
        raise NotComparableError("A sample-ratio check needs two arms, each with a declared share.")
    return came, declared / declared.sum()
