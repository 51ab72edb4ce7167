"""Reddit rows of the lite scraper: posts, and between them comments and communities.

Votes are net of down votes and blurred by Reddit. In the actor's feed mode a row has no votes and
no count of comments at all: unknown, not zero.
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
    error_reason,
    handle_of,
    mentions_site,
    outcome_of_errors,
    read_named_id,
    read_time,
    settle_id,
    text_of,
)

_POST_ID = re.compile(r"t3_[a-z0-9]{1,13}")
_BARE_ID = re.compile(r"[a-z0-9]{1,13}")
_POST_ADDRESS = re.compile(r"/comments/([a-z0-9]{1,13})(?![a-z0-9])")
_POST_KEYS = ("title", "body", "upVotes", "numberOfComments", "createdAt")
_OTHER_TYPES = {"t1": "comment", "t2": "user", "t5": "community"}


class Address(ActorInput):
    """One page to start from."""

    url: str


class Proxy(ActorInput):
    """The actor reads Reddit through Apify's own proxy."""

    use_apify_proxy: bool = True


class PostsInput(ActorInput):
    """Input of ``trudax/reddit-scraper-lite`` for a user's own posts; comments would be billed."""

    start_urls: tuple[Address, ...] = Field(min_length=1)
    sort: str = "new"
    max_items: int = Field(ge=1)
    max_post_count: int = Field(ge=1)
    max_comments: int = 0
    skip_comments: bool = True
    proxy: Proxy = Proxy()


def _posts_input(handle: str, limit: int) -> dict[str, Any]:
    address = Address(url=f"https://www.reddit.com/user/{handle}/submitted/?sort=new")
    return PostsInput(start_urls=(address,), max_items=limit, max_post_count=limit).as_json()


def _is_post_row(item: Item) -> bool:
    return _data_type(item) in (None, "post")


_CONTRACT = KeyContract(
    required=key_names("id url username title dataType"),
    known=key_names(
        """
        id parsedId url username userId title communityName parsedCommunityName category body html
        numberOfComments flair upVotes upVoteRatio isVideo isAd over18 thumbnailUrl imageUrls
        videoUrl link createdAt scrapedAt dataType
        """
    ),
    types={
        **whole_numbers("numberOfComments upVotes"),
        "upVoteRatio": float,
        "id": str,
        "title": str,
        "username": str,
        "createdAt": str,
        "isVideo": bool,
        "imageUrls": list,
    },
    applies=_is_post_row,
)
_SIGNS = (
    (r"403|forbidden|blocked|too many requests|429", RunOutcome.THROTTLED),
    (r"suspended|private", RunOutcome.PRIVATE),
    (r"404|not[ _]found|does ?n[o']t exist", RunOutcome.NOT_FOUND),
)


class Reddit:
    """Rows of Reddit; see :class:`pipeline.collect.platform_interface.PlatformSource`."""

    platform = Platform.REDDIT
    actors = (Actor(ActorKind.POSTS, "trudax/reddit-scraper-lite", _posts_input, _CONTRACT),)
    direct = None

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is: an error, a comment, a community, or a post and whose."""
        problem = error_reason(item) or _not_a_post(item)
        reading = IdReading(problem=problem) if problem else _read_post_id(item)
        if reading.problem:
            return Classified(ItemKind.REJECTED, reason=reading.problem)
        author = handle_of(item.get("username"))
        if is_any_author or (author is not None and author == handle_of(handle)):
            return Classified(ItemKind.POST, reading.post_id)
        return Classified(
            ItemKind.FOREIGN_POST, reading.post_id, "of another author than the account's handle"
        )

    def facts(self, payload: Item) -> PostFacts:
        """Author, time, and title with text of a post."""
        parts = [text_of(payload.get(key)) for key in ("title", "body")]
        return PostFacts(
            post_id=_read_post_id(payload).post_id,
            author_handle=handle_of(payload.get("username")),
            posted_at=read_time(payload.get("createdAt")),
            caption="\n".join(part for part in parts if part) or None,
        )

    def outcome_of(
        self,
        rows: Sequence[object],
        handle: str | None,  # noqa: ARG002 - the rows' own words say it
        status_message: str | None,  # noqa: ARG002
    ) -> RunOutcome | None:
        """Throttled, suspended or unknown users, as the actor's error rows say."""
        return outcome_of_errors(rows, _SIGNS)

    def follower_count(self, payload: Item) -> None:
        """No row of this actor counts followers."""
        del payload

    def recognises(self, item: Item) -> bool:
        """Whether the row has this actor's own keys or points to reddit.com."""
        return "parsedCommunityName" in item or mentions_site(
            item, ("url", "contentUrl", "postUrl"), "reddit.com"
        )


def _data_type(item: Item) -> str | None:
    """What kind of thing the row says that it is; its id's prefix says it too."""
    told = text_of(item.get("dataType"))
    if told:
        return told.lower()
    given = text_of(item.get("id")) or ""
    return _OTHER_TYPES.get(given.split("_")[0]) if "_" in given else None


def _not_a_post(item: Item) -> str | None:
    if not item:
        return "an empty row"
    kind = _data_type(item)
    if kind not in (None, "post"):
        return f"a {kind if kind in _OTHER_TYPES.values() else 'row of another kind'}, not a post"
    if all(item.get(key) in (None, "") for key in _POST_KEYS):
        return "not a post of Reddit: it has no title, no text and no time"
    return None


def _read_post_id(item: Item) -> IdReading:
    reading = read_named_id(item.get("id"), _POST_ID, "id of a Reddit post (t3_…)")
    parsed = text_of(item.get("parsedId"))
    address = item.get("url")
    found = _POST_ADDRESS.search(address) if isinstance(address, str) else None
    if parsed and _BARE_ID.fullmatch(parsed):
        return settle_id(reading, f"t3_{parsed}")
    return settle_id(reading, f"t3_{found.group(1)}" if found else None)


SOURCE = Reddit()
