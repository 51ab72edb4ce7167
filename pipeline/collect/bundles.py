"""Files that bundle several profiles of one scrape in one JSON object, with key names of their own.

``{"owned": {…, "recent_posts": […]}, "competitors": [{…}], "fetched_at": …}``: one such object is
taken apart into a row per profile and a row per post. Each row keeps the object of the file as it
is; only when rows are read do its fields get the names that the platform's actor gives them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.collect.platform_rows import read_time

_POSTS = "recent_posts"
_POST_NAMES = {
    "url": ("webVideoUrl",),
    "caption": ("text",),
    "views": ("playCount",),
    "likes": ("diggCount",),
    "comments": ("commentCount",),
    "shares": ("shareCount",),
    "saves": ("collectCount",),
    "reposts": ("repostCount",),
    "created_at": ("createTimeISO",),
    "duration": ("videoMeta", "duration"),
    "thumbnail": ("videoMeta", "coverUrl"),
    "music": ("musicMeta", "musicName"),
    "music_author": ("musicMeta", "musicAuthor"),
}
_PROFILE_NAMES = {
    "handle": "name",
    "display_name": "nickName",
    "followers": "fans",
    "posts": "video",
    "hearts": "heart",
    "bio": "signature",
}
"""What is not named keeps its name."""
_COUNTS = ("fans", "video", "heart")


@dataclass(frozen=True)
class Bundle:
    """One such file, taken apart."""

    rows: list[object]
    fetched_at: datetime | None
    """The scrape's time as the file says it, in UTC."""
    is_complete: bool
    """False when a profile has no posts: the scrape missed them, or there are none to see."""


def read_bundle(document: Mapping[str, Any]) -> Bundle | None:
    """The rows of a bundle; None when the document is no bundle."""
    profiles = list(_profiles(document))
    if "owned" not in document or not any(_POSTS in profile for _, profile in profiles):
        return None
    rows: list[object] = []
    is_complete = True
    for role, profile in profiles:
        where = {"role": role, "handle": profile.get("handle"), **_time_of(document)}
        posts = profile.get(_POSTS)
        rest = {key: value for key, value in profile.items() if key != _POSTS or not posts}
        rows.append({"bundle": where, "profile": rest})
        if isinstance(posts, list) and posts:
            rows.extend({"bundle": where, "post": post} for post in posts)
        else:
            is_complete = False
    return Bundle(rows, read_time(document.get("fetched_at")), is_complete)


def _profiles(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    owned, others = document.get("owned"), document.get("competitors")
    if isinstance(owned, dict):
        yield "owned", owned
    for other in others if isinstance(others, list) else ():
        if isinstance(other, dict):
            yield "competitor", other


def _time_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"fetched_at": document["fetched_at"]} if "fetched_at" in document else {}


def is_bundled(item: Mapping[str, Any]) -> bool:
    """Whether a row is a part of a bundle, in the bundle's own words."""
    return len(item) == 2 and isinstance(item.get("bundle"), dict) and bool(_part(item))


def _part(item: Mapping[str, Any]) -> Any:
    return item.get("post") or item.get("profile")


def unbundled(item: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a bundle in the words of the platform's actor."""
    part = _part(item)
    if not isinstance(part, dict):
        return dict(item)
    return _post(part, item["bundle"].get("handle")) if "post" in item else _profile(part)


def _post(post: Mapping[str, Any], handle: object) -> dict[str, Any]:
    row: dict[str, Any] = {"authorMeta": {"name": handle}}
    for key, value in post.items():
        *folders, name = _POST_NAMES.get(key, (key,))
        place: Any = row
        for folder in folders:
            place = place.setdefault(folder, {})
        if isinstance(place, dict):
            place[name] = value
        else:  # the post has a key of that very name
            row[key] = value
    tags = row.get("hashtags")
    if isinstance(tags, list):
        row["hashtags"] = [{"name": tag} if isinstance(tag, str) else tag for tag in tags]
    return row


def _profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    author = {_PROFILE_NAMES.get(key, key): value for key, value in profile.items()}
    if not author.get(_POSTS) and all(author.get(name) in (None, 0) for name in _COUNTS):
        # A profile without posts, followers and likes is one that the scrape did not see.
        return {"error": "the scrape saw nothing of this profile", "authorMeta": author}
    author.pop(_POSTS, None)
    return {"authorMeta": author}
