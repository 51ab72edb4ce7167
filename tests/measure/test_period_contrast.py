"""Two periods compared: what the interval covers, and what a single post can do to it."""

import numpy as np
import pytest
from scipy import stats

from pipeline.measure.period_contrast import combined, contrast

REPEATS = 2000


def heavy_tailed(rng: np.random.Generator, count: int) -> np.ndarray:
    hits = rng.random(count) < 0.06
    return rng.normal(7.6, 0.9, count) + hits * rng.normal(3.0, 1.0, count)


@pytest.mark.parametrize(("n", "former_n"), [(5, 5), (6, 28), (14, 14), (40, 10)])
def test_the_interval_covers_the_truth_as_often_as_it_says(n, former_n):
    rng = np.random.default_rng(20260518)
    covered = 0
    for _ in range(REPEATS):
        found = contrast(heavy_tailed(rng, n), heavy_tailed(rng, former_n))
        assert found is not None
        covered += found.low <= 1 <= found.high

    assert 0.87 <= covered / REPEATS <= 0.94


def test_it_is_the_trimmed_test_of_the_literature():
    rng = np.random.default_rng(1)
    mine, theirs = rng.normal(0.3, 1.0, 23), rng.normal(0.0, 2.0, 31)
    found = contrast(mine, theirs)

    assert found is not None
    expected = stats.ttest_ind(mine, theirs, equal_var=False, trim=0.1)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_one_record_post_moves_the_ratio_little():
    rng = np.random.default_rng(2)
    usual, former = rng.normal(7.6, 0.6, 14), rng.normal(7.6, 0.6, 14)
    with_record = usual.copy()
    with_record[3] += np.log(100)
    before, after = contrast(usual, former), contrast(with_record, former)

    assert before is not None
    assert after is not None
    assert after.ratio / before.ratio < 1.2
    assert np.exp(with_record.mean() - usual.mean()) > 1.35, "of a plain mean it would be this much"


def test_fewer_than_five_posts_give_no_figure():
    assert contrast(np.arange(4.0), np.arange(20.0)) is None
    assert contrast(np.arange(20.0), np.arange(4.0)) is None
    assert contrast(np.zeros(0), np.zeros(0)) is None


def test_equal_posts_give_no_figure_because_nothing_tells_how_they_scatter():
    assert contrast(np.ones(8), np.full(8, 2.0)) is None


def test_a_profile_with_itself_alone_is_itself():
    rng = np.random.default_rng(3)
    one = contrast(rng.normal(0, 1, 12), rng.normal(0, 1, 9))
    assert one is not None

    whole = combined([one])

    assert whole is not None
    assert (whole.ratio, whole.low, whole.high) == pytest.approx((one.ratio, one.low, one.high))
    assert combined([]) is None


def test_a_big_profile_that_grew_is_no_movement_of_each():
    """Simpson: more posts of the stronger platform must not look like growth of either."""
    rng = np.random.default_rng(4)
    strong = contrast(rng.normal(9, 0.5, 40), rng.normal(9, 0.5, 8))
    weak = contrast(rng.normal(5, 0.5, 8), rng.normal(5, 0.5, 40))
    assert strong is not None
    assert weak is not None

    whole = combined([strong, weak])

    assert whole is not None
    assert whole.low < 1 < whole.high
    assert whole.high < 1.6


def test_the_combined_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(REPEATS):
        sizes = ((6, 9), (20, 5), (8, 8))
        parts = [contrast(heavy_tailed(rng, n), heavy_tailed(rng, m)) for n, m in sizes]
        whole = combined([part for part in parts if part is not None])
        assert whole is not None
        covered += whole.low <= 1 <= whole.high

    assert 0.87 <= covered / REPEATS <= 0.94
