"""Planned posts find their published posts, one to one, or stay alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.matching import match_posts
from pipeline.collect.own_posts import OwnPost
from pipeline.collect.planned import PlannedPost

ACCOUNT = AccountConfig(name="lullabies", timezone="America/New_York")
NOON = datetime(2026, 10, 1, 16, tzinfo=UTC)
CAPTIONS = [
    "Five ways to calm a toddler before bed #sleep",
    "Our favourite picky eater plate ideas",
    "Why tantrums happen at the supermarket",
    "What to pack for the hospital bag",
]


def plan(number: int, **changes: Any) -> PlannedPost:
    values = {
        "account_name": "lullabies",
        "planned_id": f"plan{number}",
        "planned_at": NOON,
        "caption": CAPTIONS[number % 4],
    }
    return PlannedPost(**{**values, **changes})


def post(number: int, **changes: Any) -> OwnPost:
    values = {
        "platform": Platform.TIKTOK,
        "post_id": f"{number}",
        "posted_at": NOON,
        "caption": CAPTIONS[number % 4] + " #fyp",
    }
    return OwnPost(**{**values, **changes})


def pairs(plans: list[PlannedPost], posts: list[OwnPost]) -> list[tuple[str, str]]:
    found = match_posts(ACCOUNT, plans, posts)
    return sorted((match.planned_id, match.post_id) for match in found)


def test_each_plan_finds_its_post_whatever_the_order() -> None:
    plans = [plan(number) for number in range(4)]
    posts = [post(number) for number in reversed(range(4))]
    assert pairs(plans, posts) == [(f"plan{number}", f"{number}") for number in range(4)]
    for match in match_posts(ACCOUNT, plans, posts):
        assert 0.6 <= match.score <= 1


def test_the_same_caption_scores_one() -> None:
    [match] = match_posts(ACCOUNT, [plan(0)], [post(0, caption=CAPTIONS[0].upper())])
    assert match.score == 1
    assert match.row()["platform"] == "tiktok"


@pytest.mark.parametrize(
    ("posted_at", "is_match"),
    [
        (NOON + timedelta(days=2), True),
        (NOON - timedelta(days=2), True),
        (NOON + timedelta(days=3), False),
        # 03:30 UTC of the 4th is still the evening of the 3rd in New York.
        (datetime(2026, 10, 4, 3, 30, tzinfo=UTC), True),
        (datetime(2026, 10, 4, 4, 30, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_plan_and_post_lie_at_most_two_local_days_apart(
    posted_at: datetime | None, is_match: bool
) -> None:
    assert bool(pairs([plan(0)], [post(0, posted_at=posted_at)])) is is_match


def test_unlike_texts_do_not_match() -> None:
    assert pairs([plan(0)], [post(1)]) == []
    assert pairs([plan(0, caption=None)], [post(0)]) == []
    assert pairs([plan(0)], [post(0, caption=None)]) == []


def test_a_hook_or_topic_inside_the_caption_is_enough() -> None:
    by_hook = plan(0, caption=None, hook_text="calm a toddler before bed")
    by_topic = plan(0, caption=None, topic="picky_eater_plate")
    assert pairs([by_hook], [post(0)]) == [("plan0", "0")]
    assert pairs([by_topic], [post(1)]) == [("plan0", "1")]
    assert pairs([plan(0, caption=None, topic="sleep")], [post(0)]) == []


def test_two_equal_candidates_stay_unmatched() -> None:
    assert pairs([plan(0)], [post(0), post(4)]) == []
    assert pairs([plan(0), plan(4)], [post(0)]) == []


def test_a_rival_that_belongs_elsewhere_does_not_disturb() -> None:
    exact = post(1, caption="Our favourite picky eater plates")
    similar = plan(2, caption="Our favourite picky eater plate")
    plans = [plan(0), plan(1, caption="Our favourite picky eater plates")]
    assert pairs(plans, [post(0), exact]) == [("plan0", "0"), ("plan1", "1")]
    assert pairs([similar], [exact]) == [("plan2", "1")]


def test_the_same_words_on_following_days_are_told_apart_by_the_day() -> None:
    days = [NOON + timedelta(days=number) for number in range(3)]
    plans = [plan(4 * n, planned_id=f"plan{n}", planned_at=day) for n, day in enumerate(days)]
    posts = [post(4 * n, post_id=f"{n}", posted_at=day) for n, day in enumerate(days)]
    assert pairs(plans, posts) == [("plan0", "0"), ("plan1", "1"), ("plan2", "2")]


def test_a_plan_for_one_platform_matches_there_only() -> None:
    posts = [post(0), post(0, platform=Platform.INSTAGRAM, post_id="ig")]
    assert pairs([plan(0, platform="instagram")], posts) == [("plan0", "ig")]
    assert pairs([plan(0, platform="youtube")], posts) == []
    assert pairs([plan(0)], posts) == [("plan0", "0"), ("plan0", "ig")]
