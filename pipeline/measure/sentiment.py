"""How the words of a text feel, by VADER's list of rated English words and its rules.

Hutto and Gilbert, 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text" (https://doi.org/10.1609/icwsm.v8i1.14550); made for posts, so that emoji, capitals and
exclamation marks count. It knows no other language: a text without any word of its list is 0.
"""

from functools import cache
from typing import Any


def sentiment(text: str) -> float:
    """From -1 (all bad) to 1 (all good); 0 where good and bad are even, or no word tells either."""
    return float(_analyzer().polarity_scores(text)["compound"])


@cache
def _analyzer() -> Any:
    # Its list is read when the first text asks: most commands ask for none.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
