"""Instagram as apify/instagram-post-scraper and apify/instagram-profile-scraper write it."""

import math
from datetime import datetime, timedelta
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.simulate.posts import MediaType, Post, instagram_id, short_code
from pipeline.simulate.seeds import pick, stream
from pipeline.simulate.tiktok_rows import iso_time

_MEDIA = "https://media.example.com/instagram"
_TYPES = {MediaType.VIDEO: "Video", MediaType.CAROUSEL: "Sidecar", MediaType.IMAGE: "Image"}
_SOUNDS = (("Softly", "Rain on a tin roof"), ("Claude Debussy", "Clair de Lune"))


def fixed_part(post: Post, account: AccountConfig, profile_id: str, seed: int) -> dict[str, Any]:
    """What does not change from scrape to scrape, in the actor's order of keys.

    Only a reel carries the keys of views, duration and music; only a carousel carries children.
    """
    rng = stream(seed, "row", post.platform.value, post.post_id)
    handle = account.platform_profiles[Platform.INSTAGRAM]
    code = short_code(post.post_id)
    media = f"{_MEDIA}/{post.post_id}"
    children = _children(post, media)
    row: dict[str, Any] = {
        "id": post.post_id,
        "type": _TYPES[post.media_type],
        "shortCode": code,
        "caption": post.published_text,
        "hashtags": list(post.caption.hashtags) if post.published_text else [],
        "mentions": [],
        "url": f"https://www.instagram.com/p/{code}/",
        "commentsCount": 0,
        "firstComment": "",
        "latestComments": [],
        "dimensionsHeight": 1920 if post.media_type is MediaType.VIDEO else 1350,
        "dimensionsWidth": 1080,
        "displayUrl": f"{media}/cover.jpg",
        "images": [child["displayUrl"] for child in children],
        "alt": None,
        "likesCount": 0,
        "timestamp": iso_time(post.posted_at),
        "childPosts": children,
        "ownerFullName": account.display_name or handle,
        "ownerUsername": handle,
        "ownerId": profile_id,
        "isCommentsDisabled": False,
        "inputUrl": f"https://www.instagram.com/{handle}",
    }
    if post.media_type is MediaType.VIDEO:
        artist, song = pick(rng, _SOUNDS)
        row |= {
            "videoUrl": f"{media}/reel.mp4",
            "videoViewCount": 0,
            "videoPlayCount": 0,
            "videoDuration": round(post.duration_s + float(rng.random()), 3),
            "productType": "clips",
            "audioUrl": f"{media}/audio.mp4",
            "musicInfo": {
                "artist_name": artist,
                "song_name": song,
                "uses_original_audio": False,
                "should_mute_audio": False,
                "should_mute_audio_reason": "",
                "audio_id": str(int(rng.integers(10**15, 10**16))),
            },
        }
    elif post.media_type is MediaType.CAROUSEL:
        row["productType"] = "carousel_container"
    if post.is_ad:
        row["paidPartnership"] = True
    return row


def row_at(post: Post, fixed: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The post's row as scraped at ``at``; hidden likes are -1, as the actor writes them."""
    counts = post.counts(at)
    row = fixed | {
        "commentsCount": counts.comments,
        "likesCount": -1 if counts.likes is None else counts.likes,
    }
    if counts.views is not None:
        row["videoPlayCount"] = counts.views
        row["videoViewCount"] = math.floor(counts.views * _viewed_share(post))
    if post.is_pinned(at):
        row["isPinned"] = True
    return row


def profile_row(
    account: AccountConfig,
    *,
    profile_id: str,
    follower_count: float,
    post_count: int,
    latest: list[dict[str, Any]],
) -> dict[str, Any]:
    """The row of instagram-profile-scraper.

    Args:
        account: Whose profile.
        profile_id: The platform's own id of it.
        follower_count: Followers at that moment; shown exactly.
        post_count: All posts ever.
        latest: Rows of the newest posts; at most twelve are nested, without plays.
    """
    handle = account.platform_profiles[Platform.INSTAGRAM]
    dropped = {"videoPlayCount", "audioUrl", "musicInfo", "latestComments", "inputUrl"}
    picture = f"{_MEDIA}/avatar/{profile_id}"
    return {
        "inputUrl": f"https://www.instagram.com/{handle}",
        "id": profile_id,
        "username": handle,
        "url": f"https://www.instagram.com/{handle}",
        "fullName": account.display_name or handle,
        "biography": "One calm idea a day 💛\nYou've got this.",
        "externalUrl": None,
        "externalUrls": [],
        "followersCount": round(follower_count),
        "followsCount": 312,
        "hasChannel": False,
        "highlightReelCount": 4,
        "isBusinessAccount": True,
        "joinedRecently": False,
        "businessCategoryName": "Parenting",
        "private": False,
        "verified": False,
        "profilePicUrl": f"{picture}.jpg",
        "profilePicUrlHD": f"{picture}-hd.jpg",
        "igtvVideoCount": 0,
        "relatedProfiles": [],
        "latestIgtvVideos": [],
        "postsCount": post_count,
        "latestPosts": [
            {key: value for key, value in row.items() if key not in dropped} for row in latest[:12]
        ],
    }


def error_row(handle: str) -> dict[str, Any]:
    """What the actors write into their results for an empty, private or missing profile."""
    return {
        "url": f"https://www.instagram.com/{handle}",
        "inputUrl": f"https://www.instagram.com/{handle}",
        "requestErrorMessages": [],
        "error": "no_items",
        "errorDescription": "Empty or private data for provided input",
    }


def _viewed_share(post: Post) -> float:
    """Views that were watched, per play: between 0.25 and 0.5, fixed for a post."""
    return 0.25 + (int(post.post_id) >> 5) % 1000 / 4000


def _children(post: Post, media: str) -> list[dict[str, Any]]:
    """The slides of a carousel: they carry no numbers and no time, only the parent does."""
    if post.media_type is not MediaType.CAROUSEL:
        return []
    uploaded_at = post.posted_at - timedelta(seconds=20)
    children = []
    for number in range(1, (post.slide_count or 0) + 1):
        child_id = instagram_id(uploaded_at, int(post.post_id) % 2**16 + number * 2**16)
        code = short_code(child_id)
        children.append(
            {
                "id": child_id,
                "type": "Image",
                "caption": "",
                "hashtags": [],
                "mentions": [],
                "url": f"https://www.instagram.com/p/{code}/",
                "commentsCount": 0,
                "firstComment": "",
                "latestComments": [],
                "dimensionsHeight": 1350,
                "dimensionsWidth": 1080,
                "displayUrl": f"{media}/slide-{number}.jpg",
                "images": [],
                "alt": None,
                "likesCount": None,
                "timestamp": None,
                "childPosts": [],
                "ownerId": None,
                "shortCode": code,
            }
        )
    return children
