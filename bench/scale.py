"""The same models on DuckDB and on Spark, as the snapshots become millions.

Both engines build the same raw tables on this machine: everything from nothing, then with one more
day. DuckDB runs as it does at everybody's, with one thread and a gigabyte; Spark as a standalone
master with two workers of one core each, with code generation and adaptive plans. Wall and CPU
seconds, and the highest memory of all processes together.

Results are kept by size and engine, so that they need not be measured in one go:
``python -m bench.scale --millions 30 --engine duckdb``. ``bench.scale_paper`` makes tables of them.
Needs the packages of the extra ``scale`` for Spark.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

from bench.process_use import watched
from bench.scale_worlds import (
    DAYS,
    FIRST_WORLD,
    SNAPSHOTS_OF_FIRST,
    add_day,
    fill_raw,
    first_database,
    make_first_world,
)
from pipeline.clients.warehouse import writing
from pipeline.settings import Settings, StorageTier

RESULTS = Path(__file__).parent / "results" / "scale.json"
ENGINES = ("duckdb", "spark")
EXECUTOR_MEMORY_MB = 3072
SPARK_SETTINGS = {
    # Large tables: queries are compiled, and planned again from what the first part gave.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.shuffle.partitions": "16",
    "spark.executor.memory": f"{EXECUTOR_MEMORY_MB}m",
    "spark.executor.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.driver.memory": "2g",
    # A busy machine is no lost worker.
    "spark.network.timeout": "300s",
    "spark.network.timeoutInterval": "60s",
    "spark.executor.heartbeatInterval": "20s",
}
_MEMORY_LIMIT = "2GB"
"""Of DuckDB where the program sets none (reading back, statistics, publishing): it would take four
fifths of the machine's, which other work needs here."""
_PROFILES_ASKED = 5
_STEPS_ON_SPARK = (
    "run_dbt_shapes", "write_raw", "write_stats", "make_model_schemas", "run_on_spark",
    "run_dbt_build", "read_models", "run_dbt_tests",
)  # fmt: skip
Figures = dict[str, Any]


def _models(settings: Settings) -> Figures:
    from pipeline.measure import spark_builds
    from pipeline.measure.build import build_models

    steps: dict[str, float] = {}
    slowest: dict[str, float] = {}
    last = time.perf_counter()

    def note(event: Mapping[str, Any]) -> None:
        nonlocal last
        now = time.perf_counter()
        name = str(event["data"]["node_info"]["unique_id"]).rpartition(".")[2]
        slowest[name] = round(now - last, 1)
        last = now

    def timed(name: str) -> Any:
        step: Callable[..., Any] = getattr(spark_builds, name)

        def run(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return step(*arguments, **options)
            finally:
                steps[name] = round(steps.get(name, 0.0) + time.perf_counter() - started, 1)

        return mock.patch.object(spark_builds, name, run)

    patches = [timed(name) for name in _STEPS_ON_SPARK]
    for patch in patches:
        patch.start()
    build = build_models(settings, note)
    for patch in patches:
        patch.stop()
    figures: Figures = {"is_full_refresh": build.is_full_refresh, "steps_s": steps}
    if settings.storage is StorageTier.LOCAL:  # Spark makes several at once
        first = sorted(slowest.items(), key=lambda pair: -pair[1])[:8]
        figures["slowest_nodes_s"] = dict(first)
    return figures


def _statistics(settings: Settings) -> Figures:
    from pipeline.measure.build import build_statistics

    build_statistics(settings)
    return {}


def _publish(settings: Settings) -> Figures:
    from pipeline.measure.build import publish_build

    return {"bytes": publish_build(settings).path.stat().st_size}


def _looks(settings: Settings) -> Figures:
    """Which posts of one profile are to be looked up: asked for each profile, each day."""
    from pipeline.accounts import Platform
    from pipeline.clients.warehouse import reading
    from pipeline.collect.cadence import direct_looks

    now = FIRST_WORLD.first_day + timedelta(days=DAYS)
    with reading(settings) as connection:
        started = time.process_time()
        for name in FIRST_WORLD.account_names[:_PROFILES_ASKED]:
            direct_looks(connection, name, Platform.TIKTOK, now)
        return {"cpu_s_per_profile": (time.process_time() - started) / _PROFILES_ASKED}


MEASURED: dict[str, Callable[[Settings], Figures]] = {
    "models": _models,
    "statistics": _statistics,
    "publish": _publish,
    "looks": _looks,
}


def measured(name: str, settings: Settings, most_s: float) -> Figures:
    """One part in a process of its own, and what it and the servers used.

    Args:
        name: Of ``MEASURED``.
        settings: Whose home, and where Spark is.
        most_s: How long it may take.

    Returns:
        Its figures; ``not_measured`` with the reason when it took too long or failed.
    """
    load = os.getloadavg()[0]
    started = time.perf_counter()
    with watched() as use:
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", "bench.scale", "--measure", name,
                 "--settings", settings.model_dump_json(include=set(_PASSED_ON))],
                check=True, stdout=subprocess.PIPE, text=True, timeout=most_s,
                cwd=Path(__file__).parents[1],
            )  # fmt: skip
            figures: Figures = json.loads(done.stdout.splitlines()[-1])
        except subprocess.TimeoutExpired:
            figures = {"not_measured": f"took more than {most_s / 60:.0f} minutes"}
        except subprocess.CalledProcessError as error:
            figures = {"not_measured": f"ended with status {error.returncode}"}
    seconds = time.perf_counter() - started
    figures |= {
        "wall_s": round(seconds, 1),
        "cpu_s": round(use.cpu_s, 1),
        "peak_mib": round(use.peak_bytes / 2**20),
        "load_before": round(load, 1),
    }
    print(
        f"  {name:12}{figures['wall_s']:>9.1f} s{figures['cpu_s']:>9.1f} CPU s"
        f"{figures['peak_mib']:>8,} MiB  {figures.get('not_measured', '')}",
        flush=True,
    )
    return figures


