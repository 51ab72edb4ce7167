"""dbt, in this process.

A warm parse costs a fraction of a child process, and a kill of the process ends dbt with it.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import yaml

from pipeline.atomic_files import write_atomically
from pipeline.clients.spark import SESSION_SETTINGS, spark_address
from pipeline.clock import utc_now
from pipeline.errors import BuildFailedError
from pipeline.settings import REPOSITORY, Settings

DBT_PROJECT = REPOSITORY / "dbt_project"
DbtEvent = Mapping[str, Any]
"""One event of dbt's structured log: ``info`` and ``data``, as in its JSON log."""
_MEMORY_LIMIT = "1GB"
"""Of DuckDB during a build; what needs more is done in parts on disk."""
_SPARK_THREADS = 4
"""Models that Spark makes at once: most of a small one's time is spent waiting."""
_LOGGED_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_RESULT_EVENTS = frozenset({"LogSeedResult", "LogModelResult", "LogTestResult"})


@dataclass(frozen=True)
class DbtOutcome:
    """What a green ``dbt build`` did."""

    model_count: int
    test_count: int
    warnings: tuple[str, ...]


def run_dbt_build(
    settings: Settings,
    on_event: Callable[[DbtEvent], None] | None = None,
    *,
    is_full_refresh: bool = False,
    on_spark: bool = False,
    months: Sequence[str] | None = None,
) -> DbtOutcome:
    """``dbt build`` of the whole project on the home's warehouse, without unit tests.

    The caller holds the writer lock and has no connection open.

    Args:
        settings: Whose home to build.
        on_event: Called for each finished model and test.
        is_full_refresh: Make incremental models anew.
        on_spark: Make the models on Spark, without data tests, from what stands in the storage.
        months: Of scrapes whose rows Spark makes anew, as in 2026-11; all of them when left out.

    Raises:
        BuildFailedError: Names the models and tests that failed, with dbt's own words.
    """
    arguments = [
        # The manifest and the results as files take seconds to write, and nobody reads them.
        "--no-write-json",
        "build",
        *(["--full-refresh"] if is_full_refresh else []),
        "--exclude-resource-type",
        "unit_test",
    ]
    if on_spark:
        variables = {} if months is None else {"months_made_anew": list(months)}
        arguments += ["--exclude-resource-type", "test", *_spark_arguments(settings, variables)]
    else:
        arguments += _common_arguments(settings)
    return _outcome(_invoke(arguments, on_event))


def run_dbt_shapes(settings: Settings) -> DbtOutcome:
    """Make every table of the warehouse without rows, and every view as it is to be.

    Raises:
        BuildFailedError: Names the models that failed.
    """
    common = _common_arguments(settings)
    without_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    _outcome(
        _invoke(
            ["--no-write-json", "build", "--empty", "--full-refresh", *without_tests, *common], None
        )
    )
    # A view that was made among empty tables would stay empty.
    views = ["--no-write-json", "run", "--select", "config.materialized:view", *common]
    return _outcome(_invoke(views, None))


def run_dbt_tests(
    settings: Settings, on_event: Callable[[DbtEvent], None] | None = None
) -> DbtOutcome:
    """The data tests of every model on what stands in the warehouse.

    Raises:
        BuildFailedError: Names the tests that failed.
    """
    arguments = ["--no-write-json", "test", "--exclude-resource-type", "unit_test"]
    return _outcome(_invoke([*arguments, *_common_arguments(settings)], on_event))


def _outcome(result: Any) -> DbtOutcome:
    nodes = list(getattr(result.result, "results", None) or [])
    failed = [node for node in nodes if str(node.status) in ("error", "fail", "runtime error")]
    if failed or not result.success:
        raise BuildFailedError(_failure_sentence(failed, result.exception))
    return DbtOutcome(
        model_count=sum(node.node.resource_type == "model" for node in nodes),
        test_count=sum(node.node.resource_type == "test" for node in nodes),
        warnings=tuple(
            f"{node.node.name}: {node.message}" for node in nodes if str(node.status) == "warn"
        ),
    )


def run_dbt_unit_tests(settings: Settings) -> int:
    """Build every model without rows and run the unit tests that stand beside them.

    Meant for a throw-away home whose raw tables exist and are empty.

    Returns:
        How many unit tests passed.

    Raises:
        BuildFailedError: Names the models and tests that failed.
    """
    arguments = ["--no-write-json", "build", "--empty", "--exclude-resource-type", "test"]
    result = _invoke([*arguments, *_common_arguments(settings)], None)
    _outcome(result)
    return sum(node.node.resource_type == "unit_test" for node in result.result.results)


def write_model_pages(settings: Settings) -> Path:
    """Make every table once, without tests, and dbt's own pages about them as one file.

    Meant for a throw-away home whose raw tables exist and are empty: the pages say what the models
    are, not what is in them.

    Returns:
        The page, with everything that it needs inside.

    Raises:
        BuildFailedError: A model failed, or the pages could not be made.
    """
    arguments = _common_arguments(settings)
    without_tests = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    for command in (["build", *without_tests], ["docs", "generate", "--static"]):
        result = _invoke([*command, *arguments], None)
        if not result.success:
            nodes = list(getattr(result.result, "results", None) or [])
            failed = [node for node in nodes if str(node.status) in ("error", "fail")]
            raise BuildFailedError(_failure_sentence(failed, result.exception))
    return settings.dbt_workspace / "target" / "static_index.html"


