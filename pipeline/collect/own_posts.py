"""The account's own posts as the raw tables know them, for matching and labelling.

``loading.own_posts`` keeps each post as its newest scrape shows it. Only scrapes that were loaded
since are read, and of them only the newest row of each post. Where the platform names its plain
keys (:class:`pipeline.collect.platform_interface.PlainFacts`) the database reads the rows itself;
rows that are any other way go through the platform's ``facts``. Both ways say the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson

from pipeline.accounts import Platform
from pipeline.collect.platform_interface import PlainFacts
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw_schema import has_own_posts
from pipeline.collect.table_rows import insert_columns

_PAYLOADS_AT_ONCE = 5_000
_MOST_RUNS = 200
_LEAST_GAP = 4_096
"""Rows that nobody asked for are read along up to here; a further query costs more."""

_POSITION = "scraped_at, scrape_id, item_index"
_NEWEST_FIRST = "scraped_at desc, scrape_id desc, item_index desc"
_SPACE = " \t\n\r"
_NO_SPACE = (
    "[!-~\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}\\x{2030}-\\x{205E}"
    "\\x{2060}-\\x{2FFF}\\x{3001}-\\x{10FFFF}]"
)
_ISO_TIME = (
    '"20(?:0[5-9]|[1-9][0-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])'
    'T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{3})?Z"'
)
"""Between the years that a platform's time is believed in."""


@dataclass(frozen=True, slots=True)
class OwnPost:
    """One post as its newest scrape shows it."""

    platform: Platform
    post_id: str
    posted_at: datetime | None
    """In UTC with its zone."""
    caption: str | None


def own_posts(connection: duckdb.DuckDBPyConnection, account_name: str) -> list[OwnPost]:
    """All posts of an account, each once, in order of platform and id.

    Args:
        connection: A warehouse with the raw tables. What was loaded since the last
            :func:`read_new_posts` is not in the answer, but for copies that remember no posts.
        account_name: Whose posts.
    """
    if not has_own_posts(connection):
        return _posts_in_scrapes(connection, account_name)
    return kept_posts(connection, account_name)


def kept_posts(
    connection: duckdb.DuckDBPyConnection,
    account_name: str,
    condition: str = "true",
    parameters: Sequence[object] = (),
) -> list[OwnPost]:
    """Posts of an account in ``loading.own_posts`` that meet a condition; SQL of ours."""
    rows = connection.execute(
        "select platform, post_id, posted_at, caption from loading.own_posts "  # noqa: S608
        f"where account_name = ? and ({condition}) order by platform, post_id",
        [account_name, *parameters],
    ).fetchall()
    return [
        OwnPost(Platform(platform), post_id, posted_at, caption)
        for platform, post_id, posted_at, caption in rows
    ]


