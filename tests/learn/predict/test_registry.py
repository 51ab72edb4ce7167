"""What is written down of a fitted model, and when it has to be fitted anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.learn.predict.posts import COUNT
from pipeline.learn.predict.predictor import fit
from pipeline.learn.predict.registry import ModelVersion, is_due, losses, model_version
from tests.learn.predict.worlds import split_at, world

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TRAINED = datetime(2026, 9, 1, tzinfo=UTC)


def _version(seed: int) -> ModelVersion:
    posts = world(seed).posts
    model = fit(posts, COUNT, trained_at_hours=split_at(posts, 0.8))
    return model_version(
        model,
        outcome="views_7d",
        platform="tiktok",
        epoch=EPOCH,
        trained_at=TRAINED,
        figures=losses(model),
    )


@pytest.fixture(scope="module")
def version() -> ModelVersion:
    return _version(1)


def test_a_version_states_window_posts_and_how_it_did(version: ModelVersion):
    posts = world(1).posts
    begins = split_at(posts, 0.8)
    trained_on = posts.rows(posts.posted_at_hours < begins)
    assert version.first_post_at == EPOCH + timedelta(hours=float(trained_on.posted_at_hours[0]))
    assert version.last_post_at == EPOCH + timedelta(hours=float(trained_on.posted_at_hours[-1]))
    assert version.account_count == 6
    assert version.training_post_count <= int((posts.known_at_hours < begins).sum())
    assert version.served.posts == version.baseline.posts > 100
    assert version.figures["account_quantiles"] == pytest.approx(version.baseline.pinball_loss)
    assert version.loss_below_baseline_share > 0.02


def test_the_same_fit_has_the_same_name_and_another_one_another(version: ModelVersion):
    assert _version(1).version == version.version
    assert _version(2).version != version.version


def test_a_model_is_due_after_a_week_or_when_fewer_predictions_are_close(version: ModelVersion):
    soon, later = TRAINED + timedelta(days=6), TRAINED + timedelta(days=7)
    known = replace(version, served=replace(version.served, close_share=0.30))
    assert is_due(known, soon, 0.26) is None
    assert is_due(known, soon, float("nan")) is None
    assert "7 days" in str(is_due(known, later, 0.30))
    assert "30% to 24%" in str(is_due(known, soon, 0.24))


def test_a_model_of_nothing_has_a_name_and_no_figures():
    nothing = fit(world(1).posts.rows(slice(0, 0)), COUNT)
    found = model_version(
        nothing, outcome="views_7d", platform="x", epoch=EPOCH, trained_at=TRAINED, figures={}
    )
    assert found.training_post_count == 0
    assert np.isnan(found.served.pinball_loss)
    assert losses(nothing) == {}
