"""Nothing that was not known when a post went out is in what is said about it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.learn.predict.posts import COUNT, Posts, together
from pipeline.learn.predict.predictor import FittedModel, fit
from pipeline.learn.predict.standing import standing
from tests.learn.predict.worlds import split_at, world

POSTS = world(seed=1).posts
BEGINS = split_at(POSTS, 0.7)


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fit(POSTS, COUNT, trained_at_hours=BEGINS)


def _with_other_outcomes(posts: Posts, changed: np.ndarray) -> Posts:
    return replace(posts, outcome=np.where(changed, posts.outcome * 50 + 7, posts.outcome))


def test_outcomes_known_after_the_training_change_no_bit_of_a_model(model: FittedModel):
    later = _with_other_outcomes(POSTS, POSTS.known_at_hours >= BEGINS)
    other = fit(later, COUNT, trained_at_hours=BEGINS)
    assert other.weights == model.weights
    asked = POSTS.rows(POSTS.posted_at_hours >= BEGINS)
    np.testing.assert_array_equal(
        other.predict(asked).log_quantiles, model.predict(asked).log_quantiles
    )


def test_posts_after_the_training_change_no_bit_of_a_model(model: FittedModel):
    earlier = fit(POSTS.rows(POSTS.posted_at_hours < BEGINS), COUNT, trained_at_hours=BEGINS)
    asked = POSTS.rows(POSTS.posted_at_hours >= BEGINS)
    np.testing.assert_array_equal(
        earlier.predict(asked).log_quantiles, model.predict(asked).log_quantiles
    )


def test_an_outcome_known_before_the_training_does_change_a_model(model: FittedModel):
    known = POSTS.known_at_hours < BEGINS
    other = fit(_with_other_outcomes(POSTS, known), COUNT, trained_at_hours=BEGINS)
    assert other.weights != model.weights


def test_a_prediction_is_the_same_whatever_comes_later(model: FittedModel):
    later = POSTS.rows(POSTS.known_at_hours >= BEGINS)
    said = model.replay(later).log_quantiles
    middle = split_at(POSTS, 0.85)
    changed = _with_other_outcomes(later, later.known_at_hours >= middle)
    told = model.replay(changed).log_quantiles
    before = later.posted_at_hours <= middle
    np.testing.assert_array_equal(told[before], said[before])
    assert (told[~before] != said[~before]).any()


def test_outcomes_of_the_posts_that_are_asked_about_are_not_looked_at(model: FittedModel):
    asked = POSTS.rows(POSTS.posted_at_hours >= BEGINS)
    history = POSTS.rows(POSTS.posted_at_hours < BEGINS)
    told = model.predict(asked, history).log_quantiles
    blind = model.predict(asked.without_outcomes(), history).log_quantiles
    np.testing.assert_array_equal(told, blind)


def test_standing_is_what_a_person_would_count_from_earlier_known_posts():
    found = standing(POSTS, POSTS, COUNT)
    for row in (0, 150, 400, len(POSTS) - 1):
        own = POSTS.account == POSTS.account[row]
        known = own & (POSTS.known_at_hours < POSTS.posted_at_hours[row])
        assert found.known_posts[row] == known.sum()
        if known.sum() >= 5:
            expected = np.quantile(np.log(POSTS.outcome[known] + 1), [0.1, 0.5, 0.9])
            np.testing.assert_allclose(found.quantiles[row], expected)


def test_a_build_that_lets_later_snapshots_in_is_seen():
    """The mutated build: outcomes a week before they were known give another standing."""
    honest = standing(POSTS, POSTS, COUNT)
    mutated = replace(POSTS, known_at_hours=POSTS.posted_at_hours)
    assert (standing(POSTS, mutated, COUNT).quantiles != honest.quantiles).any()


def test_a_history_in_which_a_post_holds_its_own_outcome_says_nothing_of_it():
    at_once = replace(POSTS, known_at_hours=POSTS.posted_at_hours)
    row = 300
    changed = np.arange(len(POSTS)) == row
    other = _with_other_outcomes(at_once, changed)
    one = at_once.rows(changed)
    np.testing.assert_array_equal(
        standing(one, other, COUNT).quantiles, standing(one, at_once, COUNT).quantiles
    )


def test_a_model_says_nothing_of_posts_from_before_it_was_fitted(model: FittedModel):
    with pytest.raises(ValueError, match="before it was fitted"):
        model.predict(POSTS.rows(POSTS.posted_at_hours < BEGINS))


def test_tables_with_other_columns_are_not_joined():
    with pytest.raises(ValueError, match="different dimensions"):
        together(POSTS, replace(POSTS, dimension_names=("format", "hour")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"posted_at_hours": POSTS.posted_at_hours[::-1]}, "order"),
        ({"known_at_hours": POSTS.posted_at_hours - 1}, "before its post"),
        ({"outcome": -POSTS.outcome - 1}, "below 0"),
        ({"outcome": POSTS.outcome * np.nan}, "no time"),
        ({"numbers": POSTS.numbers[:, :1]}, "shape"),
    ],
)
def test_a_table_that_cannot_be_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        replace(POSTS, **change)
