"""What the rest of the program may ask of a platform, and the shapes of the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from pipeline.accounts import Platform

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


class ActorInput(BaseModel):
    """Base of the inputs: an actor ignores a misspelt field and finds nothing, so none may pass."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    def as_json(self) -> dict[str, Any]:
        """The input as the actor reads it, keys in its own spelling."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True)
class Actor:
    """One actor of the scraping service and how to ask it about one profile."""

    kind: ActorKind
    actor_id: str
    """``owner/name`` at Apify."""
    build_input: Callable[[str, int], dict[str, Any]]
    """From handle and number of newest posts to the actor's checked input."""


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

    def classify(self, item: Item, handle: str | None, is_any_author: bool) -> Classified:
        """What a row is to the account.

        Args:
            item: One nested row.
            handle: The account's handle on this platform, if it has one.
            is_any_author: Take posts of every author as the account's own.
        """

    def facts(self, payload: Item) -> PostFacts:
        """What a post's row says about the post itself."""

    def follower_count(self, payload: Item) -> int | None:
        """Followers of the profile that a row belongs to, where the row has them."""

    def recognises(self, item: Item) -> bool:
        """Whether the row can come from one of this platform's actors."""
