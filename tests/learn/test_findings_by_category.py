"""Each category, planted in a simulated account: what is found, said, proposed and written."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.clients.warehouse import reading
from pipeline.decide.changes import approved_document
from pipeline.decide.registrations import registration_row
from pipeline.learn.operations import (
    AddHighSaveFormat,
    AddHookStyle,
    AddReferenceHook,
    AddTopPillar,
    AddTopTopic,
    AddUnderperformingPillar,
    Operation,
    SetCta,
    SetFormatWeight,
    SetSlideCount,
    neutral_values,
)
from pipeline.learn.recommend import recommend
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT
from tests.fakes.simulated_copy import Plan, Planted, publish_account
from tests.fakes.stored_evidence import assert_recomputed

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOT_JUDGED = ("save_vs_share", "format_experiment")
DOCUMENT = {"context_id": "ctx_0", **neutral_values(("step_guide", "habit_list", "scripts"), 5)}

TOPICS = tuple(f"topic_{number:02d}" for number in range(16))
HALF_A_BIT_BETTER = tuple(
    Planted("topic", name, 1.55 if place < 6 else 0.9) for place, name in enumerate(TOPICS)
)


def recommended(settings: Settings, plan: Plan) -> list[Recommendation]:
    publish_account(settings, plan)
    return recommend(settings, ACCOUNT, now=NOW).recommendations


def approved(recommendation: Recommendation) -> dict[str, Any]:
    document, _ = approved_document(recommendation, DOCUMENT, now=NOW)
    return document


def assert_told_right(settings: Settings, *recommendations: Recommendation) -> None:
    with reading(settings) as connection:
        for recommendation in recommendations:
            assert assert_recomputed(connection, recommendation) > 0


@pytest.mark.parametrize(
    ("category", "planted", "target", "operations", "words"),
    [
        (
            "format_weight",
            Planted("format", "step_guide", 1.8),
            "format:step_guide",
            SetFormatWeight,
            "step_guide posts on tiktok get 1.",
        ),
        (
            "topic_priority",
            Planted("topic", "naps", 2.2),
            "topic:naps",
            AddTopTopic,
            "Posts about naps on tiktok get ",
        ),
        (
            "pillar_rebalance",
            Planted("pillar", "baby_products", 0.4),
            "pillar:baby_products",
            AddUnderperformingPillar,
            " of the engagement; it gets only 0.",
        ),
        (
            "pillar_rebalance",
            Planted("pillar", "sleep_routines", 1.9),
            "pillar:sleep_routines",
            AddTopPillar,
            " of the engagement; it gets 1.",
        ),
        (
            "save_vs_share",
            Planted("format", "scripts", 1.6, "save_rate_7d"),
            "high_save_formats:scripts",
            AddHighSaveFormat,
            "scripts posts on tiktok have 1.",
        ),
        (
            "slide_count",
            Planted("slide_count", "6", 1.9),
            "slide_count",
            SetSlideCount,
            "6-slide posts on tiktok get 1.",
        ),
        (
            "cta_strategy",
            Planted("cta", "save_this", 1.7, "save_rate_7d"),
            "cta",
            SetCta,
            "Posts on tiktok that end with save_this get 1.",
        ),
        (
            "hook_style",
            Planted("hook_style", "number_specific", 1.9),
            "hook_style:number_specific",
            AddHookStyle,
            "Posts on tiktok with number_specific hooks get 1.",
        ),
        (
            "failure_pattern",
            Planted("hook_style", "generic_question", 1.0, flop_share=0.6),
            "hook_style:generic_question",
            AddHookStyle,
            "Posts on tiktok with generic_question hooks are among the weakest by ",
        ),
    ],
)
def test_what_is_planted_is_said_and_proposed(
    settings: Settings,
    category: str,
    planted: Planted,
    target: str,
    operations: type[Operation],
    words: str,
):
    made = recommended(settings, Plan([planted]))
    first = made[0]
    assert (first.category.value, first.target) == (category, target)
    assert isinstance(first.operations[0], operations)
    assert words in first.insight
    assert "90 % interval" in first.insight
    assert first.insight.endswith(" posts sampled)")
    assert first.findings[0]["kind"] == "effect"
    assert_told_right(settings, *made)
    for recommendation in made:
        after = approved(recommendation)
        assert after["evidence"].keys() == {recommendation.recommendation_id}
        registered = registration_row(recommendation, DOCUMENT, after, now=NOW)
        assert (registered is None) is (recommendation.category in NOT_JUDGED)


def test_the_few_that_carry_are_one_recommendation_for_all_of_them(settings: Settings):
    """None of the topics is clear by itself: thirty posts each and little difference."""
    plan = Plan(HALF_A_BIT_BETTER, post_count=330, segments={"topic": TOPICS}, seed=4)
    made = recommended(settings, plan)
    (group,) = [item for item in made if item.category == "80_20_insight"]
    assert not [item for item in made if item.category == "topic_priority"]
    assert all(isinstance(operation, AddTopTopic) for operation in group.operations)
    assert len(group.operations) >= 2
    assert "of 16 topics, are " in group.insight
    assert group.confidence == "medium"
    assert [finding["kind"] for finding in group.findings] == ["effect", "concentration"]
    registered = registration_row(group, DOCUMENT, approved(group), now=NOW)
    assert registered is not None
    assert registered["segment"] == group.findings[0]["segment"]
    assert_told_right(settings, group)
    listed = {operation.topic for operation in group.operations if operation.op == "add_top_topic"}
    assert set(approved(group)["top_topics"]) == listed


def test_an_untried_format_is_an_experiment(settings: Settings):
    plan = Plan(segments={"format": ("step_guide", "habit_list")})
    (made,) = recommended(settings, plan)
    assert (made.category.value, made.target) == ("format_experiment", "format:scripts")
    assert_told_right(settings, made)
    assert approved(made)["experiment_suggestions"] == ["scripts format untested"]


def test_a_good_hook_style_brings_the_first_lines_of_its_best_posts(settings: Settings):
    plan = Plan(
        [Planted("hook_style", "number_specific", 1.9)],
        hooks={"number_specific": "Five boring habits, take"},
    )
    (made, *_) = recommended(settings, plan)
    style, *examples = made.operations
    assert style == AddHookStyle(list="best_styles", style="number_specific")
    hooks = [operation.hook for operation in examples if isinstance(operation, AddReferenceHook)]
    assert len(hooks) == len(examples) == 2
    with reading(settings) as connection:
        best = connection.execute(
            "select hook_text from marts.dim_post "
            "inner join intermediate.int_post_outcomes using (account_name, platform, post_id) "
            "where hook_style = 'number_specific' and outcome = ? order by value desc limit 2",
            [made.findings[0]["outcome"]],
        ).fetchall()
    assert [(hook,) for hook in hooks] == best
    assert approved(made)["hook_insights"]["reference_hooks"] == hooks


def test_a_first_line_that_is_no_plain_line_is_never_quoted(settings: Settings):
    plan = Plan(
        [Planted("hook_style", "number_specific", 1.9)], hooks={"number_specific": "Stop\nthis"}
    )
    (made, *_) = recommended(settings, plan)
    assert [operation.op for operation in made.operations] == ["add_hook_style"]


def test_a_present_slide_count_that_fails_gives_way_to_the_best_other(settings: Settings):
    plan = Plan([Planted("slide_count", "5", 1.0, flop_share=0.6)])
    (made, *_) = recommended(settings, plan)
    assert (made.category.value, made.target) == ("failure_pattern", "slide_count")
    (change,) = made.operations
    assert isinstance(change, SetSlideCount)
    assert change.slide_count in (4, 6, 7)
    assert approved(made)["optimal_slide_count"] == change.slide_count


def test_a_slide_count_that_fails_and_is_not_made_by_default_changes_nothing(settings: Settings):
    made = recommended(settings, Plan([Planted("slide_count", "7", 1.0, flop_share=0.6)]))
    assert not [item for item in made if item.target == "slide_count" and "7" in item.insight]
