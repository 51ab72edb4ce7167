"""Models made by Spark, read back into the warehouse.

In the tier ``cloud`` Spark makes every model from the raw rows that stand in the shared storage.
DuckDB then reads its tables, has the views over them as always, and runs the data tests, so that
statistics, recommendations and reports find in the warehouse what they find after any build.
"""

from collections.abc import Callable

import duckdb

from pipeline.clients.lake import write_raw, write_stats
from pipeline.clients.lake_reading import read_models
from pipeline.clients.lake_spark import spark_table_ddl
from pipeline.clients.spark import make_model_schemas, run_on_spark
from pipeline.clients.warehouse import writing
from pipeline.measure.dbt_runs import (
    DbtEvent,
    DbtOutcome,
    run_dbt_build,
    run_dbt_shapes,
    run_dbt_tests,
)
from pipeline.measure.statistics_tables import STATISTICS_TABLES
from pipeline.settings import Settings

GROWING_MODELS = (
    "int_snapshots__published", "int_snapshots__first_day", "int_profiles__snapshots",
    "int_scrapes__listed", "int_posts__tracked", "int_posts__aged",
)  # fmt: skip
"""Models that note which scrapes they hold."""
_NOTES = ("scrapes_read", "models_made_from")
"""Tables of the schema intermediate that no model is."""


def build_models_on_spark(
    settings: Settings,
    on_event: Callable[[DbtEvent], None] | None = None,
    *,
    is_full_refresh: bool,
) -> DbtOutcome:
    """Make every model on Spark, read all of them back, and run the data tests.

    Spark keeps no notes of what it has read: the months of scrapes that the warehouse does not hold
    yet are made anew, so a build that dies half-way is made good by the next one.

    Args:
        settings: Whose home to build; the caller holds the writer lock and no connection.
        on_event: Called for each finished model and test.
        is_full_refresh: Make all months anew.

    Raises:
        BuildFailedError: A model or a test failed.
        SparkUnavailableError: Spark does not answer.
        LakeError: The shared storage cannot be written or read.
    """
    url = str(settings.storage_url)
    # First, so that a Spark that does not answer leaves the warehouse as it was.
    make_model_schemas(settings)
    if is_full_refresh:
        # Once without rows: what the tables' columns and types are is DuckDB's to say.
        run_dbt_shapes(settings)
    with writing(settings, "build models") as connection:
        months = None if is_full_refresh else _unread_months(connection)
        shapes = _shapes(connection)
        write_raw(url, connection)
        write_stats(url, connection, STATISTICS_TABLES)
    run_on_spark(settings, spark_table_ddl(url))
    made = run_dbt_build(
        settings, on_event, is_full_refresh=is_full_refresh, on_spark=True, months=months
    )
    with writing(settings, "build models") as connection:
        read_models(connection, url, shapes)
        _note_scrapes_read(connection)
    tested = run_dbt_tests(settings, on_event)
    return DbtOutcome(made.model_count, tested.test_count, made.warnings + tested.warnings)


def share_statistics(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the statistics that marts read to where Spark reads them.

    Raises:
        SparkUnavailableError: Spark does not answer.
        LakeError: The shared storage cannot be written.
    """
    url = str(settings.storage_url)
    write_stats(url, connection, STATISTICS_TABLES)
    run_on_spark(settings, [one for one in spark_table_ddl(url) if " stats." in one])


def _unread_months(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select distinct strftime(scrapes.scraped_at, '%Y-%m') as month "
        "from intermediate.scrapes_stamped as scrapes "
        "left join intermediate.scrapes_read as held on held.model_name = ? "
        "and scrapes.scrape_id = held.scrape_id and scrapes.stamp = held.stamp "
        "where held.scrape_id is null order by month",
        [GROWING_MODELS[0]],
    ).fetchall()
    return [month for (month,) in rows]


def _shapes(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Columns and types of every table that dbt makes, by name with schema."""
    rows = connection.execute(
        "select columns.schema_name || '.' || columns.table_name, columns.column_name, "
        "columns.data_type from duckdb_columns() as columns "
        "join duckdb_tables() as tables using (database_name, schema_name, table_name) "
        "where columns.database_name = current_database() "
        "and (columns.schema_name in ('intermediate', 'marts') "
        "or (columns.schema_name = 'stats' and columns.table_name = 'cost_ledger')) "
        "and not list_contains(?, columns.table_name) order by 1, columns.column_index",
        [list(_NOTES)],
    ).fetchall()
    shapes: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows:
        shapes.setdefault(table, []).append((column, kind))
    return shapes


def _note_scrapes_read(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that the tables that were read back hold every scrape."""
    connection.execute(
        "insert into intermediate.scrapes_read "
        "select models.model_name, scrapes.scrape_id, scrapes.stamp, false "
        "from (select unnest(?::varchar[]) as model_name) as models "
        "cross join intermediate.scrapes_stamped as scrapes "
        "left join intermediate.scrapes_read as held on models.model_name = held.model_name "
        "and scrapes.scrape_id = held.scrape_id and scrapes.stamp = held.stamp "
        "where held.scrape_id is null",
        [list(GROWING_MODELS)],
    )
