"""``afterpost match`` and ``afterpost label``: a person's word stands, whatever is loaded again."""

import json
from datetime import UTC, datetime

import pytest

from pipeline.accounts import Platform
from pipeline.clients.warehouse import publish, writing
from pipeline.collect.landing import Answer, ScrapedAtSource, Source, SourceKind, land, weigh
from pipeline.collect.raw import load_raw
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.collect.samples import make_account, tiktok_row, write_json

FIRST, SECOND, THIRD = (tiktok_row(number)["id"] for number in range(3))
CAPTIONS = (
    "How to calm a toddler before bed, in six steps",
    "Our favourite picky eater plates for a busy week",
    "\x1b[31mWhat to pack for the hospital bag\u202e and when",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An account with three posts; one has a plan, one has two equal ones, one has none."""
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    settings = Settings(home=tmp_path)
    make_account(
        settings,
        formats=[{"name": "step_guide", "keywords": ["steps"]}, "scripts"],
        content_pillars=["sleep", "food"],
    )
    output = settings.accounts_dir / "lullabies" / "output"
    planned = {"published_at": "2024-09-09T00:05:00Z", "pillar": "sleep"}
    write_json(output / "calm" / "meta.json", {**planned, "caption": CAPTIONS[0]})
    write_json(output / "plates" / "meta.json", {**planned, "caption": CAPTIONS[1]})
    write_json(output / "plates_copy" / "meta.json", {**planned, "caption": CAPTIONS[1]})
    answer = Answer(
        platform=Platform.TIKTOK,
        account_name="lullabies",
        handle="quietnights",
        source=Source.APIFY,
        source_kind=SourceKind.POSTS,
        rows=[tiktok_row(number, text=text) for number, text in enumerate(CAPTIONS)],
        scraped_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        scraped_at_source=ScrapedAtSource.RUN,
        run_input={},
    )
    land(settings, weigh(answer))
    load_raw(settings)
    publish(settings, "v1")
    return settings


def asked(capsys, *words):
    """What a command with ``--json`` prints."""
    capsys.readouterr()
    assert main([*words, "--account", "lullabies", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def said(capsys, *words):
    """A command's exit code and what it says."""
    capsys.readouterr()
    code = main([*words, "--account", "lullabies"])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def matches(settings):
    load_raw(settings)
    with writing(settings, "test") as connection:
        return dict(
            connection.execute("select post_id, planned_id from raw.post_matches").fetchall()
        )


def labels_of(settings, post_id):
    load_raw(settings)
    with writing(settings, "test") as connection:
        rows = connection.execute(
            "select dimension, label, label_source from raw.post_labels where post_id = ?",
            [post_id],
        ).fetchall()
    return {dimension: (label, source) for dimension, label, source in rows}


def test_the_list_tells_matched_ambiguous_and_unmatched(home, capsys):
    figures = asked(capsys, "match", "list")

    assert [(one["post_id"], one["planned_id"]) for one in figures["matched"]] == [(FIRST, "calm")]
    assert figures["matched"][0]["source"] == "text"
    [ambiguous] = figures["ambiguous"]
    assert ambiguous["post_id"] == SECOND
    assert [one["planned_id"] for one in ambiguous["candidates"]] == ["plates", "plates_copy"]
    assert [one["post_id"] for one in figures["unmatched_posts"]] == [THIRD]
    assert {one["planned_id"] for one in figures["unmatched_plans"]} == {"plates", "plates_copy"}


def test_the_list_for_people_shows_no_control_characters(home, capsys):
    code, shown = said(capsys, "match", "list")

    assert code == 0
    assert "3 posts, 3 planned posts, 1 matched" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_match_that_was_set_is_loaded_and_survives_the_loss_of_the_warehouse(home, capsys):
    code, words = said(capsys, "match", "set", SECOND, "plates_copy")

    assert code == 0
    assert "afterpost build" in words
    assert matches(home) == {FIRST: "calm", SECOND: "plates_copy"}
    home.database_path.unlink()
    assert matches(home) == {FIRST: "calm", SECOND: "plates_copy"}
    [match] = [one for one in asked(capsys, "match", "list")["matched"] if one["post_id"] == SECOND]
    assert (match["source"], match["score"]) == ("person", 1)


def test_no_plan_is_a_word_that_sticks_until_it_is_forgotten(home, capsys):
    assert said(capsys, "match", "clear", FIRST)[0] == 0
    assert matches(home) == {}
    [post] = [
        one for one in asked(capsys, "match", "list")["unmatched_posts"] if one["post_id"] == FIRST
    ]
    assert post["source"] == "person"

    assert said(capsys, "match", "clear", FIRST, "--forget")[0] == 0
    assert matches(home) == {FIRST: "calm"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["set", "999", "calm"], "has no post '999'"),
        (["set", FIRST, "unknown"], "has no planned post 'unknown'"),
        (["set", FIRST, "calm", "--platform", "instagram"], "on instagram"),
        (["set", THIRD, "plates"], "was given to post"),
        (["clear", "999"], "has no post '999'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(home, capsys, words, reason):
    said(capsys, "match", "set", SECOND, "plates")

    code, told = said(capsys, "match", *words)

    assert code == 1
    assert told.startswith("error: ")
    assert reason in told
    assert matches(home) == {FIRST: "calm", SECOND: "plates"}


def test_a_match_that_was_set_can_be_set_otherwise(home, capsys):
    said(capsys, "match", "set", SECOND, "plates")

    assert said(capsys, "match", "set", SECOND, "plates_copy")[0] == 0
    assert matches(home)[SECOND] == "plates_copy"


def test_labels_are_listed_with_their_sources(home, capsys):
    posts = {one["post_id"]: one["labels"] for one in asked(capsys, "label", "list")["posts"]}

    assert posts[FIRST]["pillar"] == {"label": "sleep", "source": "planned"}
    assert posts[FIRST]["format"] == {"label": "step_guide", "source": "rule"}
    assert posts[FIRST]["hook_style"] == {"label": "number_specific", "source": "rule"}
    code, shown = said(capsys, "label", "list")
    assert code == 0
    assert "step_guide" in shown
    assert "\x1b" not in shown


def test_a_label_by_hand_stands_above_the_plan_and_the_rules(home, capsys):
    words = ("label", "set", FIRST, "--pillar", "food", "--format", "scripts")
    assert said(capsys, *words, "--hook-style", "statement")[0] == 0

    expected = {
        "pillar": ("food", "person"),
        "format": ("scripts", "person"),
        "hook_style": ("statement", "person"),
    }
    assert labels_of(home, FIRST) == expected
    home.database_path.unlink()
    assert labels_of(home, FIRST) == expected


def test_no_label_sticks_and_forgetting_brings_the_found_one_back(home, capsys):
    assert said(capsys, "label", "clear", FIRST, "--pillar", "--format")[0] == 0
    assert set(labels_of(home, FIRST)) == {"hook_style"}

    assert said(capsys, "label", "clear", FIRST, "--pillar", "--forget")[0] == 0
    assert labels_of(home, FIRST)["pillar"] == ("sleep", "planned")
    assert "format" not in labels_of(home, FIRST)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["set", FIRST, "--format", "stepguide"], 1, "use one of step_guide, scripts"),
        (["set", FIRST, "--hook-style", "loud"], 1, "use one of question"),
        (["set", FIRST, "--topic", "a\nb"], 1, "cannot be a topic"),
        (["set", FIRST], 2, "No label was given"),
        (["clear", FIRST], 2, "Nothing was named"),
        (["set", "999", "--format", "scripts"], 1, "has no post"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(home, capsys, words, code, reason):
    before = labels_of(home, FIRST)

    result, told = said(capsys, "label", *words)

    assert result == code
    assert reason in told
    assert labels_of(home, FIRST) == before


def test_a_topic_is_free_where_the_account_lists_none(home, capsys):
    assert said(capsys, "label", "set", FIRST, "--topic", "evening calm")[0] == 0
    assert labels_of(home, FIRST)["topic"] == ("evening calm", "person")
