"""The raw schema's tables, kept in step with ``raw_tables.sql``."""

from pathlib import Path

import duckdb

_TABLES_SQL = Path(__file__).with_name("raw_tables.sql")
_OF_SCRAPES = frozenset({"scrapes", "scrape_items", "rejected_items"})
"""Loaded together, once per scrape."""


def create_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are missing or have a former version's columns.

    What a dropped table held is loaded again: from landing, accounts and the state database.
    """
    statements = _TABLES_SQL.read_text(encoding="utf-8")
    connection.execute("create schema if not exists raw")
    found = _columns(connection)
    if found:
        with duckdb.connect() as declared:
            declared.execute("create schema raw")
            declared.execute(statements)
            wanted = _columns(declared)
        stale = {table for table, columns in found.items() if wanted.get(table, columns) != columns}
        if stale & _OF_SCRAPES:
            stale |= _OF_SCRAPES & found.keys()
        for table in sorted(stale):
            connection.execute(f"drop table raw.{table}")
    connection.execute(statements)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of each raw table, in order."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where schema_name = 'raw' and not internal order by table_name, column_index"
    ).fetchall()
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in rows:
        columns.setdefault(table, []).append((name, kind))
    return columns
