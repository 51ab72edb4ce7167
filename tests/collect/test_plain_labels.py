"""The database's labels of ordinary captions are those that Python finds."""

import re
import unicodedata
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.accounts import AccountConfig, Labelled
from pipeline.collect.hook_styles import hook_style
from pipeline.collect.labels import Dimension, rule_label
from pipeline.collect.plain_labels import SIGN_RANGES, is_ordinary_sql, rule_labels_sql

ACCOUNT = AccountConfig(
    name="lullabies",
    formats=(
        Labelled(name="step_guide", keywords=("steps", "step by step", "Steps", "#how to")),
        Labelled(name="listicle", keywords=("3 things", "c++", "things", "list")),
    ),
    content_pillars=(
        Labelled(name="sleep", keywords=("bedtime", "sleep routine", "#nap", "sleep")),
        Labelled(name="food", keywords=("plate", "café", "ŞEKER", "plate of food", "😀")),
        Labelled(name="nothing"),
    ),
    topics=(Labelled(name="one", keywords=("don't", "50%", "a.b", "'", "_x")),),
)
SIGNS_OF_STYLES = """
I i'm my we're our us me we stop never don't do not nobody knows the truth about myth Unpopular
opinion hot take controversially worst mistakes you've been how to guide a tutorial here's how step
3 years old 10 7pm 19:30 2024 day 4 part #2 two little toddlers twelve $5 £5 €5 http://a.b/c
https://x #sleeproutine #howto @me # @ ? ! . ?! ... ' ’ “ 😀 👨‍👩‍👧 ❤️ 🇩🇪 — _ - / \\ ( ) [a]
"""
WORDS = (
    *(
        keyword
        for names in (ACCOUNT.formats, ACCOUNT.content_pillars, ACCOUNT.topics)
        for one in names
        for keyword in one.keywords
    ),
    *SIGNS_OF_STYLES.split(),
    *("here is how", "step-by-step", "your bedtime guide for", "6 month old", "10 a.m.", "day 3"),
    *("2 - year - old", "sleep\nroutine", "sleep  routine", "step by step", "plate of food"),
    *("\n", "\n\n", " ", "x" * 60, "y " * 70, "Z. " * 40, "!!! " + "z " * 80),
)
CAPTIONS = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text("aIi?!.3$'#@_ -\n", max_size=4)), max_size=24
).flatmap(lambda words: st.sampled_from(["", " ", "  ", "\n"]).map(lambda joint: joint.join(words)))


def labels_in_sql(captions: list[str | None]) -> dict[Dimension, list[str | None]]:
    with duckdb.connect() as connection:
        connection.execute(
            "create table posts as select 'tiktok' as platform, unnest(?::integer[]) as post_id, "
            "unnest(?::varchar[]) as caption",
            [list(range(len(captions))), captions],
        )
        found = connection.execute(rule_labels_sql(ACCOUNT, "posts"))
        names = [str(column[0]) for column in found.description or ()]
        rows = sorted(found.fetchall(), key=lambda row: int(row[1]))
        return {
            Dimension(name): [row[place] for row in rows]
            for place, name in enumerate(names)
            if name in set(Dimension)
        }


def ordinary(captions: Sequence[str | None]) -> list[bool]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select {is_ordinary_sql('caption')} from (select unnest(?::varchar[]) as caption)",
            [captions],
        ).fetchall()
    return [found for (found,) in rows]


@settings(max_examples=150, deadline=None)
@given(captions=st.lists(st.none() | CAPTIONS, min_size=20, max_size=40))
def test_ordinary_captions_get_the_same_labels_in_the_database(captions: list[str | None]) -> None:
    captions = [caption for caption, fits in zip(captions, ordinary(captions), strict=True) if fits]
    found = labels_in_sql(captions)
    assert set(found) == {
        Dimension.FORMAT, Dimension.PILLAR, Dimension.TOPIC, Dimension.HOOK_STYLE
    }  # fmt: skip
    for number, caption in enumerate(captions):
        style = hook_style(caption)
        expected = {
            Dimension.FORMAT: rule_label(caption, ACCOUNT.formats),
            Dimension.PILLAR: rule_label(caption, ACCOUNT.content_pillars),
            Dimension.TOPIC: rule_label(caption, ACCOUNT.topics),
            Dimension.HOOK_STYLE: style.value if style else None,
        }
        assert {name: labels[number] for name, labels in found.items()} == expected, caption


@pytest.mark.parametrize(
    ("caption", "is_ordinary"),
    [
        ("Plain words, 3 of them!\nAnd #tags 😀 ❤️ 👨‍👩‍👧 “quoted” — it’s", True),
        ("", True),
        ("café", False),
        ("half…", False),
        ("tab\there", False),
        ("wide　space", False),
        ("ＷＩＤＥ", False),
        ("①", False),
        ("nul\0", False),
        ("line\r\n", False),
        ("a\u0301", False),
    ],
)
def test_captions_that_engines_may_read_otherwise_are_not_ordinary(
    caption: str, is_ordinary: bool
) -> None:
    assert ordinary([caption]) == [is_ordinary]


def test_the_signs_are_no_part_of_words_in_any_form() -> None:
    signs = [chr(one) for first, last in SIGN_RANGES for one in range(first, last + 1)]
    assert len(signs) > 2_000
    for sign in signs:
        beside = f"a{sign}b"
        assert unicodedata.normalize("NFKC", beside) == beside, hex(ord(sign))
        assert sign.casefold() == sign
        assert not re.match(r"[\w\s]", sign)
        assert not sign.isalnum()
        assert len(beside.splitlines()) == 1
    with duckdb.connect() as connection:
        lowered = connection.execute("select lower(?)", ["".join(signs)]).fetchone()
    assert lowered == ("".join(signs),)
