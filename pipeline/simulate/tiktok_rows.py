"""TikTok posts as clockworks/tiktok-profile-scraper writes them, in its full schema."""

from datetime import UTC, datetime
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.simulate.growth import shown_count
from pipeline.simulate.posts import MediaType, Post
from pipeline.simulate.seeds import pick, stream

_MEDIA = "https://media.example.com/tiktok"
_SOUNDS = (
    ("Rain on a tin roof", "Softly", "7011258846601234433"),
    ("original sound", None, "7250113377449106478"),
    ("Clair de Lune", "Claude Debussy", "6817234550112378882"),
    ("Sunday pancakes", "The Kitchen Band", "7390021177345512001"),
    ("子守唄", "Yuki", "7102233445566778899"),
)


def iso_time(at: datetime) -> str:
    """UTC with milliseconds and a Z, as the actors write times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def fixed_part(post: Post, account: AccountConfig, seed: int) -> dict[str, Any]:
    """What does not change from scrape to scrape, in the actor's order of keys."""
    rng = stream(seed, "row", post.platform.value, post.post_id)
    is_slideshow = post.media_type is not MediaType.VIDEO
    handle = account.platform_profiles[Platform.TIKTOK]
    media = f"{_MEDIA}/{post.post_id}"
    name, author, music_id = pick(rng, _SOUNDS)
    original = author is None
    row: dict[str, Any] = {
        "id": post.post_id,
        "text": post.published_text,
        "textLanguage": "en" if post.published_text else "un",
        "createTime": int(post.posted_at.timestamp()),
        "createTimeISO": iso_time(post.posted_at),
        "isAd": post.is_ad,
        "authorMeta": {},
        "musicMeta": {
            "musicName": name,
            "musicAuthor": account.display_name if original else author,
            "musicOriginal": original,
            "playUrl": None if float(rng.random()) < 0.03 else f"{_MEDIA}/music/{music_id}.mp3",
            "coverMediumUrl": f"{_MEDIA}/music/{music_id}-200.jpeg",
            "originalCoverMediumUrl": f"{_MEDIA}/music/{music_id}-200-original.jpeg",
            "musicId": music_id,
        },
        "webVideoUrl": f"https://www.tiktok.com/@{handle}/video/{post.post_id}",
        "mediaUrls": [],
        "videoMeta": {
            "height": 0 if is_slideshow else 1024,
            "width": 0 if is_slideshow else 576,
            "duration": post.duration_s,
            "coverUrl": f"{media}/cover.jpeg",
            "originalCoverUrl": f"{media}/cover-original.jpeg",
        },
        "diggCount": 0,
        "shareCount": 0,
        "playCount": 0,
        "collectCount": 0,
        "commentCount": 0,
        "repostCount": 0,
        "mentions": [],
        "detailedMentions": [],
        "hashtags": [{"name": tag} for tag in post.caption.hashtags if post.published_text],
        "effectStickers": [],
        "isSlideshow": is_slideshow,
        "isPinned": False,
        "isSponsored": False,
        "input": handle,
        "fromProfileSection": "videos",
    }
    if is_slideshow:
        row["slideshowImageLinks"] = [
            {
                "tiktokLink": f"{media}/slide-{number}.jpeg",
                "downloadLink": f"{media}/slide-{number}.jpeg",
            }
            for number in range(1, (post.slide_count or 1) + 1)
        ]
    else:
        row["videoMeta"].update(definition="540p", format="mp4")
        row["mediaUrls"] = [f"{media}/video.mp4"]
    return row


def row_at(
    post: Post, fixed: dict[str, Any], author_meta: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """The post's row as scraped at ``at``."""
    counts = post.counts(at)
    return fixed | {
        "authorMeta": author_meta,
        "diggCount": counts.likes,
        "shareCount": counts.shares,
        "playCount": counts.views,
        "collectCount": counts.saves,
        "commentCount": counts.comments,
        "repostCount": (counts.shares or 0) // 12,
        "isPinned": post.is_pinned(at),
    }


def author_meta(
    account: AccountConfig, *, profile_id: str, follower_count: float, post_count: int
) -> dict[str, Any]:
    """The author as every row of a scrape repeats it."""
    handle = account.platform_profiles[Platform.TIKTOK]
    return {
        "id": profile_id,
        "name": handle,
        "profileUrl": f"https://www.tiktok.com/@{handle}",
        "nickName": account.display_name or handle,
        "verified": False,
        "signature": "One calm idea a day 💛\nYou've got this.",
        "bioLink": None,
        "originalAvatarUrl": f"{_MEDIA}/avatar/{profile_id}-original.jpeg",
        "avatar": f"{_MEDIA}/avatar/{profile_id}.jpeg",
        "commerceUserInfo": {"commerceUser": False},
        "privateAccount": False,
        "roomId": "",
        "ttSeller": False,
        "following": 214,
        "friends": 61,
        "fans": shown_count(Platform.TIKTOK, follower_count),
        "heart": shown_count(Platform.TIKTOK, follower_count * 21),
        "video": post_count,
        "digg": 1880,
    }


def error_row(handle: str) -> dict[str, Any]:
    """What the actor writes into its results when a profile is not there."""
    return {
        "url": f"https://www.tiktok.com/@{handle}",
        "input": handle,
        "error": "This profile/hashtag does not exist.",
        "errorCode": "NOT_FOUND",
    }


def trouble_row(handle: str) -> dict[str, Any]:
    """What the actor adds when one page of a profile did not load."""
    return {
        "url": f"https://www.tiktok.com/@{handle}",
        "input": handle,
        "error": "Request failed after several retries.",
    }
