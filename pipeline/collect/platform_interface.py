"""What the rest of the program may ask of a platform, and the shapes of the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.settings import Settings

Item = Mapping[str, Any]
"""One row of a source, nested as the actor's own schema has it; untrusted."""


class ItemKind(StrEnum):
    """What one row of an answer is to the account it was fetched for."""

    POST = "post"
    FOREIGN_POST = "foreign_post"
    PROFILE = "profile"
    REJECTED = "rejected"


class ActorKind(StrEnum):
    """What one actor gives."""

    POSTS = "posts"
    PROFILES = "profiles"
    REELS = "reels"
    """Short videos alone, where the posts' actor tells less about them."""


class Service(StrEnum):
    """Who answers an actor's question."""

    APIFY = "apify"
    YOUTUBE = "youtube"
    """YouTube's own Data API; free of charge, with a daily quota."""


class ActorInput(BaseModel):
    """Base of the inputs: an actor ignores a misspelt field and finds nothing, so none may pass."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    def as_json(self) -> dict[str, Any]:
        """The input as the actor reads it, keys in its own spelling."""
        return self.model_dump(mode="json", by_alias=True)


def is_any_row(item: Item) -> bool:
    """Every row."""
    return bool(item)


KeyType = type | tuple[type, ...]


@dataclass(frozen=True)
class KeyContract:
    """The keys that an actor's rows have, joined by dots: ``authorMeta.fans``. Lists are leaves."""

    required: frozenset[str]
    """In every row, and never null in all of them."""
    known: frozenset[str]
    """Every key seen so far. An object with no known key below it may hold anything."""
    types: Mapping[str, KeyType] = field(default_factory=dict)
    """What a value is when it is not null. ``int`` takes no boolean, ``float`` whole ones too."""
    applies: Callable[[Item], bool] = is_any_row
    """Which rows it is about: actors put comments and profiles between the posts."""


def key_names(text: str) -> frozenset[str]:
    """Names written with spaces between them."""
    return frozenset(text.split())


def whole_numbers(text: str) -> dict[str, KeyType]:
    """A contract's types of the counts named in a text."""
    return dict.fromkeys(text.split(), int)


NO_CONTRACT = KeyContract(frozenset(), frozenset())
"""Of an actor whose rows may be anything: nothing is drift."""


def is_used_always(settings: Settings, account: AccountConfig, handle: str) -> bool:  # noqa: ARG001
    """Whatever is configured."""
    return True


@dataclass(frozen=True)
class Actor:
    """One actor of the scraping service and how to ask it about one profile."""

    kind: ActorKind
    actor_id: str
    """``owner/name`` at Apify."""
    build_input: Callable[[str, int], dict[str, Any]]
    """From handle and number of newest posts to the actor's checked input."""
    contract: KeyContract = NO_CONTRACT
    """What its rows look like; holds for scrapes, not for imports, which come in every vintage."""
    is_used: Callable[[Settings, AccountConfig, str], bool] = is_used_always
    """Whether it is the one to ask, by settings, account and the account's handle."""
    service: Service = Service.APIFY
    list_count: int = 1
    """Lists that the actor reads, each up to the limit: YouTube's videos and Shorts are two."""


@dataclass(frozen=True)
class DirectActor:
    """An actor that looks single posts up by their addresses."""

    actor_id: str
    """``owner/name`` at Apify."""
    build_input: Callable[[tuple[str, ...]], dict[str, Any]]
    """From post addresses to the actor's checked input."""
    contract: KeyContract = NO_CONTRACT
    """What its rows look like."""


@dataclass(frozen=True)
class PlainPosts:
    """Signs by which a database tells a platform's ordinary posts, as JSON keys joined by dots.

    What has them all must be a post of that author for ``classify`` too. A platform file may name
    them as ``plain_posts`` of its source; large answers then load several times faster.
    """

    post_id: str
    """Text of digits: the post's id."""
    author: str
    """Text: the author's handle. The post belongs to this author and to nobody else."""
    numbers: tuple[str, ...]
    """At least one of them is a whole number."""
    empty: tuple[str, ...]
    """Missing, null, false, or empty."""
    missing: tuple[str, ...] = ()
    """Not there at all."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Missing, null, or this very text."""


@dataclass(frozen=True)
class PlainFacts:
    """Keys at a row's top in which most posts have what matching and labelling need.

    A platform file may name them as ``plain_facts`` of its source, where they are what ``facts``
    reads first; a database then reads most rows.
    """

    caption: str
    """Text, or null or missing where there is none."""
    posted_at: str
    """The time as ISO 8601 in UTC."""


@dataclass(frozen=True)
class Classified:
    """What one row is. ``reason`` is set when it is not simply the account's own."""

    kind: ItemKind
    post_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class PostFacts:
    """What matching and labelling need to know of a post; missing is None."""

    post_id: str | None
    author_handle: str | None
    posted_at: datetime | None
    """In UTC with its zone."""
    caption: str | None


class PlatformSource(Protocol):
    """One platform's rows: what they are and what they say. No method raises on any JSON object."""

    @property
    def platform(self) -> Platform:
        """The platform."""

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The actors to run for one profile, posts first."""

    @property
    def direct(self) -> DirectActor | None:
        """The actor for posts that left the listing; None where the platform has none."""

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is to the account.

        Args:
            item: One nested row.
            handle: The account's handle on this platform, if it has one.
            is_any_author: Take posts of every author as the account's own.
        """

    def facts(self, payload: Item) -> PostFacts:
        """What a post's row says about the post itself."""

    def outcome_of(
        self, rows: Sequence[object], handle: str | None, status_message: str | None
    ) -> RunOutcome | None:
        """What a run's answer says about the profile by this platform's own signs.

        None when it says nothing special: there are posts to count, or the signs are unknown.
        """

    def follower_count(self, payload: Item) -> int | None:
        """Followers of the profile that a row belongs to, where the row has them."""

    def recognises(self, item: Item) -> bool:
        """Whether the row can come from one of this platform's actors."""
