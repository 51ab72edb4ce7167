"""The planned end, its size and the checks, against published and independent figures."""

import math
from dataclasses import fields

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportions_chisquare,
    proportions_ztest,
)

from pipeline.learn.experiments.arms import (
    FEWEST_UNITS,
    Arm,
    NotComparableError,
    binomial_arm,
    difference,
    log_arm,
    ratio_arm,
)
from pipeline.learn.experiments.checks import (
    MISMATCH,
    bonferroni,
    chances_best,
    holm,
    sample_ratio_p,
)
from pipeline.learn.experiments.fixed import Fixed, compare, p_value
from pipeline.learn.experiments.planning import plan, units_for_means, units_for_shares
from pipeline.learn.thompson import chances_of_being_best


@pytest.mark.parametrize("arms", [((120, 1000), (150, 1000)), ((3, 40), (9, 31)), ((0, 9), (5, 9))])
def test_shares_have_statsmodels_two_proportion_test_and_newcombes_interval(arms):
    (a, m), (b, n) = arms

    result = compare(binomial_arm(a, m), binomial_arm(b, n))

    low, high = confint_proportions_2indep(b, n, a, m, method="newcomb")
    assert float(result.p_value) == pytest.approx(proportions_ztest([a, b], [m, n])[1], abs=1e-12)
    assert (float(result.low), float(result.high)) == pytest.approx((low, high), abs=1e-12)


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
    assert float(result.log_ratio_low) == pytest.approx(float(result.low))


@pytest.mark.parametrize("mean", [0.0, 1e-9, 1e7])
def test_means_close_to_zero_and_far_from_it_have_the_same_test(mean: float):
    rng = np.random.default_rng(2)
    one, two = rng.normal(mean, 1, 12), rng.normal(mean + 1, 1, 15)

    result = compare(ratio_arm(one), ratio_arm(two), alpha=0.001)

    expected = stats.ttest_ind(two, one, equal_var=False)
    interval = expected.confidence_interval(0.999)
    assert float(result.p_value) == pytest.approx(expected.pvalue, rel=1e-7)
    assert (float(result.low), float(result.high)) == pytest.approx((interval.low, interval.high))


def test_units_that_do_not_vary_say_nothing_about_a_difference():
    result = compare(ratio_arm([2.0] * 9), ratio_arm([3.0] * 9))

    assert (float(result.p_value), float(result.low)) == (1.0, -math.inf)


def _same_alone(together: Fixed, alone: list[Fixed]) -> None:
    for field in fields(Fixed):
        each = [float(getattr(one, field.name)) for one in alone]
        np.testing.assert_allclose(getattr(together, field.name), each, rtol=1e-9, atol=1e-12)


def test_many_pairs_of_shares_at_once_are_each_pair_alone():
    won, sizes = np.array([[40, 3, 0, 0], [60, 9, 4, 0]]), np.array([400, 31, 9, 7])

    pairs = [[binomial_arm(won[side, i], sizes[i]) for side in (0, 1)] for i in range(4)]

    together = compare(binomial_arm(won[0], sizes), binomial_arm(won[1], sizes))
    _same_alone(together, [compare(*pair) for pair in pairs])


@pytest.mark.parametrize("rate", [True, False])
def test_many_pairs_of_units_at_once_are_each_pair_alone(rate: bool):
    rng = np.random.default_rng(9)
    saves, views = rng.poisson(4, (2, 30)) + 1.0, np.ceil(rng.lognormal(5, 1, (2, 30)))
    looks = [5, 12, 30]

    def arm(side: int, n: int, at: list[int] | None = None) -> Arm:
        return ratio_arm(saves[side, :n], views[side, :n] if rate else None, looks=at)

    together = compare(arm(0, 30, looks), arm(1, 30, looks), alpha=0.01)
    _same_alone(together, [compare(arm(0, n), arm(1, n), alpha=0.01) for n in looks])


def test_equal_arms_without_any_success_have_no_ratio_and_no_difference():
    result = compare(binomial_arm(0, 50), binomial_arm(0, 50))

    assert float(result.p_value) == 1.0
    assert math.isnan(float(result.log_ratio_low))


