"""Effects from moments: equal to closed forms, covering on known truth, silent on noise."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.post_moments import NO_SEGMENT, PostMoments, moments_of_posts, pulled_in
from pipeline.measure import effects
from pipeline.measure.effects import Floats, Integers, OwnEffects, Verdict

SPREAD_PRIOR = 20


def rows_of(values: Floats, segments: Integers) -> PostMoments:
    """Moments of one account's posts, one dimension and one outcome."""
    account = np.zeros(len(values), dtype=np.int64)
    return moments_of_posts(account, segments[:, None], values[:, None])


def effects_of(values: Floats, segments: Integers) -> OwnEffects:
    return effects.own_effects(rows_of(values, segments).moments)


def drawn(
    generator: np.random.Generator, sizes: list[int], log_effects: list[float], sigma: float
) -> tuple[Floats, Integers]:
    segments = np.repeat(np.arange(len(sizes)), sizes)
    luck = sigma * generator.standard_normal(len(segments))
    return 8.0 + np.array(log_effects)[segments] + luck, segments


def test_an_effect_is_the_segment_mean_less_the_mean_of_all_posts() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.2, 0.8, 2.0, 2.1, 1.9, 2.2, 1.8])
    found = effects_of(values, np.repeat([0, 1], 5))

    assert found.estimate == pytest.approx([-0.5, 0.5])
    assert found.low[0] < found.estimate[0] < found.high[0] < 0


def test_the_error_of_equal_spreads_is_the_pooled_one() -> None:
    base = np.array([-1.5, -0.5, 0.0, 0.25, 0.75, 1.0])
    values = np.concatenate([8 + base, 9 + base, 8.5 + base])
    found = effects_of(values, np.repeat([0, 1, 2], 6))

    variance = base.var(ddof=1)
    assert found.standard_error == pytest.approx([math.sqrt(variance * (1 / 6 - 1 / 18))] * 3)


def test_a_segments_own_spread_counts_by_its_posts_beside_twenty_of_the_usual_one() -> None:
    generator = np.random.default_rng(1)
    values, segments = drawn(generator, [12, 40], [0.0, 0.3], 0.8)
    values[segments == 0] = 8.0 + 2.0 * (values[segments == 0] - 8.0)
    clipped = pulled_in(values, np.zeros(52, dtype=np.int64))
    found = effects_of(values, segments)

    squares = [float(((clipped[segments == k] - clipped[segments == k].mean()) ** 2).sum())
               for k in (0, 1)]  # fmt: skip
    usual = sum(squares) / 50
    own = [(SPREAD_PRIOR * usual + squares[k]) / (SPREAD_PRIOR + n - 1)
           for k, n in enumerate((12, 40))]  # fmt: skip
    error = math.sqrt((40 / 52) ** 2 * own[0] / 12 + 40 * own[1] / 52**2)

    assert found.standard_error[0] == pytest.approx(error)
    low, high = stats.t.interval(
        0.90, found.degrees_of_freedom[0], loc=found.estimate[0], scale=error
    )
    assert (found.low[0], found.high[0]) == (pytest.approx(low), pytest.approx(high))


def test_p_values_are_close_to_scipys_t_test_where_spreads_are_equal() -> None:
    generator = np.random.default_rng(2)
    values, segments = drawn(generator, [40, 40], [0.0, 0.25], 0.5)
    found = effects_of(values, segments)
    expected = stats.ttest_ind(values[:40], values[40:]).pvalue

    # What helps one of two segments hurts the other, nearly to the digit: their freedoms differ.
    assert found.p_value == pytest.approx([expected, expected], rel=0.1)
    assert found.estimate[0] == pytest.approx(-found.estimate[1])


def test_a_post_without_a_segment_belongs_to_the_usual() -> None:
    values = np.array([2.0, 2.2, 1.8, 2.1, 1.9, 1.0, 1.2, 0.8, 1.1, 0.9])
    segments = np.array([0] * 5 + [NO_SEGMENT] * 5)
    rows = rows_of(values, segments)
    found = effects.own_effects(rows.moments)

    assert rows.moments.n.tolist() == [5]
    assert found.estimate == pytest.approx([0.5])
    # What has no segment has the same spread as if it had one.
    named = effects_of(values, np.repeat([0, 1], 5))
    assert found.standard_error[0] == pytest.approx(named.standard_error[0])


