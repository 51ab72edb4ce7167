"""The planned end, its size and the checks, against published and independent figures."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.learn.experiments.arms import NotComparableError, binomial_arm, log_arm, poisson_arm
from pipeline.learn.experiments.checks import (
    MISMATCH,
    bonferroni,
    chances_best,
    holm,
    sample_ratio_p,
    sample_ratio_p_anytime,
)
from pipeline.learn.experiments.fixed import compare
from pipeline.learn.experiments.planning import plan, units_for_means, units_for_shares


def test_shares_have_the_pooled_two_proportion_p_value():
    result = compare(binomial_arm(120, 1000), binomial_arm(150, 1000))

    z = 0.03 / math.sqrt(0.135 * 0.865 * 2 / 1000)
    assert float(result.p_value) == pytest.approx(2 * stats.norm.sf(z), abs=1e-12)


@pytest.mark.parametrize(
    ("arms", "interval"),
    [
        (((48, 80), (56, 70)), (0.0524, 0.3339)),
        (((3, 10), (9, 10)), (0.1705, 0.8090)),
        (((0, 10), (10, 10)), (0.6075, 1.0)),
        (((0, 29), (5, 56)), (-0.0381, 0.1926)),
    ],
)
def test_intervals_of_shares_are_those_of_newcombe(arms, interval):
    first, second = (binomial_arm(*arm) for arm in arms)

    result = compare(first, second)

    assert (float(result.low), float(result.high)) == pytest.approx(interval, abs=5e-5)


def test_units_have_welchs_p_value_and_interval():
    rng = np.random.default_rng(1)
    one, two = rng.normal(0, 1, 14), rng.normal(0.8, 2, 9)

    result, expected = (
        compare(log_arm(one), log_arm(two)),
        stats.ttest_ind(two, one, equal_var=False),
    )

    interval = expected.confidence_interval()
    assert float(result.p_value) == pytest.approx(expected.pvalue, abs=1e-9)
    assert (float(result.low), float(result.high)) == pytest.approx((interval.low, interval.high))
    assert float(result.log_ratio_low) == float(result.low)


def test_rates_of_equal_exposure_are_compared_by_their_counts():
    result = compare(poisson_arm(80, 10.0), poisson_arm(110, 10.0))

    assert float(result.p_value) == pytest.approx(2 * stats.norm.sf(30 / math.sqrt(190)))


def test_equal_arms_without_any_success_have_no_ratio_and_no_difference():
    result = compare(binomial_arm(0, 50), binomial_arm(0, 50))

    assert float(result.p_value) == 1.0
    assert math.isnan(float(result.log_ratio_low))


def test_sizes_are_the_textbooks():
    assert units_for_means(0.5, 1.0) == 64
    assert units_for_shares(0.05, 0.06) == 8158
    assert units_for_shares(0.05, 0.06, overdispersion=2) == pytest.approx(2 * 8158, abs=2)


@pytest.mark.parametrize(
    ("times", "spread", "posts"), [(1.3, 1.3, 386), (1.5, 1.3, 162), (1.3, 0.5, 58), (2, 0.5, 9)]
)
def test_posts_per_arm_on_log_values_are_a_t_test_above_the_normal_approximation(
    times: float, spread: float, posts: int
):
    assert 0 <= units_for_means(math.log(times), spread**2) - posts <= 2


def test_planned_weeks_follow_the_pace():
    planned = plan(162, units_per_week=14)

    assert planned.weeks == pytest.approx(162 * 2 / 14)
    assert planned.longest_per_arm == 284
    assert plan(162).weeks is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda: units_for_means(0.0, 1.0),
        lambda: units_for_means(0.5, 0.0),
        lambda: units_for_means(1e-9, 1.0),
        lambda: units_for_means(0.5, 1.0, power=1.0),
        lambda: units_for_shares(0.5, 1.2),
        lambda: plan(100, arms=1),
        lambda: sample_ratio_p([10]),
        lambda: sample_ratio_p([10, 20], [1.0, 0.0]),
    ],
)
def test_plans_without_an_answer_are_refused(ask):
    with pytest.raises(NotComparableError):
        ask()


def test_an_unequal_split_is_flagged_and_a_declared_one_is_not():
    assert sample_ratio_p([44_700, 45_489]) == pytest.approx(0.0086, abs=1e-4)
    assert sample_ratio_p([44_700, 45_489]) < MISMATCH
    assert sample_ratio_p([200, 100], [2, 1]) == 1.0


def test_the_split_can_be_watched_without_false_alarms():
    rng = np.random.default_rng(4)
    came = rng.integers(0, 2, size=(400, 1000)).cumsum(axis=1)[:, 9::10]
    after = np.arange(10, 1001, 10)

    alarms = [
        min(sample_ratio_p_anytime([n - x, x]) for n, x in zip(after, row, strict=True)) < 0.05
        for row in came
    ]

    assert np.mean(alarms) <= 0.05
    assert sample_ratio_p_anytime([400, 600]) < 1e-6


def test_adjusted_p_values_keep_names_and_order():
    given = {"b": 0.02, "a": 0.01, "c": 0.30}

    assert holm(given) == pytest.approx({"b": 0.04, "a": 0.03, "c": 0.30})
    assert bonferroni(given) == pytest.approx({"b": 0.06, "a": 0.03, "c": 0.90})
    assert list(holm(given)) == ["b", "a", "c"]


def test_chances_of_being_best_agree_with_the_normal_and_with_the_sign():
    arms = {"usual": (0.05, 0.003), "tried": (0.056, 0.004)}

    chance = chances_best(arms)["tried"]

    assert chance == pytest.approx(stats.norm.cdf(0.006 / 0.005), abs=2e-3)
    assert chances_best(arms, larger=False)["tried"] == pytest.approx(1 - chance, abs=2e-3)


@pytest.mark.parametrize(("share", "n"), [(0.05, 400), (0.3, 60)])
def test_fixed_intervals_hold_the_truth_about_as_often_as_they_say(share: float, n: int):
    rng = np.random.default_rng(6)
    first, second = (binomial_arm(rng.binomial(n, p, 20_000), n) for p in (share, share + 0.02))

    result = compare(first, second)

    inside = ((result.low <= 0.02) & (result.high >= 0.02)).mean()
    assert 0.945 <= inside <= 0.98
