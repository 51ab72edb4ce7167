"""Effects: equal to closed forms, covering on known truth, silent on noise."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.measure import effects
from pipeline.measure.effects import SegmentEffect, Verdict


def _world(
    generator: np.random.Generator, sizes: list[int], log_effects: list[float], sigma: float
) -> tuple[list[float], list[str], dict[str, float]]:
    """Posts of one account: log outcomes, segments, and each segment's true log effect."""
    values: list[float] = []
    segments: list[str] = []
    for index, (size, effect) in enumerate(zip(sizes, log_effects, strict=True)):
        values += list(8.0 + effect + sigma * generator.standard_normal(size))
        segments += [f"s{index}"] * size
    usual = float(np.average(log_effects, weights=sizes))
    truth = {f"s{index}": effect - usual for index, effect in enumerate(log_effects)}
    return values, segments, truth


def test_an_effect_is_the_segment_mean_less_the_mean_of_all_posts() -> None:
    values = [1.0, 1.1, 0.9, 1.2, 0.8, 2.0, 2.1, 1.9, 2.2, 1.8]
    found = effects.segment_effects(values, ["a"] * 5 + ["b"] * 5)

    assert [effect.segment for effect in found] == ["a", "b"]
    assert found[0].estimate == pytest.approx(-0.5)
    assert found[1].estimate == pytest.approx(0.5)
    assert found[0].low < found[0].estimate < found[0].high < 0


def test_the_interval_is_students_t_with_the_pooled_spread() -> None:
    generator = np.random.default_rng(1)
    values, segments, _ = _world(generator, [12, 20], [0.0, 0.3], 0.8)
    found = effects.segment_effects(values, segments)[0]

    y, group = np.array(values), np.array(segments)
    y = effects.pull_in_outliers(y, (group == "s1").astype(np.int64))
    spread = sum(((y[group == name] - y[group == name].mean()) ** 2).sum() for name in ("s0", "s1"))
    error = math.sqrt(spread / 30 * (1 / 12 - 1 / 32))
    low, high = stats.t.interval(0.90, 30, loc=y[group == "s0"].mean() - y.mean(), scale=error)

    assert found.standard_error == pytest.approx(error)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_the_two_sample_p_value_is_scipys_t_test() -> None:
    generator = np.random.default_rng(2)
    values, segments, _ = _world(generator, [15, 15], [0.0, 0.2], 0.5)
    found = effects.segment_effects(values, segments)
    y = np.array(values)

    assert found[0].p_value == pytest.approx(stats.ttest_ind(y[:15], y[15:]).pvalue)


def test_intervals_cover_the_planted_effect_nine_times_in_ten() -> None:
    generator = np.random.default_rng(3)
    covered = total = 0
    for _ in range(400):
        sizes = list(generator.integers(6, 60, 5))
        log_effects = list(0.3 * generator.standard_normal(5))
        values, segments, truth = _world(generator, sizes, log_effects, 1.1)
        for effect in effects.segment_effects(values, segments):
            covered += effect.low <= truth[effect.segment] <= effect.high
            total += 1

    assert covered / total == pytest.approx(0.90, abs=0.02)


def test_noise_alone_rarely_yields_a_verdict() -> None:
    generator = np.random.default_rng(4)
    worlds_with_a_verdict = 0
    for _ in range(200):
        sizes = list(generator.integers(8, 60, 5))
        values, segments, _ = _world(generator, sizes, [0.0] * 5, 1.2)
        found = effects.segment_effects(values, segments)
        adjusted = effects.q_values([effect.p_value for effect in found])
        verdicts = {
            effects.verdict(n=e.n, pooled=e.pooled, low=e.low, high=e.high, q_value=q)
            for e, q in zip(found, adjusted, strict=True)
        }
        worlds_with_a_verdict += bool(verdicts & {Verdict.BETTER, Verdict.WORSE})

    assert worlds_with_a_verdict / 200 <= 0.06


