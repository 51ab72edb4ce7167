"""A floor under the loop as a whole; ``make bench-loop`` measures it in full."""

import pytest

from bench.loop import summary
from bench.loop_worlds import MULTIPLIERS, Setting, oracle, run_world

FORMAT_COUNT = len(MULTIPLIERS)


def test_the_oracle_is_the_best_that_bounded_weights_can_give():
    assert oracle(dict.fromkeys("abcde", 1.0)) == 1.0
    planted = dict(zip("abcde", MULTIPLIERS, strict=True))
    assert oracle(planted) == pytest.approx((3 * 1.5 + 0.25 * (0.7 + 0.9 + 1.1 + 1.3)) / 4)


@pytest.mark.slow
def test_half_a_year_of_the_loop_finds_what_was_planted():
    rates = Setting("engagement_rate_7d", sigma=0.5, age_hours=168, posts_per_week=15)
    found = summary([run_world(rates, seed) for seed in range(4)])

    assert found["gain_of_oracle"] > 0.8
    assert found["share_below_even_weights"] == 0
    assert found["approvals_per_world"] > 3
    assert sum(found["verdicts"].values()) > 10
    assert found["share_of_decided_right"] in (None, pytest.approx(1, abs=0.1))
