"""How words feel: signs, bounds, and people's ratings of thousands of texts."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.measure.sentiment import sentiment

RATED = sorted((Path(__file__).parents[3] / "shared" / "data" / "sentiment").glob("vader_*tweet*"))


def test_good_and_bad_words_have_their_signs() -> None:
    assert sentiment("My kids LOVE this!!") > sentiment("My kids like this") > 0
    assert sentiment("what a terrible day") < 0 < sentiment("not a terrible day")
    assert sentiment("Look: 😍") > 0


@pytest.mark.parametrize("text", ["", "#", "four eggs", "子供と公園", "🟦", "a" * 10_000])
def test_a_text_without_a_word_that_feels_is_neither_good_nor_bad(text: str) -> None:
    assert sentiment(text) == 0


@pytest.mark.skipif(not RATED, reason="rated texts are not beside the repository")
def test_it_agrees_with_peoples_ratings_of_tweets() -> None:
    with RATED[0].open(encoding="utf-8", newline="") as file:
        delimiter = "\t" if RATED[0].suffix in {".tsv", ".txt"} else ","
        rows = [row for row in csv.reader(file, delimiter=delimiter) if len(row) >= 3]
    rated = [(float(row[1]), row[2]) for row in rows if _is_number(row[1])]
    found = np.corrcoef([rating for rating, _ in rated], [sentiment(text) for _, text in rated])
    assert len(rated) > 4000
    assert found[0, 1] > 0.86


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
