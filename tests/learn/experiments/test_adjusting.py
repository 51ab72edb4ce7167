"""Adjustment by what was expected: less variance where it explains something, no harm elsewhere."""

import math

import numpy as np
import pytest

from pipeline.learn.experiments.adjusting import FEWEST_EARLIER, Adjustment, adjusted, fit
from pipeline.learn.experiments.anytime import LONGEST, follow, look
from pipeline.learn.experiments.arms import Arm, difference, log_arm, ratio_arm

ALPHA, EARLIER, PLANNED, EFFECT, MANY = 0.05, 60, 60, 0.5, 600


def _posts(
    rng: np.random.Generator, shape: tuple[int, ...], explained: float
) -> tuple[np.ndarray, np.ndarray]:
    """Log outcomes of variance 1, and a covariate that explains a share of it."""
    covariate = rng.normal(size=shape)
    noise = rng.normal(size=shape)
    return 8 + math.sqrt(explained) * covariate + math.sqrt(1 - explained) * noise, covariate


def _experiments(
    explained: float, effect: float, *, adjust: bool = True
) -> tuple[Arm, Arm, np.ndarray]:
    """Arms at looks of many experiments, each with the slope of its own earlier posts."""
    rng = np.random.default_rng(31)
    looks = np.unique(np.linspace(2, math.ceil(PLANNED * LONGEST), 60).astype(int))
    frozen = [fit(*_posts(rng, (EARLIER,), explained)) for _ in range(MANY)]
    arms = []
    for shift in (0.0, effect):
        values, covariate = _posts(rng, (MANY, int(looks[-1])), explained)
        if adjust:
            pairs = zip(values, covariate, frozen, strict=True)
            values = np.array([adjusted(v, x, adjustment) for v, x, adjustment in pairs])
        arms.append(log_arm(values + shift, looks=looks))
    return arms[0], arms[1], looks


@pytest.mark.parametrize("explained", [0.0, 0.3, 0.7])
def test_adjusted_looks_call_few_false_winners_and_their_intervals_hold(explained: float):
    first, second, _ = _experiments(explained, EFFECT)
    seen = look(difference(first, second), PLANNED)
    no_first, no_second, _ = _experiments(explained, 0.0)

    false = follow(look(difference(no_first, no_second), PLANNED)).p_value[:, -1] <= ALPHA
    inside = ((seen.low <= EFFECT) & (seen.high >= EFFECT)).all(axis=1)

    assert false.mean() <= 0.03 + 2 * math.sqrt(0.03 / MANY)
    assert inside.mean() >= 0.95


@pytest.mark.parametrize(("explained", "at_most"), [(0.0, 1.02), (0.3, 0.75), (0.7, 0.36)])
def test_the_variance_falls_by_what_the_covariate_explains_and_never_rises(explained, at_most):
    plain = _experiments(explained, EFFECT, adjust=False)
    with_it = _experiments(explained, EFFECT)

    ratio = (difference(*with_it[:2]).se[:, -1] / difference(*plain[:2]).se[:, -1]) ** 2

    assert ratio.mean() <= at_most


def test_an_adjusted_experiment_is_decided_with_fewer_posts():
    first, second, looks = _experiments(0.5, EFFECT)
    plain_first, plain_second, _ = _experiments(0.5, EFFECT, adjust=False)

    def length(one: Arm, two: Arm) -> float:
        called = look(difference(one, two), PLANNED).p_value <= ALPHA
        return float(np.where(called.any(axis=1), looks[called.argmax(axis=1)], looks[-1]).mean())

    assert length(first, second) <= 0.7 * length(plain_first, plain_second)


def test_slope_centre_and_variance_left_are_those_of_the_earlier_posts():
    rng = np.random.default_rng(3)
    values, covariate = _posts(rng, (4000,), 0.5)

    found = fit(values, covariate + 5)

    assert found is not None
    assert found.slope == pytest.approx(math.sqrt(0.5), abs=0.03)
    assert found.centre == pytest.approx(5, abs=0.05)
    assert found.variance_left == pytest.approx(0.5, abs=0.03)


def test_what_explains_nothing_is_mostly_left_out_and_is_weak_otherwise():
    rng = np.random.default_rng(4)
    found = [fit(*_posts(rng, (40,), 0.0)) for _ in range(400)]

    slopes = [0.0 if one is None else one.slope for one in found]

    # A least-squares slope would have a variance of 1/40.
    assert sum(one is None for one in found) / len(found) > 0.6
    assert float(np.var(slopes)) < 0.5 / 40
    assert all(one.variance_left <= 1 for one in found if one is not None)


@pytest.mark.parametrize(
    "covariates",
    [
        np.full(50, 3.0),
        np.r_[np.arange(FEWEST_EARLIER - 1.0), np.full(50 - FEWEST_EARLIER + 1, np.nan)],
    ],
)
def test_covariates_that_are_alike_or_too_few_adjust_nothing(covariates):
    assert fit(np.arange(50.0), covariates) is None


def test_a_unit_of_which_nothing_was_expected_stays_as_it_is():
    values = adjusted([1.0, 2.0], [np.nan, 7.0], Adjustment(slope=0.5, centre=3.0))

    assert values.tolist() == [1.0, 0.0]
    assert adjusted([1.0], [9.0], None).tolist() == [1.0]


def test_a_ratio_is_adjusted_in_its_numerators():
    rng = np.random.default_rng(5)

    def posts(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        expected = np.clip(rng.normal(0.05, 0.01, shape), 0.01, 0.1)
        views = np.ceil(rng.lognormal(7, 0.7, shape))
        each = np.clip(expected + rng.normal(0, 0.005, shape), 0, 1)
        return rng.binomial(views.astype(int), each).astype(float), views, expected

    saves, views, expected = posts((400,))
    frozen = fit(saves, expected, views)
    assert frozen is not None
    saves, views, expected = posts((2000, 40))

    plain = ratio_arm(saves, views)
    after = ratio_arm(adjusted(saves, expected, frozen, views), views)

    assert frozen.slope == pytest.approx(1.0, abs=0.15)
    assert float(after.variance.mean() / plain.variance.mean()) < 0.5
    assert float(after.mean.mean()) == pytest.approx(0.05, abs=0.001)
    # The variance says how much the adjusted ratio really varies between experiments.
    assert float(after.mean.var() / after.variance.mean()) == pytest.approx(1.0, abs=0.12)
