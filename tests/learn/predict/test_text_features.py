"""What the words of a post show."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learn.predict.text_features import (
    TEXT_FEATURES,
    clock_features,
    emoji_count,
    hashtags,
    is_question,
    text_features,
)


def _named(text: str | None) -> dict[str, float]:
    return dict(zip(TEXT_FEATURES, text_features(text), strict=True))


def test_a_caption_is_counted_as_a_reader_would():
    found = _named("3 ways to SAVE!\nWhich one? 🔥 #Budget #money @anna https://x.example/a?b")
    assert found["text_line_count"] == 2
    assert found["text_word_count"] == 6
    assert found["text_digit_count"] == 1
    assert found["text_has_number"] == 1
    assert found["text_is_question"] == 1
    assert found["text_exclamation_count"] == 1
    assert found["text_hashtag_count"] == 2
    assert found["text_mention_count"] == 1
    assert found["text_link_count"] == 1
    assert found["text_emoji_count"] == 1
    assert found["text_is_reply"] == 0
    assert math.isnan(found["text_sentiment"])


def test_an_unknown_text_is_not_an_empty_one():
    assert all(math.isnan(value) for value in text_features(None))
    empty = _named("")
    assert empty.pop("text_sentiment") != 0
    assert set(empty.values()) == {0.0}


def test_a_scorer_sees_the_text():
    assert text_features("good", sentiment=lambda text: float(len(text)) / 10)[-1] == 0.4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#Été #été ＃夏休み #1 #2025goals a#b", ("été", "夏休み", "2025goals", "b")),
        ("https://x.example/#part", ()),
    ],
)
def test_hashtags_are_of_any_script_and_each_counts_once(text: str, found: tuple[str, ...]):
    assert hashtags(text) == found


@pytest.mark.parametrize(
    ("text", "count"),
    [("👩‍👩‍👧", 1), ("👍🏽👍", 2), ("🇩🇪🇫🇷", 2), ("❤️", 1), ("1️⃣", 1), ("plain — text ✓", 1), ("", 0)],
)
def test_emoji_are_counted_as_they_are_seen(text: str, count: int):
    assert emoji_count(text) == count


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Why?", True),
        ("لماذا؟", True),
        ("何?", True),
        ("?", False),
        ("Wait!", False),
        ("x ?", True),
    ],
)
def test_questions_are_told_in_any_script(text: str, answer: bool):
    assert is_question(text) is answer


def test_replies_are_told_from_mentions():
    assert _named("@anna thanks")["text_is_reply"] == 1
    assert _named(".@anna thanks")["text_is_reply"] == 1
    assert _named("thanks @anna")["text_is_reply"] == 0


def test_midnight_is_next_to_late_evening_and_weekends_are_told():
    late, early, noon = (clock_features(hour, 6)[:2] for hour in (23.5, 0.5, 12.0))
    assert math.dist(late, early) < 0.3
    assert math.dist(late, noon) > 1.9
    assert [clock_features(9, day)[2] for day in (5, 6, 7)] == [0, 1, 1]


@given(st.text())
def test_any_text_has_all_numbers(text: str):
    found = text_features(text, sentiment=lambda _: 0.0)
    assert len(found) == len(TEXT_FEATURES)
    assert all(math.isfinite(value) and value >= 0 for value in found)
