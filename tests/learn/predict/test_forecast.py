"""Followers some days ahead."""

import numpy as np
import pytest

from pipeline.learn.predict.forecast import MINIMUM_DAYS, forecasts


def _walk(seed: int, days: int = 500) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speed = np.repeat(rng.gamma(2.0, 4.0, days // 50), 50)
    return 200 + np.cumsum(rng.poisson(speed))


def test_steady_growth_is_carried_on_but_for_the_damping():
    found = forecasts(np.arange(100.0, 500.0, 2.0), 7)
    assert 498 + 9 <= found.expected[-1] <= 498 + 14
    assert found.low[-1] <= found.expected[-1] <= found.high[-1]


def test_an_account_that_stands_still_is_forecast_to_stand_still():
    found = forecasts(np.full(200, 77.0), 30)
    assert found.expected[-1] == 77
    assert found.high[-1] - found.low[-1] <= 4


@pytest.mark.parametrize("horizon", [7, 30])
def test_forecasts_are_off_by_less_than_no_change_and_intervals_hold(horizon: int):
    errors, still, covered = [], [], []
    for seed in range(6):
        counts = _walk(seed).astype(np.float64)
        found = forecasts(counts, horizon)
        origins = np.arange(MINIMUM_DAYS, len(counts) - horizon)
        truth = counts[origins + horizon]
        errors.append(np.abs(found.expected[origins] - truth).mean())
        still.append(np.abs(counts[origins] - truth).mean())
        covered.append(((found.low[origins] <= truth) & (truth <= found.high[origins])).mean())
    assert np.mean(errors) < 0.8 * np.mean(still)
    assert 0.72 <= np.mean(covered) <= 0.90


def test_later_days_change_nothing_that_was_said_before():
    counts = _walk(9).astype(np.float64)
    other = counts.copy()
    other[301:] += 5000
    said, told = forecasts(counts, 7), forecasts(other, 7)
    for name in ("expected", "low", "high"):
        before, after = getattr(said, name), getattr(told, name)
        np.testing.assert_array_equal(after[:301], before[:301])
    assert told.expected[-1] != said.expected[-1]


def test_nothing_is_said_before_there_are_sixty_days():
    counts = _walk(3).astype(np.float64)
    found = forecasts(counts, 7)
    assert np.isnan(found.expected[: MINIMUM_DAYS - 1]).all()
    assert np.isfinite(found.expected[MINIMUM_DAYS - 1 :]).all()
    assert len(forecasts(counts[:0], 7).expected) == 0


def test_days_without_a_count_are_passed_over():
    counts = _walk(4).astype(np.float64)
    holes = counts.copy()
    holes[150:170] = np.nan
    holes[-1] = np.nan
    found = forecasts(holes, 7)
    assert np.isfinite(found.expected[MINIMUM_DAYS:]).all()
    assert found.expected[-1] == pytest.approx(forecasts(counts, 7).expected[-1], rel=0.02)


def test_an_account_seen_every_other_day_has_intervals_like_one_seen_daily():
    daily = 18_600.0 + 45 * np.arange(110, dtype=np.float64)
    seldom = daily.copy()
    seldom[1:100:2] = np.nan

    for horizon in (7, 30):
        often, rare = (forecasts(counts, horizon) for counts in (daily, seldom))
        width, rare_width = (one.high[-1] - one.low[-1] for one in (often, rare))
        assert 0 < rare_width < 2 * width


def test_counts_are_whole_and_never_below_none():
    falling = np.maximum(0.0, 400.0 - 4 * np.arange(120.0))
    found = forecasts(falling, 30)
    assert (found.low[MINIMUM_DAYS:] >= 0).all()
    whole = found.expected[MINIMUM_DAYS:]
    np.testing.assert_array_equal(whole, np.round(whole))


def test_a_series_that_begins_unknown_or_a_horizon_of_none_is_refused():
    with pytest.raises(ValueError, match="first day"):
        forecasts(np.array([np.nan, 1.0]), 7)
    with pytest.raises(ValueError, match="horizon"):
        forecasts(np.array([1.0, 1.0]), 0)
