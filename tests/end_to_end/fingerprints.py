"""What two builds must agree on: every row of the marts and the statistics."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.measure import dbt_runs

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


@contextmanager
def without_data_tests() -> Iterator[None]:
    """For a build that another one is compared with, row by row: the other runs the data tests."""
    invoke = dbt_runs._invoke
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            dbt_runs,
            "_invoke",
            lambda arguments, on_event: invoke(
                [*arguments, "--exclude-resource-type", "test"], on_event
            ),
        )
        yield