def test_sizes_are_the_textbooks():
    assert units_for_means(0.5, 1.0) == 64
    assert units_for_shares(0.05, 0.06) == 8158
    assert units_for_shares(0.05, 0.06, overdispersion=2) == pytest.approx(2 * 8158, abs=2)


@pytest.mark.parametrize("effect", [0.1, 0.5, 1.4])
@pytest.mark.parametrize(("power", "alpha"), [(0.8, 0.05), (0.95, 0.005), (0.6, 0.0005)])
def test_sizes_of_means_are_those_of_statsmodels(effect: float, power: float, alpha: float):
    expected = TTestIndPower().solve_power(effect / 1.3, power=power, alpha=alpha)

    assert units_for_means(-effect, 1.3**2, power=power, alpha=alpha) == math.ceil(expected)


def test_no_plan_is_smaller_than_what_a_running_experiment_needs():
    assert units_for_means(9.0, 1.0) == FEWEST_UNITS


def test_planned_sizes_of_counts_whose_variance_grows_have_the_planned_power():
    rng = np.random.default_rng(14)
    size = units_for_means(4.0, 12 + 12**2 / 1.5, 16 + 16**2 / 1.5)

    def arm(mean: float) -> Arm:
        return ratio_arm(rng.negative_binomial(1.5, 1.5 / (1.5 + mean), (8000, size)))

    power = (p_value(difference(arm(12.0), arm(16.0))) <= 0.05).mean()

    assert power == pytest.approx(0.8, abs=0.03)


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
    assert planned.longest_per_arm == 283
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


def test_the_split_is_exact_for_few_units_and_chi_square_for_many_or_more_arms():
    assert sample_ratio_p([3, 12]) == pytest.approx(stats.binomtest(3, 15).pvalue)
    _, p, _ = proportions_chisquare([2100], [4000], 0.5)
    assert sample_ratio_p([1900, 2100]) == pytest.approx(p)
    assert sample_ratio_p([30, 40, 20], [1, 2, 1]) == pytest.approx(
        stats.chisquare([30, 40, 20], [22.5, 45, 22.5]).pvalue
    )
    assert sample_ratio_p([0, 0]) == 1.0


def test_adjusted_p_values_keep_names_and_order():
    given = {"b": 0.02, "a": 0.01, "c": 0.30}

    assert holm(given) == pytest.approx({"b": 0.04, "a": 0.03, "c": 0.30})
    assert bonferroni(given) == pytest.approx({"b": 0.06, "a": 0.03, "c": 0.90})
    assert list(holm(given)) == ["b", "a", "c"]
    for adjust, method in ((holm, "holm"), (bonferroni, "bonferroni")):
        many = {str(i): p for i, p in enumerate([0.011, 0.04, 0.2, 0.011, 0.9, 1.0, 0.0])}
        expected = multipletests(list(many.values()), method=method)[1]
        assert list(adjust(many).values()) == pytest.approx(expected.tolist())
    assert holm({}) == {}


def test_chances_of_being_best_agree_with_the_normal_and_with_the_sign():
    arms = {"usual": (0.05, 0.003), "tried": (0.056, 0.004)}

    chance = chances_best(arms)["tried"]

    assert chance == pytest.approx(stats.norm.cdf(0.006 / 0.005), abs=2e-3)
    assert chances_best(arms, larger=False)["tried"] == pytest.approx(1 - chance, abs=2e-3)
    assert chances_best(arms) == pytest.approx(chances_of_being_best(arms, spread=1.0))
    assert chances_best({"a": (0.0, 0.0), "b": (0.0, 0.0)}) == pytest.approx({"a": 0.5, "b": 0.5})
    thousands = {name: (1e6 * mean, 1e6 * se) for name, (mean, se) in arms.items()}
    assert chances_best(thousands)["tried"] == pytest.approx(chance)


@pytest.mark.parametrize(("share", "n"), [(0.05, 400), (0.3, 60)])
def test_fixed_intervals_hold_the_truth_about_as_often_as_they_say(share: float, n: int):
    rng = np.random.default_rng(6)
    first, second = (binomial_arm(rng.binomial(n, p, 20_000), n) for p in (share, share + 0.02))

    result = compare(first, second)

    inside = ((result.low <= 0.02) & (result.high >= 0.02)).mean()
    assert 0.945 <= inside <= 0.98
