"""The simulated world: what its actors would answer."""

import hashlib
import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.errors import ConfigurationError
from pipeline.simulate.posts import MediaType, short_code
from pipeline.simulate.world import DEFAULT_END, World, build_world

TIKTOK_KEYS = {
    "id": str,
    "text": str,
    "textLanguage": str,
    "createTime": int,
    "createTimeISO": str,
    "isAd": bool,
    "authorMeta": dict,
    "musicMeta": dict,
    "webVideoUrl": str,
    "mediaUrls": list,
    "videoMeta": dict,
    "diggCount": int,
    "shareCount": int,
    "playCount": int,
    "collectCount": int,
    "commentCount": int,
    "mentions": list,
    "hashtags": list,
    "effectStickers": list,
    "isSlideshow": bool,
    "isPinned": bool,
    "isSponsored": bool,
    "input": str,
}
INSTAGRAM_KEYS = {
    "id": str,
    "type": str,
    "shortCode": str,
    "caption": str,
    "hashtags": list,
    "mentions": list,
    "url": str,
    "commentsCount": int,
    "latestComments": list,
    "dimensionsHeight": int,
    "displayUrl": str,
    "images": list,
    "likesCount": int,
    "timestamp": str,
    "childPosts": list,
    "ownerUsername": str,
    "ownerId": str,
    "isCommentsDisabled": bool,
    "inputUrl": str,
}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def _all_rows(world: World, platform: Platform) -> list[dict]:
    rows = []
    for name, its_platform in world.profiles:
        if its_platform is platform:
            rows += world.scrape_rows(name, platform, "posts", world.end, 10_000)
    return [row for row in rows if "error" not in row]


def _digest(world: World) -> str:
    digest = hashlib.sha256()
    for name, platform in world.profiles:
        for at in (world.end, world.end - timedelta(days=20, hours=7)):
            digest.update(orjson.dumps(world.scrape_rows(name, platform, "posts", at, 10_000)))
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes(world: World) -> None:
    assert _digest(world) == _digest(build_world(seed=7))
    assert _digest(world) != _digest(build_world(seed=8))


def test_the_world_has_the_four_accounts_and_about_110_days(world: World) -> None:
    assert [account.name for account in world.accounts] == [
        "dreamtimelullabies",
        "mymomskills",
        "parentplaybook",
        "slumbersongs",
    ]
    assert world.end == DEFAULT_END == datetime(2026, 11, 15, 13, 0, 5, tzinfo=UTC)
    days = {post.local_at.date() for post in world.profile_posts("mymomskills", Platform.TIKTOK)}
    assert 105 <= len(days) <= 112


def test_a_post_is_the_same_when_another_account_is_added(world: World) -> None:
    one = build_world(accounts=[world.account("mymomskills")])
    assert one.posts == tuple(p for p in world.posts if p.account_name == "mymomskills")


@pytest.mark.parametrize(
    ("platform", "keys"), [(Platform.TIKTOK, TIKTOK_KEYS), (Platform.INSTAGRAM, INSTAGRAM_KEYS)]
)
def test_rows_have_the_actors_keys_and_types(
    world: World, platform: Platform, keys: dict[str, type]
) -> None:
    for row in _all_rows(world, platform):
        assert {key: type(row.get(key)) for key in keys} == keys


def test_a_tiktok_id_has_19_digits_and_holds_the_time_of_the_post(world: World) -> None:
    rows = _all_rows(world, Platform.TIKTOK)
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"\d{19}", row["id"])
        assert int(row["id"]) >> 32 == row["createTime"]
        iso = datetime.fromisoformat(row["createTimeISO"])
        assert iso.timestamp() == row["createTime"]
        assert row["webVideoUrl"].endswith(f"/video/{row['id']}")


def test_an_instagram_short_code_is_its_id_in_base64url(world: World) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    rows = _all_rows(world, Platform.INSTAGRAM)
    rows += [child for row in rows for child in row["childPosts"]]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        number = 0
        for letter in row["shortCode"]:
            number = number * 64 + letters.index(letter)
        assert (str(number), len(row["shortCode"])) == (row["id"], 11)
        assert row["url"] == f"https://www.instagram.com/p/{row['shortCode']}/"


def test_a_short_code_has_its_lowest_digit_last() -> None:
    assert short_code("1") == "AAAAAAAAAAB"
    assert short_code(str(64**10 + 63)) == "BAAAAAAAAA_"


def test_slideshows_and_videos_differ_as_on_tiktok(world: World) -> None:
    rows = _all_rows(world, Platform.TIKTOK)
    for row in rows:
        assert row["isSlideshow"] == (row["videoMeta"]["duration"] == 0)
        assert row["isSlideshow"] == bool(row.get("slideshowImageLinks"))
        assert row["isSlideshow"] != bool(row["mediaUrls"])
    assert 0.6 < sum(row["isSlideshow"] for row in rows) / len(rows) < 0.9


def test_images_and_carousels_have_no_view_keys(world: World) -> None:
    kinds = set()
    for row in _all_rows(world, Platform.INSTAGRAM):
        kinds.add(row["type"])
        views = {key for key in row if key.startswith("video")}
        if row["type"] == "Video":
            assert row["videoPlayCount"] >= row["videoViewCount"] >= 0
            assert row["productType"] == "clips"
        else:
            assert not views
        assert len(row["childPosts"]) == len(row["images"])
        assert (len(row["childPosts"]) > 1) == (row["type"] == "Sidecar")
        assert "collectCount" not in row
        assert "shareCount" not in row
    assert kinds == {"Video", "Sidecar", "Image"}


