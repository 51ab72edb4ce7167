"""Readings at any number of looks: exact properties first, then simulations with floors."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from pipeline.learn.experiments.anytime import (
    LONGEST,
    Anytime,
    bound,
    follow,
    log_evidence,
    look,
)
from pipeline.learn.experiments.arms import (
    Arm,
    NotComparableError,
    binomial_arm,
    difference,
    log_arm,
    ratio_arm,
)
from pipeline.learn.experiments.fixed import p_value

ALPHA = 0.05
MANY = 1500


def _looks(planned: int, first: int = 2) -> np.ndarray:
    longest = math.floor(planned * LONGEST)
    return np.unique(np.linspace(max(first, longest / 100), longest, 100).astype(int))


def _draw(kind: str, rng: np.random.Generator, shift: float, looks: np.ndarray) -> Arm:
    shape = (MANY, int(looks[-1]))
    if kind == "clicks":
        steps = np.diff(looks, prepend=0)
        won = rng.binomial(steps, 0.05 + shift, size=(MANY, len(looks))).cumsum(axis=1)
        return binomial_arm(won, np.broadcast_to(looks, won.shape))
    if kind == "views":
        return log_arm(rng.normal(8 + shift, 1.3, shape), looks=looks)
    middle = 12 + shift
    return ratio_arm(rng.negative_binomial(1.5, 1.5 / (1.5 + middle), shape), looks=looks)


PLANNED = {"clicks": (8158, 0.01), "views": (163, math.log(1.5)), "comments": (146, 4.0)}


@pytest.mark.parametrize("df", [3, 8, 200])
@pytest.mark.parametrize("progress", [0.1, 1.0, 1.75])
def test_evidence_is_one_on_average_without_an_effect(df: int, progress: float):
    def weighted(t: float) -> float:
        return float(np.exp(log_evidence(t, df, progress)) * stats.t.pdf(t, df))

    mean, _ = integrate.quad(weighted, -np.inf, np.inf, limit=200)

    assert mean == pytest.approx(1.0, abs=1e-4)


def test_evidence_of_a_known_variance_is_that_of_the_normal_mixture():
    ratio = 12 * 0.5
    expected = 2.5**2 / 2 * ratio / (1 + ratio) - math.log1p(ratio) / 2

    assert log_evidence(2.5, 1e9, 0.5) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("df", [6, 30, 1e9])
def test_the_bound_is_where_the_evidence_reaches_one_over_alpha(df: float):
    assert log_evidence(bound(df, 1.0, ALPHA), df, 1.0) == pytest.approx(math.log(20), abs=1e-6)


def test_too_few_units_exclude_nothing():
    assert bound(2, 0.05, ALPHA) == np.inf

    four = look(difference(log_arm([1, 1.1, 1, 1.1]), log_arm([9, 9.1, 9, 9.1])), 20)

    assert float(four.p_value) == 1.0
    assert (float(four.low), float(four.high)) == (-np.inf, np.inf)


def test_arms_that_do_not_vary_conclude_nothing():
    same = look(difference(log_arm([2.0] * 9), log_arm([3.0] * 9)), 20)

    assert float(same.p_value) == 1.0


def test_skewed_counts_of_very_unequal_arms_conclude_nothing_before_the_end():
    few, many = ratio_arm(np.arange(10.0)), ratio_arm(np.arange(50.0) + 500)

    assert not difference(few, many).ready
    assert difference(few, ratio_arm(np.arange(20.0))).ready
    assert difference(ratio_arm(np.arange(250.0)), ratio_arm(np.arange(1250.0))).ready


def test_rare_events_conclude_nothing_until_there_are_ten():
    assert not difference(binomial_arm(0, 5000), binomial_arm(9, 5000)).ready
    assert difference(binomial_arm(1, 5000), binomial_arm(9, 5000)).ready
    assert not difference(binomial_arm(4999, 5000), binomial_arm(4992, 5000)).ready


def test_looks_taken_together_never_lose_what_an_earlier_look_showed():
    rng = np.random.default_rng(5)
    looks = _looks(60)
    seen = difference(*(log_arm(rng.normal(size=(50, looks[-1])), looks=looks) for _ in range(2)))

    together = follow(look(seen, 60))

    assert np.all(np.diff(together.p_value, axis=1) <= 0)
    steady = ~together.drifted
    assert np.all((together.low[:, 1:] >= together.low[:, :-1])[steady[:, 1:]])
    assert np.all(together.low[steady] <= together.high[steady])


def test_looks_that_contradict_each_other_are_named_and_the_latest_holds():
    low, high = np.array([1.0, -3.0]), np.array([2.0, -1.0])
    once = Anytime(np.array([0.01, 0.2]), low, high, low, high, np.zeros(2, bool))

    together = follow(once)

    assert together.drifted.tolist() == [False, True]
    assert (together.low[1], together.high[1]) == (-3.0, -1.0)


@pytest.mark.parametrize("kind", PLANNED)
def test_a_hundred_looks_at_nothing_call_few_winners(kind: str):
    planned, _ = PLANNED[kind]
    rng = np.random.default_rng(11)
    seen = difference(*(_draw(kind, rng, 0.0, _looks(planned)) for _ in range(2)))

    false = (follow(look(seen, planned)).p_value[:, -1] <= ALPHA).mean()
    naive = (p_value(seen) <= ALPHA).any(axis=1).mean()

    # 3 % and two standard errors of 1,500 experiments.
    assert false <= 0.039
    assert naive >= 0.25


@pytest.mark.parametrize("kind", PLANNED)
def test_the_planned_effect_is_found_in_about_the_planned_size(kind: str):
    planned, effect = PLANNED[kind]
    looks = _looks(planned)
    rng = np.random.default_rng(12)
    seen = look(difference(_draw(kind, rng, 0.0, looks), _draw(kind, rng, effect, looks)), planned)

    assert _power(seen, looks)[0] >= 0.80 - 0.02
    assert _power(seen, looks)[1] / planned <= 1.05 + 0.02
    inside = ((seen.low <= effect) & (effect <= seen.high)).all(axis=1)
    assert inside.mean() >= 0.95


@pytest.mark.parametrize("kind", PLANNED)
def test_half_as_large_an_effect_again_ends_much_sooner(kind: str):
    planned, effect = PLANNED[kind]
    looks = _looks(planned)
    rng = np.random.default_rng(13)
    tried = _draw(kind, rng, 1.5 * effect, looks)
    seen = look(difference(_draw(kind, rng, 0.0, looks), tried), planned)

    assert _power(seen, looks)[1] / planned <= 0.65


def _every_unit(planned: int, times: float, effect: float, seed: int) -> Anytime:
    """Small experiments that are looked at after every unit of either arm."""
    rng = np.random.default_rng(seed)
    units = np.arange(2, math.floor(planned * times) + 1)
    looks = np.repeat(units, 2)
    values = rng.normal(size=(2, 2 * MANY, units[-1]))
    first, second = (
        log_arm(values[0], looks=looks[:-1]),
        log_arm(values[1] + effect, looks=looks[1:]),
    )
    return look(difference(first, second), planned)


@pytest.mark.parametrize("planned", [7, 12, 30])
def test_small_plans_keep_their_error_until_their_end_and_for_good(planned: int):
    until_the_end = (_every_unit(planned, LONGEST, 0.0, 41).p_value.min(axis=1) <= ALPHA).mean()
    far_beyond = (_every_unit(planned, 8 * LONGEST, 0.0, 42).p_value.min(axis=1) <= ALPHA).mean()

    # 3 and 5 %, each and two standard errors of 3,000 experiments.
    assert until_the_end <= 0.0362
    assert far_beyond <= 0.058


@pytest.mark.parametrize("planned", [12, 500])
def test_p_values_and_intervals_agree_before_and_after_the_end(planned: int):
    effect = 3 / math.sqrt(planned)
    for level in (0.01, ALPHA):
        rng = np.random.default_rng(43)
        units = np.linspace(5, 3 * planned, 40).astype(int)
        arms = (log_arm(rng.normal(m, 1, (200, units[-1])), looks=units) for m in (0, effect))
        seen = look(difference(*arms), planned, alpha=level)

        excluded = (seen.low > 0) | (seen.high < 0)

        assert excluded.any(axis=1).mean() > 0.3
        assert np.array_equal(excluded, seen.p_value <= level)


def test_a_plan_of_twenty_five_is_read_at_any_time_at_hardly_any_cost():
    planned, effect = 25, 0.5 * math.sqrt(64 / 25)  # 80 % power, as 0.5 has with 64
    rng = np.random.default_rng(44)
    looks = np.arange(2, math.floor(planned * LONGEST) + 1)
    arms = (log_arm(rng.normal(m, 1, (2 * MANY, looks[-1])), looks=looks) for m in (0, effect))
    seen = look(difference(*arms), planned)

    power, size = _power(seen, looks)
    assert power >= 0.80 - 0.015
    assert size / planned <= 1.05 + 0.02
    assert ((seen.low <= effect) & (seen.high >= effect)).all(axis=1).mean() >= 0.965


def _power(seen: Anytime, looks: np.ndarray) -> tuple[float, float]:
    called = seen.p_value <= ALPHA
    won = called.any(axis=1)
    return float(won.mean()), float(np.where(won, looks[called.argmax(axis=1)], looks[-1]).mean())


def test_a_look_at_part_of_the_units_is_the_arm_of_that_part():
    rng = np.random.default_rng(2)
    saves, views = rng.poisson(5, 40).astype(float), rng.poisson(100, 40).astype(float)

    part, whole = ratio_arm(saves[:25], views[:25]), ratio_arm(saves, views, looks=[25, 40])

    assert whole.mean[0] == pytest.approx(float(part.mean))
    assert whole.variance[0] == pytest.approx(float(part.variance))
    assert float(log_arm(saves).variance) == pytest.approx(saves.var(ddof=1) / 40)


@pytest.mark.parametrize("denominators", [None, np.arange(1.0, 61.0)])
def test_what_an_earlier_look_says_does_not_change_by_a_digit_later(denominators):
    values = np.random.default_rng(4).lognormal(3, 2, 60)

    def arm(n: int) -> Arm:
        below = None if denominators is None else denominators[:n]
        return ratio_arm(values[:n], below, looks=range(2, n + 1))

    early, late = arm(30), arm(60)

    for part in ("mean", "variance", "df"):
        assert np.array_equal(getattr(early, part), getattr(late, part)[:29])


def test_the_variance_of_a_ratio_is_the_jackknifes():
    rng = np.random.default_rng(3)
    views = np.ceil(rng.lognormal(7, 0.7, 60))
    saves = rng.binomial(views.astype(int), rng.beta(2, 60, 60)).astype(float)
    ratio = saves.sum() / views.sum()
    without = [np.delete(saves, i).sum() / np.delete(views, i).sum() for i in range(60)]

    jackknife = 59 / 60 * ((np.array(without) - ratio) ** 2).sum()

    assert float(ratio_arm(saves, views).variance) == pytest.approx(jackknife)
    assert float(ratio_arm(saves, np.ones(60)).variance) == pytest.approx(saves.var(ddof=1) / 60)
    assert float(ratio_arm(saves, np.full(60, 7.0)).df) == pytest.approx(59)
    assert 1 < float(ratio_arm(saves, views).df) < 59


def test_a_unit_with_all_denominators_tells_nothing_of_the_others():
    alone = ratio_arm([3.0, 0, 0, 0, 0, 0], [60.0, 0, 0, 0, 0, 0])
    other = ratio_arm([3.0, 4, 5, 6, 7, 8], [60.0, 50, 40, 50, 60, 70])

    assert (float(alone.variance), float(alone.df)) == (0.0, 1.0)
    assert float(look(difference(alone, alone), 6).p_value) == 1.0
    assert float(look(difference(alone, other), 6).p_value) > 0.05


@pytest.mark.parametrize("posts", [10, 40])
def test_rates_of_posts_with_very_unequal_views_have_intervals_that_hold(posts: int):
    rng = np.random.default_rng(21)
    arms = []
    for mean in (0.03, 0.036):
        views = np.ceil(rng.lognormal(7, 1.3, (5000, posts)))
        each = rng.beta(60 * mean, 60 * (1 - mean), views.shape)
        arms.append(ratio_arm(rng.binomial(views.astype(int), each).astype(float), views))
    seen = difference(*arms)

    reach = stats.t.ppf(0.975, seen.df) * seen.se

    assert 0.945 <= (np.abs(seen.effect - 0.006) <= reach).mean() <= 0.98


def test_values_far_from_zero_keep_the_digits_of_their_variance():
    assert float(ratio_arm([1e9 + 1, 1e9 + 2, 1e9 + 3]).variance) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: binomial_arm(3, 2),
        lambda: binomial_arm(0, 0),
        lambda: ratio_arm([1.0, 2.0], [2.0, -1.0]),
        lambda: log_arm([1.0]),
        lambda: ratio_arm([1.0, 2.0], [0.0, 0.0]),
        lambda: ratio_arm([1.0, 2.0], [1.0]),
        lambda: difference(log_arm([1, 2]), ratio_arm([1, 2])),
    ],
)
def test_arms_that_cannot_be_are_refused(make):
    with pytest.raises(NotComparableError):
        make()
