"""The chance that a prediction comes close, against posts drawn from what it says."""

import numpy as np
import pytest

from pipeline.learn.predict.close_chance import close_chance


@pytest.mark.parametrize(("target", "offset"), [("views_7d", 1.0), ("engagement_rate_7d", 0.001)])
@pytest.mark.parametrize(("down", "up"), [(1.2, 1.2), (1.5, 3.0)])
def test_it_is_the_share_of_drawn_outcomes_that_are_close(
    target: str, offset: float, down: float, up: float
):
    expected = 1000.0 if target == "views_7d" else 0.06
    ends = (expected + offset) / down - offset, (expected + offset) * up - offset
    row = {
        "target": target,
        "expected": expected,
        "quantiles": {"0.1": ends[0], "0.5": expected, "0.9": ends[1]},
    }

    # Each half of the distribution is normal on the log scale; 1.2816 of its widths end 80 %.
    scores = np.random.default_rng(5).normal(size=400_000)
    widths = np.log(np.where(scores < 0, down, up)) / 1.2816
    outcomes = (expected + offset) * np.exp(scores * widths) - offset
    is_close = np.abs((expected + offset) / (outcomes + offset) - 1) <= 0.25

    assert close_chance(row) == pytest.approx(is_close.mean(), abs=0.003)
