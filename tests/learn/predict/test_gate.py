"""An account is served by the model only while the model does better than its own quantiles."""

from dataclasses import replace

import numpy as np

from pipeline.learn.predict.gate import MINIMUM_POSTS, Losses, open_for, shortage

ROWS = 120


def _losses(model_loss: float, *, known_posts: float = 80.0, lag: float = 0.0) -> Losses:
    asked = np.arange(ROWS, dtype=np.float64)
    return Losses(
        accounts=np.full(ROWS, "own"),
        known_posts=np.full(ROWS, known_posts),
        model=np.full(ROWS, model_loss),
        baseline=np.ones(ROWS),
        known_at=asked + lag,
        asked_at=asked,
    )


def test_a_better_model_serves_from_its_first_scored_post_on():
    found, _ = open_for(_losses(0.9, lag=10.0))
    assert not found[:11].any()
    assert found[11:].all()


def test_a_worse_or_equal_model_never_serves():
    for loss in (1.0, 1.1):
        assert not open_for(_losses(loss))[0].any()


def test_an_account_with_fewer_than_50_known_posts_is_not_served():
    assert not open_for(_losses(0.5, known_posts=MINIMUM_POSTS - 1))[0].any()
    assert open_for(_losses(0.5, known_posts=MINIMUM_POSTS))[0].any()


def test_a_model_that_turns_worse_is_switched_off_and_one_that_turns_better_on():
    turning = _losses(0.9)
    first_half = np.arange(ROWS) < 40
    worse = replace(turning, model=np.where(first_half, 0.9, 1.2))
    better = replace(turning, model=np.where(first_half, 1.1, 0.8))
    assert open_for(worse)[0][:40].sum() == 39
    assert not open_for(worse)[0][-30:].any()
    assert open_for(better)[0][-30:].all()


def test_one_accounts_losses_say_nothing_of_another():
    both = _losses(0.9)
    accounts = np.where(np.arange(ROWS) % 2 == 0, "good", "bad")
    found, tallies = open_for(
        replace(both, accounts=accounts, model=np.where(accounts == "good", 0.9, 1.1))
    )
    assert found[accounts == "good"][1:].all()
    assert not found[accounts == "bad"].any()
    again, _ = open_for(replace(_losses(1.0), accounts=accounts), tallies)
    assert again[accounts == "good"].all()


def test_what_is_missing_is_said_in_numbers():
    assert shortage(31) == "not enough training data (31 of 50)"
    assert shortage(50) is None
