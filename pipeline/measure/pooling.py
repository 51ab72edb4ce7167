"""What accounts tell each other about a segment, and how far a point is pulled towards it.

The true log effect of a segment in one account is taken as what the segment does in every account
plus what is peculiar to this one; both are centred on no difference. The best of many small groups
is mostly luck, so points are pulled in; intervals are not, because plug-in empirical-Bayes
intervals cover far less than they say.

Source of the model: Morris (1983), "Parametric empirical Bayes inference",
https://doi.org/10.1080/01621459.1983.10477920, with the variances by moments as DerSimonian and
Laird (1986), https://doi.org/10.1016/0197-2456(86)90046-2
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.measure.effects import INTERVAL_COVERAGE, Flags, Floats, Integers, summed_by

SPREAD_FLOOR = 0.10
"""Least standard deviation that log effects are taken to have, common and peculiar ones each: a few
segments that happen to look alike do not prove that all are."""
MINIMUM_OTHER_ACCOUNTS = 2
"""What a single other account does is no common effect."""


@dataclass(frozen=True)
class Keys:
    """Where each effect belongs; indices from 0, shape (effects,)."""

    group: Integers
    """Account, platform, dimension and outcome: segments that are compared with each other."""
    segment: Integers
    """Platform, dimension, segment and outcome: one segment in all accounts."""
    kind: Integers
    """Platform, dimension and outcome: effects that are of one size."""
    account: Integers
    question: Integers
    """Platform and dimension: with the account, tests that are one family."""

    def at(self, rows: Integers) -> "Keys":
        """The keys of some of the effects."""
        return Keys(
            group=self.group[rows],
            segment=self.segment[rows],
            kind=self.kind[rows],
            account=self.account[rows],
            question=self.question[rows],
        )


@dataclass(frozen=True)
class Spreads:
    """Variances of true log effects, by kind; shape (kinds,)."""

    peculiar: Floats
    """Of one segment's effect between accounts."""
    common: Floats
    """Of what segments do in every account."""


@dataclass(frozen=True)
class Posterior:
    """Each effect after what the other segments and accounts say; log scale, shape (effects,)."""

    mean: Floats
    deviation: Floats
    elsewhere: Floats
    """What the other accounts lead one to expect; NaN with fewer than two of them."""


@dataclass(frozen=True)
class CommonEffects:
    """Each segment across the accounts that have it; shape (segments across accounts,).

    ``has_figure`` marks those with at least two accounts; the others' figures mean nothing.
    """

    account_count: Integers
    has_figure: Flags
    estimate: Floats
    standard_error: Floats
    degrees_of_freedom: Floats
    pooled: Floats
    low: Floats
    high: Floats
    p_value: Floats


def spreads_of_effects(estimate: Floats, error: Floats, keys: Keys) -> Spreads:
    """How much segments of each kind truly differ, and how much of that accounts share.

    Groups of one kind are taken together, because a single group of five segments says little
    about its own variance.

    Args:
        estimate: Unpooled log effects, shape (effects,).
        error: Their standard errors.
        keys: Where they belong.
    """
    floor = SPREAD_FLOOR**2
    between_segments = _variance_within(estimate, error, keys.group, keys.kind)
    peculiar = np.maximum(_variance_within(estimate, error, keys.segment, keys.kind), floor)
    return Spreads(peculiar=peculiar, common=np.maximum(between_segments - peculiar, floor))


def posterior(estimate: Floats, error: Floats, keys: Keys, spreads: Spreads) -> Posterior:
    """Points pulled towards no difference and towards what the other accounts show.

    An account's own posts take no part in what is expected of them.

    Args:
        estimate: Unpooled log effects, shape (effects,).
        error: Their standard errors.
        keys: Where they belong.
        spreads: Of :func:`spreads_of_effects`.
    """
    peculiar, common = spreads.peculiar[keys.kind], spreads.common[keys.kind]
    weight = 1 / (error**2 + peculiar)
    others = _sum_by(np.ones_like(weight), keys.segment) - 1
    told = others >= MINIMUM_OTHER_ACCOUNTS
    other_weight = np.where(told, np.maximum(_sum_by(weight, keys.segment) - weight, 0.0), 0.0)
    other_sum = np.where(told, _sum_by(weight * estimate, keys.segment) - weight * estimate, 0.0)
    common_variance = common / (1 + common * other_weight)
    expected = common_variance * other_sum
    expected_variance = common_variance + peculiar
    precision = 1 / error**2 + 1 / expected_variance
    return Posterior(
        mean=(estimate / error**2 + expected / expected_variance) / precision,
        deviation=np.sqrt(1 / precision),
        elsewhere=np.where(told, expected, np.nan),
    )


