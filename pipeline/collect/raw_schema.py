"""The tables of landed answers and what loads remember, kept in step with their SQL files."""

from functools import cache
from pathlib import Path

import duckdb

_FILES = tuple(Path(__file__).with_name(f"{name}_tables.sql") for name in ("raw", "loading"))
_OF_SCRAPES = frozenset({"raw.scrapes", "raw.scrape_items", "raw.rejected_items"})
"""Loaded together, once per scrape."""

_Columns = dict[str, list[tuple[str, str]]]
"""Names and types of the columns of each table, in order."""


def create_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are missing or have a former version's columns.

    What a dropped table held is loaded again: from landing, accounts and the state database.
    """
    _create_schemas(connection)
    found = _columns(connection)
    if found != _declared():
        wanted = _declared()
        stale = {table for table, columns in found.items() if wanted.get(table, columns) != columns}
        if stale & _OF_SCRAPES:
            stale |= _OF_SCRAPES & found.keys()
        if stale:  # what is remembered may be about one of them
            stale |= {table for table in found if table.startswith("loading.")}
        for table in sorted(stale):
            connection.execute(f"drop table {table}")
        for path in _FILES:
            connection.execute(path.read_text(encoding="utf-8"))


def has_own_posts(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the database remembers the own posts; a copy of a former version does not."""
    return "loading.own_posts" in _columns(connection)


@cache
def _declared() -> _Columns:
    with duckdb.connect() as connection:
        _create_schemas(connection)
        for path in _FILES:
            connection.execute(path.read_text(encoding="utf-8"))
        return _columns(connection)


def _create_schemas(connection: duckdb.DuckDBPyConnection) -> None:
    for schema in ("raw", "loading"):
        connection.execute(f"create schema if not exists {schema}")


def _columns(connection: duckdb.DuckDBPyConnection) -> _Columns:
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where schema_name in ('raw', 'loading') and not internal order by 1, column_index"
    ).fetchall()
    columns: _Columns = {}
    for table, name, kind in rows:
        columns.setdefault(table, []).append((name, kind))
    return columns
