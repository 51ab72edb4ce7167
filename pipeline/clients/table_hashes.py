"""Hashes of tables' rows, to tell whether two databases hold the same."""

from pathlib import Path

import duckdb

_FOLLOW_FROM_OTHERS = ("scrape_items", "rejected_items", "native_metrics")
"""Their rows are those of the scrapes, whose table names them by hash."""


def raw_table_hashes(database: Path) -> dict[str, str]:
    """Hash of the rows of each small table of the raw schema, by name.

    Two databases with the same hashes were built from the same landing files, accounts, plans and
    decisions.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'raw' "
            "and not list_contains(?, table_name) order by all",
            [list(_FOLLOW_FROM_OTHERS)],
        ).fetchall()
        return {name: _hash(connection, f'raw."{name}"') for (name,) in names}


def _hash(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    (digest,) = connection.execute(
        "select sha256(coalesce(string_agg(line, chr(10) order by line), '')) "  # noqa: S608
        f"from (select one::varchar as line from {table} as one)"
    ).fetchone() or ("",)
    return str(digest)