def common_effects(
    estimate: Floats, error: Floats, keys: Keys, spreads: Spreads, segments: int
) -> CommonEffects:
    """What each segment does across accounts, from each account's own effect of it.

    Effects are relative to each account's own usual before anything is averaged, so an account with
    a large audience and a favourite format moves nothing by its size. Random effects, with the
    interval of Hartung and Knapp, never narrower than the plain one: with three or four accounts
    the plain one is far too sure. Source: IntHout, Ioannidis and Borm (2014),
    https://doi.org/10.1186/1471-2288-14-25

    Args:
        estimate: Unpooled log effects, shape (effects,).
        error: Their standard errors.
        keys: Where they belong.
        spreads: Of :func:`spreads_of_effects`.
        segments: Number of segments across accounts.
    """
    kind = np.zeros(segments, dtype=np.int64)
    kind[keys.segment] = keys.kind
    weight = 1 / (error**2 + spreads.peculiar[keys.kind])

    def summed(values: Floats) -> Floats:
        return summed_by(values, keys.segment, segments)

    count = np.bincount(keys.segment, minlength=segments).astype(np.int64)
    has_figure = count >= 2
    weights = np.where(has_figure, summed(weight), 1.0)
    mean = summed(weight * estimate) / weights
    degrees = np.maximum(count - 1, 1).astype(np.float64)
    plain = 1 / weights
    adjusted = summed(weight * (estimate - mean[keys.segment]) ** 2) / (degrees * weights)
    standard_error = np.sqrt(np.maximum(plain, adjusted))
    width = special.stdtrit(degrees, (1 + INTERVAL_COVERAGE) / 2) * standard_error
    shared = spreads.common[kind] if len(spreads.common) else np.zeros(segments)
    low, high = mean - width, mean + width
    return CommonEffects(
        account_count=count,
        has_figure=has_figure,
        estimate=mean,
        standard_error=standard_error,
        degrees_of_freedom=degrees,
        pooled=np.clip(mean * shared / (shared + standard_error**2), low, high),
        low=low,
        high=high,
        p_value=2 * special.stdtr(degrees, -np.abs(mean) / standard_error),
    )


def _variance_within(estimate: Floats, error: Floats, part: Integers, kind: Integers) -> Floats:
    """Variance of true effects around their part's mean, by moments over all parts of a kind.

    Returns:
        Shape (kinds,); may be below 0, and is 0 where no part has two effects.
    """
    kinds = int(kind.max()) + 1 if len(kind) else 0
    parts = int(part.max()) + 1 if len(part) else 0
    kind_of_part = np.zeros(parts, dtype=np.int64)
    kind_of_part[part] = kind
    weight = 1 / error**2

    def summed(values: Floats) -> Floats:
        return summed_by(values, part, parts)

    count, weights = summed(np.ones_like(weight)), summed(weight)
    several = count >= 2
    weights = np.where(several, weights, 1.0)
    mean = summed(weight * estimate) / weights
    heterogeneity = summed(weight * (estimate - mean[part]) ** 2) - (count - 1)
    scale = weights - summed(weight**2) / weights

    def by_kind(values: Floats) -> Floats:
        return summed_by(np.where(several, values, 0.0), kind_of_part, kinds)

    above, below = by_kind(heterogeneity), by_kind(scale)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _sum_by(values: Floats, index: Integers) -> Floats:
    """Each element's sum over all elements of its index."""
    size = int(index.max()) + 1 if len(index) else 0
    return np.asarray(summed_by(values, index, size)[index])
