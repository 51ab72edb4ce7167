"""What accounts tell each other, and adjusted p-values of a run."""

import numpy as np
import pytest
from scipy import stats

from pipeline.measure import multiplicity, pooling
from pipeline.measure.pooling import Keys, Spreads


def _keys(account: list[int], segment: list[int]) -> Keys:
    none = np.zeros(len(account), dtype=np.int64)
    return Keys(
        group=np.array(account),
        segment=np.array(segment),
        kind=none,
        account=np.array(account),
        question=none,
    )


def test_the_posterior_is_that_of_the_normal_model_with_all_accounts_at_once() -> None:
    keys = _keys([0, 1, 2, 3], [0, 0, 0, 0])
    estimate, error = np.array([0.5, 0.3, 0.7, -0.1]), np.array([0.3, 0.2, 0.4, 0.25])
    spreads = Spreads(peculiar=np.array([0.04]), common=np.array([0.09]))
    found = pooling.posterior(estimate, error, keys, spreads)

    prior = 0.09 + 0.04 * np.eye(4)
    gain = prior @ np.linalg.inv(prior + np.diag(error**2))
    assert found.mean == pytest.approx(gain @ estimate)
    assert found.deviation**2 == pytest.approx(np.diag(prior - gain @ prior))


def test_a_single_other_account_tells_nothing_and_an_own_post_is_not_told_to_itself() -> None:
    spreads = Spreads(peculiar=np.array([0.01]), common=np.array([0.09]))
    error = np.array([0.2, 0.2])
    two = pooling.posterior(np.array([0.6, 0.6]), error, _keys([0, 1], [0, 0]), spreads)
    assert np.isnan(two.elsewhere).all()
    assert two.mean == pytest.approx([0.6 * 0.1 / 0.14] * 2)

    three = pooling.posterior(
        np.array([9.0, 0.6, 0.6]), np.array([0.2] * 3), _keys([0, 1, 2], [0, 0, 0]), spreads
    )
    assert three.elsewhere[0] == pytest.approx(0.09 * 24 / (1 + 0.09 * 40))


def test_points_go_towards_what_the_others_show() -> None:
    keys = _keys([0, 1, 2, 3] * 2, [0] * 4 + [1] * 4)
    estimate = np.array([0.0, 0.6, 0.6, 0.6, 0.0, -0.6, -0.6, -0.6])
    error = np.array([0.5, 0.1, 0.1, 0.1] * 2)
    spreads = pooling.spreads_of_effects(estimate, error, keys)
    found = pooling.posterior(estimate, error, keys, spreads)

    assert found.mean[0] > 0.3
    assert found.mean[4] < -0.3
    assert found.mean[1] == pytest.approx(0.6, abs=0.1)


def test_spreads_tell_what_is_common_from_what_is_peculiar() -> None:
    generator = np.random.default_rng(5)
    account, segment = np.repeat(np.arange(40), 30), np.tile(np.arange(30), 40)
    error = generator.uniform(0.05, 0.2, 1200)
    luck = error * generator.standard_normal(1200)
    keys = _keys(account.tolist(), segment.tolist())
    effect = 0.4 * generator.standard_normal(30)[segment] + 0.2 * generator.standard_normal(1200)
    spreads = pooling.spreads_of_effects(effect + luck, error, keys)

    assert np.sqrt(spreads.peculiar[0]) == pytest.approx(0.2, abs=0.02)
    assert np.sqrt(spreads.common[0]) == pytest.approx(0.4, abs=0.12)


def test_effects_that_look_alike_are_still_taken_to_differ_a_little() -> None:
    spreads = pooling.spreads_of_effects(
        np.zeros(6), np.full(6, 0.3), _keys([0, 0, 0, 1, 1, 1], [0, 1, 2] * 2)
    )
    floor = pooling.SPREAD_FLOOR**2

    assert (spreads.peculiar[0], spreads.common[0]) == pytest.approx((floor, floor))


def test_accounts_that_disagree_have_no_common_effect() -> None:
    keys = _keys([0, 1, 2] * 2 + [0], [0] * 3 + [1] * 3 + [2])
    estimate = np.array([0.5, 0.45, 0.55, 0.9, -0.8, 0.1, 2.0])
    error = np.full(7, 0.1)
    spreads = Spreads(peculiar=np.array([0.01]), common=np.array([0.09]))
    found = pooling.common_effects(estimate, error, keys, spreads, 3)

    assert found.account_count.tolist() == [3, 3, 1]
    assert found.has_figure.tolist() == [True, True, False]
    assert found.low[0] > 0
    assert found.low[1] < 0 < found.high[1]
    assert 0 < found.pooled[0] < found.estimate[0]


def test_the_interval_across_accounts_is_hartungs_and_knapps() -> None:
    estimate, error = np.array([0.9, -0.2, 0.4, 0.1]), np.array([0.1, 0.2, 0.15, 0.3])
    spreads = Spreads(peculiar=np.array([0.04]), common=np.array([0.09]))
    found = pooling.common_effects(estimate, error, _keys([0, 1, 2, 3], [0, 0, 0, 0]), spreads, 1)

    weight = 1 / (error**2 + 0.04)
    mean = np.average(estimate, weights=weight)
    variance = np.sum(weight * (estimate - mean) ** 2) / (3 * weight.sum())
    assert variance > 1 / weight.sum()
    low, high = stats.t.interval(0.90, 3, loc=mean, scale=np.sqrt(variance))
    assert (found.low[0], found.high[0]) == (pytest.approx(low), pytest.approx(high))


def test_q_values_of_one_family_are_benjamini_hochbergs() -> None:
    p_values = np.array([0.01, 0.04, 0.03, 0.5])
    found = multiplicity.q_values(p_values, np.zeros(4, dtype=np.int64))

    assert found == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert len(multiplicity.q_values(np.zeros(0), np.zeros(0, dtype=np.int64))) == 0


def test_findings_are_those_of_the_procedure_in_two_steps_at_every_level() -> None:
    generator = np.random.default_rng(6)
    family = np.repeat(np.arange(6), [3, 10, 1, 20, 5, 8])
    p_values = generator.uniform(size=47) ** 3
    p_values[13:20] *= 1e-4
    found = multiplicity.q_values(p_values, family)

    for level in (0.01, 0.05, 0.1, 0.3):
        adjusted = [stats.false_discovery_control(p_values[family == k]) for k in range(6)]
        chosen = stats.false_discovery_control([part.min() for part in adjusted]) <= level
        inner = level * chosen.sum() / 6
        expected = np.concatenate([chosen[k] & (adjusted[k] <= inner) for k in range(6)])
        assert (found <= level).tolist() == expected.tolist()
        assert 0 < expected.sum() < 47


def test_many_findings_elsewhere_give_a_dimension_without_effects_no_credit() -> None:
    strong, idle = np.full(200, 1e-9), np.linspace(0.02, 1.0, 50)
    p_values, family = np.concatenate([strong, idle]), np.repeat([0, 1], [200, 50])

    assert stats.false_discovery_control(p_values)[200] < 0.05
    assert multiplicity.q_values(p_values, family)[200] > 0.5


def test_the_next_finding_may_have_the_p_value_that_makes_it_one() -> None:
    p_values, family = np.array([1e-6, 0.04, 0.3, 0.8]), np.zeros(4, dtype=np.int64)
    needed = multiplicity.next_p_value(multiplicity.q_values(p_values, family), family)

    assert needed == pytest.approx([0.05 * 2 / 4] * 4)
    p_values[1] = needed[1]
    assert multiplicity.q_values(p_values, family)[1] == pytest.approx(0.05)
