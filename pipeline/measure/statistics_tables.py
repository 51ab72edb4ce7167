"""The tables of the ``stats`` schema that Python fills, and how they come to be.

They exist before the models run, because marts are views over them: a view of a mart reads the
statistics of the same published copy, whatever was there when dbt made the view.
"""

from collections.abc import Mapping

import duckdb

SEGMENT_EFFECTS = "segment_effects"
POST_PROJECTION = "post_projection"
PARETO = "pareto"
FAILURE_PATTERNS = "failure_patterns"
VERDICTS = "verdicts"
BROKEN_COUNTS = "broken_counts"

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
        "effect_unpooled": "double",
        "standard_error_log": "double",
        "effect_elsewhere": "double",
        "posts_needed": "integer",
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
        "expected_count_low_80": "double not null",
        "expected_count_high_80": "double not null",
        "training_post_count": "integer not null",
        "account_training_post_count": "integer not null",
        "method": "varchar not null",
    },
    VERDICTS: {
        "recommendation_id": "varchar not null",
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "dimension": "varchar not null",
        "segment": "varchar not null",
        "outcome": "varchar not null",
        "direction": "varchar not null",
        "registered_at": "timestamptz not null",
        "horizon_at": "timestamptz not null",
        "verdict": "varchar not null",
        "is_final": "boolean not null",
        "decided_at": "timestamptz",
        "evidence": "varchar not null",
        "n": "integer not null",
        "control_n": "integer not null",
        "effect": "double",
        "effect_low": "double",
        "effect_high": "double",
        "smallest_useful_ratio": "double not null",
        "more_posts_needed": "integer",
        "posts_per_week": "double",
        "expected_share_decided": "double",
    },
    PARETO: {
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "outcome": "varchar not null",
        "n": "integer not null",
        "top_n": "integer",
        "top_share": "double",
        "top_share_low": "double",
        "top_share_high": "double",
        "top_share_without_top_post": "double",
        "top_share_without_top_post_low": "double",
        "top_share_without_top_post_high": "double",
        "top_post_id": "varchar",
        "top_post_share": "double",
        "log_spread": "double",
        "noise_top_share": "double",
        "noise_top_share_low": "double",
        "noise_top_share_high": "double",
        "verdict": "varchar not null",
        "posts_needed": "integer not null",
    },
    FAILURE_PATTERNS: {
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "outcome": "varchar not null",
        "dimension": "varchar not null",
        "segment": "varchar not null",
        "n": "integer not null",
        "worst_n": "integer not null",
        "account_n": "integer not null",
        "account_worst_n": "integer not null",
        "expected_worst_n": "double not null",
        "worst_share": "double",
        "ratio": "double",
        "ratio_low": "double",
        "ratio_high": "double",
        "p_value": "double",
        "q_value": "double",
        "verdict": "varchar not null",
    },
    BROKEN_COUNTS: {
        "account_name": "varchar not null",
        "platform": "varchar not null",
        "from_date": "date not null",
        "earliest_from_date": "date not null",
        "until_date": "date",
        "relations": "varchar not null",
        "n": "integer not null",
        "impossible_n": "integer not null",
        "p_value": "double",
        "first_seen_at": "timestamptz not null",
        "message": "varchar not null",
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
