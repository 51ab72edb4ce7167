"""What the words of a post show before it is posted, as numbers; pure functions of the text.

A text that is not known gives no numbers at all, an empty one gives zeros.
"""

import math
import re
import unicodedata
from collections.abc import Callable

TEXT_FEATURES = (
    "text_length_characters",
    "text_word_count",
    "text_line_count",
    "text_digit_count",
    "text_has_number",
    "text_is_question",
    "text_exclamation_count",
    "text_hashtag_count",
    "text_mention_count",
    "text_link_count",
    "text_emoji_count",
    "text_capital_share",
    "text_is_reply",
    "text_sentiment",
)
"""The names of the numbers, in the order of :func:`text_features`."""
CLOCK_FEATURES = ("hour_sine", "hour_cosine", "is_weekend")
"""The names of the numbers of :func:`clock_features`."""

_LINK = re.compile(r"https?://\S+|\bwww\.\S+")
# Full-width signs are signs too, and a tag may be in any script.
_HASHTAG = re.compile(r"[#＃](?=\w*[^\W\d_])\w+")
_MENTION = re.compile(r"(?<![\w@＠])[@＠][\w.]*\w")
_REPLY = re.compile(r"\s*\.?[@＠]\w")
_NUMBER = re.compile(r"\d[\d.,']*")
_QUESTION = "?？؟⸮"
_EXCLAMATION = "!！"
_JOINER = "\u200d"
_REGIONAL = range(0x1F1E6, 0x1F200)
_TONES = range(0x1F3FB, 0x1F400)
_PICTURES = (range(0x1F000, 0x1FB00), range(0x2600, 0x27C0), range(0x2B00, 0x2C00))
_KEYCAP = "\u20e3"


def text_features(
    text: str | None, sentiment: Callable[[str], float] | None = None
) -> tuple[float, ...]:
    """The numbers of :data:`TEXT_FEATURES`.

    Args:
        text: Caption or hook; NaN for every number where it is None.
        sentiment: From -1 to 1; NaN for that number where there is no scorer.
    """
    if text is None:
        return (math.nan,) * len(TEXT_FEATURES)
    plain = unicodedata.normalize("NFC", text)
    prose = _MENTION.sub(" ", _HASHTAG.sub(" ", _LINK.sub(" ", plain)))
    letters = [character for character in prose if character.isalpha()]
    return (
        float(len(plain)),
        float(len([word for word in prose.split() if any(map(str.isalnum, word))])),
        float(len([line for line in plain.splitlines() if line.strip()])),
        float(sum(map(str.isdigit, prose))),
        float(_NUMBER.search(prose) is not None),
        float(is_question(prose)),
        float(sum(prose.count(sign) for sign in _EXCLAMATION)),
        float(len(hashtags(plain))),
        float(len(_MENTION.findall(_LINK.sub(" ", plain)))),
        float(len(_LINK.findall(plain))),
        float(emoji_count(plain)),
        sum(map(str.isupper, letters)) / len(letters) if letters else 0.0,
        float(_REPLY.match(plain) is not None),
        math.nan if sentiment is None else float(sentiment(plain)),
    )


def is_question(text: str) -> bool:
    """Whether a question mark of any script follows a word."""
    return any(
        sign in _QUESTION and before.isalnum()
        for before, sign in zip(text.replace(" ", ""), text.replace(" ", "")[1:], strict=False)
    )


def hashtags(text: str) -> tuple[str, ...]:
    """The hashtags, case folded and without their sign, each once, in the order of the text.

    A number after a sign (``#1``) is none.
    """
    found = _HASHTAG.findall(_LINK.sub(" ", unicodedata.normalize("NFC", text)))
    return tuple(dict.fromkeys(tag[1:].casefold() for tag in found))


def emoji_count(text: str) -> int:
    """How many emoji a reader sees: joined ones, skin tones and flags count once."""
    count = flags = 0
    joined = False
    for character in text:
        code = ord(character)
        if code in _REGIONAL:
            flags += 1
        elif code in _TONES:
            pass
        elif character == _KEYCAP or any(code in pictures for pictures in _PICTURES):
            count += not joined
        joined = character == _JOINER
    return count + flags // 2


def clock_features(local_hour: float, local_weekday: int) -> tuple[float, float, float]:
    """The numbers of :data:`CLOCK_FEATURES`: midnight is next to 23:00.

    Args:
        local_hour: Of the audience's zone, from 0 to below 24.
        local_weekday: Of the audience's zone; Monday is 1.
    """
    turn = 2 * math.pi * local_hour / 24
    return (math.sin(turn), math.cos(turn), float(local_weekday >= 6))
