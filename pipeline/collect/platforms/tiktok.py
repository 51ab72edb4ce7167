"""TikTok rows of the clockworks actors: one row per video or slideshow, the profile inside."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from pipeline.accounts import Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import (
    Actor,
    ActorInput,
    ActorKind,
    Classified,
    DirectActor,
    Item,
    ItemKind,
    KeyContract,
    PlainFacts,
    PlainPosts,
    PostFacts,
    key_names,
    whole_numbers,
)
from pipeline.collect.platform_rows import (
    IdReading,
    count_of,
    dig,
    error_reason,
    handle_of,
    mentions_site,
    one_line,
    outcome_of_errors,
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


class AddressesInput(ActorInput):
    """Input of ``clockworks/tiktok-scraper`` for single posts."""

    post_urls: tuple[str, ...] = Field(min_length=1, alias="postURLs")
    results_per_page: int = Field(default=1, ge=1)
    should_download_videos: bool = False
    should_download_covers: bool = False
    should_download_slideshow_images: bool = False


def _addresses_input(addresses: tuple[str, ...]) -> dict[str, Any]:
    return AddressesInput(post_urls=addresses).as_json()


def _is_post_row(item: Item) -> bool:
    """Whether a row means to be a post, not the leftover of a profile."""
    return not set(item) <= {"authorMeta", "input"}


_COUNTS = "playCount diggCount commentCount shareCount collectCount"
_CONTRACT = KeyContract(
    required=key_names(f"id text createTimeISO authorMeta authorMeta.name webVideoUrl {_COUNTS}"),
    known=key_names(
        f"""
        {_COUNTS} repostCount id text textLanguage createTime createTimeISO locationCreated
        isAd isSponsored isMuted isPinned isSlideshow webVideoUrl mediaUrls hashtags mentions
        detailedMentions effectStickers slideshowImageLinks submittedVideoUrl url input
        fromProfileSection searchHashtag searchQuery commentsDatasetUrl locationMeta downloaded
        authorMeta.avatar authorMeta.bioLink authorMeta.commerceUserInfo authorMeta.digg
        authorMeta.fans authorMeta.following authorMeta.friends authorMeta.heart authorMeta.id
        authorMeta.name authorMeta.nickName authorMeta.originalAvatarUrl
        authorMeta.privateAccount authorMeta.profileUrl authorMeta.region authorMeta.roomId
        authorMeta.secUid authorMeta.signature authorMeta.ttSeller authorMeta.verified
        authorMeta.video
        musicMeta.coverMediumUrl musicMeta.musicAlbum musicMeta.musicAuthor musicMeta.musicId
        musicMeta.musicName musicMeta.musicOriginal musicMeta.originalCoverMediumUrl
        musicMeta.playUrl
        videoMeta.coverUrl videoMeta.definition videoMeta.downloadAddr videoMeta.duration
        videoMeta.format videoMeta.height videoMeta.originalCoverUrl
        videoMeta.originalDownloadAddr videoMeta.subtitleLinks videoMeta.width
        """
    ),
    types={
        **whole_numbers(
            f"{_COUNTS} repostCount createTime videoMeta.duration authorMeta.fans "
            "authorMeta.following authorMeta.heart authorMeta.video"
        ),
        "id": str,
        "text": str,
        "createTimeISO": str,
        "isSlideshow": bool,
        "isPinned": bool,
        "isAd": bool,
        "authorMeta": dict,
        "authorMeta.id": str,
        "authorMeta.name": str,
        "slideshowImageLinks": list,
    },
    applies=_is_post_row,
)
_SIGNS = (
    (r"PROFILE_PRIVATE|private", RunOutcome.PRIVATE),
    (r"PROFILE_EMPTY|no (?:videos|posts)", RunOutcome.EMPTY),
    (r"NOT_FOUND|does ?n[o']t exist|not exist|not found", RunOutcome.NOT_FOUND),
)


class TikTok:
    """Rows of TikTok; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.TIKTOK
    actors = (
        Actor(ActorKind.POSTS, "clockworks/tiktok-profile-scraper", _profile_input, _CONTRACT),
    )
    direct = DirectActor("clockworks/tiktok-scraper", _addresses_input, _CONTRACT)
    plain_posts = PlainPosts(
        post_id="id",
        author="authorMeta.name",
        numbers=("playCount", "diggCount"),
        empty=("error", "errorCode", "errorDescription", "noResults"),
        fixed={"fromProfileSection": _OWN_SECTION},
    )
    plain_facts = PlainFacts(caption="text", posted_at="createTimeISO")

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, somebody else's post, a repost, or the account's own post."""
        problem = error_reason(item)
        if problem is None and _is_profile(item):
            if is_any_author or (handle and _author(item) == handle_of(handle)):
                return Classified(ItemKind.PROFILE)
            problem = "the profile of another handle"
        problem = problem or _not_a_post(item)
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

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,  # noqa: ARG002 - the rows' own words say it
        status_message: str | None,  # noqa: ARG002
    ) -> RunOutcome | None:
        """Private, empty or unknown profiles, as the actor's error rows name them."""
        return outcome_of_errors(rows, _SIGNS)

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


def _is_profile(item: Item) -> bool:
    """Whether the row tells of a profile alone, with its numbers."""
    author = item.get("authorMeta")
    return set(item) == {"authorMeta"} and isinstance(author, dict) and "fans" in author


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
