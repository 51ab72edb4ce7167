"""What is kept ready says the same as what goes through all posts."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.learn.predict.posts import Posts
from pipeline.learn.predict.predictor import FittedModel, fit
from pipeline.learn.predict.ready_models import ReadyModel, _caught_up, ready_baseline
from pipeline.learn.predict.warehouse_features import (
    Knowledge,
    Target,
    hours_of,
    load_knowledge,
)
from pipeline.settings import Settings
from tests.fakes.predicted_copy import DAY, NOW, PLATFORM, simulated

TRAINED_AT = hours_of(NOW - 20 * DAY)


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    settings = Settings(home=tmp_path_factory.mktemp("ready"), lock_timeout_s=20)
    simulated().publish(settings)
    return load_knowledge(settings)


@pytest.fixture(scope="module")
def fitted(knowledge: Knowledge) -> FittedModel:
    posts = knowledge.posts(PLATFORM, Target.VIEWS)
    return fit(posts, Target.VIEWS.scale, trained_at_hours=TRAINED_AT)


@pytest.fixture(scope="module")
def ready(fitted: FittedModel, knowledge: Knowledge) -> ReadyModel:
    return _caught_up(fitted, knowledge, PLATFORM, Target.VIEWS)


def _asked(knowledge: Knowledge, account: str, hours: float) -> Posts:
    posts = knowledge.posts_of(account, PLATFORM, Target.VIEWS)
    one = posts.rows(np.array([len(posts) - 1])).without_outcomes()
    return replace(one, posted_at_hours=np.array([hours]))


@pytest.mark.parametrize("account", ["sleepy", "fresh"])
@pytest.mark.parametrize("ahead", [timedelta(hours=1), 3 * DAY], ids=["an hour", "three days"])
def test_a_question_about_the_next_post_has_the_same_answer(
    knowledge: Knowledge, fitted: FittedModel, ready: ReadyModel, account: str, ahead: timedelta
):
    asked = _asked(knowledge, account, hours_of(NOW + ahead))

    slow = fitted.predict(asked, knowledge.posts(PLATFORM, Target.VIEWS))
    fast = ready.predict(asked)

    np.testing.assert_allclose(fast.log_quantiles, slow.log_quantiles, rtol=1e-12)
    np.testing.assert_array_equal(fast.is_model, slow.is_model)
    np.testing.assert_array_equal(fast.known_posts, slow.known_posts)


def test_what_became_known_since_the_training_changes_the_answer(
    knowledge: Knowledge, fitted: FittedModel, ready: ReadyModel
):
    asked = _asked(knowledge, "sleepy", hours_of(NOW + DAY))

    assert ready.until_hours > fitted.trained_at_hours
    assert ready.predict(asked).known_posts > fitted.predict(asked).known_posts
    assert (ready.predict(asked).log_quantiles != fitted.predict(asked).log_quantiles).any()


def test_a_post_from_before_the_newest_outcome_is_answered_from_before_it(
    knowledge: Knowledge, fitted: FittedModel, ready: ReadyModel
):
    asked = _asked(knowledge, "sleepy", hours_of(NOW - 10 * DAY))

    slow = fitted.predict(asked, knowledge.posts(PLATFORM, Target.VIEWS))
    fast = ready.predict(asked)

    np.testing.assert_array_equal(fast.log_quantiles, slow.log_quantiles)
    assert fast.known_posts < ready.predict(_asked(knowledge, "sleepy", hours_of(NOW))).known_posts


def test_a_post_from_before_the_training_is_refused(knowledge: Knowledge, ready: ReadyModel):
    with pytest.raises(ValueError, match="from before it was fitted"):
        ready.predict(_asked(knowledge, "sleepy", TRAINED_AT - 1))


def test_without_a_model_intervals_are_corrected_and_the_middle_is_the_accounts_own(
    knowledge: Knowledge,
):
    ready = ready_baseline(knowledge, PLATFORM, Target.VIEWS, knowledge.known_until_hours)
    asked = _asked(knowledge, "fresh", hours_of(NOW + DAY))
    own = knowledge.posts_of("fresh", PLATFORM, Target.VIEWS)

    said = ready.predict(asked)

    logs = np.log1p(own.outcome[np.isfinite(own.known_at_hours)])
    assert not said.is_model[0]
    assert said.log_quantiles[0, 1] == pytest.approx(np.median(logs))
    low, high = np.quantile(logs, [0.1, 0.9])
    assert said.log_quantiles[0, 2] - said.log_quantiles[0, 0] > high - low


def test_no_copy_is_read_twice(tmp_path: Path):
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    simulated({"sleepy": 20}).publish(settings)
    first = load_knowledge(settings)

    assert load_knowledge(settings) is first
    simulated({"sleepy": 21}).publish(settings)
    assert len(load_knowledge(settings).account) == 21
