"""Files that bundle several profiles of one scrape."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig
from pipeline.clients.warehouse import writing
from pipeline.collect.bundles import read_bundle
from pipeline.collect.imports import import_file
from pipeline.collect.landing import Outcome, ScrapedAtSource, read_lines
from pipeline.collect.nesting import nested
from pipeline.collect.raw import load_raw
from pipeline.errors import ImportFileError
from pipeline.settings import Settings
from tests.collect.samples import make_account, write_json

POST = {
    "id": "7412345678901234567",
    "url": "https://www.tiktok.com/@quietnights/video/7412345678901234567",
    "thumbnail": "https://cdn.example.com/cover.jpeg",
    "caption": "Bedtime",
    "views": 900,
    "likes": 40,
    "comments": 0,
    "shares": 3,
    "created_at": "2024-09-09T00:00:00.000Z",
    "duration": 31,
    "music": "original sound",
    "music_author": "Quiet",
    "hashtags": ["sleep"],
    "is_new_field": True,
}
OTHER_POST = POST | {
    "id": "7412345678901239999",
    "url": "https://www.tiktok.com/@other/video/7412345678901239999",
}


def profile(handle: str, recent: list[Any], **changes: Any) -> dict[str, Any]:
    return {
        "handle": handle,
        "display_name": handle.title(),
        "followers": 1200,
        "following": 3,
        "posts": 80,
        "hearts": 5000,
        "bio": "We sleep.",
        "verified": False,
        "recent_posts": recent,
        **changes,
    }


def bundle(*others: dict[str, Any], owned: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "owned": owned or profile("quietnights", [POST]),
        "competitors": list(others),
        "fetched_at": "2026-05-27T15:37:03.673Z",
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return make_account(settings)


def items(settings: Settings) -> list[tuple[Any, ...]]:
    load_raw(settings)
    with writing(settings, "test") as connection:
        return connection.execute(
            "select item_kind, post_id, payload from raw.scrape_items order by item_index"
        ).fetchall()


def test_a_bundle_is_own_posts_foreign_posts_and_the_own_profile(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "scrape.json", bundle(profile("other", [OTHER_POST])))
    report = import_file(settings, account, path)
    manifest = report.manifest
    assert (manifest.platform.value, manifest.outcome) == ("tiktok", Outcome.ITEMS)
    assert manifest.scraped_at.isoformat() == "2026-05-27T15:37:03+00:00"
    assert manifest.scraped_at_source is ScrapedAtSource.FILE_CONTENT
    assert manifest.rejected_reasons == {"the profile of another handle": 1}
    found = items(settings)
    assert [row[:2] for row in found] == [
        ("profile", None),
        ("post", POST["id"]),
        ("foreign_post", OTHER_POST["id"]),
    ]
    assert json.loads(found[0][2]) == {
        "authorMeta": {
            "name": "quietnights", "nickName": "Quietnights", "fans": 1200, "following": 3,
            "video": 80, "heart": 5000, "signature": "We sleep.", "verified": False,
        }
    }  # fmt: skip
    assert json.loads(found[1][2]) == {
        "authorMeta": {"name": "quietnights"},
        "id": POST["id"],
        "webVideoUrl": POST["url"],
        "text": "Bedtime",
        "playCount": 900,
        "diggCount": 40,
        "commentCount": 0,
        "shareCount": 3,
        "createTimeISO": POST["created_at"],
        "videoMeta": {"duration": 31, "coverUrl": POST["thumbnail"]},
        "musicMeta": {"musicName": "original sound", "musicAuthor": "Quiet"},
        "hashtags": [{"name": "sleep"}],
        "is_new_field": True,
    }


def test_with_any_author_every_profile_and_post_counts(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "scrape.json", bundle(profile("other", [OTHER_POST])))
    import_file(settings, account, path, is_any_author=True)
    assert [row[0] for row in items(settings)] == ["profile", "post", "profile", "post"]


def test_what_the_file_says_is_landed_unchanged(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    document = bundle(profile("other", [OTHER_POST]), profile("empty", [], followers=25))
    path = write_json(tmp_path / "scrape.json", document)
    manifest = import_file(settings, account, path).manifest
    rows = [json.loads(line) for line in read_lines(settings, manifest)]
    posts: dict[str, list[Any]] = {}
    for row in rows:
        posts.setdefault(row["bundle"]["handle"], [])
        if "post" in row:
            posts[row["bundle"]["handle"]].append(row["post"])
    profiles = [row["profile"] for row in rows if "profile" in row]
    again = [one | {"recent_posts": posts[one["handle"]]} for one in profiles]
    assert again == [document["owned"], *document["competitors"]]
    assert {row["bundle"]["fetched_at"] for row in rows} == {document["fetched_at"]}


def test_an_empty_profile_makes_the_scrape_partial_and_is_no_profile_without_followers(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    nothing = {"followers": 0, "posts": 0, "hearts": 0}
    path = write_json(tmp_path / "scrape.json", bundle(profile("other", [], **nothing)))
    manifest = import_file(settings, account, path, is_any_author=True).manifest
    assert manifest.outcome is Outcome.PARTIAL
    assert list(manifest.rejected_reasons) == ["error row: the scrape saw nothing of this profile"]
    assert (manifest.post_count, manifest.profile_count) == (1, 1)


def test_an_empty_own_profile_is_partial_too(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    owned = profile("quietnights", [])
    path = write_json(tmp_path / "scrape.json", bundle(profile("other", [OTHER_POST]), owned=owned))
    manifest = import_file(settings, account, path).manifest
    assert (manifest.outcome, manifest.post_count) == (Outcome.PARTIAL, 0)
    assert manifest.profile_count == 1


def test_a_bundle_that_saw_nothing_at_all_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    nothing = profile("quietnights", [], followers=0, posts=0, hearts=0)
    path = write_json(tmp_path / "scrape.json", bundle(owned=nothing))
    with pytest.raises(ImportFileError, match="saw nothing"):
        import_file(settings, account, path)


def test_the_same_bundle_twice_is_one_scrape(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    document = bundle(profile("other", [OTHER_POST]))
    first = import_file(settings, account, write_json(tmp_path / "a.json", document))
    again = import_file(settings, account, write_json(tmp_path / "b.json", document))
    assert (first.is_new, again.is_new) == (True, False)


@pytest.mark.parametrize(
    "odd",
    [
        {"owned": None, "competitors": None},
        {"owned": {"recent_posts": None}},
        {"owned": {"recent_posts": [None, "x", 3, {}]}, "competitors": [None, 1]},
        {"owned": {"handle": 5, "recent_posts": [{"hashtags": "x", "duration": None}]}},
        {"owned": {"recent_posts": [{"videoMeta": "text", "duration": 3}]}},
    ],
)
def test_an_odd_bundle_never_fails(odd: dict[str, Any]) -> None:
    found = read_bundle(odd)
    rows = found.rows if found else [odd]
    assert all(isinstance(nested(row), dict) for row in rows if isinstance(row, dict))
