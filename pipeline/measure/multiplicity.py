"""How many of many findings may be luck: adjusted p-values of a run."""

from itertools import pairwise

import numpy as np

from pipeline.measure.effects import FALSE_DISCOVERY_RATE, Floats, Integers


def q_values(p_values: Floats, family: Integers) -> Floats:
    """Adjusted p-values of one run, whose tests stand in families.

    A family is one question: whether anything differs in one dimension of one account on one
    platform. Benjamini and Hochberg's procedure chooses the families in which anything does, by
    their Simes p-values, and then works within each chosen family at the level times the share of
    families that were chosen. So a dimension in which nothing differs gets no findings on the
    credit of another one's many, and a run in which nothing differs anywhere yields a finding as
    seldom as the level says. With one family it is the plain procedure.

    Args:
        p_values: Shape (tests,).
        family: Index of each test's family, from 0 without gaps.

    Returns:
        The smallest level at which each test is a finding, at most 1; shape (tests,).

    Source: Benjamini and Hochberg (1995), https://doi.org/10.1111/j.2517-6161.1995.tb02031.x;
    Benjamini and Bogomolov (2014), https://doi.org/10.1111/rssb.12028
    """
    if len(p_values) == 0:
        return np.zeros(0)
    families = int(family.max()) + 1
    order = np.lexsort((p_values, family))
    bounds = np.searchsorted(family[order], np.arange(families + 1))
    within = np.empty(len(p_values))
    for start, end in pairwise(bounds):
        within[order[start:end]] = _adjusted(p_values[order[start:end]])
    # The smallest adjusted value of a family is its Simes p-value.
    simes = np.sort(within[order[bounds[:-1]]])
    levels = _adjusted(simes)
    # At the level of the r-th family, r families are chosen and their tests face level * r / all.
    faced = levels * np.arange(1, families + 1) / families
    chosen = np.searchsorted(faced, within)
    at_the_next = np.append(levels, np.inf)[chosen]
    at_as_many = np.divide(
        within * families, chosen, out=np.full(len(within), np.inf), where=chosen > 0
    )
    return np.asarray(np.minimum(np.minimum(at_the_next, at_as_many), 1.0))


def next_p_value(q: Floats, family: Integers) -> Floats:
    """How small a test's p-value would have to be to become the next finding of its family.

    Args:
        q: Of :func:`q_values`, shape (tests,).
        family: The same as there.

    Returns:
        Shape (tests,); a close guide only, since other tests' p-values move as well.
    """
    if len(q) == 0:
        return np.zeros(0)
    families = int(family.max()) + 1
    found = np.bincount(family, weights=q <= FALSE_DISCOVERY_RATE, minlength=families)
    tests = np.bincount(family, minlength=families)
    chosen = np.count_nonzero(found) + (found == 0)
    level = FALSE_DISCOVERY_RATE * chosen / families
    return np.asarray((level * np.minimum(found + 1, tests) / tests)[family])


def _adjusted(sorted_p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values of one family, from the smallest up."""
    tests = len(sorted_p_values)
    scaled = sorted_p_values * tests / np.arange(1, tests + 1)
    return np.asarray(np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0))
