"""Intervals hold what they say while what they are about changes."""

import numpy as np
import pytest

from pipeline.learn.predict.conformal import MINIMUM_SCORES, Ends, corrected
from pipeline.learn.predict.quantiles import LEVELS
from pipeline.measure.effects import Floats

ROWS = 3000
FIRST_SCORED = 300


def _changing(seed: int) -> tuple[Floats, Floats]:
    """Outcomes whose spread doubles and whose middle moves, and quantiles that know of neither."""
    rng = np.random.default_rng(seed)
    progress = np.arange(ROWS) / ROWS
    spread = np.where(progress < 0.5, 1.0, 2.0)
    outcomes = 0.8 * np.sin(6 * progress) + spread * rng.normal(size=ROWS)
    said = np.tile([-1.28, 0.0, 1.28], (ROWS, 1))
    return said, outcomes


def _coverage(said: Floats, outcomes: Floats) -> float:
    inside = (said[:, 0] <= outcomes) & (outcomes <= said[:, 2])
    return float(inside[FIRST_SCORED:].mean())


@pytest.mark.parametrize("lag", [0.0, 40.0])
def test_four_of_five_outcomes_lie_within_however_spread_and_middle_move(lag: float):
    found, raw = [], []
    for seed in range(4):
        said, outcomes = _changing(seed)
        asked = np.arange(ROWS, dtype=np.float64)
        moved, _ = corrected(said, outcomes, asked + lag, asked)
        found.append(_coverage(moved, outcomes))
        raw.append(_coverage(said, outcomes))
    assert np.mean(raw) < 0.66
    assert 0.77 <= np.mean(found) <= 0.83


def test_both_ends_miss_alike_though_luck_is_skewed():
    rng = np.random.default_rng(1)
    outcomes = rng.exponential(size=ROWS)
    asked = np.arange(ROWS, dtype=np.float64)
    said, _ = corrected(np.tile([-1.0, 0.7, 5.0], (ROWS, 1)), outcomes, asked, asked)
    low = (outcomes < said[:, 0])[FIRST_SCORED:].mean()
    high = (outcomes > said[:, 2])[FIRST_SCORED:].mean()
    assert low == pytest.approx(0.1, abs=0.02)
    assert high == pytest.approx(0.1, abs=0.02)


def test_an_outcome_that_is_known_later_moves_nothing_before():
    said, outcomes = _changing(5)
    asked = np.arange(ROWS, dtype=np.float64)
    known = asked + 10
    moved, _ = corrected(said, outcomes, known, asked)
    other, _ = corrected(said, np.where(known >= 1000, outcomes + 9, outcomes), known, asked)
    np.testing.assert_array_equal(other[:1001], moved[:1001])
    assert (other[1001:] != moved[1001:]).any()


def test_going_on_from_what_was_learned_is_the_same_as_going_through_all():
    said, outcomes = _changing(6)
    asked = np.arange(ROWS, dtype=np.float64)
    whole, _ = corrected(said, outcomes, asked + 0.5, asked)
    first, ends = corrected(said[:2000], outcomes[:2000], asked[:2000] + 0.5, asked[:2000])
    before = ends.copy()
    rest, _ = corrected(said[2000:], outcomes[2000:], asked[2000:] + 0.5, asked[2000:], ends)
    np.testing.assert_array_equal(np.vstack([first, rest]), whole)
    assert ends == before


def test_few_scores_leave_intervals_as_they_are():
    said, outcomes = _changing(7)
    few = MINIMUM_SCORES - 1
    asked = np.arange(few, dtype=np.float64)
    moved, ends = corrected(said[:few], outcomes[:few], asked, asked)
    np.testing.assert_allclose(moved, said[:few])
    assert len(ends.low.scores) == few
    assert Ends().low.miss_share == LEVELS[0]
