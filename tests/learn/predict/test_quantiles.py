"""Distributions by three quantiles, and the loss that tells good ones from bad."""

import numpy as np
import pytest
from scipy import stats

from pipeline.learn.predict.quantiles import LEVELS, at_levels, in_order, pinball, share_above
from pipeline.learn.predict.scoring import brier, explained_in_words, score


def test_quantiles_of_a_normal_distribution_are_its_own_at_every_level():
    quantiles = stats.norm(3, 2).ppf(LEVELS)[None, :]
    levels = np.array([0.02, 0.1, 0.25, 0.5, 0.8, 0.99])
    np.testing.assert_allclose(at_levels(quantiles, levels)[0], stats.norm(3, 2).ppf(levels))
    above = share_above(quantiles, np.array([4.0]))
    assert above[0] == pytest.approx(stats.norm(3, 2).sf(4.0))


def test_true_quantiles_lose_least():
    values = np.random.default_rng(1).normal(size=20_000)
    true = np.tile(stats.norm.ppf(LEVELS), (len(values), 1))
    best = pinball(values, true).mean()
    for other in (true + 0.2, true - 0.2, true * 0.7, true * 1.3):
        assert pinball(values, other).mean() > best


def test_the_loss_of_one_value_is_what_a_person_computes():
    loss = pinball(np.array([2.0]), np.array([[1.0, 3.0, 4.0]]))
    assert loss[0] == pytest.approx((0.1 * 1 + 0.5 * 1 + 0.1 * 2) / 3)


def test_ends_never_cross_the_middle():
    mended = in_order(np.array([[2.0, 1.0, 0.5]]))
    assert mended[0, 0] < mended[0, 1] < mended[0, 2]
    assert mended[0, 1] == 1.0


def test_a_score_counts_coverage_closeness_and_what_is_explained():
    outcomes = np.log(np.array([100.0, 200.0, 400.0]))
    middle = np.log(np.array([110.0, 300.0, 400.0]))
    quantiles = np.column_stack([middle - 0.3, middle, middle + 0.3])
    found = score(outcomes, quantiles, np.full(3, np.log(200.0)))
    assert found.coverage == pytest.approx(2 / 3)
    assert found.close_share == pytest.approx(2 / 3)
    assert found.rank_correlation == pytest.approx(1.0)
    spread = 2 * np.log(2) ** 2
    missed = np.log(1.1) ** 2 + np.log(1.5) ** 2
    assert found.explained_share == pytest.approx(1 - missed / spread)


def test_nothing_to_score_is_unknown_and_not_zero():
    found = score(np.array([]), np.zeros((0, 3)), np.array([]))
    assert found.posts == 0
    assert np.isnan([found.pinball_loss, found.coverage, found.explained_share]).all()
    assert np.isnan(brier(np.array([]), np.array([])))
    assert "not known" in explained_in_words(float("nan"))


@pytest.mark.parametrize(
    ("share", "words"),
    [(-0.2, "explains 0 %"), (0.04, "hardly be told apart"), (0.2, "a lean"), (0.4, "40 %")],
)
def test_the_product_says_how_little_is_known_before_posting(share: float, words: str):
    assert words in explained_in_words(share)


def test_brier_is_the_mean_squared_distance():
    assert brier(np.array([1.0, 0.0]), np.array([0.7, 0.5])) == pytest.approx((0.09 + 0.25) / 2)