def test_a_doubled_format_is_found_with_the_right_sign() -> None:
    generator = np.random.default_rng(5)
    found_better = 0
    for _ in range(100):
        values, segments, _ = _world(generator, [60] * 5, [math.log(2), 0, 0, 0, 0], 1.3)
        found = effects.segment_effects(values, segments)
        adjusted = effects.q_values([effect.p_value for effect in found])
        verdicts = {
            e.segment: effects.verdict(n=e.n, pooled=e.pooled, low=e.low, high=e.high, q_value=q)
            for e, q in zip(found, adjusted, strict=True)
        }
        found_better += verdicts["s0"] is Verdict.BETTER
        assert verdicts["s0"] is not Verdict.WORSE

    assert found_better >= 80


def test_the_shown_point_is_pulled_towards_no_difference_but_stays_in_its_interval() -> None:
    generator = np.random.default_rng(6)
    values, segments, _ = _world(generator, [6, 40, 40], [1.2, 0.0, 0.0], 1.0)
    small = effects.segment_effects(values, segments)[0]

    assert abs(small.pooled) < abs(small.estimate)
    assert small.low <= small.pooled <= small.high


def test_few_posts_give_no_figure() -> None:
    assert effects.segment_effects([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"]) == []
    found = effects.segment_effects([1.0] * 4 + list(np.linspace(0, 1, 20)), ["a"] * 4 + ["b"] * 20)
    assert found == []  # four posts of "a", and nothing else to compare "b" with


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        effects.segment_effects([1.0, math.nan], ["a", "b"])


def test_one_absurd_post_does_not_make_a_verdict() -> None:
    values = [*list(np.linspace(0.0, 1.0, 21)), *list(np.linspace(0.0, 1.0, 20)), 50.0]
    found = effects.segment_effects(values, ["a"] * 21 + ["b"] * 21)

    assert all(effect.p_value > 0.3 for effect in found)


def test_the_best_of_more_segments_looks_better_by_luck() -> None:
    few = effects.typical_best_under_null(np.array([0.3, 0.3]))
    many = effects.typical_best_under_null(np.array([0.3] * 10))
    draws = np.random.default_rng(7).normal(0, 0.3, (200_000, 10)).max(axis=1)

    assert few < many
    assert many == pytest.approx(np.median(draws), abs=0.005)


def test_q_values_are_benjamini_hochberg() -> None:
    assert effects.q_values([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.16 / 3, 0.16 / 3, 0.5]
    )
    assert effects.q_values([]) == []


def _effect(estimate: float, error: float) -> SegmentEffect:
    return SegmentEffect("s", 20, estimate, error, 50.0, estimate, 0, 0, 0.5, 0.5, 0.1)


def test_accounts_that_disagree_have_no_common_effect() -> None:
    agreeing = effects.common_effect([_effect(0.5, 0.1), _effect(0.45, 0.1), _effect(0.55, 0.1)])
    disagreeing = effects.common_effect([_effect(0.9, 0.1), _effect(-0.8, 0.1), _effect(0.1, 0.1)])

    assert agreeing is not None
    assert agreeing.low > 0
    assert disagreeing is not None
    assert disagreeing.low < 0 < disagreeing.high
    assert effects.common_effect([_effect(0.5, 0.1)]) is None


def test_a_post_without_a_segment_belongs_to_the_usual() -> None:
    values = [*[2.0, 2.2, 1.8, 2.1, 1.9], *[1.0, 1.2, 0.8, 1.1, 0.9]]
    (only,) = effects.segment_effects(values, ["a"] * 5 + [None] * 5)

    assert (only.segment, only.n) == ("a", 5)
    assert only.estimate == pytest.approx(0.5)


def test_seven_posts_get_a_figure_but_no_verdict() -> None:
    figures = {"pooled": 1.0, "low": 0.8, "high": 1.2, "q_value": 0.001}

    assert effects.verdict(n=7, **figures) is Verdict.NO_CLEAR_DIFFERENCE
    assert effects.verdict(n=8, **figures) is Verdict.BETTER
