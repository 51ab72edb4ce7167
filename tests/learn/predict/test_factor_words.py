"""Factors as a person reads them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.learn.predict.factor_words import factor_json, is_told
from pipeline.learn.predict.factors import Factor
from pipeline.learn.predict.post_features import PostFacts

LOCAL = datetime(2026, 11, 22, 18, 30, tzinfo=ZoneInfo("America/New_York"))
FACTS = PostFacts("sleepy", "tiktok", LOCAL, LOCAL)


@pytest.mark.parametrize(
    ("feature", "value", "usual", "description"),
    [
        ("format", "how_to", "scripts", "+20 %: format how_to (usually scripts)"),
        ("slide_count", "7", "5", "+20 %: slides 7 (usually 5)"),
        ("cta", "save_this", "", "+20 %: call to action save_this (usually unknown)"),
        (
            "posting_time",
            "7, evening, -0.99, 0.13, 1, 23",
            "2, midday, 0.1, -1, 0, 17",
            "+20 %: Sunday 18:30, evening (usually Tuesday, midday)",
        ),
        (
            "hook",
            "how_to, 12, 3, 1, 0",
            "statement, 20, 4, 0, 0",
            "+20 %: the hook, how to (usually statement)",
        ),
        (
            "follower_count_log10",
            "3.69906",
            "3.30125",
            "+20 %: 5,000 followers (usually 2,000)",
        ),
        (
            "category_performance",
            "0.081",
            "nan",
            "+20 %: the pillar's earlier posts have an engagement rate of 8.1 % (usually unknown)",
        ),
        ("recent_form", "", "", "+20 %: the account's latest posts against all before"),
    ],
)
def test_a_factor_says_what_it_is_about(feature: str, value: str, usual: str, description: str):
    told = factor_json(Factor(feature, value, usual, 1.2), FACTS)

    assert told == {"feature": feature, "impact": 0.2, "description": description}


@pytest.mark.parametrize(
    ("feature", "value", "is_about_the_post"),
    [
        ("topic", "unknown", False),
        ("category_performance", "nan", False),
        ("hook", "question, nan, nan, nan, nan", True),
        ("slide_count", "5", True),
        ("recent_form", "", True),
    ],
)
def test_what_is_not_known_of_a_post_is_no_factor(
    feature: str, value: str, is_about_the_post: bool
):
    assert is_told(Factor(feature, value, "x", 1.2)) is is_about_the_post
