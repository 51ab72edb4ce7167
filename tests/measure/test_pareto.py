"""The best fifth's share: its interval covers, and noise of the same spread looks the same."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from pipeline.measure.pareto import (
    noise_interval,
    pareto_row,
    top_share,
    top_share_interval,
)

_BORDER = stats.norm.ppf(0.8)


def _posts(generator: np.random.Generator, spread: float, n: int) -> NDArray[np.float64]:
    return -np.sort(-1000 * np.exp(spread * generator.standard_normal(n)))


def test_the_share_is_that_of_the_best_fifth_with_a_part_of_the_post_on_the_border() -> None:
    assert top_share(np.array([50.0, 20.0, 10.0, 10.0, 10.0])) == pytest.approx(0.5)
    # A fifth of seven posts is the first one and four tenths of the second.
    values = np.array([40.0, 30.0, 10.0, 5.0, 5.0, 5.0, 5.0])
    assert top_share(values) == pytest.approx((40 + 0.4 * 30) / 100)
    assert top_share(np.full(13, 3.0)) == pytest.approx(0.2)


@pytest.mark.parametrize("spread", [0.8, 1.3, 1.6])
@pytest.mark.parametrize("n", [15, 60, 200])
def test_the_interval_holds_the_share_of_log_normal_posts(spread: float, n: int) -> None:
    generator = np.random.default_rng(round(100 * spread) + n)
    truth = stats.norm.cdf(spread - _BORDER)
    intervals = [top_share_interval(_posts(generator, spread, n)) for _ in range(200)]

    # The hull of two intervals: at least what it says, and not much wider.
    assert 0.88 <= np.mean([i.low <= truth <= i.high for i in intervals]) <= 0.995
    assert all(i.low <= i.share <= i.high for i in intervals)


def test_accounts_that_differ_from_noise_in_nothing_are_rarely_called_different() -> None:
    generator = np.random.default_rng(8)
    ids = np.array([str(place) for place in range(80)])
    verdicts = [
        pareto_row("a", "tiktok", "views_7d", ids, _posts(generator, 1.3, 80)).verdict
        for _ in range(200)
    ]
    assert np.mean([verdict != "as_noise" for verdict in verdicts]) <= 0.1


def test_one_viral_post_is_seen_as_such() -> None:
    generator = np.random.default_rng(9)
    values = _posts(generator, 0.5, 60)
    values[0] = values.sum() * 3
    row = pareto_row("a", "tiktok", "views_7d", np.array([str(i) for i in range(60)]), values)

    assert row.verdict == "more_than_noise"
    assert row.top_share is not None
    assert row.top_share_without_top_post is not None
    assert row.top_post_share == pytest.approx(0.75, abs=0.02)
    assert row.top_share > 0.8
    assert row.top_share_without_top_post < 0.5


def test_noise_of_no_spread_gives_a_fifth_and_more_spread_gives_more() -> None:
    assert noise_interval(0.0, 50).share == pytest.approx(0.2)
    shares = [noise_interval(spread, 50).share for spread in (0.5, 1.0, 1.5)]
    assert shares == sorted(shares)
    # The population's share; a sample of fifty shows a little less.
    assert shares[1] == pytest.approx(stats.norm.cdf(1.0 - _BORDER), abs=0.04)


def test_nine_posts_have_no_best_fifth() -> None:
    row = pareto_row("a", "x", "views_7d", np.array(list("abcdefghi")), np.arange(9.0, 0.0, -1.0))
    assert (row.verdict, row.top_share, row.posts_needed) == ("not_enough_data", None, 1)
