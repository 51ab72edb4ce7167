"""TikTok rows of the clockworks actors: one row per video or slideshow, the profile inside."""

import re
from datetime import datetime
from typing import Any

from pydantic import Field

from pipeline.accounts import Platform
from pipeline.collect.platform_interface import (
    Actor,
    ActorInput,
    ActorKind,
    Classified,
    Item,
    ItemKind,
    PostFacts,
)
from pipeline.collect.platform_rows import (
    IdReading,
    count_of,
    dig,
    error_reason,
    handle_of,
    mentions_site,
    one_line,
    read_id,
    read_time,
    settle_id,
    text_of,
)

_POST_ADDRESS = re.compile(r"/(?:video|photo)/([0-9]{1,20})(?![0-9])")
_AUTHOR_ADDRESS = re.compile(r"tiktok\.com/@([^/?#]+)/(?:video|photo)/")
_POST_KEYS = (
    "playCount",
    "diggCount",
    "commentCount",
    "createTimeISO",
    "createTime",
    "videoMeta",
    "text",
)
_OWN_SECTION = "videos"


class ProfileInput(ActorInput):
    """Input of ``clockworks/tiktok-profile-scraper``; sorting and date filters would cost extra."""

    profiles: tuple[str, ...] = Field(min_length=1)
    results_per_page: int = Field(ge=1)
    profile_scrape_sections: tuple[str, ...] = (_OWN_SECTION,)
    exclude_pinned_posts: bool = False
    should_download_videos: bool = False
    should_download_covers: bool = False
    should_download_slideshow_images: bool = False


def _profile_input(handle: str, limit: int) -> dict[str, Any]:
    return ProfileInput(profiles=(handle,), results_per_page=limit).as_json()


class TikTok:
    """Rows of TikTok; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.TIKTOK
    actors = (Actor(ActorKind.POSTS, "clockworks/tiktok-profile-scraper", _profile_input),)

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, somebody else's post, a repost, or the account's own post."""
        problem = error_reason(item) or _not_a_post(item)
        if problem:
            return Classified(ItemKind.REJECTED, reason=problem)
        reading = _read_post_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        author = _author(item)
        is_own = author is not None and author == handle_of(handle)
        section = text_of(item.get("fromProfileSection"))
        if section and section.lower() != _OWN_SECTION and (is_own or not is_any_author):
            words = f"from the profile's section {one_line(section)[:40]!r}, not from its videos"
            kind = ItemKind.REJECTED if is_own else ItemKind.FOREIGN_POST
            return Classified(kind, reading.post_id, words)
        if is_own or is_any_author:
            return Classified(ItemKind.POST, reading.post_id)
        return Classified(
            ItemKind.FOREIGN_POST, reading.post_id, "of another author than the account's handle"
        )

    def facts(self, payload: Item) -> PostFacts:
        """Author, time and caption; the time is in the id's upper half when no field has it."""
        post_id = _read_post_id(payload).post_id
        return PostFacts(
            post_id=post_id,
            author_handle=_author(payload),
            posted_at=_posted_at(payload, post_id),
            caption=text_of(payload.get("text")),
        )

    def follower_count(self, payload: Item) -> int | None:
        """Fans of the post's author."""
        return count_of(dig(payload, "authorMeta", "fans"))

    def recognises(self, item: Item) -> bool:
        """Whether the row has TikTok's own keys or points to tiktok.com."""
        return (
            isinstance(item.get("authorMeta"), dict)
            or mentions_site(item, ("webVideoUrl", "url", "input", "inputUrl"), "tiktok.com")
            or ("diggCount" in item and "playCount" in item)
        )


def _not_a_post(item: Item) -> str | None:
    if not item:
        return "an empty row"
    if any(item.get(key) not in (None, "", {}) for key in _POST_KEYS):
        return None
    author = item.get("authorMeta")
    if set(item) <= {"authorMeta"} and isinstance(author, dict):
        return "only a profile's name and picture, no post"
    return "not a TikTok post: it has no counts, no time and no text"


def _read_post_id(item: Item) -> IdReading:
    address = item.get("webVideoUrl")
    found = _POST_ADDRESS.search(address) if isinstance(address, str) else None
    return settle_id(read_id(item.get("id")), found.group(1) if found else None)


def _author(item: Item) -> str | None:
    name = handle_of(dig(item, "authorMeta", "name"))
    if name:
        return name
    address = item.get("webVideoUrl")
    found = _AUTHOR_ADDRESS.search(address) if isinstance(address, str) else None
    return handle_of(found.group(1)) if found else None


def _posted_at(item: Item, post_id: str | None) -> datetime | None:
    from_id = str(int(post_id) >> 32) if post_id else None
    return read_time(item.get("createTimeISO"), item.get("createTime"), from_id)


SOURCE = TikTok()
