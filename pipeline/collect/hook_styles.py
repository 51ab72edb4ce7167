"""Hook styles: how the first line of a post tries to stop the thumb.

A fixed vocabulary, so that accounts and weeks can be compared. The rules read signs that English
writing has, and the two that every script shares: digits and question marks. They are tried in the
order of :class:`HookStyle`; a line with none of the signs is a statement.
"""

import re
from enum import StrEnum

from pipeline.collect.text_likeness import plain_text

LONGEST_LINE = 150
"""A longer first line is a whole paragraph, of which the first sentence is the hook."""


class HookStyle(StrEnum):
    """What a hook does; the first that fits counts."""

    QUESTION = "question"
    """It asks: a question mark ends a sentence of it."""
    NUMBER_SPECIFIC = "number_specific"
    """It counts or measures: a number that is no age, year, hour or place in a series."""
    CONTROVERSY_LIGHT = "controversy_light"
    """It contradicts: stop, never, nobody tells you, myth, unpopular opinion."""
    HOW_TO = "how_to"
    """It promises instructions: how to, here's how, step by step."""
    PERSONAL_STORY = "personal_story"
    """It speaks of the author: I, my, we, our."""
    STATEMENT = "statement"
    """None of these."""


# The patterns are such that a database's regular expressions (RE2) find the same in plain text:
# nothing looks ahead or back.
NOT_PROSE = re.compile(r"[#@]\w+|https?://\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")
_QUESTION = re.compile(r"[?？؟](?:$|\W)")
NUMBER_OF_ANOTHER_KIND = re.compile(
    r"\b\d+(?:st|nd|rd|th)?[\s-]*(?:year|yr|month|week|day)s?[\s-]*old"  # ages
    r"|\b\d{1,2}(?::\d\d)?\s?(?:am|pm|a\.m\.|p\.m\.)|\b\d{1,2}:\d\d\b"  # hours
    r"|\b(?:19|20)\d\d\b"  # years
    r"|\b(?:part|day|week|episode|ep|vol|volume|chapter|step|no|number)\.?\s*#?\d+"  # series
)
_NUMBER = re.compile(
    r"(?:^|\W)[\d$€£¥]"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)\s+(?:[\w'-]+\s+){0,2}"
    r"[\w'-]+s\b"
)
_CONTROVERSY = re.compile(
    r"\b(?:unpopular opinion|hot take|controversial\w*|stop \w+ing|stop|never|don't|do not"
    r"|(?:nobody|no one|no-one) \w+|(?:the )?truth about|myths?|lies?|lied|overrated|wrong"
    r"|worst|mistakes?|you've been)\b"
)
_HOW_TO = re.compile(
    r"\bhow (?:to|i|we|you)\b|\bhere(?:'s| is) how\b|\bstep[\s-]by[\s-]step\b|\bstep \d"
    r"|\b(?:a|the|your) (?:\w+ )?guide (?:to|for)\b|\btutorial\b|\bwalkthrough\b"
)
_PERSONAL = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|my|me|we|we're|we've|we'd|our|us)\b")
SIGNS = {
    HookStyle.QUESTION: _QUESTION,
    HookStyle.NUMBER_SPECIFIC: _NUMBER,
    HookStyle.CONTROVERSY_LIGHT: _CONTROVERSY,
    HookStyle.HOW_TO: _HOW_TO,
    HookStyle.PERSONAL_STORY: _PERSONAL,
}
"""What tells each style in a plain line; numbers count without those of another kind."""


def first_line(text: str | None) -> str | None:
    """The hook of a text: its first line with words in it, or None.

    Hashtags, mentions and addresses are no words. Of a paragraph the first sentence counts.
    """
    for line in (text or "").splitlines():
        words = " ".join(NOT_PROSE.sub(" ", line).split())
        if any(character.isalnum() for character in words):
            return _SENTENCE_END.split(words)[0] if len(words) > LONGEST_LINE else words
    return None


def hook_style(text: str | None) -> HookStyle | None:
    """The style of a hook or of a caption's first line; None when it has no words."""
    line = first_line(text)
    if line is None:
        return None
    plain = plain_text(line).replace("’", "'")
    counted = NUMBER_OF_ANOTHER_KIND.sub(" ", plain)
    for style, pattern in SIGNS.items():
        if pattern.search(counted if style is HookStyle.NUMBER_SPECIFIC else plain):
            return style
    return HookStyle.STATEMENT
