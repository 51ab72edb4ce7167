"""What a row of each platform is: own post, foreign post, profile, or rejected with a reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.accounts import Platform
from pipeline.collect.drift import find_drift
from pipeline.collect.platform_interface import ActorKind, ItemKind, PlatformSource
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.platforms.instagram import id_of_short_code
from tests.collect.samples import (
    INSTAGRAM_CODE,
    INSTAGRAM_ID,
    TIKTOK_ID,
    instagram_profile,
    instagram_row,
    tiktok_row,
)

TIKTOK = SOURCES[Platform.TIKTOK]
INSTAGRAM = SOURCES[Platform.INSTAGRAM]


def kind_of(source: PlatformSource, row: dict[str, Any], *, any_author: bool = False) -> ItemKind:
    return source.classify(row, "quietnights", any_author).kind


@pytest.mark.parametrize("handle", ["quietnights", "QuietNights", "@quietnights"])
def test_a_post_is_own_whatever_the_case_of_the_handle(handle: str) -> None:
    assert TIKTOK.classify(tiktok_row(), handle, False).kind is ItemKind.POST
    assert INSTAGRAM.classify(instagram_row(), handle, False).kind is ItemKind.POST


def test_a_post_of_another_author_is_foreign_unless_every_author_counts() -> None:
    rows = [
        (TIKTOK, tiktok_row(authorMeta={"name": "somebody"})),
        (INSTAGRAM, instagram_row(ownerUsername="somebody")),
    ]
    for source, row in rows:
        assert kind_of(source, row) is ItemKind.FOREIGN_POST
        assert kind_of(source, row, any_author=True) is ItemKind.POST
        assert source.classify(row, None, False).kind is ItemKind.FOREIGN_POST


def test_a_post_with_the_handle_among_its_co_authors_is_own() -> None:
    row = instagram_row(ownerUsername="partner", coauthorProducers=[{"username": "QuietNights"}])
    assert kind_of(INSTAGRAM, row) is ItemKind.POST


@pytest.mark.parametrize(
    ("source", "row", "words"),
    [
        (TIKTOK, {"error": "This profile/hashtag does not exist.", "url": "u", "input": "i"},
         "This profile/hashtag does not exist."),
        (TIKTOK, {"url": "u", "error": "Profile is private", "errorCode": "PROFILE_PRIVATE"},
         "PROFILE_PRIVATE"),
        (TIKTOK, {"noResults": True}, "no results"),
        (TIKTOK, {"noResults": "true"}, "no results"),
        (TIKTOK, {"authorMeta": {"name": "quietnights", "avatar": "a"}}, "name and picture"),
        (TIKTOK, {}, "empty row"),
        (TIKTOK, tiktok_row(id=None, webVideoUrl=None), "no post id"),
        (TIKTOK, tiktok_row(id=7.412345678901235e18), "decimal number"),
        (TIKTOK, tiktok_row(id="7.412345678901235e+18"), "not made of digits"),
        (TIKTOK, tiktok_row(id=True), "not made of digits"),
        (INSTAGRAM, {"url": "https://www.instagram.com/x", "inputUrl": "y", "error": "no_items",
                     "errorDescription": "Empty or private data for provided input"},
         "no_items: Empty or private data"),
        (INSTAGRAM, {"error": {"type": "not_found", "message": "Page not found"}}, "not_found"),
        (INSTAGRAM, instagram_row(id=None), "no post id"),
        (INSTAGRAM, instagram_row(id=3674286260684429785.0), "decimal number"),
        (INSTAGRAM, {"id": "1", "postUrl": "p", "text": "nice", "ownerUsername": "q"}, "a comment"),
        (INSTAGRAM, instagram_profile(username="somebody"), "another handle"),
        (INSTAGRAM, tiktok_row(text=None), "not an Instagram post"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_post_is_rejected_with_its_own_words(
    source: Any, row: dict[str, Any], words: str
) -> None:
    for any_author in (False, True):
        what = source.classify(row, "quietnights", any_author)
        if any_author and "another handle" in words:
            assert what.kind is ItemKind.PROFILE
            continue
        assert what.kind is ItemKind.REJECTED
        assert words in what.reason


def test_a_profile_row_is_a_profile_and_its_latest_posts_stay_inside() -> None:
    what = INSTAGRAM.classify(instagram_profile(), "quietnights", False)
    assert (what.kind, what.post_id) == (ItemKind.PROFILE, None)
    assert INSTAGRAM.follower_count(instagram_profile()) == 12345


def test_reposts_and_stories_are_no_own_posts() -> None:
    own = tiktok_row(fromProfileSection="reposts")
    other = tiktok_row(fromProfileSection="reposts", authorMeta={"name": "somebody"})
    assert kind_of(TIKTOK, tiktok_row(fromProfileSection="videos")) is ItemKind.POST
    assert TIKTOK.classify(own, "quietnights", False).reason is not None
    assert kind_of(TIKTOK, own) is ItemKind.REJECTED
    assert kind_of(TIKTOK, other) is ItemKind.FOREIGN_POST
    assert "reposts" in (TIKTOK.classify(other, "quietnights", False).reason or "")


@pytest.mark.parametrize("form", ["video", "photo"])
def test_a_tiktok_id_is_read_from_the_address_when_the_export_has_none(form: str) -> None:
    address = f"https://www.tiktok.com/@quietnights/{form}/{TIKTOK_ID}?is_from_webapp=1"
    row = tiktok_row(id=None, webVideoUrl=address, authorMeta=None)
    what = TIKTOK.classify(row, "quietnights", False)
    assert (what.kind, what.post_id) == (ItemKind.POST, str(TIKTOK_ID))


def test_an_instagram_id_is_decoded_from_the_short_code() -> None:
    for address in (
        f"https://www.instagram.com/p/{INSTAGRAM_CODE}/",
        f"https://www.instagram.com/reel/{INSTAGRAM_CODE}",
        f"https://www.instagram.com/quietnights/p/{INSTAGRAM_CODE}/?igsh=1",
    ):
        what = INSTAGRAM.classify(instagram_row(id=None, url=address), "quietnights", False)
        assert what.post_id == str(INSTAGRAM_ID)
    row = instagram_row(id=None, shortCode=INSTAGRAM_CODE)
    assert INSTAGRAM.classify(row, "quietnights", False).post_id == str(INSTAGRAM_ID)
    assert id_of_short_code(INSTAGRAM_CODE + "AbCdEf") == str(INSTAGRAM_ID)


def test_an_id_with_the_owner_behind_it_needs_the_short_code_to_agree() -> None:
    joined = instagram_row(id=f"{INSTAGRAM_ID}_55")
    agreed = instagram_row(id=f"{INSTAGRAM_ID}_55", shortCode=INSTAGRAM_CODE)
    assert kind_of(INSTAGRAM, joined) is ItemKind.REJECTED
    assert INSTAGRAM.classify(agreed, "quietnights", False).post_id == str(INSTAGRAM_ID)


def test_a_number_too_large_for_a_double_needs_the_address_to_agree() -> None:
    assert TIKTOK.classify(tiktok_row(id=TIKTOK_ID), "quietnights", False).post_id == str(TIKTOK_ID)
    rounded = int(float(TIKTOK_ID))
    assert kind_of(TIKTOK, tiktok_row(id=rounded)) is ItemKind.REJECTED
    assert kind_of(TIKTOK, tiktok_row(id=TIKTOK_ID, webVideoUrl=None)) is ItemKind.REJECTED
    assert TIKTOK.classify(tiktok_row(id=123456), "quietnights", False).post_id == "123456"


def test_the_time_of_a_tiktok_without_time_fields_is_in_its_id() -> None:
    post_id = 1_725_840_000 << 32 | 12345
    row = tiktok_row(id=str(post_id), createTime=None, createTimeISO=None)
    assert TIKTOK.facts(row).posted_at == datetime.fromtimestamp(1_725_840_000, tz=UTC)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"createTimeISO": "2024-09-09T00:00:00.000Z"}, datetime(2024, 9, 9, tzinfo=UTC)),
        ({"createTimeISO": "2024-09-09T02:00:00+02:00"}, datetime(2024, 9, 9, tzinfo=UTC)),
        ({"createTimeISO": "soon", "createTime": "1725840000"}, datetime(2024, 9, 9, tzinfo=UTC)),
        ({"createTimeISO": None, "createTime": 1725840000000}, datetime(2024, 9, 9, tzinfo=UTC)),
        ({"createTimeISO": "1970-01-01T00:00:00Z", "createTime": 0, "id": "12"}, None),
    ],
)
def test_a_post_time_is_read_in_utc_or_not_at_all(
    fields: dict[str, Any], expected: datetime | None
) -> None:
    assert TIKTOK.facts(tiktok_row(**fields)).posted_at == expected


def test_facts_of_a_post_are_its_author_time_and_caption() -> None:
    facts = INSTAGRAM.facts(instagram_row(caption="  "))
    assert facts.author_handle == "quietnights"
    assert facts.posted_at == datetime(2025, 7, 11, 10, tzinfo=UTC)
    assert facts.caption is None


def test_each_platform_recognises_only_its_own_rows() -> None:
    assert TIKTOK.recognises(tiktok_row())
    assert INSTAGRAM.recognises(instagram_row())
    assert INSTAGRAM.recognises(instagram_profile())
    assert not TIKTOK.recognises(instagram_row())
    assert not INSTAGRAM.recognises(tiktok_row())
    assert not any(source.recognises({"id": "1", "text": "x"}) for source in SOURCES.values())


def test_the_input_of_every_actor_has_the_field_names_that_it_knows() -> None:
    inputs = {
        actor.actor_id: actor.build_input("quietnights", 30)
        for source in SOURCES.values()
        for actor in source.actors
    }
    tiktok = inputs["clockworks/tiktok-profile-scraper"]
    assert tiktok["profiles"] == ["quietnights"]
    assert tiktok["resultsPerPage"] == 30
    assert tiktok["profileScrapeSections"] == ["videos"]
    assert inputs["apify/instagram-post-scraper"] == {
        "username": ["quietnights"],
        "resultsLimit": 30,
        "skipPinnedPosts": False,
    }
    assert inputs["apify/instagram-profile-scraper"] == {"usernames": ["quietnights"]}
    kinds = [actor.kind for actor in INSTAGRAM.actors]
    assert kinds == [ActorKind.POSTS, ActorKind.PROFILES, ActorKind.REELS]
    for source in SOURCES.values():
        for actor in source.actors:
            assert json.loads(json.dumps(actor.build_input("a", 1))) == actor.build_input("a", 1)


def test_an_impossible_input_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="results"):
        TIKTOK.actors[0].build_input("quietnights", 0)


# What exports really hold beside the clean values, and what breaks a careless reader.
odd_values = st.sampled_from(
    ["3051", "12.3K", "1,234", "true", "FALSE", "-1", "", "\x00", "caption \ud83d", "x" * 100_000,
     "7,500,000,000,000,000,001", -1, 2**53 + 1, 2**64, 7.5e18, float("nan"), float("inf")]
)  # fmt: skip
any_text = st.text(alphabet=st.characters(exclude_categories=()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | odd_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
known_keys = st.sampled_from(
    ["id", "shortCode", "url", "webVideoUrl", "authorMeta", "ownerUsername", "username", "error",
     "errorDescription", "noResults", "fromProfileSection", "createTime", "createTimeISO", "text",
     "timestamp", "caption", "likesCount", "diggCount", "coauthorProducers", "followersCount",
     "kind", "video_id", "statistics", "snippet", "channelHandle", "channelUrl", "title", "date",
     "author", "createdAt", "isRetweet", "twitterUrl", "activity_urn", "linkedinUrl", "postedAt",
     "posted_at", "repostedBy", "dataType", "parsedId", "upVotes", "type", "private"]
)  # fmt: skip
any_row = st.dictionaries(known_keys | st.text(max_size=8), json_values, max_size=8)


@given(row=any_row, handle=st.none() | st.text(max_size=12), any_author=st.booleans())
def test_no_json_object_breaks_a_platform(
    row: dict[str, Any], handle: str | None, any_author: bool
) -> None:
    for source in SOURCES.values():
        what = source.classify(row, handle, any_author)
        assert (what.kind is ItemKind.REJECTED) == (what.reason is not None) or what.post_id
        if what.reason is not None:
            assert what.reason == what.reason.strip()
            what.reason.encode()
        source.facts(row)
        source.recognises(row)
        source.follower_count(row)
        source.outcome_of([row], handle, None)
        for actor in source.actors:
            assert find_drift([row], actor.contract).sentence.encode() is not None


@given(post_id=st.integers(2**53, 2**63 - 1) | st.floats(min_value=1.0), odd=odd_values)
def test_an_id_that_lost_digits_or_may_have_is_never_made_up(post_id: float, odd: object) -> None:
    row = tiktok_row(id=post_id, webVideoUrl="https://www.tiktok.com/@quietnights", text=odd)
    what = TIKTOK.classify(row, "quietnights", False)
    assert (what.kind, what.post_id) == (ItemKind.REJECTED, None)


@given(post_id=st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_an_id_given_as_text_is_never_altered(post_id: str) -> None:
    for source, row in ((TIKTOK, tiktok_row(id=post_id)), (INSTAGRAM, instagram_row(id=post_id))):
        assert source.classify(row, "quietnights", False).post_id == post_id
        assert source.facts(row).post_id == post_id
