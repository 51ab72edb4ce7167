"""What a row of YouTube, X, LinkedIn and Reddit is, and what a run of their actors said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import ItemKind, PlatformSource
from pipeline.collect.platform_registry import SOURCES
from pipeline.settings import Settings
from tests.collect.platform_samples import (
    ACTIVITY_ID,
    TWEET_ID,
    VIDEO_ID,
    linkedin_row,
    linkedin_vintage_row,
    reddit_row,
    x_row,
    youtube_api_row,
    youtube_row,
)

YOUTUBE, X = SOURCES[Platform.YOUTUBE], SOURCES[Platform.X]
LINKEDIN, REDDIT = SOURCES[Platform.LINKEDIN], SOURCES[Platform.REDDIT]
COMPANY = "company/QuietNights"
POSTS = [
    (YOUTUBE, youtube_row(), "quietnights", VIDEO_ID),
    (YOUTUBE, youtube_api_row(channelHandle="quietnights"), "@QuietNights", VIDEO_ID),
    (X, x_row(), "QuietNights", str(TWEET_ID)),
    (LINKEDIN, linkedin_row(), COMPANY, str(ACTIVITY_ID)),
    (LINKEDIN, linkedin_vintage_row(), COMPANY, str(ACTIVITY_ID)),
    (REDDIT, reddit_row(), "quietnights", "t3_1ob0xi3"),
]


@pytest.mark.parametrize(("source", "row", "handle", "post_id"), POSTS)
def test_a_post_is_own_by_its_author_and_keeps_its_id_as_it_is(
    source: PlatformSource, row: dict[str, Any], handle: str, post_id: str
) -> None:
    what = source.classify(row, handle, False)
    assert (what.kind, what.post_id, what.reason) == (ItemKind.POST, post_id, None)
    assert source.classify(row, "somebody", False).kind is ItemKind.FOREIGN_POST
    assert source.classify(row, None, True).kind is ItemKind.POST
    assert source.facts(row).post_id == post_id


@pytest.mark.parametrize(("source", "row", "handle", "post_id"), POSTS)
def test_a_row_is_recognised_by_its_own_platform_alone(
    source: PlatformSource, row: dict[str, Any], handle: str, post_id: str
) -> None:
    assert [one for one in SOURCES.values() if one.recognises(row)] == [source]


@pytest.mark.parametrize(
    ("source", "row", "words"),
    [
        (X, {"noResults": True}, "no results"),
        (X, x_row(isRetweet=True), "a repost"),
        (X, x_row(isRetweet="true"), "a repost"),
        (X, x_row(id=None, url=None, twitterUrl=None), "no post id"),
        (X, x_row(id=float(TWEET_ID)), "decimal number"),
        (LINKEDIN, {"type": "comment", "id": "1", "commentary": "nice"}, "a comment, not a post"),
        (LINKEDIN, {"type": "reaction", "id": "1"}, "a reaction, not a post"),
        (LINKEDIN, linkedin_row(id="urn:li:x"), "no LinkedIn id"),
        (LINKEDIN, linkedin_vintage_row(post_type="repost"), "a repost"),
        (REDDIT, reddit_row(dataType="comment", id="t1_abc"), "a comment, not a post"),
        (REDDIT, reddit_row(dataType="community", id="t5_abc"), "a community, not a post"),
        (REDDIT, reddit_row(dataType=None, id="t1_abc"), "a comment, not a post"),
        (REDDIT, reddit_row(id="t3_UPPER"), "no id of a Reddit post"),
        (YOUTUBE, youtube_row(id="#chanel #bag"), "no YouTube video id"),
        (YOUTUBE, youtube_row(id=None, url=None), "no post id"),
        (YOUTUBE, {"error": "CHANNEL_NOT_FOUND", "url": "u"}, "CHANNEL_NOT_FOUND"),
        (YOUTUBE, {"id": VIDEO_ID}, "not a YouTube video"),
    ],
)
def test_a_row_that_is_no_post_is_rejected_with_a_reason(
    source: PlatformSource, row: dict[str, Any], words: str
) -> None:
    handle = COMPANY if source is LINKEDIN else "quietnights"
    what = source.classify(row, handle, False)
    assert what.kind is ItemKind.REJECTED
    assert words in (what.reason or "")


def test_an_id_that_is_missing_is_read_from_the_address() -> None:
    for address in ("https://youtu.be/{}", "https://www.youtube.com/shorts/{}?feature=share"):
        row = youtube_row(id=None, url=address.format(VIDEO_ID))
        assert YOUTUBE.classify(row, "quietnights", False).post_id == VIDEO_ID
    assert X.classify(x_row(id=None), "quietnights", False).post_id == str(TWEET_ID)
    assert X.classify(x_row(id=TWEET_ID), "quietnights", False).post_id == str(TWEET_ID)
    assert LINKEDIN.classify(linkedin_row(id=None), COMPANY, False).post_id == str(ACTIVITY_ID)
    urn = f"urn:li:activity:{ACTIVITY_ID}"
    assert LINKEDIN.classify(linkedin_row(id=urn), COMPANY, False).post_id == urn
    for gone in ({"id": None}, {"id": None, "parsedId": None}):
        assert REDDIT.classify(reddit_row(**gone), "quietnights", False).post_id == "t3_1ob0xi3"


def test_a_rounded_id_is_never_taken() -> None:
    rounded = int(float(TWEET_ID)) + 1024
    assert X.classify(x_row(id=rounded), "quietnights", False).kind is ItemKind.REJECTED


def test_times_of_all_forms_are_read_and_relative_ones_are_none() -> None:
    at = datetime(2026, 9, 1, 8, tzinfo=UTC)
    assert YOUTUBE.facts(youtube_row()).posted_at == at
    assert YOUTUBE.facts(youtube_api_row()).posted_at == at
    assert YOUTUBE.facts(youtube_row(date="10 months ago")).posted_at is None
    assert YOUTUBE.facts(youtube_row(date="2026-09-01")).posted_at is None
    assert X.facts(x_row()).posted_at == datetime(2023, 11, 24, 17, 49, 36, tzinfo=UTC)
    assert REDDIT.facts(reddit_row()).posted_at == at
    told = [LINKEDIN.facts(row).posted_at for row in (linkedin_row(), linkedin_vintage_row())]
    assert told[0] == told[1] == datetime.fromtimestamp(1756805374.486, tz=UTC)
    zoneless = linkedin_vintage_row(posted_at={"date": "2025-09-02 02:29:34"})
    assert LINKEDIN.facts(zoneless).posted_at is None


def test_title_and_text_together_are_the_caption() -> None:
    for source, row in ((YOUTUBE, youtube_row()), (YOUTUBE, youtube_api_row()),
                        (REDDIT, reddit_row())):  # fmt: skip
        assert source.facts(row).caption == "Bedtime\nSleep well"


def test_a_channel_is_a_profile_and_hidden_subscribers_are_unknown() -> None:
    channel = {
        "kind": "youtube#channel",
        "id": "UC" + "a" * 22,
        "channelHandle": "quietnights",
        "statistics": {"subscriberCount": "12300", "hiddenSubscriberCount": False},
    }
    assert YOUTUBE.classify(channel, "quietnights", False).kind is ItemKind.PROFILE
    assert YOUTUBE.classify(channel, "somebody", False).kind is ItemKind.REJECTED
    assert YOUTUBE.follower_count(channel) == 12300
    channel["statistics"] = {"subscriberCount": "0", "hiddenSubscriberCount": True}
    assert YOUTUBE.follower_count(channel) is None
    assert YOUTUBE.follower_count(youtube_row()) == 1200


@pytest.mark.parametrize(
    ("platform", "rows", "message", "expected"),
    [
        ("x", [{"noResults": True}] * 3, None, RunOutcome.BLOCKED_BY_PLAN),
        ("x", [x_row(), {"noResults": True}], None, None),
        ("tiktok", [{"error": "Profile is private", "errorCode": "PROFILE_PRIVATE"}], None,
         RunOutcome.PRIVATE),
        ("tiktok", [{"error": "This profile/hashtag does not exist.", "url": "u"}], None,
         RunOutcome.NOT_FOUND),
        ("tiktok", [{"error": "x", "errorCode": "PROFILE_EMPTY"}], None, RunOutcome.EMPTY),
        ("instagram", [{"error": "no_items", "errorDescription": "Empty or private data"}], None,
         RunOutcome.PRIVATE),
        ("instagram", [{"error": "not_found"}], None, RunOutcome.NOT_FOUND),
        ("instagram", [{"username": "quietnights", "followersCount": 1, "private": True}], None,
         RunOutcome.PRIVATE),
        ("youtube", [], '"YouTube knows no channel with this handle"', RunOutcome.NOT_FOUND),
        ("youtube", [youtube_row()], '"not found"', None),
        ("youtube", [], None, None),
        ("reddit", [{"error": "Request blocked: 403"}], None, RunOutcome.THROTTLED),
        ("linkedin", [{"error": "Profile not found"}], None, RunOutcome.NOT_FOUND),
        ("linkedin", [{"error": "something else"}], None, None),
    ],
)  # fmt: skip
def test_the_signs_of_a_run_are_told_apart(
    platform: str, rows: list[object], message: str | None, expected: RunOutcome | None
) -> None:
    assert SOURCES[Platform(platform)].outcome_of(rows, "quietnights", message) is expected


def used(platform: Platform, handle: str, *, key: str | None = None, reels: bool = False) -> Any:
    settings = Settings(home=Path(), youtube_api_key=SecretStr(key) if key else None)
    account = AccountConfig.model_validate(
        {"name": "a", "platform_profiles": {platform: handle}, "scrape": {"reels": reels}}
    )
    return [
        actor.actor_id
        for actor in SOURCES[platform].actors
        if actor.is_used(settings, account, handle)
    ]


def test_the_actor_to_ask_follows_from_handle_keys_and_account() -> None:
    assert used(Platform.YOUTUBE, "q") == ["streamers/youtube-scraper"]
    assert used(Platform.YOUTUBE, "q", key=" ") == ["streamers/youtube-scraper"]
    assert used(Platform.YOUTUBE, "q", key="k") == ["youtube/data-api-v3"]
    assert used(Platform.LINKEDIN, "in/q") == ["harvestapi/linkedin-profile-posts"]
    assert used(Platform.LINKEDIN, "company/q") == ["harvestapi/linkedin-company-posts"]
    assert used(Platform.INSTAGRAM, "q") == [
        "apify/instagram-post-scraper",
        "apify/instagram-profile-scraper",
    ]
    assert used(Platform.INSTAGRAM, "q", reels=True)[-1] == "apify/instagram-reel-scraper"


def test_the_inputs_name_the_fields_that_the_actors_know() -> None:
    built = {
        actor.actor_id: actor.build_input("company/q" if "company" in actor.actor_id else "q", 7)
        for source in SOURCES.values()
        for actor in source.actors
    }
    assert built["apidojo/tweet-scraper"] == {
        "twitterHandles": ["q"], "maxItems": 7, "sort": "Latest",
    }  # fmt: skip
    profile = built["harvestapi/linkedin-profile-posts"]
    assert profile["targetUrls"] == ["https://www.linkedin.com/in/q"]
    assert (profile["maxPosts"], profile["scrapeReactions"]) == (7, False)
    company = built["harvestapi/linkedin-company-posts"]
    assert company["companyUrls"] == ["https://www.linkedin.com/company/q"]
    youtube = built["streamers/youtube-scraper"]
    assert youtube["startUrls"] == [{"url": "https://www.youtube.com/@q"}]
    assert (youtube["maxResults"], youtube["maxResultsShorts"]) == (7, 7)
    assert youtube["sortVideosBy"] == "NEWEST"
    reddit = built["trudax/reddit-scraper-lite"]
    assert reddit["startUrls"] == [{"url": "https://www.reddit.com/user/q/submitted/?sort=new"}]
    assert (reddit["maxItems"], reddit["maxComments"]) == (7, 0)
    assert reddit["proxy"] == {"useApifyProxy": True}
    reels = built["apify/instagram-reel-scraper"]
    assert (reels["username"], reels["includeSharesCount"]) == (["q"], False)


@pytest.mark.parametrize(
    ("platform", "handle"),
    [("linkedin", "quietnights"), ("linkedin", "people/q"), ("tiktok", "in/q"), ("x", "a b"),
     ("youtube", "a/b")],
)  # fmt: skip
def test_a_handle_of_another_form_is_refused(platform: str, handle: str) -> None:
    with pytest.raises(ValueError, match="handle"):
        AccountConfig.model_validate({"name": "a", "platform_profiles": {platform: handle}})


def test_handles_of_every_script_are_taken_where_the_platform_has_them() -> None:
    profiles = {"youtube": "@тихие.ночи", "linkedin": "in/søvn-godt"}
    account = AccountConfig.model_validate({"name": "a", "platform_profiles": profiles})
    assert account.platform_profiles[Platform.YOUTUBE] == "тихие.ночи"
