"""Planned posts are read from what the generator wrote, whatever is missing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig
from pipeline.collect.planned import PlannedPost, read_planned_posts
from pipeline.settings import Settings
from tests.collect.samples import make_account


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return make_account(settings)


def write(settings: Settings, folder: str, **files: Any) -> Path:
    path = settings.accounts_dir / "lullabies" / "output" / folder
    path.mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (path / f"{name}.json").write_text(text, encoding="utf-8")
    return path


def only_post(settings: Settings, account: AccountConfig) -> PlannedPost:
    found = read_planned_posts(settings, account)
    assert found.problems == ()
    [post] = found.posts
    return post


def test_a_whole_plan_is_read(settings: Settings, account: AccountConfig) -> None:
    meta = {
        "published_at": "2026-10-01T19:30:00-04:00",
        "platform": "TikTok",
        "topic": "bedtime",
        "format": "step_guide",
        "pillar": "sleep_routines",
        "hook_text": "Stop rocking them",
        "hook_score": 8.5,
        "slide_count": 6,
        "cta": "save",
        "caption": "Six steps",
        "context_id": "abc123",
        "pick_probability": 0.25,
        "hook_style": "question",
        "ai_confidence": 0.85,
        "source_credibility": 1,
        "content_quality_score": 0,
        "experiment": {"experiment_id": "exp_1", "arm": "tried", "assignment_id": "asg_1"},
        "something_else": [1],
    }
    write(settings, "2026-10-01_bedtime", meta=meta)
    assert only_post(settings, account).row() == {
        "account_name": "lullabies",
        "planned_id": "2026-10-01_bedtime",
        "platform": "tiktok",
        "planned_at": datetime(2026, 10, 1, 23, 30, tzinfo=UTC),
        **{key: meta[key] for key in ("topic", "format", "pillar", "hook_text", "hook_score")},
        **{key: meta[key] for key in ("slide_count", "cta", "caption", "context_id")},
        "pick_probability": 0.25,
        "hook_style": "question",
        "ai_confidence": 0.85,
        "source_credibility": 1.0,
        "content_quality_score": 0.0,
        "experiment_id": "exp_1",
        "experiment_arm": "tried",
        "assignment_id": "asg_1",
    }


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (None, (None, None, None)),
        ("exp_1", (None, None, None)),
        (["exp_1"], (None, None, None)),
        ({}, (None, None, None)),
        ({"experiment_id": 12, "arm": True, "assignment_id": ["a"]}, (None, None, None)),
        ({"experiment_id": " exp_1 ", "arm": "", "more": 1}, ("exp_1", None, None)),
        ({"arm": "tried", "assignment_id": None}, (None, "tried", None)),
    ],
)
def test_what_an_experiments_stamp_lacks_is_missing(
    settings: Settings, account: AccountConfig, stamp: Any, expected: tuple[str | None, ...]
) -> None:
    write(settings, "one", meta={"topic": "bedtime", "experiment": stamp})
    post = only_post(settings, account)
    assert (post.experiment_id, post.experiment_arm, post.assignment_id) == expected
    assert post.topic == "bedtime"


@pytest.mark.parametrize("value", [1.01, -0.1, 85, "0.85", True, None, float("nan"), [0.5]])
def test_a_score_outside_0_and_1_is_missing(
    settings: Settings, account: AccountConfig, value: Any
) -> None:
    keys = ("ai_confidence", "source_credibility", "content_quality_score", "pick_probability")
    write(settings, "one", meta=dict.fromkeys(keys, value))
    row = only_post(settings, account).row()
    assert [row[key] for key in keys] == [None] * 4


def test_the_chance_of_the_draw_has_two_names(settings: Settings, account: AccountConfig) -> None:
    write(settings, "one", meta={"draw_probability": 0.4})
    assert only_post(settings, account).pick_probability == 0.4


def test_the_carousel_fills_what_the_meta_lacks(settings: Settings, account: AccountConfig) -> None:
    slides = [{"text": "Stop rocking them"}, {"text": "Do this"}]
    carousel = {"slides": slides, "topic": "bedtime", "format": "scripts"}
    write(settings, "one", meta={"content_pillar": "sleep"}, carousel_data=carousel)
    post = only_post(settings, account)
    assert (post.hook_text, post.slide_count) == ("Stop rocking them", 2)
    assert (post.topic, post.format, post.pillar) == ("bedtime", "scripts", "sleep")


def test_a_carousel_alone_is_a_plan(settings: Settings, account: AccountConfig) -> None:
    write(settings, "one", carousel_data={"slides": ["First", "Second"]})
    assert only_post(settings, account).hook_text == "First"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"date": "2026-10-01"}, datetime(2026, 10, 1, 4, tzinfo=UTC)),
        ({"date": "2026-01-01T08:00:00"}, datetime(2026, 1, 1, 13, tzinfo=UTC)),
        ({"created_at": "2026-10-01T08:00:00Z"}, datetime(2026, 10, 1, 8, tzinfo=UTC)),
        ({"published_at": "soon", "date": "2026-10-01"}, datetime(2026, 10, 1, 4, tzinfo=UTC)),
        ({"published_at": None}, None),
        ({"date": 20261001}, None),
    ],
)
def test_a_time_without_zone_is_the_accounts(
    settings: Settings, account: AccountConfig, meta: dict[str, Any], expected: datetime | None
) -> None:
    write(settings, "one", meta=meta)
    assert only_post(settings, account).planned_at == expected


def test_values_of_the_wrong_kind_count_as_missing(
    settings: Settings, account: AccountConfig
) -> None:
    meta = {"hook_score": "high", "slide_count": 2.5, "pick_probability": 40, "caption": ["x"],
            "topic": "", "platform": ["tiktok"]}  # fmt: skip
    write(settings, "one", meta=meta, carousel_data={"slides": "none", "topic": None})
    post = only_post(settings, account)
    assert set(post.row().values()) == {"lullabies", "one", None}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"topic": "bed', "meta.json is not valid JSON"),
        ("[1, 2]", "holds no object"),
        ("", "not valid JSON"),
        ("[" * 100_000, "too deeply"),
    ],
)
def test_a_broken_folder_is_told_and_the_others_are_read(
    settings: Settings, account: AccountConfig, content: str, words: str
) -> None:
    broken = write(settings, "broken", meta=content)
    write(settings, "whole", meta={"topic": "bedtime"})
    found = read_planned_posts(settings, account)
    assert [post.planned_id for post in found.posts] == ["whole"]
    [problem] = found.problems
    assert words in problem
    assert str(broken) in problem


def test_folders_without_plan_files_are_told_and_hidden_ones_are_not(
    settings: Settings, account: AccountConfig
) -> None:
    write(settings, "pictures_only")
    write(settings, ".cache")
    (settings.accounts_dir / "lullabies" / "output" / "notes.txt").write_text("x")
    found = read_planned_posts(settings, account)
    assert found.posts == ()
    assert len(found.problems) == 1


def test_an_account_without_output_has_no_plans(settings: Settings, account: AccountConfig) -> None:
    assert read_planned_posts(settings, account).posts == ()
