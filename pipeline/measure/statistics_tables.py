"""The tables of the ``stats`` schema that Python fills, and how they come to be.

They exist before the models run, because marts are views over them: a view of a mart reads the
statistics of the same published copy, whatever was there when dbt made the view.
"""

from collections.abc import Mapping

import duckdb

SEGMENT_EFFECTS = "segment_effects"
POST_PROJECTION = "post_projection"

STATISTICS_TABLES: Mapping[str, Mapping[str, str]] = {
    SEGMENT_EFFECTS: {
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "dimension": "varchar not null",
        "segment": "varchar not null",
        "outcome": "varchar not null",
        "age_hours": "integer not null",
        "n": "integer not null",
        "account_n": "integer not null",
        "account_count": "integer not null",
        "median": "double",
        "effect": "double",
        "effect_low": "double",
        "effect_high": "double",
        "probability_better": "double",
        "null_best": "double",
        "p_value": "double",
        "q_value": "double",
        "verdict": "varchar not null",
    },
    POST_PROJECTION: {
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "post_id": "varchar not null",
        "metric": "varchar not null",
        "age_hours": "integer not null",
        "observed_age_hours": "double not null",
        "observed_count": "bigint not null",
        "expected_count": "double not null",
        "expected_count_low": "double not null",
        "expected_count_high": "double not null",
        "training_post_count": "integer not null",
        "method": "varchar not null",
    },
}
"""Columns of each table with their types, in order."""


def prepare_statistics_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are missing, and those whose columns changed anew and empty."""
    connection.execute("create schema if not exists stats")
    for table, columns in STATISTICS_TABLES.items():
        found = connection.execute(
            "select column_name from duckdb_columns() where schema_name = 'stats' "
            "and table_name = ? order by column_index",
            [table],
        ).fetchall()
        if [name for (name,) in found] != list(columns):
            create_empty(connection, table)


def create_empty(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create one table anew, without rows.

    Args:
        connection: To the warehouse; the caller's transaction decides when readers see it.
        table: A name of :data:`STATISTICS_TABLES`.
    """
    columns = ", ".join(f"{name} {kind}" for name, kind in STATISTICS_TABLES[table].items())
    connection.execute(f"create or replace table stats.{table} ({columns})")
