"""The tables of plans, matches and labels, kept up to date with what changed.

A post is labelled when its caption, its plan, its account's lists, a person's word or the model's
answer is another than the last time; an account is matched again when its plans, its posts or a
person's word about them are. All other rows stay. The result is that of a load from nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import duckdb

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect import loading
from pipeline.collect.caption_answers import content_hashes, lists_text, model_labels
from pipeline.collect.labelling import person_labels, person_matches
from pipeline.collect.labels import Dimension, LabelSource, PersonLabels, label_rows
from pipeline.collect.loading import PostId, Words
from pipeline.collect.matching import MatchSource, PersonMatches, PostMatch, find_matches
from pipeline.collect.own_posts import OwnPost, kept_posts, read_new_posts
from pipeline.collect.plain_labels import is_ordinary_sql, rule_labels_sql
from pipeline.collect.plan_folders import PlanChanges, planned_posts, update_planned_posts
from pipeline.collect.planned import PlannedPost
from pipeline.collect.table_rows import insert_columns, insert_rows
from pipeline.settings import Settings

_FEW_POSTS = 500
"""Up to here, labelling post by post costs less than asking the database."""
_AROUND_PLANS = timedelta(days=4)
"""More than plan and post can lie apart, whatever the zone."""


@dataclass(frozen=True)
class LabelCounts:
    """What the tables hold, and the plans that could not be read."""

    planned_posts: int = 0
    matches: int = 0
    labels: int = 0
    problems: tuple[str, ...] = ()


def update_labels(
    settings: Settings, connection: duckdb.DuckDBPyConnection, accounts: Sequence[AccountConfig]
) -> LabelCounts:
    """Bring ``raw.planned_posts``, ``post_matches`` and ``post_labels`` up to date.

    The caller owns the transaction.
    """
    loading.forget_another_program(connection)
    reread = read_new_posts(connection)
    loading.forget_accounts(connection, accounts)
    plans = update_planned_posts(settings, connection, accounts)
    changes = _Changes(settings, connection, plans, reread)
    _take_model_answers(settings, connection, accounts)
    for account in accounts:
        changes.find(account)
    _label(settings, connection, accounts, changes)
    return LabelCounts(
        _count(connection, "planned_posts"),
        _count(connection, "post_matches"),
        _count(connection, "post_labels"),
        tuple(plans.problems),
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from raw.{table}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


@dataclass
class _Changes:
    """What is not as it was when the posts were labelled; finds out account by account."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    plans: PlanChanges
    reread: frozenset[str]
    labels_said: dict[str, PersonLabels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._fingerprints = loading.known_accounts(self.connection)
        self._words = loading.known_words(self.connection)
        self._found: dict[str, tuple[tuple[PlannedPost, ...], dict[PostId, PostMatch]]] = {}
        self._with_plans = set(self._column("select distinct account_name from raw.planned_posts"))
        self._matched = set(self._column("select distinct account_name from raw.post_matches"))
        self._with_new_posts = set(
            self._column(
                "select distinct account_name from loading.own_posts where not is_labelled"
            )
        )

    def find(self, account: AccountConfig) -> None:
        """Match an account's posts where that may change anything, and mark those to be labelled.

        What was found is remembered.
        """
        name = account.name
        fingerprint = loading.account_fingerprint(self.settings, account)
        is_other_account = self._fingerprints.get(name) != fingerprint
        if is_other_account:
            loading.mark_all_unlabelled(self.connection, account)
            loading.remember_account(self.connection, account, fingerprint)
        said = person_matches(self.settings, account)
        self.labels_said[name] = person_labels(self.settings, account)
        words, known = loading.words_of(said, self.labels_said[name]), self._words.get(name, {})
        other_words = {
            key for key in words.keys() | known.keys() if _said(words, key) != _said(known, key)
        }
        if other_words:
            loading.mark_unlabelled(
                self.connection, account, {(platform, post) for platform, post, _ in other_words}
            )
            loading.remember_words(self.connection, account, words)
        changed_plans = self.plans.changed.get(name, set())
        may_match = name in self._with_plans or name in self._matched
        if may_match and (
            is_other_account
            or changed_plans
            or name in self.reread
            or name in self._with_new_posts
            or any(dimension is None for _, _, dimension in other_words)
        ):
            self._match(account, said, changed_plans, is_other_account)

    def plans_and_matches(
        self, account: AccountConfig
    ) -> tuple[tuple[PlannedPost, ...], Iterable[PostMatch]]:
        """An account's plans and matches as they are now in the tables."""
        if account.name not in self._found:
            plans = planned_posts(self.connection, account.name)
            self._found[account.name] = plans, matches_of(self.connection, account.name)
        plans, matches = self._found[account.name]
        return plans, matches.values()

    def _match(
        self,
        account: AccountConfig,
        said: PersonMatches,
        changed_plans: set[str],
        is_other_account: bool,
    ) -> None:
        plans = planned_posts(self.connection, account.name)
        former = matches_of(self.connection, account.name)
        scored = loading.scored_days(self.connection, account.name)
        matching = find_matches(
            account,
            plans,
            _posts_near(self.connection, account, plans, said),
            said,
            # Under another zone, the same texts lie on other days.
            None if is_other_account else scored,
        )
        loading.remember_scores(self.connection, account.name, scored, matching.scored)
        found = {_key(one): one for one in matching.matches}
        self._found[account.name] = plans, found
        moved = {
            key
            for key in former.keys() | found.keys()
            if _planned_id(former, key) != _planned_id(found, key)
            or _planned_id(found, key) in changed_plans
        }
        loading.mark_unlabelled(self.connection, account, moved)
        changed = {key for key in former.keys() | found.keys() if former.get(key) != found.get(key)}
        if changed & former.keys():
            self.connection.execute(
                "delete from raw.post_matches as kept using (select unnest(?::varchar[]) as "
                "platform, unnest(?::varchar[]) as post_id) as gone where kept.account_name = ? "
                "and kept.platform = gone.platform and kept.post_id = gone.post_id",
                [[key[0] for key in changed], [key[1] for key in changed], account.name],
            )
        insert_rows(
            self.connection, "post_matches", (found[key].row() for key in changed & found.keys())
        )

    def _column(self, query: str) -> list[str]:
        return [value for (value,) in self.connection.execute(query).fetchall()]


def _said(words: Words, key: tuple[str, str, str | None]) -> tuple[bool, str | None]:
    return key in words, words.get(key)


def _key(match: PostMatch) -> PostId:
    return match.platform.value, match.post_id


def _planned_id(matches: dict[PostId, PostMatch], key: PostId) -> str | None:
    return matches[key].planned_id if key in matches else None


def matches_of(connection: duckdb.DuckDBPyConnection, account_name: str) -> dict[PostId, PostMatch]:
    """The matches of an account as the table has them, by post."""
    rows = connection.execute(
        "select platform, post_id, planned_id, score, match_source from raw.post_matches "
        "where account_name = ?",
        [account_name],
    ).fetchall()
    matches = (
        PostMatch(account_name, Platform(name), post_id, planned_id, score, MatchSource(source))
        for name, post_id, planned_id, score, source in rows
    )
    return {_key(match): match for match in matches}


def _posts_near(
    connection: duckdb.DuckDBPyConnection,
    account: AccountConfig,
    plans: Sequence[PlannedPost],
    said: PersonMatches,
) -> list[OwnPost]:
    """The posts that can come from a plan, and those that a person spoke about."""
    moments = [plan.planned_at for plan in plans if plan.planned_at is not None]
    first, last = (min(moments), max(moments)) if moments else (None, None)
    return kept_posts(
        connection,
        account.name,
        "posted_at between ? and ? or post_id in (select unnest(?::varchar[]))",
        [
            first and first - _AROUND_PLANS,
            last and last + _AROUND_PLANS,
            [post_id for _, post_id in said],
        ],
    )


def _take_model_answers(
    settings: Settings, connection: duckdb.DuckDBPyConnection, accounts: Sequence[AccountConfig]
) -> None:
    """Mark the posts about whose captions the model said something since."""
    from pipeline.clients.state_labels import captions_of_batches, model_label_batch_rows

    accounts_of = {row["batch_id"]: row["account_name"] for row in model_label_batch_rows(settings)}
    rows = connection.execute("select batch_id from loading.model_batches").fetchall()
    known = {batch_id for (batch_id,) in rows}
    fresh = sorted(accounts_of.keys() - known)
    if known - accounts_of.keys():  # another state database: any answer may be gone
        for account in accounts:
            loading.mark_all_unlabelled(connection, account)
    elif fresh:
        _mark_answered(
            connection,
            accounts,
            {accounts_of[batch_id] for batch_id in fresh},
            captions_of_batches(settings, fresh),
        )
    if accounts_of.keys() != known:
        connection.execute("delete from loading.model_batches")
        insert_columns(connection, "loading.model_batches", {"batch_id varchar": [*accounts_of]})


def _mark_answered(
    connection: duckdb.DuckDBPyConnection,
    accounts: Sequence[AccountConfig],
    asked: set[str],
    captions: frozenset[str],
) -> None:
    """Mark posts by the hash of their caption, which only accounts of the same lists share."""
    lists = {account.name: lists_text(account) for account in accounts}
    is_any = not asked <= lists.keys()  # asked for an account that has another name now
    asked_lists = {lists[name] for name in asked & lists.keys()}
    for account in accounts:
        if is_any or lists[account.name] in asked_lists:
            posts_of = content_hashes(account, kept_posts(connection, account.name))
            posts = {
                (post.platform.value, post.post_id)
                for content in posts_of.keys() & captions
                for post in posts_of[content]
            }
            loading.mark_unlabelled(connection, account, posts)


def _label(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    accounts: Sequence[AccountConfig],
    changes: _Changes,
) -> None:
    """Label all posts that are marked."""
    names = [account.name for account in accounts]
    counts = dict(
        connection.execute(
            "select account_name, count(*) from loading.own_posts where not is_labelled "
            "and account_name in (select unnest(?::varchar[])) group by account_name",
            [names],
        ).fetchall()
    )
    stale = [*counts, *changes.reread]
    if not stale:
        return
    connection.execute(
        "delete from raw.post_labels as kept where account_name in (select unnest(?::varchar[])) "
        "and not exists (select 1 from loading.own_posts as posts where is_labelled "
        "and posts.account_name = kept.account_name and posts.platform = kept.platform "
        "and posts.post_id = kept.post_id)",
        [stale],
    )
    insert_rows(
        connection,
        "post_labels",
        (
            row
            for account in accounts
            if account.name in counts
            for row in _labels_of(settings, connection, account, counts[account.name], changes)
        ),
    )
    connection.execute(
        "update loading.own_posts set is_labelled = true where not is_labelled "
        "and account_name in (select unnest(?::varchar[]))",
        [names],
    )


def _labels_of(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    account: AccountConfig,
    count: int,
    changes: _Changes,
) -> Iterator[dict[str, Any]]:
    """The labels of an account's marked posts; those of many ordinary ones are inserted at once."""
    from pipeline.clients.state_labels import has_model_labels

    person = changes.labels_said[account.name]
    condition = "not is_labelled"
    if count > _FEW_POSTS and not has_model_labels(settings):
        condition = _insert_ordinary(connection, account, person)
    posts = kept_posts(connection, account.name, condition)
    plans, matches = changes.plans_and_matches(account)
    return label_rows(
        account,
        plans,
        posts,
        matches,
        person=person,
        model=model_labels(settings, account, posts),
    )


def _insert_ordinary(
    connection: duckdb.DuckDBPyConnection, account: AccountConfig, person: PersonLabels
) -> str:
    """Label the posts that only rules speak about; returns the condition of all others."""
    connection.execute(
        "create or replace temp table special_posts as select platform, post_id "
        "from raw.post_matches where account_name = ?",
        [account.name],
    )
    connection.execute(
        "insert into special_posts select unnest(?::varchar[]), unnest(?::varchar[])",
        [[key[0].value for key in person], [key[1] for key in person]],
    )
    is_special = "(platform, post_id) in (select (platform, post_id) from special_posts)"
    is_ordinary = f"{is_ordinary_sql('caption')} and not {is_special}"
    posts = (
        "(select platform, post_id, caption from loading.own_posts "  # noqa: S608 - our own words
        f"where account_name = ? and not is_labelled and {is_ordinary})"
    )
    # Through a table: a condition on the label would be pushed down and do the work twice.
    connection.execute(
        f"create or replace temp table rule_labels as {rule_labels_sql(account, posts)}",
        [account.name],
    )
    columns = connection.execute("describe rule_labels").fetchall()
    for dimension in sorted(Dimension(name) for name, *_ in columns if name in set(Dimension)):
        connection.execute(
            "insert into raw.post_labels "  # noqa: S608 - names are ours
            "(account_name, platform, post_id, dimension, label, label_source) "
            f"select ?, platform, post_id, ?, {dimension.value}, ? from rule_labels "
            f"where {dimension.value} is not null",
            [account.name, dimension.value, LabelSource.RULE.value],
        )
    return f"not is_labelled and not ({is_ordinary})"
