"""Instagram rows of Apify's actors: posts, reels and carousels, and profile details."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pipeline.accounts import AccountConfig, Platform
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
    error_reason,
    handle_of,
    is_yes,
    mentions_site,
    outcome_of_errors,
    read_id,
    read_time,
    settle_id,
    text_of,
)
from pipeline.settings import Settings

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE_LENGTH = 11
"""Codes of private posts are longer; what comes after is no part of the id."""
_CODE = re.compile(r"[A-Za-z0-9_-]{5,64}")
_POST_ADDRESS = re.compile(
    r"instagram\.com/(?:[A-Za-z0-9._]+/)?(?:p|reels?|tv)/([A-Za-z0-9_-]{5,64})"
)
_ID_WITH_OWNER = re.compile(r"([0-9]{1,20})_[0-9]+")
_POST_KEYS = ("likesCount", "commentsCount", "timestamp", "caption", "displayUrl", "type")
_PROFILE_KEYS = ("followersCount", "followsCount", "biography", "postsCount")


class PostInput(ActorInput):
    """Input of ``apify/instagram-post-scraper``: ``username`` is singular and takes a list."""

    username: tuple[str, ...] = Field(min_length=1)
    results_limit: int = Field(ge=1)
    skip_pinned_posts: bool = False


class ProfileInput(ActorInput):
    """Input of ``apify/instagram-profile-scraper``."""

    usernames: tuple[str, ...] = Field(min_length=1)


class ReelInput(ActorInput):
    """Input of ``apify/instagram-reel-scraper``; the count of shares is part of paid plans only."""

    username: tuple[str, ...] = Field(min_length=1)
    results_limit: int = Field(ge=1)
    skip_pinned_posts: bool = False
    include_shares_count: bool = False


def _reel_input(handle: str, limit: int) -> dict[str, Any]:
    return ReelInput(username=(handle,), results_limit=limit).as_json()


def _wants_reels(settings: Settings, account: AccountConfig, handle: str) -> bool:  # noqa: ARG001
    """The posts' actor gives reels too; asking for them alone costs extra, so it is a choice."""
    return account.scrape.reels


def _post_input(handle: str, limit: int) -> dict[str, Any]:
    return PostInput(username=(handle,), results_limit=limit).as_json()


def _profile_input(handle: str, limit: int) -> dict[str, Any]:
    del limit  # one row per profile, whatever the number of posts
    return ProfileInput(usernames=(handle,)).as_json()


class AddressesInput(ActorInput):
    """Input of ``apify/instagram-scraper`` for single posts."""

    direct_urls: tuple[str, ...] = Field(min_length=1)
    results_type: str = "posts"
    results_limit: int = Field(default=1, ge=1, description="Rows per address.")


def _addresses_input(addresses: tuple[str, ...]) -> dict[str, Any]:
    return AddressesInput(direct_urls=addresses).as_json()


def _is_post_row(item: Item) -> bool:
    return not _is_profile(item)


_POST_COUNTS = "likesCount commentsCount videoPlayCount videoViewCount sharesCount"
_POST_CONTRACT = KeyContract(
    required=key_names("id type timestamp likesCount commentsCount ownerUsername"),
    known=key_names(
        f"""
        {_POST_COUNTS} alt audioUrl caption carouselImageCount childPosts coauthorProducers
        dimensionsHeight dimensionsWidth displayUrl downloadedVideo firstComment hashtags id
        images input inputUrl isCommentsDisabled isPinned isSponsored latestComments locationId
        locationName mentions musicInfo ownerFullName ownerId ownerUsername paidPartnership
        productType shortCode sponsors taggedUsers timestamp transcript type url videoDuration
        videoUrl dataSource
        """
    ),
    types={
        **whole_numbers(_POST_COUNTS),
        "id": str,
        "type": str,
        "caption": str,
        "timestamp": str,
        "ownerUsername": str,
        "ownerId": str,
        "videoDuration": float,
        "childPosts": list,
        "isPinned": bool,
    },
    applies=_is_post_row,
)
_PROFILE_CONTRACT = KeyContract(
    required=key_names("id username followersCount postsCount private"),
    known=key_names(
        """
        about biography businessAddress businessCategoryName externalUrl externalUrlShimmed
        externalUrls fbid followersCount followsCount fullName hasChannel highlightReelCount id
        igtvVideoCount inputUrl isBusinessAccount joinedRecently latestIgtvVideos latestPosts
        postsCount private profilePicUrl profilePicUrlHD relatedProfiles url username verified
        """
    ),
    types={
        **whole_numbers("followersCount followsCount postsCount"),
        "id": str,
        "username": str,
        "private": bool,
        "verified": bool,
    },
    applies=lambda item: "timestamp" not in item,
)
_SIGNS = (
    (r"no_items|empty or private|private", RunOutcome.PRIVATE),
    (r"not_found|not found|does ?n[o']t exist", RunOutcome.NOT_FOUND),
)


