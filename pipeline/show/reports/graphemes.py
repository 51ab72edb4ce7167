"""Cutting text without tearing apart what a reader sees as one character.

An emoji of several code points, a letter with its marks, or a flag is kept whole or left out whole.
A short form of the rules of Unicode Standard Annex 29 (https://unicode.org/reports/tr29), for the
scripts and emoji that captions have.
"""

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Me", "Mc"})
_LINKERS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
"""Signs that join the consonants on both sides of them, in six scripts of India."""


def graphemes(text: str) -> Iterator[str]:
    """The characters of ``text`` as a reader sees them."""
    cluster = ""
    flags = 0
    for character in text:
        if cluster and not _joins(cluster, character, flags):
            yield cluster
            cluster, flags = "", 0
        cluster += character
        flags += _is_flag_half(character)
    if cluster:
        yield cluster


def shortened(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` code points, cut between graphemes with an ellipsis.

    Args:
        text: Any.
        longest: At least 1; limits of services count code points.
    """
    if len(text) <= longest:
        return text
    kept = ""
    for cluster in graphemes(text):
        if len(kept) + len(cluster) > longest - 1:
            break
        kept += cluster
    return kept.rstrip() + "…"


def _joins(cluster: str, character: str, flags: int) -> bool:
    last = cluster[-1]
    return (
        (last == "\r" and character == "\n")
        or (last not in "\r\n" and _extends(character))
        or (last == _JOINER and _is_pictograph(character) and _is_pictograph(cluster[0]))
        or (_is_flag_half(character) and flags % 2 == 1 and _is_flag_half(last))
        or _is_hangul_pair(last, character)
        or _is_conjunct(cluster, character)
    )


def _extends(character: str) -> bool:
    return (
        character in (_JOINER, "\u200c", "\uff9e", "\uff9f")
        or unicodedata.category(character) in _MARKS
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of flags
    )


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) == "So" or character in "‼⁉"


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_hangul_pair(last: str, character: str) -> bool:
    is_leading = "\u1100" <= last <= "\u115f"
    is_vowel = "\u1160" <= last <= "\u11a7"
    is_syllable = "\uac00" <= last <= "\ud7a3"
    is_open = is_syllable and (ord(last) - 0xAC00) % 28 == 0
    follows_vowel = "\u1160" <= character <= "\u11a7"
    follows_end = "\u11a8" <= character <= "\u11ff"
    return (
        (is_leading and ("\u1100" <= character <= "\u115f" or follows_vowel
                         or "\uac00" <= character <= "\ud7a3"))
        or ((is_vowel or is_open) and (follows_vowel or follows_end))
        or ((is_syllable or "\u11a8" <= last <= "\u11ff") and follows_end)
    )  # fmt: skip


def _is_conjunct(cluster: str, character: str) -> bool:
    if unicodedata.category(character) != "Lo":
        return False
    for last in reversed(cluster):
        if last in _LINKERS:
            return ord(last) >> 7 == ord(character) >> 7
        if not _extends(last):
            return False
    return False
