"""Build the warehouse: models, statistics, and one published copy of what belongs together.

The steps run one after the other, each under the writer lock. A token in the database says
which models the statistics were made from, so that two builds at once can never publish the one's
models with the other's statistics.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline.clients.warehouse import new_version, publish, writing
from pipeline.clock import utc_now
from pipeline.errors import BuildFailedError
from pipeline.measure.broken_counts import write_broken_counts
from pipeline.measure.dbt_runs import DbtEvent, run_dbt_build
from pipeline.measure.failure_patterns import write_failure_patterns
from pipeline.measure.pareto import write_pareto
from pipeline.measure.projection_table import write_post_projection
from pipeline.measure.refreshes import Refresh, note_models_made, prepare_refresh
from pipeline.measure.segment_effects import VerdictCounts, write_segment_effects
from pipeline.measure.spark_builds import build_models_on_spark, share_statistics
from pipeline.measure.statistics_tables import prepare_statistics_tables
from pipeline.measure.verdicts import write_verdicts
from pipeline.settings import Settings, StorageTier

_STATE_TABLES = """
create table if not exists stats.model_build (
    build_id varchar not null,
    is_complete boolean not null
);
create table if not exists stats.build_info (
    build_id varchar not null,
    warehouse_version varchar not null,
    built_at timestamptz not null,
    as_of timestamptz
);
"""


@dataclass(frozen=True)
class ModelBuild:
    """What a run of all models did."""

    build_id: str
    model_count: int
    test_count: int
    warnings: tuple[str, ...]
    is_full_refresh: bool
    """Whether every model was made anew, and not brought on by the new scrapes alone."""


@dataclass(frozen=True)
class Published:
    """A published copy of the warehouse."""

    warehouse_version: str
    path: Path
    as_of: datetime | None


def build_models(
    settings: Settings, on_event: Callable[[DbtEvent], None] | None = None
) -> ModelBuild:
    """Run every dbt model and data test.

    Models that grow with every scrape are brought on by the new scrapes alone, or made anew where
    their sources changed (:mod:`pipeline.measure.refreshes`); both give the same rows.

    Args:
        settings: Whose home to build.
        on_event: Called for each finished model and test.

    Raises:
        BuildFailedError: A model or a test failed; nothing will be published from its rows.
        WarehouseLockedError: Another writer did not finish in time.
    """
    build_id = secrets.token_hex(8)
    with writing(settings, "build models") as connection:
        connection.execute(_STATE_TABLES)
        prepare_statistics_tables(connection)
        _set_model_build(connection, build_id, completed=None)
        is_on_spark = settings.storage is StorageTier.CLOUD
        made_by = f"spark {settings.spark_url} {settings.storage_url}" if is_on_spark else "duckdb"
        refresh = prepare_refresh(connection, made_by)
        # dbt opens the file itself; two connections of unlike configuration do not mix.
        connection.close()
        make = build_models_on_spark if is_on_spark else run_dbt_build
        outcome = make(settings, on_event, is_full_refresh=refresh.is_full)
        with writing(settings, "build models") as after:
            _set_model_build(after, build_id, completed=refresh)
    return ModelBuild(
        build_id, outcome.model_count, outcome.test_count, outcome.warnings, refresh.is_full
    )


def build_statistics(settings: Settings) -> VerdictCounts:
    """Recompute the ``stats`` schema from the models.

    Returns:
        How many rows of ``stats.segment_effects`` have which verdict.

    Raises:
        BuildFailedError: The models are not of one complete build.
        WarehouseLockedError: Another writer did not finish in time.
    """
    with writing(settings, "statistics") as connection:
        return _build_statistics(settings, connection)


def publish_build(settings: Settings) -> Published:
    """Publish models and statistics of one build as a new read-only copy.

    When another process has rebuilt the models since, the statistics are made again first.

    Raises:
        BuildFailedError: The models are not of one complete build.
        WarehouseLockedError: Another writer did not finish in time.
    """
    version = new_version(utc_now())
    with writing(settings, "publish") as connection:
        build_id = _complete_build_id(connection)
        made_from = connection.execute("select build_id from stats.build_info").fetchone()
        if made_from is None or made_from[0] != build_id:
            _build_statistics(settings, connection)
        connection.execute(
            "update stats.build_info set warehouse_version = ?, built_at = ?",
            [version, utc_now()],
        )
        as_of = connection.execute("select as_of from stats.build_info").fetchone()
        connection.close()
        path = publish(settings, version)
    return Published(version, path, as_of[0] if as_of else None)


def _build_statistics(settings: Settings, connection: duckdb.DuckDBPyConnection) -> VerdictCounts:
    build_id = _complete_build_id(connection)
    connection.execute("begin")
    write_broken_counts(connection)
    rows = write_segment_effects(connection)
    write_failure_patterns(connection)
    write_pareto(connection)
    write_post_projection(connection)
    write_verdicts(connection)
    connection.execute("delete from stats.build_info")
    connection.execute(
        "insert into stats.build_info "
        "select ?, '', ?, (select max(scraped_at) from marts.fct_snapshot)",
        [build_id, utc_now()],
    )
    connection.execute("commit")
    if settings.storage is StorageTier.CLOUD:
        share_statistics(settings, connection)
    return rows


def _set_model_build(
    connection: duckdb.DuckDBPyConnection, build_id: str, *, completed: Refresh | None
) -> None:
    connection.execute("begin")
    connection.execute("delete from stats.model_build")
    connection.execute(
        "insert into stats.model_build values (?, ?)", [build_id, completed is not None]
    )
    if completed is not None:
        note_models_made(connection, completed)
    connection.execute("commit")


def _complete_build_id(connection: duckdb.DuckDBPyConnection) -> str:
    connection.execute(_STATE_TABLES)
    row = connection.execute("select build_id, is_complete from stats.model_build").fetchone()
    if row is None or not row[1]:
        raise BuildFailedError(
            "The models in the warehouse are not of one complete build, so nothing is made from "
            "them: run `afterpost build`."
        )
    return str(row[0])