class Instagram:
    """Rows of Instagram; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.INSTAGRAM
    actors = (
        Actor(ActorKind.POSTS, "apify/instagram-post-scraper", _post_input, _POST_CONTRACT),
        Actor(
            ActorKind.PROFILES,
            "apify/instagram-profile-scraper",
            _profile_input,
            _PROFILE_CONTRACT,
        ),
        Actor(
            ActorKind.REELS,
            "apify/instagram-reel-scraper",
            _reel_input,
            _POST_CONTRACT,
            is_used=_wants_reels,
        ),
    )
    direct = DirectActor("apify/instagram-scraper", _addresses_input, _POST_CONTRACT)
    plain_posts = PlainPosts(
        post_id="id",
        author="ownerUsername",
        numbers=("likesCount", "commentsCount"),
        empty=(
            "error",
            "errorCode",
            "errorDescription",
            "noResults",
            "username",
            "coauthorProducers",
        ),
        missing=("commentUrl", "postUrl"),
    )
    plain_facts = PlainFacts(caption="caption", posted_at="timestamp")

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, a profile, somebody else's post, or the account's own post.

        A post with co-authors belongs to each of them.
        """
        own = handle_of(handle)
        problem = error_reason(item)
        if problem is None and _is_profile(item):
            if is_any_author or (own is not None and handle_of(item.get("username")) == own):
                return Classified(ItemKind.PROFILE)
            problem = "the profile of another handle"
        problem = problem or _not_a_post(item)
        reading = IdReading(problem=problem) if problem else _read_post_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        if is_any_author or (own is not None and own in _authors(item)):
            return Classified(ItemKind.POST, reading.post_id)
        return Classified(
            ItemKind.FOREIGN_POST, reading.post_id, "of another author than the account's handle"
        )

    def facts(self, payload: Item) -> PostFacts:
        """Author, time and caption of a post."""
        return PostFacts(
            post_id=_read_post_id(payload).post_id,
            author_handle=handle_of(payload.get("ownerUsername")),
            posted_at=read_time(payload.get("timestamp")),
            caption=text_of(payload.get("caption")),
        )

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,
        status_message: str | None,  # noqa: ARG002 - the rows' own words say it
    ) -> RunOutcome | None:
        """Private or unknown profiles, by error rows or by the profile's own flag.

        The actors give one and the same error row for a private and for an empty profile.
        """
        own = handle_of(handle)
        for row in rows:
            is_own = isinstance(row, dict) and handle_of(row.get("username")) == own
            if isinstance(row, dict) and is_own and is_yes(row.get("private")):
                return RunOutcome.PRIVATE
        return outcome_of_errors(rows, _SIGNS)

    def follower_count(self, payload: Item) -> int | None:
        """Followers, which only a profile's row has."""
        return count_of(payload.get("followersCount"))

    def recognises(self, item: Item) -> bool:
        """Whether the row has Instagram's own keys or points to instagram.com."""
        return (
            "ownerUsername" in item
            or "shortCode" in item
            or _is_profile(item)
            or mentions_site(item, ("url", "inputUrl", "input", "postUrl"), "instagram.com")
        )


def _is_profile(item: Item) -> bool:
    has_name = text_of(item.get("username")) is not None
    return has_name and any(key in item for key in _PROFILE_KEYS)


def _not_a_post(item: Item) -> str | None:
    if not item:
        return "an empty row"
    if "commentUrl" in item or ("postUrl" in item and _short_code(item) is None):
        return "a comment, not a post"
    if all(item.get(key) in (None, "") for key in _POST_KEYS):
        return "not an Instagram post: it has no counts, no time and no caption"
    return None


def _short_code(item: Item) -> str | None:
    code = text_of(item.get("shortCode"))
    if code and _CODE.fullmatch(code):
        return code
    address = item.get("url")
    found = _POST_ADDRESS.search(address) if isinstance(address, str) else None
    return found.group(1) if found else None


def id_of_short_code(code: str) -> str:
    """The numeric id that a short code spells: base 64, most significant character first."""
    number = 0
    for character in code[:_CODE_LENGTH]:
        number = number * 64 + _ALPHABET.index(character)
    return str(number)


def _read_post_id(item: Item) -> IdReading:
    code = _short_code(item)
    address_id = id_of_short_code(code) if code else None
    given = item.get("id")
    with_owner = _ID_WITH_OWNER.fullmatch(given.strip()) if isinstance(given, str) else None
    if with_owner and with_owner.group(1) == address_id:
        return IdReading(address_id)
    return settle_id(read_id(given), address_id)


def _authors(item: Item) -> set[str]:
    names = {handle_of(item.get("ownerUsername"))}
    partners = item.get("coauthorProducers")
    if isinstance(partners, list):
        names.update(handle_of(one.get("username")) for one in partners if isinstance(one, dict))
    return {name for name in names if name}


SOURCE = Instagram()
