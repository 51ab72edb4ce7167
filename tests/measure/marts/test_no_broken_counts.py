"""A simulated history, whose counts grow as counts do, is not taken for a broken source."""

import duckdb

from pipeline.settings import Settings


def test_a_simulated_history_has_no_broken_counts(built_world: Settings) -> None:
    with duckdb.connect(str(built_world.database_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute("select message from stats.broken_counts").fetchall()
        looked_at = connection.execute(
            "select count(*) from marts.fct_snapshot "
            "where view_count is not null and like_count is not null"
        ).fetchone()

    assert found == []
    assert looked_at is not None
    assert looked_at[0] > 1000
