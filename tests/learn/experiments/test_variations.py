"""Comparing ways to write by a few example texts."""

from typing import Any

import pytest

from pipeline.clients.state_experiments import experiment_row, experiment_rows
from pipeline.learn.experiments.content_variations import (
    arms_of,
    plan_variations,
    test_content_variations,
)
from pipeline.learn.experiments.registering import RefusedDesignError
from pipeline.learn.experiments.registration import load
from tests.fakes.planned_experiments import NOW
from tests.fakes.published import ACCOUNT

QUESTION: dict[str, Any] = {
    "content": "Does your baby nap at all?\nThree things that help.",
    "hashtags": ["naps"],
}
STATEMENT = {"content": "Babies nap in the afternoon.", "hashtags": ["#naps", "#sleep"]}


def refused(variations: Any) -> tuple[str, ...]:
    with pytest.raises(RefusedDesignError) as caught:
        arms_of(variations)
    return caught.value.reasons


def test_two_texts_become_a_registered_experiment_on_what_they_differ_in(posted_home):
    experiment_id = test_content_variations(
        posted_home, ACCOUNT, [STATEMENT, QUESTION], platform="tiktok", by="ann", now=NOW
    )

    row = experiment_row(posted_home, experiment_id)
    assert row is not None
    assert (row["status"], row["origin"], row["created_by"]) == ("registered", "variations", "ann")
    registration = load(row)
    usual, tried = registration.arms
    assert (usual.choices, tried.choices) == (
        {"hook_style": "statement"},
        {"hook_style": "question"},
    )
    assert usual.name == "variation 1 (statement, 2 hashtags)"
    assert tried.name == "variation 2 (question, 1 hashtag)"
    assert registration.metric == "engagement_rate_7d"
    assert (
        registration.question == "Which of 2 ways to write gets more engagement rate after 7 days?"
    )
    assert usual.instructions == (
        "Use 2 hashtags. Write about the post's own subject in the way of this example: Babies nap "
        "in the afternoon. #naps #sleep"
    )


def test_what_the_texts_have_in_common_is_left_to_the_draw():
    long = {"content": "Does it work? " + "It does, " * 20}
    arms = arms_of([{"content": "Does it work?"}, long])

    assert [arm.choices for arm in arms] == [{}, {}]
    assert [arm.name for arm in arms] == [
        "variation 1 (short caption)",
        "variation 2 (medium caption)",
    ]
    assert "at most 80 characters" in (arms[0].instructions or "")


def test_texts_of_one_kind_differ_by_their_example_alone():
    arms = arms_of([{"content": "Nap time is here."}, {"content": "Naps begin at noon."}])

    assert [arm.name for arm in arms] == ["variation 1", "variation 2"]
    assert arms[0].instructions != arms[1].instructions


@pytest.mark.parametrize(
    "other",
    [
        QUESTION,
        {**QUESTION, "content": QUESTION["content"].upper()},
        {**QUESTION, "hashtags": ["#NAPS", "naps"]},
        {**QUESTION, "content": f"  {QUESTION['content']}\n"},
    ],
    ids=["the same", "in capitals", "the same hashtags", "with spaces"],
)
def test_identical_variations_are_refused(other):
    assert refused([STATEMENT, QUESTION, other]) == ("Variations 2 and 3 are the same.",)


@pytest.mark.parametrize(
    ("variations", "reason"),
    [
        ([QUESTION], "An experiment compares at least two variations."),
        ([], "An experiment compares at least two variations."),
        ("text", "Variations are a list of objects with content and hashtags."),
        (QUESTION, "Variations are a list of objects with content and hashtags."),
        (
            [QUESTION, "text"],
            "Variation 2 is no object with content and hashtags alone.",
        ),
        (
            [QUESTION, {"content": "Text.", "image": "x"}],
            "Variation 2 is no object with content and hashtags alone.",
        ),
        ([QUESTION, {"hashtags": ["naps"]}], "Variation 2 has no words in its content."),
        ([QUESTION, {"content": "#naps ✨"}], "Variation 2 has no words in its content."),
        ([QUESTION, {"content": 7}], "Variation 2 has no words in its content."),
        (
            [QUESTION, {"content": "Text.", "hashtags": "naps"}],
            "The hashtags of variation 2 are no list of words.",
        ),
        (
            [QUESTION, {"content": "Text.", "hashtags": [f"t{n}" for n in range(51)]}],
            "Variation 2 has more than 50 hashtags.",
        ),
    ],
)
def test_what_is_no_variation_is_refused_with_a_sentence(variations, reason):
    assert refused(variations) == (reason,)


def test_a_metric_that_cannot_be_read_is_refused_and_nothing_is_stored(posted_home):
    with pytest.raises(RefusedDesignError, match="does not publish saves"):
        test_content_variations(
            posted_home, ACCOUNT, [STATEMENT, QUESTION], "save_rate", platform="youtube", now=NOW
        )
    assert experiment_rows(posted_home) == []


def test_planning_variations_stores_nothing(posted_home):
    planned = plan_variations(posted_home, ACCOUNT, [STATEMENT, QUESTION], platform="tiktok")

    assert planned.plan.per_arm > 0
    assert experiment_rows(posted_home) == []
