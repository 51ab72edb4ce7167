"""How alike two captions are, when a person may have edited one of them.

Two views are averaged. Letter by letter (RapidFuzz) forgives typing mistakes, and looks for the
shorter text inside the longer one, because people cut captions and append to them. Word by word
asks which of the words that are rare in this account both have, because captions of one account
share their phrases, and letters alone find all of them alike.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

_WORD = re.compile(r"[\w']+")
_TAG = re.compile(r"[#@][\w.]+")
_PLACE_IN_SERIES = re.compile(
    r"\b(part|day|week|episode|ep|vol|volume|chapter|lesson|night|teil|tag|woche|folge|parte"
    r"|d[ií]a|semana|episodio|partie|jour|semaine)\b\.?\s*[#no.]*\s*(\d+)|#(\d+)\b|\b(\d+)\s?/\s?\d+"
)
_LEAST_CONTAINED = 20
"""Letters from which a text inside another one says something."""
_CONTAINED_WEIGHT = 0.95
_NEARLY_SAME = 0.9
_LEAST_WORDS = 3
"""Fewer different words (or a script without spaces) are compared by letters only."""


def plain_text(text: str) -> str:
    """Text in the form that texts are compared in: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True)
class Text:
    """A caption, hook or topic, made ready for comparing."""

    plain: str
    body: str
    """Words only, without hashtags and mentions."""
    words: frozenset[str]
    places: frozenset[tuple[str, str]]
    """What the text says of its place in a series, such as (day, 3)."""

    @classmethod
    def of(cls, text: str | None) -> "Text":
        """Prepare a text; None is an empty one."""
        plain = plain_text(text or "").replace("’", "'")
        words = _WORD.findall(_TAG.sub(" ", plain))
        found = _PLACE_IN_SERIES.findall(plain)
        places = frozenset((kind, number or tag or part) for kind, number, tag, part in found)
        # A text of hashtags only is compared by them.
        words = words or _WORD.findall(plain)
        return cls(plain, " ".join(words), frozenset(words), places)


class WordWeights:
    """How much each word of some texts tells: rare words tell more.

    Plans and posts are counted for themselves, so that a plan and its post count once.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self._plans: Counter[str] = Counter()
        self._posts: Counter[str] = Counter()
        self._plan_count = self._post_count = 0

    def add_plans(self, texts: Iterable[Text], times: int = 1) -> None:
        """Count planned texts; -1 times takes them out again."""
        self._plan_count += _count(self._plans, texts, times)

    def add_posts(self, texts: Iterable[Text], times: int = 1) -> None:
        """Count posted texts; -1 times takes them out again."""
        self._post_count += _count(self._posts, texts, times)

    def of(self, words: Iterable[str]) -> float:
        """Summed weight of some words, each about ln(texts / texts with the word)."""
        texts = max(1, self._plan_count, self._post_count)
        plans, posts = self._plans, self._posts
        # Summed exactly: a set of words comes in another order in every process.
        return math.fsum(math.log(1 + texts / max(1, plans[word], posts[word])) for word in words)


def _count(counts: Counter[str], texts: Iterable[Text], times: int) -> int:
    number = 0
    for text in texts:
        for word in text.words:
            counts[word] += times
        number += times
    return number


def likeness(one: Text, other: Text, weights: WordWeights) -> float:
    """How alike two captions are, from 0 to 1; 1 for the same text."""
    if not one.plain or not other.plain or is_other_part(one, other):
        return 0.0
    if one.plain == other.plain:
        return 1.0
    letters = (
        max(
            fuzz.ratio(one.plain, other.plain),
            fuzz.ratio(one.body, other.body),
            fuzz.token_sort_ratio(one.body, other.body),
        )
        / 100
    )
    fewer, more = sorted((one.words, other.words), key=len)
    if len(fewer) < _LEAST_WORDS:
        return letters
    inside = max(letters, _CONTAINED_WEIGHT * contained(one.body, other.body))
    least = min(weights.of(one.words), weights.of(other.words))
    shared = weights.of(fewer & more) / least if least else 0.0
    # A typing mistake makes another word of a word; letters that nearly all agree outweigh it.
    return max((inside + shared) / 2, letters if letters >= _NEARLY_SAME else 0.0)


def contained(one: str, other: str) -> float:
    """How much of the shorter text stands in the longer one, 0 to 1; 0 for very short ones."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _LEAST_CONTAINED:
        return 0.0
    return fuzz.partial_ratio(shorter, longer) / 100


def is_other_part(one: Text, other: Text) -> bool:
    """Whether both texts name their place in a series, and not the same one."""
    kinds = {kind for kind, _ in one.places} & {kind for kind, _ in other.places}
    return any(
        not {place for place in one.places if place[0] == kind} & other.places for kind in kinds
    )
