"""LinkedIn rows of two actors, for people's and for companies' posts, in two vintages.

Handles say which: ``in/NAME`` is a person's profile, ``company/NAME`` a company's page. Reactions
and comments come as rows of the same dataset where somebody asked for them.
"""

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
    Item,
    ItemKind,
    KeyContract,
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
    read_named_id,
    read_time,
    settle_id,
    text_of,
)
from pipeline.settings import Settings

_AUTHOR_ADDRESS = re.compile(
    r"linkedin\.com/((?:in|company|school|showcase)/[^/?#\s]+)", re.IGNORECASE
)
_ACTIVITY_IN_ADDRESS = re.compile(r"activity[-:]([0-9]{15,20})(?![0-9])")
_URN = re.compile(r"urn:li:[A-Za-z]+:[0-9]{1,20}")
_POST_KEYS = ("content", "text", "engagement", "stats", "postedAt", "posted_at")
_ADDRESSES = ("linkedinUrl", "shareLinkedinUrl", "post_url", "source_company", "url")
_ROW_TYPE = re.compile(r"[a-z_ ]{1,30}")
_PERSON = "in/"


class ProfilePostsInput(ActorInput):
    """Input of ``harvestapi/linkedin-profile-posts``.

    One profile per run: the maximum is of the whole run. Reposts, reactions and comments are
    billed like posts.
    """

    target_urls: tuple[str, ...] = Field(min_length=1, max_length=1)
    max_posts: int = Field(ge=1)
    include_reposts: bool = False
    scrape_reactions: bool = False
    scrape_comments: bool = False


class CompanyPostsInput(ActorInput):
    """Input of ``harvestapi/linkedin-company-posts``, whose builds differ in one field's name."""

    company_urls: tuple[str, ...] = Field(min_length=1, max_length=1)
    target_urls: tuple[str, ...] = Field(min_length=1, max_length=1)
    max_posts: int = Field(ge=1)
    include_reposts: bool = False
    scrape_reactions: bool = False
    scrape_comments: bool = False


def _profile_input(handle: str, limit: int) -> dict[str, Any]:
    return ProfilePostsInput(target_urls=(_page(handle),), max_posts=limit).as_json()


def _company_input(handle: str, limit: int) -> dict[str, Any]:
    page = (_page(handle),)
    return CompanyPostsInput(company_urls=page, target_urls=page, max_posts=limit).as_json()


def _page(handle: str) -> str:
    path = handle if "/" in handle else f"{_PERSON}{handle}"
    return f"https://www.linkedin.com/{path}"


def _is_person(settings: Settings, account: AccountConfig, handle: str) -> bool:  # noqa: ARG001
    return "/" not in handle or handle.lower().startswith(_PERSON)


def _is_company(settings: Settings, account: AccountConfig, handle: str) -> bool:
    return not _is_person(settings, account, handle)


def _is_post_row(item: Item) -> bool:
    return item.get("type") in (None, "post")


_CONTRACT = KeyContract(
    required=key_names("id linkedinUrl content author postedAt engagement engagement.likes"),
    known=key_names(
        """
        type id entityId shareUrn linkedinUrl shareLinkedinUrl content contentAttributes author
        postedAt.timestamp postedAt.date postedAt.postedAgoShort postedAt.postedAgoText
        postImages postVideo video document article poll event celebration header socialContent
        engagement.id engagement.likes engagement.comments engagement.shares engagement.reactions
        reactions comments repost repostId repostedAt repostedBy newsletterUrl newsletterTitle
        query input
        """
    ),
    types={
        **whole_numbers("engagement.likes engagement.comments engagement.shares"),
        "postedAt.timestamp": int,
        "postedAt.date": str,
        "id": str,
        "content": str,
        "author": dict,
        "postedAt": dict,
        "engagement": dict,
        "postImages": list,
    },
    applies=_is_post_row,
)
_SIGNS = (
    (r"private|not accessible", RunOutcome.PRIVATE),
    (r"rate limit|too many requests|429", RunOutcome.THROTTLED),
    (r"404|not[ _]found|does ?n[o']t exist", RunOutcome.NOT_FOUND),
)


