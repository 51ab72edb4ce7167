"""The first line of a post has one style of a fixed vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.hook_styles import HookStyle, first_line, hook_style


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("Is your toddler awake?", "question"),
        ("Awake again?👀 #sleep", "question"),
        ("夜泣き？", "question"),
        ("هل ينام طفلك؟", "question"),
        ("How many naps? 2 or 3", "question"),
        ("5 tiny habits for bedtime", "number_specific"),
        ("٥ عادات قبل النوم", "number_specific"),
        ("Three lullabies older than us", "number_specific"),
        ("We saved $500 on a stroller", "number_specific"),
        ("5 lies about sleep", "number_specific"),
        ("Stop rocking your baby", "controversy_light"),
        ("Unpopular opinion: naps are optional", "controversy_light"),
        ("Nobody tells you this about naps", "controversy_light"),
        ("How to survive bedtime", "how_to"),
        ("Here’s how we got through it", "how_to"),
        ("Bedtime, step by step 👇", "how_to"),
        ("Start with step 1 tonight", "how_to"),
        ("My habit list for bedtime", "personal_story"),
        ("I'm tired", "personal_story"),
        ("The quiet version of parenting", "statement"),
        ("A two-year-old's bedtime", "statement"),
        ("Bedtime at 7:30 pm", "statement"),
        ("Diary, day 12", "statement"),
        ("Best of 2026", "statement"),
        ("Dulces sueños", "statement"),
        ("#fyp #5things\n@someone https://a.b/?q=5\nGood night", "statement"),
        ("🌙🌙 #sleep", None),
        ("", None),
        (None, None),
    ],
)
def test_a_hook_has_the_first_style_that_fits(text: str | None, style: str | None) -> None:
    assert hook_style(text) == style


def test_the_hook_of_a_paragraph_is_its_first_sentence() -> None:
    text = "The quiet evening. " + "We read a book and then another one. " * 10
    assert first_line(text) == "The quiet evening."
    assert hook_style(text) is HookStyle.STATEMENT


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_has_a_style_or_none(text: str) -> None:
    assert hook_style(text) in {None, *HookStyle}