def read_new_posts(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Bring ``loading.own_posts`` up to date with what was loaded since the last time.

    A post whose time or caption changed is not labelled any more. The caller owns the transaction.

    Returns:
        The accounts whose posts were all read anew: some may not be their own any more.
    """
    accounts = _column(connection, "select account_name from loading.unread_accounts")
    if accounts:
        connection.execute(
            "delete from loading.own_posts where account_name in (select unnest(?::varchar[]))",
            [accounts],
        )
        _read(connection, "account_name in (select unnest(?::varchar[]))", [accounts])
    scrapes = _column(
        connection,
        "select scrape_id from loading.unread_scrapes join raw.scrapes using (scrape_id) "
        "where account_name not in (select account_name from loading.unread_accounts) order by 1",
    )
    if scrapes:
        # The bounds are constants, by which whole row groups are passed over.
        _read(
            connection,
            "scrape_id between ? and ? and scrape_id in (select unnest(?::varchar[]))",
            [scrapes[0], scrapes[-1], scrapes],
        )
    for table in ("unread_accounts", "unread_scrapes"):
        connection.execute(f"delete from loading.{table}")  # noqa: S608 - names are ours
    return frozenset(accounts)


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(value) for (value,) in connection.execute(query).fetchall()]


def _read(
    connection: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[object]
) -> None:
    """Put the newest row of each post among some items into ``loading.own_posts``."""
    # The greatest of structures is the newest row; a window would hold all rows at once.
    position = ", ".join(f"'{name}': {name}" for name in _POSITION.split(", "))
    connection.execute(
        "create or replace temp table newest as "  # noqa: S608 - our own words
        "select account_name, platform, post_id, unnest(newest) from ("
        "select account_name, platform, post_id, "
        f"max({{{position}, 'item': rowid}}) as newest from raw.scrape_items "
        f"where item_kind = 'post' and {condition} group by account_name, platform, post_id)",
        parameters,
    )
    connection.execute(
        "create or replace temp table told (item bigint, caption varchar, posted_at timestamptz)"
    )
    for name in _column(connection, "select distinct platform from newest order by 1"):
        platform = Platform(name)
        plain = getattr(SOURCES[platform], "plain_facts", None)
        if plain is not None:
            _read_plain(connection, platform, plain)
        _read_others(connection, platform)
    _merge(connection)
    for table in ("newest", "told"):
        connection.execute(f"drop table {table}")


def _read_plain(
    connection: duckdb.DuckDBPyConnection, platform: Platform, plain: PlainFacts
) -> None:
    """The facts that the database can tell by itself."""
    is_tidy = (
        f"(text = '' or regexp_matches(text, '^{_NO_SPACE}') "
        f"and regexp_matches(text, '{_NO_SPACE}$'))"
    )
    for first, last in _runs(connection, platform):
        # Through a table: a condition would be pushed down and do the work twice.
        connection.execute(
            "create or replace temp table plain as "  # noqa: S608 - our own words
            f"select item, said, case when {is_tidy} then text else trim(text, '{_SPACE}') end "
            "as text, posted_at from ("
            "select item, facts[1] as said, case when not starts_with(facts[1], '\"') then null "
            "when contains(facts[1], '\\') then json_extract_string(facts[1]::json, '$') "
            "else facts[1][2:-2] end as text, "
            f"case when regexp_full_match(facts[2], '{_ISO_TIME}') "
            "then try_cast(facts[2][2:-2] as timestamptz) end as posted_at "
            "from (select items.rowid as item, cast(json_extract(items.payload, "
            f"['$.{plain.caption}', '$.{plain.posted_at}']) as varchar[]) as facts "
            "from raw.scrape_items as items semi join newest on items.rowid = newest.item "
            "where items.rowid between ? and ? and items.platform = ?))",
            [first, last, platform.value],
        )
        connection.execute(
            "insert into told select item, nullif(text, ''), posted_at from plain "  # noqa: S608
            "where posted_at is not null and (said is null or said = 'null' or "
            f"starts_with(said, '\"') and not contains(said, '\\u') and {is_tidy})"
        )
    connection.execute("drop table plain")


def _runs(connection: duckdb.DuckDBPyConnection, platform: Platform) -> Iterator[tuple[int, int]]:
    """Stretches of rows to read, so that not all rows between the first and the last are."""
    gaps = connection.execute(
        "select before, item from (select item, lag(item) over (order by item) as before "
        "from newest where platform = ?) where item - before > ? "
        "order by item - before desc, item limit ?",
        [platform.value, _LEAST_GAP, _MOST_RUNS - 1],
    ).fetchall()
    [(first, last)] = connection.execute(
        "select min(item), max(item) from newest where platform = ?", [platform.value]
    ).fetchall()
    for before, after in sorted(gaps):
        yield first, before
        first = after
    yield first, last


def _read_others(connection: duckdb.DuckDBPyConnection, platform: Platform) -> None:
    """The other rows, as the platform's own reader tells them; in portions: payloads are large."""
    rows = connection.execute(
        "select item from newest anti join told using (item) where platform = ? order by 1",
        [platform.value],
    ).fetchall()
    for items in _portions(rows):
        told = [
            (item, SOURCES[platform].facts(orjson.loads(payload)))
            for item, _, _, payload in _payloads(connection, items)
        ]
        insert_columns(
            connection,
            "told",
            {
                "item bigint": [item for item, _ in told],
                "caption varchar": [facts.caption for _, facts in told],
                "posted_at timestamptz": [facts.posted_at for _, facts in told],
            },
        )


def _merge(connection: duckdb.DuckDBPyConnection) -> None:
    columns = _POSITION.split(", ")
    places = {name: ", ".join(f"{name}.{column}" for column in columns) for name in ("was", "now")}
    is_newer = f"({places['now']}) > ({places['was']})"
    position = ", ".join(f"{column} = now.{column}" for column in columns)
    connection.execute(
        "merge into loading.own_posts as was using "  # noqa: S608 - our own words
        "(select * from newest join told using (item)) as now "
        "on was.account_name = now.account_name and was.platform = now.platform "
        "and was.post_id = now.post_id "
        f"when matched and {is_newer} and was.caption is not distinct from now.caption "
        f"and was.posted_at is not distinct from now.posted_at then update set {position} "
        f"when matched and {is_newer} then update set {position}, posted_at = now.posted_at, "
        "caption = now.caption, is_labelled = false "
        f"when not matched then insert (account_name, platform, post_id, {_POSITION}, posted_at, "
        f"caption, is_labelled) values (now.account_name, now.platform, now.post_id, "
        f"{places['now']}, now.posted_at, now.caption, false)"
    )


def _portions(rows: Sequence[tuple[int]]) -> Iterator[list[int]]:
    for first in range(0, len(rows), _PAYLOADS_AT_ONCE):
        yield [item for (item,) in rows[first : first + _PAYLOADS_AT_ONCE]]


def _payloads(
    connection: duckdb.DuckDBPyConnection, items: Sequence[int]
) -> list[tuple[int, str, str, str]]:
    """Row number, platform, post id and payload of some items, which are in order."""
    return connection.execute(
        "select rowid, platform, post_id, payload from raw.scrape_items "
        "where rowid between ? and ? and rowid in (select unnest(?::bigint[]))",
        [items[0], items[-1], items],
    ).fetchall()


def _posts_in_scrapes(connection: duckdb.DuckDBPyConnection, account_name: str) -> list[OwnPost]:
    """The same from the items themselves, where nothing was remembered."""
    newest = connection.execute(
        "select rowid from raw.scrape_items where account_name = ? and item_kind = 'post' "  # noqa: S608
        f"qualify row_number() over (partition by platform, post_id order by {_NEWEST_FIRST}) = 1 "
        "order by rowid",
        [account_name],
    ).fetchall()
    posts = []
    for items in _portions(newest):
        for _, name, post_id, payload in _payloads(connection, items):
            platform = Platform(name)
            facts = SOURCES[platform].facts(orjson.loads(payload))
            posts.append(OwnPost(platform, post_id, facts.posted_at, facts.caption))
    return sorted(posts, key=lambda post: (post.platform.value, post.post_id))
