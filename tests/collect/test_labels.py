"""Labels come from the plan where there is one, else from clear words in the caption."""

from datetime import UTC, datetime

import pytest

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.collect.labels import label_rows, rule_label
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
        "cta": ("save_this", "rule"),
    }


def test_without_a_plan_rules_label_and_topics_stay_open() -> None:
    assert labels("Bedtime in three steps", None) == {
        "format": ("step_guide", "rule"),
        "pillar": ("sleep", "rule"),
    }
