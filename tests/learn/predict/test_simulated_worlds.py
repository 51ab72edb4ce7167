"""Ranks of predictions where the truth is known; `make bench-predict` shows more worlds."""

from dataclasses import replace

import pytest

from bench.predict import TRUTH_SHARE
from bench.predict_worlds import FEW, SETUPS, Setup, ranked


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_with_100_posts_planted_expectations_are_ranked_nearly_as_well_as_the_truth_ranks_outcomes(
    setup: Setup,
) -> None:
    found = ranked(replace(setup, worlds=3))

    assert found.planted_share.value >= TRUTH_SHARE
    assert found.own_planted_share.value >= TRUTH_SHARE
    assert found.below_baseline.value > 0


@pytest.mark.parametrize("setup", FEW, ids=lambda setup: setup.name)
def test_with_10_posts_predictions_are_no_worse_than_the_baseline(setup: Setup) -> None:
    found = ranked(setup)

    assert found.planted == found.baseline_planted
    assert found.below_baseline.value >= 0
