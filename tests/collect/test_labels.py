"""Labels come from the plan where there is one, else from clear words in the caption."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.collect.labels import label_rows, open_dimensions, rule_label
from pipeline.collect.matching import PostMatch
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost

PILLARS = (
    Labelled(name="sleep", keywords=("bedtime", "sleep routine", "#nap")),
    Labelled(name="food", keywords=("Plate", "café", "ŞEKER")),
    Labelled(name="nothing"),
)


@pytest.mark.parametrize(
    ("caption", "label"),
    [
        ("Bedtime is hard", "sleep"),
        ("BEDTIME!", "sleep"),
        ("our #bedtime story", "sleep"),
        ("a sleep routine that works", "sleep"),
        ("tips #sleeproutine", "sleep"),
        ("time to nap", "sleep"),
        ("ｂｅｄｔｉｍｅ in full width", "sleep"),
        ("at the café", "food"),
        ("at the cafe\u0301", "food"),
        ("bedtimes and kidnap", None),
        ("template", None),
        ("bedtime with a plate", None),
        ("bedtime, bedtime, and a plate", "sleep"),
        ("hello", None),
        ("", None),
        (None, None),
    ],
)
def test_whole_words_decide_and_a_tie_gives_no_label(
    caption: str | None, label: str | None
) -> None:
    assert rule_label(caption, PILLARS) == label


def test_keywords_are_text_not_patterns() -> None:
    names = (Labelled(name="odd", keywords=("c++", "(.*)", " ")),)
    assert rule_label("learn c++ today", names) == "odd"
    assert rule_label("anything else", names) is None


def labels(caption: str, plan: PlannedPost | None) -> dict[str, tuple[str, str]]:
    account = AccountConfig(
        name="lullabies",
        content_pillars=PILLARS,
        formats=(Labelled(name="step_guide", keywords=("steps",)),),
        cta=(Labelled(name="save_this", keywords=("save this",)),),
    )
    post = OwnPost(Platform.TIKTOK, "1", datetime(2026, 10, 1, tzinfo=UTC), caption)
    matches = [PostMatch("lullabies", Platform.TIKTOK, "1", "plan", 0.9)] if plan else []
    rows = label_rows(account, [plan] if plan else [], [post], matches)
    return {row["dimension"]: (row["label"], row["label_source"]) for row in rows}


def test_a_plan_labels_its_post_and_rules_fill_the_rest() -> None:
    plan = PlannedPost("lullabies", "plan", format="Step Guide", pillar="milestones", topic="naps")
    assert labels("Bedtime in three steps. Save this!", plan) == {
        "format": ("step_guide", "planned"),
        "pillar": ("milestones", "planned"),
        "topic": ("naps", "planned"),
        "hook_style": ("number_specific", "rule"),
        "cta": ("save_this", "rule"),
    }


def test_without_a_plan_rules_label_and_topics_stay_open() -> None:
    assert labels("Bedtime in three steps", None) == {
        "format": ("step_guide", "rule"),
        "pillar": ("sleep", "rule"),
        "hook_style": ("number_specific", "rule"),
    }


def test_topics_are_found_by_their_keywords_where_the_account_lists_them() -> None:
    account = AccountConfig(
        name="lullabies", topics=(Labelled(name="naps", keywords=("nap", "nap time")),)
    )
    post = OwnPost(Platform.TIKTOK, "1", None, "Nap time on a rainy day")
    [topic, _] = label_rows(account, [], [post], [])
    assert (topic["dimension"], topic["label"], topic["label_source"]) == ("topic", "naps", "rule")


FORMATS = AccountConfig(
    name="lullabies",
    formats=(Labelled(name="step_guide", keywords=("steps",)), Labelled(name="scripts")),
)
POST = OwnPost(Platform.TIKTOK, "1", None, "Bedtime")
STEPS = OwnPost(Platform.TIKTOK, "1", None, "Bedtime steps")
PLAN = PlannedPost("lullabies", "plan", format="boring", hook_style="How To")
MATCH = PostMatch("lullabies", Platform.TIKTOK, "1", "plan", 0.9)
KEY = (Platform.TIKTOK, "1")


def one(dimension: str, rows: Iterable[dict[str, Any]]) -> tuple[str, str] | None:
    found = [row for row in rows if row["dimension"] == dimension]
    return (found[0]["label"], found[0]["label_source"]) if found else None


def test_person_stands_before_plan_before_rule_before_model() -> None:
    person = {(*KEY, "format"): "scripts"}
    model = {KEY: {"format": "scripts"}}
    for post, plans, said, expected in [
        (STEPS, [PLAN], person, ("scripts", "person")),
        (STEPS, [PLAN], {}, ("boring", "planned")),
        (STEPS, [], {}, ("step_guide", "rule")),
        (POST, [], {}, ("scripts", "model")),
    ]:
        matches = [MATCH] if plans else []
        rows = label_rows(FORMATS, plans, [post], matches, person=said, model=model)
        assert one("format", rows) == expected


def test_a_person_may_say_that_no_label_fits() -> None:
    rows = label_rows(FORMATS, [PLAN], [STEPS], [MATCH], person={(*KEY, "format"): None})
    assert one("format", rows) is None


def test_an_answer_outside_the_present_list_is_no_label() -> None:
    rows = label_rows(FORMATS, [], [POST], [], model={KEY: {"format": "essay"}})
    assert one("format", rows) is None


def test_the_model_may_improve_on_a_statement_and_on_no_other_hook_style() -> None:
    model = {KEY: {"hook_style": "personal_story"}}
    question = OwnPost(Platform.TIKTOK, "1", None, "Awake?")
    assert one("hook_style", label_rows(FORMATS, [], [POST], [], model=model)) == (
        "personal_story", "model",
    )  # fmt: skip
    assert one("hook_style", label_rows(FORMATS, [], [POST], [])) == ("statement", "rule")
    assert one("hook_style", label_rows(FORMATS, [], [question], [], model=model)) == (
        "question", "rule",
    )  # fmt: skip


def test_a_hook_style_of_the_plan_counts_when_it_is_in_the_vocabulary() -> None:
    rows = label_rows(FORMATS, [PLAN], [POST], [MATCH])
    assert one("hook_style", rows) == ("how_to", "planned")
    odd = replace(PLAN, hook_style="mystery", hook_text="5 calm evenings")
    rows = label_rows(FORMATS, [odd], [POST], [MATCH])
    assert one("hook_style", rows) == ("number_specific", "rule")


def test_only_what_is_open_and_listed_is_asked() -> None:
    assert open_dimensions(FORMATS, POST, {}) == ["format", "hook_style"]
    assert open_dimensions(FORMATS, OwnPost(Platform.TIKTOK, "1", None, "5 steps"), {}) == []
    said = {(*KEY, "format"): None}
    assert open_dimensions(FORMATS, POST, said) == ["hook_style"]