def test_few_posts_give_no_figure() -> None:
    four = effects_of(np.arange(8.0), np.repeat([0, 1], 4))
    assert not four.has_figure.any()

    # Twenty of one, and too few others to compare them with.
    found = effects_of(np.linspace(0, 1, 24), np.repeat([0, 1], [4, 20]))
    assert not found.has_figure.any()
    assert np.isnan(found.estimate).all()


def test_no_posts_at_all_give_nothing() -> None:
    none = np.zeros(0)
    moments = effects.SegmentMoments(
        np.zeros(0, dtype=np.int64), none, none, none, none, none, none
    )
    assert len(effects.own_effects(moments).estimate) == 0


def test_wider_segments_get_wider_intervals_that_cover() -> None:
    generator = np.random.default_rng(3)
    covered = []
    for _ in range(400):
        values, segments = drawn(generator, [20, 40, 40, 40], [0.0] * 4, 1.0)
        values[segments == 0] = 8.0 + 1.6 * (values[segments == 0] - 8.0)
        found = effects_of(values, segments)
        covered.append(found.low[0] <= 0 <= found.high[0])

    # With one spread for all it would be about 0.74.
    assert np.mean(covered) >= 0.82


@pytest.mark.parametrize("ratio", [2.0, 3.0, 1 / 3])
@pytest.mark.parametrize("noise", ["normal", "t4"])
def test_pulling_outliers_in_leaves_large_effects_where_they_are(ratio: float, noise: str) -> None:
    generator = np.random.default_rng(4)
    segments = np.repeat(np.arange(5), 4000)
    luck = generator.standard_normal(20_000)
    if noise == "t4":
        luck = generator.standard_t(4, 20_000) / math.sqrt(2)
    found = effects_of(8.0 + math.log(ratio) * (segments == 0) + 0.8 * luck, segments)

    true = 0.8 * math.log(ratio)
    assert found.estimate[0] == pytest.approx(true, abs=0.03 * abs(true) + 0.02)


def test_one_absurd_post_does_not_make_a_verdict() -> None:
    values = np.array([*np.linspace(0.0, 1.0, 21), *np.linspace(0.0, 1.0, 20), 50.0])
    found = effects_of(values, np.repeat([0, 1], 21))

    assert (found.p_value > 0.3).all()


def test_the_best_of_more_segments_looks_better_by_luck() -> None:
    errors = np.array([0.3] * 12 + [0.7])
    group = np.array([0, 0] + [1] * 10 + [2])
    few, many, single = effects.typical_best_under_null(errors, group, 3)
    draws = np.random.default_rng(7).normal(0, 0.3, (200_000, 10)).max(axis=1)

    assert few < many
    assert many == pytest.approx(np.median(draws), abs=0.005)
    assert single == pytest.approx(0.0)


def test_the_best_of_unequal_errors_solves_its_equation() -> None:
    errors = np.array([0.05, 0.2, 1.5])
    (best,) = effects.typical_best_under_null(errors, np.zeros(3, dtype=np.int64), 1)

    assert np.prod(stats.norm.cdf(best / errors)) == pytest.approx(0.5)


def test_seven_posts_get_a_figure_but_no_verdict() -> None:
    found = effects.verdicts(
        n=np.array([7.0, 8.0, 8.0, 8.0, 8.0, 8.0]),
        pooled=np.array([1.0, 1.0, -1.0, 0.09, 1.0, np.nan]),
        low=np.array([0.8, 0.8, -1.2, 0.05, -0.1, np.nan]),
        high=np.array([1.2, 1.2, -0.8, 0.12, 1.2, np.nan]),
        q_value=np.array([0.001, 0.001, 0.001, 0.001, 0.001, np.nan]),
    )

    assert found.tolist() == [
        Verdict.NO_CLEAR_DIFFERENCE,
        Verdict.BETTER,
        Verdict.WORSE,
        Verdict.NO_CLEAR_DIFFERENCE,
        Verdict.NO_CLEAR_DIFFERENCE,
        Verdict.NOT_ENOUGH_DATA,
    ]
