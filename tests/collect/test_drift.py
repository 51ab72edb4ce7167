"""Rows that no longer look as their actor's contract says."""

from typing import Any

import pytest

from pipeline.accounts import Platform
from pipeline.collect.drift import Drift, find_drift
from pipeline.collect.platform_interface import KeyContract, key_names, whole_numbers
from pipeline.collect.platform_registry import SOURCES
from tests.collect.platform_samples import linkedin_row, reddit_row, x_row, youtube_api_row
from tests.collect.platform_samples import youtube_row as youtube_actor_row
from tests.collect.samples import instagram_profile, instagram_row, tiktok_row

CONTRACT = KeyContract(
    required=key_names("id playCount author.name"),
    known=key_names("id playCount text author.name author.fans extra"),
    types={**whole_numbers("playCount author.fans"), "id": str, "rate": float},
)


def row(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "playCount": 5, "author": {"name": "q", "fans": 2}, **changes}


def contract_of(actor_id: str) -> KeyContract:
    return next(
        actor.contract
        for source in SOURCES.values()
        for actor in source.actors
        if actor.actor_id == actor_id
    )


def test_rows_as_they_always_were_are_no_drift() -> None:
    assert (
        find_drift([row(), row(text=None, extra={"anything": {"below": 1}})], CONTRACT) == Drift()
    )
    assert find_drift([], CONTRACT) == Drift()
    assert not find_drift([], CONTRACT).is_breaking


def test_a_renamed_key_is_missing_and_its_new_name_unknown() -> None:
    renamed = row(playCounts=5)
    del renamed["playCount"]
    drift = find_drift([row(), renamed], CONTRACT)
    assert drift.missing_required == ("playCount",)
    assert drift.unknown_keys == ("playCounts",)
    assert drift.is_breaking
    assert drift.sentence == "missing keys: playCount; unknown keys: playCounts"
    assert drift.as_json() == {"missing_required": ["playCount"], "unknown_keys": ["playCounts"]}


def test_a_required_key_below_an_object_is_looked_for_there() -> None:
    assert find_drift([row(author={"fans": 1})], CONTRACT).missing_required == ("author.name",)
    assert find_drift([row(author="q")], CONTRACT).missing_required == ("author.name",)


def test_a_required_key_may_be_null_in_some_rows_but_not_in_all() -> None:
    assert not find_drift([row(), row(playCount=None)], CONTRACT).is_breaking
    assert find_drift([row(playCount=None)], CONTRACT).missing_required == ("playCount",)


def test_an_unknown_key_alone_breaks_nothing() -> None:
    drift = find_drift([row(brandNew=1), row(author={"name": "q", "mood": "good"})], CONTRACT)
    assert drift.unknown_keys == ("author.mood", "brandNew")
    assert not drift.is_breaking


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("12.3K", "playCount: text instead of a whole number"),
        (True, "playCount: true or false instead of a whole number"),
        (1.5, "playCount: a number instead of a whole number"),
        ([1], "playCount: a list instead of a whole number"),
    ],
)
def test_a_value_of_another_type_is_a_change(value: object, words: str) -> None:
    drift = find_drift([row(), row(playCount=value)], CONTRACT)
    assert drift.changed_types == (words,)
    assert drift.is_breaking


def test_whole_numbers_fit_where_a_fraction_may_be_and_the_other_way_round() -> None:
    assert not find_drift([row(playCount=5.0, rate=1)], CONTRACT).is_breaking


def test_error_rows_and_rows_of_other_kinds_are_passed_over() -> None:
    rows: list[object] = [row(), {"error": "NOT_FOUND", "url": "u"}, "text", None]
    assert find_drift(rows, CONTRACT) == Drift()
    comments = [{"type": "comment", "id": "1"}, linkedin_row()]
    assert find_drift(comments, contract_of("harvestapi/linkedin-profile-posts")) == Drift()
    others = [{"dataType": "comment", "id": "t1_a"}, reddit_row()]
    assert find_drift(others, contract_of("trudax/reddit-scraper-lite")) == Drift()


@pytest.mark.parametrize(
    ("actor_id", "rows"),
    [
        ("clockworks/tiktok-profile-scraper", [tiktok_row()]),
        ("apify/instagram-post-scraper", [instagram_row()]),
        ("apify/instagram-profile-scraper", [instagram_profile(private=False)]),
        ("streamers/youtube-scraper", [youtube_actor_row(), youtube_actor_row(likes=None)]),
        ("youtube/data-api-v3", [youtube_api_row(channelHandle="q"), {"kind": "youtube#channel"}]),
        ("apidojo/tweet-scraper", [x_row(), {"noResults": True}]),
        ("harvestapi/linkedin-company-posts", [linkedin_row()]),
        ("trudax/reddit-scraper-lite", [reddit_row()]),
    ],
)
def test_every_actors_usual_rows_keep_its_contract(actor_id: str, rows: list[object]) -> None:
    assert find_drift(rows, contract_of(actor_id)) == Drift()


def test_every_actor_has_a_contract_whose_words_agree() -> None:
    for source in SOURCES.values():
        actors = [actor.contract for actor in source.actors]
        for contract in [*actors, *([source.direct.contract] if source.direct else [])]:
            assert contract.required
            assert {path.split(".")[0] for path in contract.required} <= {
                path.split(".")[0] for path in contract.known
            }
    assert Platform.TIKTOK in SOURCES
