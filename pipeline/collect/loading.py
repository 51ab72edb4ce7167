"""What loads remember of people, accounts and the program, to tell what changed since."""

import hashlib
import platform
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import rapidfuzz

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.caption_answers import lists_text
from pipeline.collect.labels import PersonLabels
from pipeline.collect.match_scores import ScoredDays
from pipeline.collect.matching import PersonMatches
from pipeline.collect.table_rows import insert_columns
from pipeline.settings import Settings

PostId = tuple[str, str]
"""Platform and post id."""
Words = Mapping[tuple[str, str, str | None], str | None]
"""What people said, by platform, post id and dimension; no dimension: about the plan."""

_OF_LABELS = ("raw.planned_posts", "raw.post_matches", "raw.post_labels")
_REMEMBERED = (
    "loading.own_posts", "loading.plan_folders", "loading.accounts", "loading.person_words",
    "loading.model_batches", "loading.program", "loading.unread_accounts",
    "loading.scored_days", "loading.pair_scores",
)  # fmt: skip
_OF_ACCOUNTS = (
    "loading.accounts", "loading.person_words", "loading.scored_days", "loading.pair_scores",
)  # fmt: skip


@cache
def program_fingerprint() -> str:
    """Hash of all that labels depend on beside the data: this room's code and its libraries."""
    digest = hashlib.sha256()
    versions = (platform.python_version(), unicodedata.unidata_version, duckdb.__version__,
                rapidfuzz.__version__)  # fmt: skip
    digest.update(repr(versions).encode())
    folder = Path(__file__).parent
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.md")]):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def forget_another_program(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin anew where another program, or a newer one, did the last load."""
    found = connection.execute("select fingerprint from loading.program").fetchall()
    if found == [(program_fingerprint(),)]:
        return
    for table in (*_OF_LABELS, *_REMEMBERED):
        connection.execute(f"delete from {table}")  # noqa: S608 - names are ours
    connection.execute(
        "insert into loading.unread_accounts select distinct account_name from raw.scrapes"
    )
    connection.execute("insert into loading.program values (?)", [program_fingerprint()])


def forget_accounts(
    connection: duckdb.DuckDBPyConnection, accounts: Iterable[AccountConfig]
) -> None:
    """Take the plans, matches and labels of accounts that are configured no more."""
    names = [account.name for account in accounts]
    gone = connection.execute(
        "select account_name from loading.accounts "
        "where account_name not in (select unnest(?::varchar[]))",
        [names],
    ).fetchall()
    if not gone:
        return
    for table in (*_OF_LABELS, *_OF_ACCOUNTS):
        connection.execute(
            f"delete from {table} "  # noqa: S608 - names are ours
            "where account_name not in (select unnest(?::varchar[]))",
            [names],
        )
    connection.execute(
        "update loading.own_posts set is_labelled = false "
        "where account_name not in (select unnest(?::varchar[]))",
        [names],
    )


def known_accounts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The fingerprints of accounts as they were labelled."""
    return dict(
        connection.execute("select account_name, fingerprint from loading.accounts").fetchall()
    )


def account_fingerprint(settings: Settings, account: AccountConfig) -> str:
    """Hash of what an account's file and the settings say about labels and about days."""
    text = "\0".join((lists_text(account), account.timezone, settings.model))
    return hashlib.sha256(text.encode()).hexdigest()


def remember_account(
    connection: duckdb.DuckDBPyConnection, account: AccountConfig, fingerprint: str
) -> None:
    """Keep the fingerprint of an account whose posts are being labelled."""
    connection.execute("delete from loading.accounts where account_name = ?", [account.name])
    connection.execute("insert into loading.accounts values (?, ?)", [account.name, fingerprint])


def words_of(matches: PersonMatches, labels: PersonLabels) -> Words:
    """What people said about an account's posts, in one mapping."""
    about_plans: dict[tuple[str, str, str | None], str | None] = {
        (platform.value, post_id, None): planned_id
        for (platform, post_id), planned_id in matches.items()
    }
    about_labels: dict[tuple[str, str, str | None], str | None] = {
        (platform.value, post_id, dimension): label
        for (platform, post_id, dimension), label in labels.items()
    }
    return about_plans | about_labels


def known_words(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, dict[tuple[str, str, str | None], str | None]]:
    """What people had said when posts were labelled, by account."""
    found: dict[str, dict[tuple[str, str, str | None], str | None]] = {}
    for account_name, *key, said in connection.execute("from loading.person_words").fetchall():
        found.setdefault(account_name, {})[key[0], key[1], key[2]] = said
    return found


