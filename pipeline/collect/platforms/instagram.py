"""Instagram rows of Apify's actors: posts, reels and carousels, and profile details."""

import re
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
    error_reason,
    handle_of,
    mentions_site,
    read_id,
    read_time,
    settle_id,
    text_of,
)

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


def _post_input(handle: str, limit: int) -> dict[str, Any]:
    return PostInput(username=(handle,), results_limit=limit).as_json()


def _profile_input(handle: str, limit: int) -> dict[str, Any]:
    del limit  # one row per profile, whatever the number of posts
    return ProfileInput(usernames=(handle,)).as_json()


class Instagram:
    """Rows of Instagram; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.INSTAGRAM
    actors = (
        Actor(ActorKind.POSTS, "apify/instagram-post-scraper", _post_input),
        Actor(ActorKind.PROFILES, "apify/instagram-profile-scraper", _profile_input),
    )

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
