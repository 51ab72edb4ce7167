"""The rows that models learn from and are asked with: what is in them, and what is left out."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipeline.clients.warehouse import publish, writer_lock, writing
from pipeline.learn.predict.earlier import EarlierRates
from pipeline.learn.predict.post_features import (
    AUDIO_TREND_SCORE,
    CATEGORY_PERFORMANCE,
    COMPETITOR_AVERAGE,
    DIMENSIONS,
    HASHTAG_SCORE,
    NUMBERS,
    OWN_NUMBERS,
    PLATFORM_MULTIPLIER,
    POSTING_HOUR,
    REFLEXION_WEIGHT,
    TREND_VELOCITY,
    NamedFeature,
    PostFacts,
)
from pipeline.learn.predict.warehouse_features import Knowledge, Target, hours_of, load_knowledge
from pipeline.settings import Settings
from tests.fakes.predicted_copy import DAY, GOOD, NOW, PLATFORM, simulated

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("UTC"))
FACTS = PostFacts(
    account_name="sleepy",
    platform=PLATFORM,
    posted_at=MOMENT,
    local_at=MOMENT.astimezone(BERLIN),
    format=GOOD,
    caption="Why do 3 naps fail?\nMore below #sleep #naps",
)


def _known(facts: PostFacts) -> dict[str, float]:
    return dict(zip(OWN_NUMBERS, facts.own_numbers(), strict=True))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def test_a_post_is_described_on_the_accounts_clock_with_its_utc_hour_beside_it():
    # Clocks went back in Berlin at 03:00 summer time: 01:30 UTC is the second 02:30 of the day.
    numbers = _known(FACTS)

    assert FACTS.segments()[DIMENSIONS.index("weekday")] == "7"
    assert FACTS.segments()[DIMENSIONS.index("daypart")] == "night"
    assert numbers["hour_sine"] == pytest.approx(np.sin(2 * np.pi * 2.5 / 24))
    assert numbers["posting_hour_utc"] == 1.0
    assert numbers["is_weekend"] == 1.0


def test_the_hook_is_the_captions_first_line_where_none_is_given():
    own = _known(FACTS)
    hook = _known(replace(FACTS, caption=None, hook="Why do 3 naps fail?"))

    for name in ("hook_length_characters", "hook_has_number", "hook_is_question"):
        assert own[name] == hook[name] == float(19 if name.endswith("characters") else 1)
    assert np.isnan(hook["text_length_characters"])
    assert own["text_hashtag_count"] == 2.0


def test_what_is_not_known_is_no_number():
    numbers = _known(replace(FACTS, caption=None))

    for name in ("text_word_count", "hook_word_count", "slide_count", "follower_count_log10"):
        assert np.isnan(numbers[name]), name


@pytest.mark.parametrize(
    ("feature", "low", "high"),
    [
        (TREND_VELOCITY, 0, 100),
        (CATEGORY_PERFORMANCE, 0, 0.2),
        (POSTING_HOUR, 0, 23),
        (HASHTAG_SCORE, 0, 100),
        (AUDIO_TREND_SCORE, 0, 100),
        (COMPETITOR_AVERAGE, 0, 0.2),
        (REFLEXION_WEIGHT, 0.5, 1.5),
        (PLATFORM_MULTIPLIER, 0.5, 1.5),
    ],
    ids=lambda value: value.name if isinstance(value, NamedFeature) else None,
)
def test_the_eight_features_keep_to_their_ranges(feature: NamedFeature, low: float, high: float):
    kept = feature.within(np.array([-1000.0, low, high, 1000.0, np.nan]))

    np.testing.assert_array_equal(kept, [low, low, high, high, np.nan])
    assert feature.name in NUMBERS or feature is REFLEXION_WEIGHT


def test_a_pillars_earlier_rate_counts_what_was_known_before_the_post():
    rates = EarlierRates(
        account=np.array(["a"] * 5),
        platform=np.array(["x"] * 5),
        pillar=np.array(["p", "p", "p", "q", "p"]),
        known_at_hours=np.array([1.0, 2.0, 3.0, 1.0, 9.0]),
        rate=np.array([0.02, 0.04, 0.06, 0.9, 0.5]),
    )

    def at(hours: float, pillar: str = "p") -> float:
        one = (np.array(["a"]), np.array(["x"]), np.array([pillar]))
        return float(rates.of_pillar(*one, np.array([hours]))[0])

    assert at(3.5) == pytest.approx(0.04)
    # At the very moment at which an outcome is seen, it is not known before the post.
    assert np.isnan(at(3.0))
    assert at(9.5) == pytest.approx((0.02 + 0.04 + 0.06 + 0.5) / 4)
    assert np.isnan(at(9.5, "q"))
    assert np.isnan(at(9.5, ""))


def test_a_platforms_multiplier_is_its_rate_against_all_of_the_accounts():
    rates = EarlierRates(
        account=np.array(["a"] * 6),
        platform=np.array(["x"] * 3 + ["y"] * 3),
        pillar=np.array([""] * 6),
        known_at_hours=np.arange(6.0),
        rate=np.array([0.04] * 3 + [0.01] * 3) - 0.001,
    )

    def on(platform: str, hours: float) -> float:
        return float(rates.of_platform(np.array(["a"]), np.array([platform]), np.array([hours]))[0])

    assert on("x", 10) == pytest.approx(2.0)
    assert on("y", 10) == pytest.approx(0.5)
    assert on("x", 2.5) == pytest.approx(1.0)
    assert np.isnan(on("y", 4.5))


def test_posts_with_impossible_counts_teach_nothing(settings: Settings):
    copy = simulated()
    copy.publish(settings)
    whole = load_knowledge(settings)
    since = (NOW - 30 * DAY).date()
    with writer_lock(settings, "test"):
        with writing(settings, "test") as connection:
            connection.execute(
                "insert into stats.broken_counts values "
                "('sleepy', ?, ?, ?, null, 'like_count > view_count', 9, 9, 0.001, ?, 'Broken.')",
                [PLATFORM, since, since, NOW],
            )
        publish(settings, "20261120T110000_abcdef")

    broken = load_knowledge(settings)

    def known(knowledge: Knowledge, account: str) -> list[date]:
        posts = knowledge.posts_of(account, PLATFORM, Target.VIEWS)
        hours = posts.posted_at_hours[np.isfinite(posts.known_at_hours)]
        start = NOW - timedelta(hours=hours_of(NOW))
        return [(start + timedelta(hours=float(one) - 5)).date() for one in hours]

    assert len(broken.account) == len(whole.account)
    assert known(broken, "fresh") == known(whole, "fresh")
    assert max(known(whole, "sleepy")) > since
    assert max(known(broken, "sleepy")) < since


def test_paid_posts_are_not_in_the_tables(settings: Settings):
    copy = simulated({"sleepy": 30})
    copy.posts[3]["is_ad"] = True
    copy.publish(settings)

    known = load_knowledge(settings)

    assert len(known.account) == 29
    assert copy.posts[3]["post_id"] not in known.post_id.tolist()


def test_followers_are_those_of_the_newest_profile_before_the_post(settings: Settings):
    simulated({"sleepy": 30}).publish(settings)
    known = load_knowledge(settings)
    # Profiles are seen an hour before noon, with ten followers more each day.
    at_noon = known.followers_at("sleepy", PLATFORM, hours_of(NOW - 3 * DAY))
    before = known.followers_at("sleepy", PLATFORM, hours_of(NOW - 3 * DAY - timedelta(hours=2)))

    assert (at_noon, before) == (4970, 4960)
    assert known.followers_at("sleepy", PLATFORM, hours_of(NOW - 900 * DAY)) is None
    assert known.followers_at("nobody", PLATFORM, hours_of(NOW)) is None