def parse_project(target_path: Path) -> None:
    """Write ``manifest.json`` of the project to ``target_path``; no database is opened.

    Raises:
        BuildFailedError: The project does not parse.
    """
    result = _invoke(
        [
            "parse",
            "--project-dir",
            str(DBT_PROJECT),
            "--profiles-dir",
            str(DBT_PROJECT),
            "--target-path",
            str(target_path),
            "--log-path",
            str(target_path / "logs"),
            *_variables(),
        ],
        None,
    )
    if not result.success:
        raise BuildFailedError(_failure_sentence([], result.exception))


def staged_platforms() -> list[str]:
    """Platforms that have a folder of staging models, sorted."""
    folder = DBT_PROJECT / "models" / "staging"
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _variables(more: Mapping[str, Any] | None = None) -> list[str]:
    return ["--vars", json.dumps({"platforms": staged_platforms(), **(more or {})})]


def _common_arguments(settings: Settings) -> list[str]:
    workspace = settings.dbt_workspace
    _write_profile(
        workspace,
        "duckdb",
        {
            "type": "duckdb",
            "path": str(settings.database_path),
            "threads": 1,
            # Opening and closing the file for each model costs more than most models;
            # it is closed when the run is over, because it would lock others out.
            "keep_open": True,
            "settings": {
                "TimeZone": "UTC",
                "memory_limit": _MEMORY_LIMIT,
                # Two take a fifth more CPU between them, and add up floats in another order
                # each time.
                "threads": 1,
                # A checkpoint writes down where each part of every table lies: one at the
                # end instead of many.
                "checkpoint_threshold": "1GB",
            },
            "retries": {"connect_attempts": 7, "retryable_exceptions": ["IOException"]},
        },
    )
    return _places(workspace, workspace, _variables())


def _spark_arguments(settings: Settings, variables: Mapping[str, Any]) -> list[str]:
    # A folder of its own: two profiles in one would make dbt parse everything at each turn.
    workspace = settings.dbt_workspace / "spark"
    host, port = spark_address(settings)
    _write_profile(
        workspace,
        "spark",
        {
            "type": "spark",
            "method": "thrift",
            "host": host,
            "port": port,
            "schema": "intermediate",
            "threads": _SPARK_THREADS,
            # The server answers when a statement has ended, or after some seconds: no need to wait
            # before asking again.
            "poll_interval": 0,
            "connect_retries": 3,
            "connect_timeout": 5,
            "server_side_parameters": dict(SESSION_SETTINGS),
        },
    )
    return _places(workspace, settings.dbt_workspace, _variables(variables))


def _write_profile(workspace: Path, target: str, output: Mapping[str, Any]) -> None:
    profile = {"afterpost": {"target": target, "outputs": {target: output}}}
    content = yaml.safe_dump(profile).encode()
    path = workspace / "profiles.yml"
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)


def _places(workspace: Path, logs: Path, variables: list[str]) -> list[str]:
    return [
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(workspace),
        "--target-path",
        str(workspace / "target"),
        "--log-path",
        str(logs / "logs"),
        *variables,
    ]


def _invoke(arguments: list[str], on_event: Callable[[DbtEvent], None] | None) -> Any:
    # Two seconds of imports that only a build needs.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToJson

    log_folder = Path(arguments[arguments.index("--log-path") + 1])
    log_folder.mkdir(parents=True, exist_ok=True)
    log = RotatingFileHandler(
        log_folder / "dbt.log", maxBytes=10_000_000, backupCount=5, encoding="utf-8"
    )

    def forward(event: Any) -> None:
        level = _LOGGED_LEVELS.get(event.info.level)
        if level is not None:
            line = f"{utc_now():%H:%M:%S} [{event.info.level}] {event.info.msg}"
            log.handle(logging.LogRecord("dbt", level, "", 0, line, None, None))
        if on_event is not None and event.info.name in _RESULT_EVENTS:
            on_event(json.loads(MessageToJson(event, preserving_proto_field_name=True)))

    try:
        return dbtRunner(callbacks=[forward]).invoke(
            # dbt's own log writes out every event of every level, to keep few of them.
            ["--log-level", "none", "--log-level-file", "none", *arguments]
        )
    finally:
        log.close()
        # dbt's own close_all_connections drops the connection without closing it.
        manager: Any = DuckDBConnectionManager
        environment = manager._ENV
        manager.close_all_connections()
        if environment is not None:
            environment.close()


def _failure_sentence(failed: list[Any], exception: BaseException | None) -> str:
    if not failed:
        return f"dbt did not run: {exception}. Nothing was published."
    named = "; ".join(
        f"{node.node.resource_type} {node.node.name} ({_first_line(node.message)})"
        for node in failed[:3]
    )
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return (
        f"The build failed in {named}{more}. Nothing was published; the former published copy "
        "stays. See the dbt log in warehouse/dbt/logs."
    )


def _first_line(message: str | None) -> str:
    lines = [line.strip() for line in (message or "no message").splitlines() if line.strip()]
    return " ".join(lines[:3])
