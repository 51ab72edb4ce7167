"""The projection beside its yardsticks, on real series and on ones made up to check them."""

import numpy as np
import pytest

from bench.projection import figures, real_tasks, szabo_huberman, szabo_huberman_smoothed
from bench.projection_series import Observation, task
from pipeline.measure.projection_features import Histories

TASKS = real_tasks()
MINIMUM_REDUCTION = 0.45


@pytest.fixture(scope="module")
def measured():
    """The benchmark's figures with two seeds."""
    return figures(TASKS, seeds=(1, 2))


@pytest.mark.skipif(not TASKS, reason="the real series are not beside the repository")
@pytest.mark.parametrize("name", ["youtube", "tiktok"])
def test_the_error_is_nearly_half_that_of_the_log_linear_model(measured, name: str):
    assert measured[name]["posts"] >= 300
    assert measured[name]["reduction_szabo_huberman"] >= MINIMUM_REDUCTION


@pytest.mark.skipif(not TASKS, reason="the real series are not beside the repository")
@pytest.mark.parametrize("name", ["youtube", "tiktok"])
def test_the_error_is_never_above_that_of_a_line_on_log_time(measured, name: str):
    by_seed = measured[name]["median_absolute_percentage_error_by_seed"]

    assert all(
        own <= line for own, line in zip(by_seed["projection"], by_seed["on_log_time"], strict=True)
    )


@pytest.mark.skipif(not TASKS, reason="the real series are not beside the repository")
@pytest.mark.parametrize("name", ["youtube", "tiktok"])
def test_four_fifths_of_the_intervals_hold_the_last_count(measured, name: str):
    assert 0.76 <= measured[name]["coverage"] <= 0.86


def _observed(ages: list[float], counts: list[int]) -> list[Observation]:
    return [Observation(age, count, None) for age, count in zip(ages, counts, strict=True)]


def test_observations_closer_than_six_hours_count_as_one_and_two_are_too_few():
    made = task(
        {
            ("a", "kept"): _observed([1.0, 3.0, 7.0, 12.9, 40.0], [10, 11, 12, 13, 40]),
            ("a", "too_few"): _observed([1.0, 3.0, 7.0, 12.9], [10, 11, 12, 13]),
        }
    )

    assert len(made) == 1
    assert made.histories.first_count.tolist() == [10.0]
    assert made.histories.last_count.tolist() == [12.0]
    assert made.histories.target_age_hours.tolist() == [40.0]
    assert made.last_counts.tolist() == [40.0]


def _at(last_age: float, target_age: float, last_counts: list[float]) -> Histories:
    rows = len(last_counts)
    nan = np.full(rows, np.nan)
    return Histories(
        nan, nan, nan, np.full(rows, last_age), np.array(last_counts), nan,
        np.full(rows, target_age),
    )  # fmt: skip


@pytest.mark.parametrize("model", [szabo_huberman, szabo_huberman_smoothed])
def test_the_log_linear_model_finds_a_constant_shift(model):
    training = _at(24.0, 72.0, [9.0, 99.0, 999.0, 19.0, 49.0])
    counts = (training.last_count + 1) * 3 - 1

    assert model(training, counts, _at(24.0, 72.0, [199.0])) == pytest.approx([599.0])


def test_the_log_linear_model_takes_wider_cells_where_ages_are_rare():
    training = _at(24.0, 72.0, [9.0, 99.0, 999.0, 19.0, 49.0])
    counts = (training.last_count + 1) * 2 - 1

    assert szabo_huberman(training, counts, _at(500.0, 3000.0, [9.0])) == pytest.approx([19.0])
