"""What two builds must agree on: every row of the marts and the statistics."""

import hashlib
from pathlib import Path

import duckdb

_BOOKKEEPING = {"model_build", "build_info"}


def mart_fingerprints(database: Path) -> dict[str, str]:
    """Hash of all rows of each table and view of ``marts`` and ``stats``, by name."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('marts', 'stats') order by all"
        ).fetchall()
        prints = {}
        for schema, table in names:
            if table in _BOOKKEEPING:
                continue
            rows = connection.execute(f'select * from {schema}."{table}" order by all').fetchall()
            prints[f"{schema}.{table}"] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return prints


def table_fingerprints(database: Path, schema: str) -> dict[str, str]:
    """Hash of all rows of each table of one schema, by name."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by all",
            [schema],
        ).fetchall()
        return {
            table: hashlib.sha256(
                repr(
                    connection.execute(f'select * from {schema}."{table}" order by all').fetchall()
                ).encode()
            ).hexdigest()
            for (table,) in names
        }
