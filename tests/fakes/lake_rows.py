"""A warehouse's raw tables with a few scrapes, and what the lake shows of them."""

from datetime import datetime
from pathlib import Path

import duckdb

from pipeline.clients.lake_reading import read_raw_views
from pipeline.collect.raw_schema import create_raw_tables

OF_SCRAPES = ("scrapes", "scrape_items", "rejected_items")
PAYLOAD = """{"text": "it's \\\\ odd\\n\\"é😀\\" %2F ../../x", "n": 9007199254740993}"""
MOMENTS = (
    "1970-01-01 00:00:00+00",
    "2026-09-30 23:59:59.999999+00",
    "2026-10-01 00:00:00.000001+00",
    "2026-10-02 01:30:00+00",
    "2026-10-31 23:30:00+00",
    "2026-11-05 10:00:00+00",
    "2026-11-06 10:00:00+00",
    "2099-12-31 23:59:59+00",
)


def warehouse(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database with the raw tables, empty."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    connection.execute("set timezone = 'UTC'")
    create_raw_tables(connection)
    return connection


def scrape(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    moment: str | datetime,
    platform: str = "tiktok",
    handle: str = "a/b=c'd\\..\\é",
    items: int = 3,
) -> None:
    """One scrape with its items, the first of which was refused."""
    values = {"name": name, "platform": platform, "moment": str(moment), "items": items}
    connection.execute(
        "insert into raw.scrapes by name select $name as scrape_id, $platform as platform, "
        "'lulla=by' as account_name, $handle as handle, 'apify' as source, "
        "'posts' as source_kind, 'items' as outcome, $moment::timestamptz as scraped_at, "
        "'run' as scraped_at_source, $items as items_got, $items as post_count, "
        "0 as foreign_post_count, 0 as profile_count, 1 as rejected_count, "
        "if($items > 1, 0.123456, null) as cost_usd, false as is_any_author, 'x' as items_sha256, "
        "'p' as landing_path, null as started_at",
        {**values, "handle": handle},
    )
    connection.execute(
        "insert into raw.scrape_items select $name, i, $platform, 'lulla=by', 'post', "
        "if(i = 2, null, 'p' || i), $moment::timestamptz, $payload from range($items) as r(i)",
        {**values, "payload": PAYLOAD},
    )
    connection.execute(
        "insert into raw.rejected_items values "
        "($name, $items, $platform, 'lulla=by', $moment::timestamptz, 'why', '{')",
        values,
    )


def forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Take a scrape out, as a load does before it takes it in again."""
    for table in OF_SCRAPES:
        connection.execute(f"delete from raw.{table} where scrape_id = ?", [name])


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Scrapes of two platforms over many months, and rows of some other tables."""
    for number, moment in enumerate(MOMENTS):
        scrape(connection, f"t{number}", moment)
        scrape(connection, f"i{number}", moment, platform="instagram", items=number % 3)
    connection.execute("insert into raw.accounts values ('lulla=by', 'é', null, 'UTC', null)")
    connection.execute(
        "insert into raw.native_metrics values ('lulla=by', 'tiktok', 'post', 'p1', '2026-10-01', "
        "'views', 0.1, 'count', 'Views', '2026-10-02 00:00:00.5+00', 't1'), "
        "('lulla=by', 'tiktok', 'account', null, null, 'views', null, 'count', '', "
        "'2026-10-02 00:00:00+00', 't1')"
    )


def differences(connection: duckdb.DuckDBPyConnection, url: str) -> dict[str, tuple[int, int]]:
    """By table, rows that only the warehouse has and rows that only the lake has; equal left out.

    Names and types of columns are held against each other too.
    """
    [(home,)] = connection.execute("select current_database()").fetchall()
    connection.execute("attach ':memory:' as shared; use shared")
    try:
        read_raw_views(connection, url)
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' "
            "and database_name = ? order by 1",
            [home],
        ).fetchall()
        found = {}
        for (table,) in tables:
            ours, theirs = f'"{home}".raw.{table}', f"shared.raw.{table}"
            shapes = [
                [row[:2] for row in connection.execute(f"describe {one}").fetchall()]
                for one in (ours, theirs)
            ]
            assert shapes[0] == shapes[1], table
            sides = tuple(
                connection.execute(
                    f"select count(*) from (from {one} except all from {other})"
                ).fetchall()[0][0]
                for one, other in ((ours, theirs), (theirs, ours))
            )
            if sides != (0, 0):
                found[table] = (sides[0], sides[1])
        return found
    finally:
        connection.execute(f'use "{home}"')
        connection.execute("detach shared")