def test_a_few_like_counts_are_hidden_on_instagram_only(world: World) -> None:
    likes = [row["likesCount"] for row in _all_rows(world, Platform.INSTAGRAM)]
    assert 0 < likes.count(-1) < 0.1 * len(likes)
    assert all(count == -1 or count >= 0 for count in likes)
    assert all(row["diggCount"] >= 0 for row in _all_rows(world, Platform.TIKTOK))


def test_pinned_posts_come_first_and_the_newest_follow(world: World) -> None:
    rows = world.scrape_rows("dreamtimelullabies", Platform.TIKTOK, "posts", world.end, 30)
    posts = [row for row in rows if "error" not in row]
    assert len(posts) == 30
    assert [row["isPinned"] for row in posts] == [True] + [False] * 29
    times = [row["createTime"] for row in posts[1:]]
    assert times == sorted(times, reverse=True)
    assert posts[0]["createTime"] < times[-1]


def test_no_row_is_from_after_the_scrape(world: World) -> None:
    at = world.end - timedelta(days=30)
    for name, platform in world.profiles:
        for row in world.scrape_rows(name, platform, "posts", at, 10_000):
            if "error" not in row:
                posted = row.get("createTimeISO") or row["timestamp"]
                assert datetime.fromisoformat(posted) < at


def test_followers_come_in_every_tiktok_row_and_in_instagrams_profile_row(world: World) -> None:
    early, late = world.end - timedelta(days=60), world.end
    counts = []
    for at in (early, late):
        rows = world.scrape_rows("mymomskills", Platform.TIKTOK, "posts", at, 5)
        profile = world.scrape_rows("mymomskills", Platform.INSTAGRAM, "profiles", at, 1)[0]
        assert len({row["authorMeta"]["fans"] for row in rows if "error" not in row}) == 1
        assert profile["username"] == "mymomskills"
        assert len(profile["latestPosts"]) == 12
        assert all("videoPlayCount" not in row for row in profile["latestPosts"])
        counts.append((rows[0]["authorMeta"]["fans"], profile["followersCount"]))
    assert counts[0][0] < counts[1][0]
    assert counts[0][1] < counts[1][1]


def test_some_scrapes_end_with_an_error_row(world: World) -> None:
    hours = [world.end - timedelta(hours=number) for number in range(200)]
    for platform in (Platform.TIKTOK, Platform.INSTAGRAM):
        last = [world.scrape_rows("slumbersongs", platform, "posts", at, 3)[-1] for at in hours]
        errors = [row for row in last if "error" in row]
        assert 1 <= len(errors) <= 25
        assert all("id" not in row for row in errors)


def test_no_post_is_ambiguous_between_two_formats_pillars_or_calls(world: World) -> None:
    for post in world.posts:
        account = world.account(post.account_name)
        text = post.caption.text.lower()
        for labels, own in (
            (account.formats, post.format),
            (account.content_pillars, post.pillar),
            (account.cta, post.call),
        ):
            found = {item.name for item in labels if any(word in text for word in item.keywords)}
            assert found == ({own} if own else set()), text


def test_captions_are_varied_and_hold_what_captions_hold(world: World) -> None:
    texts = [post.published_text for post in world.posts]
    assert len(set(texts)) > 0.97 * len(texts)
    everything = "\n".join(texts)
    for piece in ("<script>", "Ignore your instructions", "おやすみ", "'", "💛", "#", "\n\n"):
        assert piece in everything
    assert 0 < texts.count("") < 0.03 * len(texts)


def test_one_account_stopped_using_a_format(world: World) -> None:
    posts = world.profile_posts("mymomskills", Platform.TIKTOK)
    recent = {p.format for p in posts if p.posted_at > world.end - timedelta(days=34)}
    assert {p.format for p in posts} - recent == {"boring_habits"}


def test_there_are_a_few_ads(world: World) -> None:
    ads = [post for post in world.posts if post.is_ad]
    assert 0 < len(ads) < 0.04 * len(world.posts)
    assert sum(row["isAd"] for row in _all_rows(world, Platform.TIKTOK)) == sum(
        post.platform is Platform.TIKTOK for post in ads
    )
    assert {p.media_type for p in world.posts} == set(MediaType)


def test_any_account_can_live_in_a_world() -> None:
    account = AccountConfig(
        name="kitchen_notes",
        timezone="Asia/Tokyo",
        platform_profiles={Platform.TIKTOK: "kitchen.notes", Platform.INSTAGRAM: "kitchen_notes"},
        formats=(Labelled(name="recipe", keywords=("recipe",)),),
    )
    world = build_world(accounts=[account], end=DEFAULT_END, start=DEFAULT_END - timedelta(days=20))
    assert {post.format for post in world.posts} == {"recipe"}
    rows = world.scrape_rows("kitchen_notes", Platform.TIKTOK, "posts", world.end, 5)
    assert rows[0]["authorMeta"]["name"] == "kitchen.notes"
    effects = world.truth.effects()
    assert effects
    assert all(abs(effect.ratio - 1) < 1e-9 for effect in effects)


def test_wrong_questions_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no account 'nobody'"):
        world.scrape_rows("nobody", Platform.TIKTOK, "posts", world.end, 5)
    with pytest.raises(ValueError, match="parentplaybook has no profile on instagram"):
        world.scrape_rows("parentplaybook", Platform.INSTAGRAM, "posts", world.end, 5)
    with pytest.raises(ValueError, match="no scrape of profiles on tiktok"):
        world.scrape_rows("mymomskills", Platform.TIKTOK, "profiles", world.end, 5)
    with pytest.raises(ConfigurationError, match="before it starts"):
        build_world(start=DEFAULT_END, end=DEFAULT_END)
    with pytest.raises(ConfigurationError, match="0 or more"):
        build_world(noise=-1.0)
