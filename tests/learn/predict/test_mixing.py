"""Weights come from what models said about posts that they had not learned from."""

import numpy as np
import pytest

from pipeline.learn.predict.design import Situation
from pipeline.learn.predict.mixing import MINIMUM_TRAINING_POSTS, OutOfTime, out_of_time, weights_of
from pipeline.learn.predict.models import EXPERTS, Fitted
from pipeline.learn.predict.posts import COUNT
from pipeline.measure.effects import Floats
from tests.learn.predict.worlds import world

POSTS = world(1).posts
SITUATION = Situation.of(POSTS, POSTS, COUNT)
LOGS = COUNT.to_log(POSTS.outcome)


def _newest_lesson(training: Situation, _logs: Floats) -> Fitted:
    """A model that says when the last outcome that it learned from was known."""
    newest = float(training.posts.known_at_hours.max())
    return lambda asked: np.full((len(asked), 3), newest)


def test_no_fold_is_predicted_from_outcomes_that_were_known_after_it_began():
    said = out_of_time({"newest": _newest_lesson}, SITUATION, LOGS)
    assert said is not None
    lessons = said.quantiles["newest"][:, 0]
    assert (lessons < POSTS.posted_at_hours[said.rows]).all()
    assert len(np.unique(lessons)) == 5


def test_a_model_that_knows_the_outcomes_it_learned_from_gains_nothing_by_it():
    def remembers(training: Situation, logs: Floats) -> Fitted:
        known = dict(zip(training.posts.posted_at_hours.tolist(), logs.tolist(), strict=True))

        def said(asked: Situation) -> Floats:
            hours = asked.posts.posted_at_hours.tolist()
            return np.repeat([[known.get(hour, 0.0)] for hour in hours], 3, axis=1)

        return said

    found = out_of_time({"remembers": remembers}, SITUATION, LOGS)
    assert found is not None
    assert not found.quantiles["remembers"].any()


def test_the_right_model_gets_nearly_all_weight_and_equal_ones_share():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=500)
    right = truth[:, None] + np.array([-0.1, 0.0, 0.1])
    wrong = right + 3
    rows = np.arange(500)
    found = weights_of(OutOfTime(rows, {"right": right, "wrong": wrong}), truth)
    assert found["right"] > 0.97
    same = weights_of(OutOfTime(rows, {"one": right, "other": right}), truth)
    assert same["one"] == pytest.approx(0.5)


def test_too_few_posts_are_not_split():
    few = POSTS.rows(slice(0, MINIMUM_TRAINING_POSTS))
    assert out_of_time(EXPERTS, Situation.of(few, few, COUNT), COUNT.to_log(few.outcome)) is None
