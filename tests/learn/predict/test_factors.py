"""Why more or less is expected of a post than usual."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.learn.predict.factors import Factor, factors
from pipeline.learn.predict.posts import COUNT, Posts
from pipeline.learn.predict.predictor import FittedModel, fit
from tests.learn.predict.worlds import FORMAT_EFFECTS, world

POSTS = world(4, posts_per_account=200, luck=0.5).posts


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fit(POSTS, COUNT)


def _asked(model: FittedModel, segments: tuple[str, str], numbers: tuple[float, ...]) -> Posts:
    one = POSTS.rows(slice(0, 1)).without_outcomes()
    return replace(
        one,
        posted_at_hours=np.array([model.trained_at_hours + 1]),
        segments=np.array([segments]),
        numbers=np.array([numbers]),
    )


def test_what_was_planted_is_named_with_its_direction_and_about_its_size(model: FittedModel):
    found = {
        factor.feature: factor
        for factor in factors(model, _asked(model, ("list", "1"), (1.0, 0.0, 0.0)))[0]
    }
    usual = found["format"].usual
    planted = FORMAT_EFFECTS[0] - FORMAT_EFFECTS[["list", "story", "guide", "meme"].index(usual)]
    assert np.log(found["format"].impact_ratio) == pytest.approx(planted, abs=0.35)
    assert np.log(found["length"].impact_ratio) == pytest.approx(0.4, abs=0.2)
    strongest = list(found)[:2]
    assert set(strongest) <= {"format", "length", "recent_form"}


def test_a_post_like_the_usual_has_no_factors_but_the_latest_form(model: FittedModel):
    own = POSTS.account == POSTS.account[0]
    names, counts = np.unique(POSTS.segments[own, 0], return_counts=True)
    parts, often = np.unique(POSTS.segments[own, 1], return_counts=True)
    usual = str(names[counts.argmax()]), str(parts[often.argmax()])
    middle = tuple(np.median(POSTS.numbers[own], axis=0).tolist())
    told = factors(model, _asked(model, usual, middle))[0]
    assert {factor.feature for factor in told} <= {"recent_form"}


def test_features_can_be_told_together(model: FittedModel):
    asked = _asked(model, ("list", "1"), (2.0, 1.0, 1.0))
    told = factors(model, asked, groups={"text": ("length", "noise_1", "noise_2")})[0]
    names = [factor.feature for factor in told]
    assert "text" in names
    assert "length" not in names


def test_a_factor_is_worded_with_its_figures():
    assert Factor("format", "list", "story", 1.234).description == (
        "+23 %: format list (usually story)"
    )
    assert "latest posts" in Factor("recent_form", "", "", 0.9).description
