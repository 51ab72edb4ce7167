"""X rows of the tweet scraper: one row per post, the author inside.

A plan without API rights gets rows that only say ``noResults``, from a run that SUCCEEDED.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pipeline.accounts import Platform
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
    is_yes,
    outcome_of_errors,
    read_id,
    read_time,
    settle_id,
    text_of,
)

_SITE = re.compile(r"(?:^|//|\.)(?:x|twitter)\.com/", re.IGNORECASE)
_POST_ADDRESS = re.compile(
    r"(?:^|//|\.)(?:x|twitter)\.com/([^/?#]+)/status(?:es)?/([0-9]{1,20})(?![0-9])", re.IGNORECASE
)
_ADDRESSES = ("url", "twitterUrl")
_POST_KEYS = ("likeCount", "replyCount", "retweetCount", "viewCount", "createdAt", "text")


class TweetsInput(ActorInput):
    """Input of ``apidojo/tweet-scraper``; ``start`` and ``end`` would only work with searches."""

    twitter_handles: tuple[str, ...] = Field(min_length=1)
    max_items: int = Field(ge=1)
    sort: str = "Latest"


def _tweets_input(handle: str, limit: int) -> dict[str, Any]:
    return TweetsInput(twitter_handles=(handle,), max_items=limit).as_json()


def _is_post_row(item: Item) -> bool:
    return not is_yes(item.get("noResults"))


_COUNTS = "likeCount replyCount retweetCount quoteCount bookmarkCount"
_CONTRACT = KeyContract(
    required=key_names(f"id url text createdAt author author.userName isRetweet {_COUNTS}"),
    known=key_names(
        f"""
        {_COUNTS} viewCount type id url twitterUrl text fullText source source: createdAt lang
        inReplyToId inReplyToUserId inReplyToUsername isReply isRetweet isQuote isPinned
        isConversationControlled possiblySensitive conversationId quoteId quote retweetId retweet
        place card entities extendedEntities media searchTerm bookmarkCount article noResults
        author
        """
    ),
    types={
        **whole_numbers(f"{_COUNTS} viewCount author.followers author.following"),
        "id": str,
        "text": str,
        "createdAt": str,
        "author": dict,
        "author.userName": str,
        "author.id": str,
        "isRetweet": bool,
        "isReply": bool,
    },
    applies=_is_post_row,
)
_SIGNS = (
    (r"no results", RunOutcome.BLOCKED_BY_PLAN),
    (r"protected|private", RunOutcome.PRIVATE),
    (r"suspended|not[ _]found|does ?n[o']t exist", RunOutcome.NOT_FOUND),
)


class X:
    """Rows of X; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.X
    actors = (Actor(ActorKind.POSTS, "apidojo/tweet-scraper", _tweets_input, _CONTRACT),)
    direct = None

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, a repost, somebody else's post, or the account's own post."""
        problem = error_reason(item) or _not_a_post(item)
        reading = IdReading(problem=problem) if problem else _read_post_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        if is_any_author or (_author(item) is not None and _author(item) == handle_of(handle)):
            return Classified(ItemKind.POST, reading.post_id)
        return Classified(
            ItemKind.FOREIGN_POST, reading.post_id, "of another author than the account's handle"
        )

    def facts(self, payload: Item) -> PostFacts:
        """Author, time and text of a post."""
        return PostFacts(
            post_id=_read_post_id(payload).post_id,
            author_handle=_author(payload),
            posted_at=read_time(payload.get("createdAt")),
            caption=text_of(payload.get("text")),
        )

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,  # noqa: ARG002 - the rows' own words say it
        status_message: str | None,  # noqa: ARG002
    ) -> RunOutcome | None:
        """Blocked by the plan, protected or unknown profiles, as the actor's rows say."""
        return outcome_of_errors(rows, _SIGNS)

    def follower_count(self, payload: Item) -> int | None:
        """Followers of the post's author."""
        return count_of(dig(payload, "author", "followers"))

    def recognises(self, item: Item) -> bool:
        """Whether the row has X's own keys or points to X."""
        addresses = (item.get(key) for key in _ADDRESSES)
        return (
            any(isinstance(value, str) and _SITE.search(value) for value in addresses)
            or ("retweetCount" in item and "likeCount" in item)
            or item.get("type") == "tweet"
        )


def _not_a_post(item: Item) -> str | None:
    if not item:
        return "an empty row"
    if all(item.get(key) in (None, "") for key in _POST_KEYS):
        return "not a post of X: it has no counts, no time and no text"
    if is_yes(item.get("isRetweet")):
        return "a repost of another post, not a post of its own"
    return None


def _address(item: Item) -> re.Match[str] | None:
    for key in _ADDRESSES:
        value = item.get(key)
        found = _POST_ADDRESS.search(value) if isinstance(value, str) else None
        if found:
            return found
    return None


def _read_post_id(item: Item) -> IdReading:
    found = _address(item)
    return settle_id(read_id(item.get("id")), found.group(2) if found else None)


def _author(item: Item) -> str | None:
    name = handle_of(dig(item, "author", "userName"))
    if name:
        return name
    found = _address(item)
    return handle_of(found.group(1)) if found else None


SOURCE = X()
