"""A break is found at its day; chance, single bad rows and a moderate share are none."""

import numpy as np
import pytest

from pipeline.measure.effects import Floats
from pipeline.measure.impossible_stretches import Stretch, impossible_stretches


def _days(generator: np.random.Generator, day_count: int) -> Floats:
    return generator.integers(1, 6, day_count).astype(np.float64)


def _series(generator: np.random.Generator, *parts: tuple[int, float]) -> tuple[Floats, Floats]:
    """Rows and impossible rows by day, of parts with so many days and such a share."""
    rows = _days(generator, sum(days for days, _ in parts))
    shares = np.concatenate([np.full(days, share) for days, share in parts])
    return rows, generator.binomial(rows.astype(int), shares).astype(np.float64)


def _found(*parts: tuple[int, float], seed: int) -> list[Stretch]:
    return impossible_stretches(*_series(np.random.default_rng(seed), *parts))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.2, 0.4])
def test_a_share_that_never_changes_is_no_break(share: float) -> None:
    assert not any(_found((days, share), seed=seed) for seed in range(40) for days in (12, 150))


@pytest.mark.parametrize("later", [0.1, 0.3])
def test_a_share_that_rises_and_is_not_the_rule_is_no_break(later: float) -> None:
    assert not any(_found((150, 0.01), (60, later), seed=seed) for seed in range(60))


def test_a_break_is_found_within_a_day_of_its_day() -> None:
    missed = []
    for seed in range(200):
        found = _found((120, 0.02), (40, 0.9), seed=seed)
        (stretch,) = found
        assert stretch.end == 160
        assert stretch.p_value is not None
        assert stretch.p_value < 1e-20
        missed.append(abs(stretch.start - 120))

    assert np.mean(np.array(missed) == 0) > 0.8
    assert np.mean(np.array(missed) <= 1) > 0.97


def test_the_days_that_could_be_the_first_hold_the_true_one() -> None:
    found = [_found((80, 0.03), (25, 0.75), seed=seed)[0] for seed in range(200)]

    assert np.mean([stretch.earliest_start <= 80 for stretch in found]) > 0.97
    # And they are few: leaving them out costs a day or two.
    assert np.median([80 - stretch.earliest_start for stretch in found]) <= 1


def test_a_break_that_was_mended_ends() -> None:
    for seed in range(40):
        (stretch,) = _found((90, 0.01), (30, 0.95), (50, 0.01), seed=seed)
        assert abs(stretch.start - 90) <= 1
        assert abs(stretch.end - 120) <= 1


def test_two_breaks_are_two_stretches() -> None:
    first, second = _found((20, 0.0), (20, 1.0), (20, 0.0), (20, 1.0), seed=1)

    assert (first.start, first.end, second.start, second.end) == (20, 40, 60, 80)
    # The first one says nothing about the days that could begin the second.
    assert (first.earliest_start, second.earliest_start) == (20, 60)


@pytest.mark.parametrize("seed", [15, 47, 77])
def test_a_day_is_looked_for_again_once_another_break_is_out_of_its_way(seed: int) -> None:
    # The first cut falls a day or two early here, as the second break pulls at it.
    found = _found((60, 0.02), (20, 0.95), (40, 0.02), (20, 0.9), seed=seed)

    assert [(one.start, one.end) for one in found] == [(60, 80), (120, 140)]


def test_a_series_that_is_broken_from_its_first_day_has_no_start_to_test() -> None:
    assert _found((30, 1.0), seed=3) == [Stretch(0, 30, 0, None)]


def test_a_break_that_gets_worse_is_one_stretch() -> None:
    (stretch,) = _found((60, 0.0), (40, 0.75), (40, 1.0), seed=4)

    assert (stretch.start, stretch.end) == (60, 140)


@pytest.mark.parametrize(("impossible", "is_found"), [(4, False), (5, True)])
def test_five_posts_in_a_row_are_the_rule_and_four_are_not(impossible: int, is_found: bool) -> None:
    rows = np.ones(60 + impossible)
    bad = np.concatenate([np.zeros(60), np.ones(impossible)])

    assert bool(impossible_stretches(rows, bad)) is is_found


def test_single_bad_rows_before_a_break_do_not_move_its_day() -> None:
    rows, bad = np.full(200, 3.0), np.zeros(200)
    bad[[3, 40, 41, 90, 137, 149]] = 1
    bad[160:] = [3, 2, 3, 3] * 10

    (stretch,) = impossible_stretches(rows, bad)
    assert (stretch.start, stretch.end) == (160, 200)


@pytest.mark.parametrize(
    ("rows", "bad"), [([1.0], [2.0]), ([0.0], [0.0]), ([1.0, 1.0], [0.0]), ([2.0], [-1.0])]
)
def test_counts_that_make_no_share_are_refused(rows: list[float], bad: list[float]) -> None:
    with pytest.raises(ValueError, match="day"):
        impossible_stretches(np.array(rows), np.array(bad))


def test_no_days_have_no_break() -> None:
    assert impossible_stretches(np.array([]), np.array([])) == []