class LinkedIn:
    """Rows of LinkedIn; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.LINKEDIN
    actors = (
        Actor(
            ActorKind.POSTS,
            "harvestapi/linkedin-profile-posts",
            _profile_input,
            _CONTRACT,
            is_used=_is_person,
        ),
        Actor(
            ActorKind.POSTS,
            "harvestapi/linkedin-company-posts",
            _company_input,
            _CONTRACT,
            is_used=_is_company,
        ),
    )
    direct = None

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, a comment, a reaction, a repost, or a post and whose."""
        problem = error_reason(item) or _not_a_post(item)
        reading = IdReading(problem=problem) if problem else _read_post_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        if is_any_author:
            return Classified(ItemKind.POST, reading.post_id)
        author = _author(item)
        if author is None or author != _own(handle):
            return Classified(
                ItemKind.FOREIGN_POST,
                reading.post_id,
                "of another author than the account's handle",
            )
        if item.get("post_type") == "repost" or dig(item, "repostedBy"):
            return Classified(ItemKind.REJECTED, reading.post_id, "a repost, not a post of its own")
        return Classified(ItemKind.POST, reading.post_id)

    def facts(self, payload: Item) -> PostFacts:
        """Author, time and text of a post."""
        return PostFacts(
            post_id=_read_post_id(payload).post_id,
            author_handle=_author(payload),
            posted_at=read_time(
                dig(payload, "postedAt", "timestamp"),
                dig(payload, "postedAt", "date"),
                # This vintage also writes the time as text, in a zone that it does not name.
                dig(payload, "posted_at", "timestamp"),
            ),
            caption=text_of(payload.get("content")) or text_of(payload.get("text")),
        )

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,  # noqa: ARG002 - the rows' own words say it
        status_message: str | None,  # noqa: ARG002
    ) -> RunOutcome | None:
        """Private, throttled or unknown profiles, as the actor's error rows say."""
        return outcome_of_errors(rows, _SIGNS)

    def follower_count(self, payload: Item) -> int | None:
        """Followers of a company's page, which one vintage has on every row."""
        return count_of(dig(payload, "author", "follower_count"))

    def recognises(self, item: Item) -> bool:
        """Whether the row has LinkedIn's own keys or points to linkedin.com."""
        return (
            "activity_urn" in item
            or "linkedinUrl" in item
            or mentions_site(item, _ADDRESSES, "linkedin.com")
        )


def _not_a_post(item: Item) -> str | None:
    if not item:
        return "an empty row"
    if not _is_post_row(item):
        told = item.get("type")
        is_plain = isinstance(told, str) and _ROW_TYPE.fullmatch(told)
        return f"a {one_line(told) if is_plain else 'row of another kind'}, not a post"
    if all(item.get(key) in (None, "", {}) for key in _POST_KEYS):
        return "not a LinkedIn post: it has no counts, no time and no text"
    return None


def _read_post_id(item: Item) -> IdReading:
    address = text_of(item.get("linkedinUrl")) or text_of(item.get("post_url")) or ""
    found = _ACTIVITY_IN_ADDRESS.search(address)
    given = item.get("id") if item.get("id") not in (None, "") else item.get("activity_urn")
    if isinstance(given, str) and given.strip().startswith("urn:"):
        return read_named_id(given, _URN, "LinkedIn id")
    return settle_id(read_id(given), found.group(1) if found else None)


def _own(handle: str | None) -> str | None:
    own = handle_of(handle)
    return own if own is None or "/" in own else f"{_PERSON}{own}"


def _author(item: Item) -> str | None:
    """The author's page as handles are written here, such as ``company/name``."""
    for key in ("linkedinUrl", "company_url", "profile_url", "url"):
        address = dig(item, "author", key)
        found = _AUTHOR_ADDRESS.search(address) if isinstance(address, str) else None
        if found:
            return handle_of(found.group(1))
    for key, folder in (("universalName", "company/"), ("publicIdentifier", _PERSON)):
        name = handle_of(dig(item, "author", key))
        if name:
            return f"{folder}{name}"
    return None


SOURCE = LinkedIn()
