"""One account's plans, matches and labels as they stand: all that anybody said, put together.

Used by the model's labelling and by the lists on the command line. The raw load keeps the same in
tables (:mod:`pipeline.collect.label_tables`), from the same functions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.caption_answers import model_labels
from pipeline.collect.labels import PersonLabels, label_rows
from pipeline.collect.matching import Matching, PersonMatches, PostMatch, find_matches
from pipeline.collect.own_posts import OwnPost, own_posts
from pipeline.collect.planned import PlannedPost, read_planned_posts
from pipeline.settings import Settings


@dataclass(frozen=True)
class AccountPosts:
    """The posts of one account and what is known about them beside the scrapes."""

    account: AccountConfig
    plans: tuple[PlannedPost, ...]
    posts: tuple[OwnPost, ...]
    matching: Matching
    person_matches: PersonMatches
    person_labels: PersonLabels
    problems: tuple[str, ...]
    """One sentence per planned post that could not be read."""

    @property
    def matches(self) -> Sequence[PostMatch]:
        """Posts and the plans that they came from."""
        return self.matching.matches

    @property
    def unplanned_posts(self) -> list[OwnPost]:
        """Posts that no plan was found for."""
        matched = {(match.platform, match.post_id) for match in self.matches}
        return [post for post in self.posts if (post.platform, post.post_id) not in matched]


def account_posts(
    settings: Settings, connection: duckdb.DuckDBPyConnection, account: AccountConfig
) -> AccountPosts:
    """Read one account's posts and plans and match them.

    Args:
        settings: Where the account's folder and the state database are.
        connection: A warehouse with the raw tables, the published copy included.
        account: Whose posts.
    """
    plans = read_planned_posts(settings, account)
    posts = own_posts(connection, account.name)
    said = person_matches(settings, account)
    return AccountPosts(
        account=account,
        plans=plans.posts,
        posts=tuple(posts),
        matching=find_matches(account, plans.posts, posts, said),
        person_matches=said,
        person_labels=person_labels(settings, account),
        problems=plans.problems,
    )


def labels_of(settings: Settings, known: AccountPosts) -> Iterator[dict[str, Any]]:
    """Rows of ``raw.post_labels`` of one account; the model's part comes from stored answers."""
    return label_rows(
        known.account,
        known.plans,
        known.posts,
        known.matches,
        person=known.person_labels,
        model=model_labels(settings, known.account, known.posts),
    )


def person_matches(settings: Settings, account: AccountConfig) -> PersonMatches:
    """What people said about the plans of an account's posts."""
    # Imports SQLAlchemy, which nobody who only reads this module's names should wait for.
    from pipeline.clients.state_labels import person_match_rows

    return {
        (Platform(row["platform"]), row["post_id"]): row["planned_id"]
        for row in person_match_rows(settings, account.name)
        if row["platform"] in _PLATFORMS
    }


def person_labels(settings: Settings, account: AccountConfig) -> PersonLabels:
    """What people said about the labels of an account's posts."""
    from pipeline.clients.state_labels import person_label_rows

    return {
        (Platform(row["platform"]), row["post_id"], row["dimension"]): row["label"]
        for row in person_label_rows(settings, account.name)
        if row["platform"] in _PLATFORMS
    }


_PLATFORMS = frozenset(platform.value for platform in Platform)
"""What somebody said about a platform that was removed is kept and not used."""