_PASSED_ON = ("home", "storage", "storage_url", "spark_url")


@contextmanager
def _engine(name: str, home: Path, folder: Path) -> Iterator[Settings]:
    if name == "duckdb":
        yield Settings(home=home)
        return
    from tests.scale.spark_cluster import spark_cluster

    for former in (folder / "cluster", home / "lake"):
        # A new metastore knows none of the tables whose folders stand there.
        shutil.rmtree(former, ignore_errors=True)
    with spark_cluster(
        folder / "cluster", SPARK_SETTINGS, worker_memory_mb=EXECUTOR_MEMORY_MB + 512
    ) as cluster:
        yield Settings(
            home=home,
            storage=StorageTier.CLOUD,
            storage_url=str(home / "lake"),
            spark_url=cluster.thrift_url,
        )


def engine_figures(
    settings: Settings, first: Path, copies: int, day: int, most_s: float
) -> Figures:
    """A build from nothing, and one after another day.

    Args:
        settings: Of a home whose raw tables are filled.
        first: The first world's warehouse.
        copies: How often the home has its rows.
        day: That comes next.
        most_s: How long one part may take.
    """
    with writing(settings, "benchmark") as connection:
        connection.execute("drop table if exists intermediate.models_made_from")
        [(before,)] = connection.execute("select count(*) from raw.scrape_items").fetchall()
    figures: Figures = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "snapshots": before}
    figures["bytes_before"] = settings.database_path.stat().st_size
    figures["full"] = measured("models", settings, most_s)
    if "not_measured" in figures["full"]:
        return figures
    figures["statistics"] = measured("statistics", settings, most_s)
    if settings.storage is StorageTier.LOCAL:
        figures["publish"] = measured("publish", settings, most_s)
        figures["looks"] = measured("looks", settings, most_s)
        shutil.rmtree(settings.published_dir)
    figures["bytes"] = _bytes(settings)
    after = add_day(settings, first, copies, day)
    figures["snapshots_of_day"] = after - before
    figures["day"] = measured("models", settings, most_s)
    return figures


def _bytes(settings: Settings) -> Figures:
    figures: Figures = {"warehouse": settings.database_path.stat().st_size}
    if settings.storage_url:
        for area in ("raw", "models"):
            files = Path(settings.storage_url, area).rglob("*")
            figures[f"lake_{area}"] = sum(one.stat().st_size for one in files if one.is_file())
    return figures


def _keep_first(figures: Figures) -> None:
    """Keep what landing and loading the first world took."""
    kept: Figures = json.loads(RESULTS.read_bytes()) if RESULTS.exists() else {"worlds": {}}
    _write(kept | {"first": figures})


def _keep(millions: int, copies: int, engine: str, figures: Figures) -> None:
    """Add to what was measured before."""
    kept: Figures = json.loads(RESULTS.read_bytes()) if RESULTS.exists() else {"worlds": {}}
    kept["versions"] = _versions()
    kept["machine"] = {"cores": os.cpu_count(), "memory_gib": _memory_gib()}
    world = kept["worlds"].setdefault(str(millions), {})
    world |= {"accounts": copies * FIRST_WORLD.account_count, "days": DAYS, engine: figures}
    _write(kept)


def _write(kept: Figures) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _measure_one(name: str, passed_on: str) -> None:
    from pipeline.clients import warehouse

    connect = warehouse._open

    def limited(settings: Settings) -> Any:
        connection = connect(settings)
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        return connection

    with mock.patch.object(warehouse, "_open", limited):
        figures = MEASURED[name](Settings.model_validate_json(passed_on))
    print(json.dumps(figures))


def _versions() -> dict[str, str]:
    names = ("duckdb", "dbt-core", "dbt-duckdb", "dbt-spark", "pyspark")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def main() -> None:
    """Measure, print and bring ``bench/results/scale.json`` up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--engine", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--minutes", type=float, default=20, help="that one part may take")
    parser.add_argument("--folder", type=Path, help="keeps the worlds from one call to the next")
    parser.add_argument("--measure", choices=sorted(MEASURED), help=argparse.SUPPRESS)
    parser.add_argument("--settings", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        _measure_one(asked.measure, asked.settings)
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    try:
        first = first_database(folder)
        if not first.exists():
            print("the first world: landing files, raw load", flush=True)
            make_first_world(folder)
        for millions in asked.millions:
            copies = millions * 1_000_000 // SNAPSHOTS_OF_FIRST
            home = folder / f"millions_{millions}"
            if not home.exists():
                home.mkdir(parents=True)
                fill_raw(Settings(home=home), first, copies)
            for number, name in enumerate(asked.engine):
                print(f"{millions} million snapshots, {name}", flush=True)
                with _engine(name, home, folder) as settings:
                    day = DAYS + (number if len(asked.engine) > 1 else ENGINES.index(name))
                    figures = engine_figures(settings, first, copies, day, 60 * asked.minutes)
                _keep(millions, copies, name, figures)
            if not asked.folder:
                shutil.rmtree(home)
    finally:
        if not asked.folder:
            shutil.rmtree(folder, ignore_errors=True)


def _memory_gib() -> int:
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)


if __name__ == "__main__":
    main()