def remember_words(
    connection: duckdb.DuckDBPyConnection, account: AccountConfig, words: Words
) -> None:
    """Keep what people said about an account's posts."""
    connection.execute("delete from loading.person_words where account_name = ?", [account.name])
    if words:
        insert_columns(
            connection,
            "loading.person_words",
            {
                "account_name varchar": [account.name] * len(words),
                "platform varchar": [key[0] for key in words],
                "post_id varchar": [key[1] for key in words],
                "dimension varchar": [key[2] for key in words],
                "said varchar": list(words.values()),
            },
        )


def mark_unlabelled(
    connection: duckdb.DuckDBPyConnection, account: AccountConfig, posts: Iterable[PostId]
) -> None:
    """Some posts of an account are to be labelled again."""
    some = sorted(posts)
    if some:
        connection.execute(
            "update loading.own_posts as kept set is_labelled = false from "
            "(select unnest(?::varchar[]) as platform, unnest(?::varchar[]) as post_id) as marked "
            "where kept.account_name = ? and kept.platform = marked.platform "
            "and kept.post_id = marked.post_id",
            [[post[0] for post in some], [post[1] for post in some], account.name],
        )


def mark_all_unlabelled(connection: duckdb.DuckDBPyConnection, account: AccountConfig) -> None:
    """All posts of an account are to be labelled again."""
    connection.execute(
        "update loading.own_posts set is_labelled = false where account_name = ? and is_labelled",
        [account.name],
    )


def scored_days(
    connection: duckdb.DuckDBPyConnection, account_name: str
) -> dict[Platform, ScoredDays]:
    """What matching an account found the last time, by platform."""
    found: dict[Platform, ScoredDays] = {}
    for name, day, fingerprint in connection.execute(
        "select platform, day, fingerprint from loading.scored_days where account_name = ?",
        [account_name],
    ).fetchall():
        found.setdefault(Platform(name), ScoredDays()).fingerprints[day] = fingerprint
    for name, planned_id, post_id, score in connection.execute(
        "select platform, planned_id, post_id, score from loading.pair_scores "
        "where account_name = ?",
        [account_name],
    ).fetchall():
        found.setdefault(Platform(name), ScoredDays()).scores[planned_id, post_id] = score
    return found


def remember_scores(
    connection: duckdb.DuckDBPyConnection,
    account_name: str,
    former: Mapping[Platform, ScoredDays],
    found: Mapping[Platform, ScoredDays],
) -> None:
    """Keep what matching an account found; only what is another than before is written."""
    _replace(
        connection,
        "loading.scored_days",
        account_name,
        ("platform varchar", "day date", "fingerprint varchar"),
        {
            (name, day): text
            for name, one in former.items()
            for day, text in one.fingerprints.items()
        },
        {
            (name, day): text
            for name, one in found.items()
            for day, text in one.fingerprints.items()
        },
    )
    _replace(
        connection,
        "loading.pair_scores",
        account_name,
        ("platform varchar", "planned_id varchar", "post_id varchar", "score double"),
        {
            (name, *pair): score
            for name, one in former.items()
            for pair, score in one.scores.items()
        },
        {(name, *pair): score for name, one in found.items() for pair, score in one.scores.items()},
    )


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    account_name: str,
    columns: Sequence[str],
    former: Mapping[tuple[Any, ...], Any],
    found: Mapping[tuple[Any, ...], Any],
) -> None:
    """Replace an account's rows whose value, the last column, changed; the rest are their key."""
    changed = [key for key in former.keys() | found.keys() if former.get(key) != found.get(key)]
    gone = [key for key in changed if key in former]
    if gone:
        selected = ", ".join(
            f"unnest(?::{column.split(' ')[1]}[]) as {column.split(' ')[0]}"
            for column in columns[:-1]
        )
        names = [column.split(" ")[0] for column in columns[:-1]]
        connection.execute(
            f"delete from {table} as kept using (select {selected}) as gone "  # noqa: S608
            "where kept.account_name = ? and "
            + " and ".join(f"kept.{name} = gone.{name}" for name in names),
            [*([key[place] for key in gone] for place in range(len(names))), account_name],
        )
    rows = [(account_name, *key, found[key]) for key in changed if key in found]
    if rows:
        named = ("account_name varchar", *columns)
        lists = (list(values) for values in zip(*rows, strict=True))
        insert_columns(connection, table, dict(zip(named, lists, strict=True)))
