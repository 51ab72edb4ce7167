"""The same models on DuckDB and on Spark: the same rows, and all that is made of them.

Two homes have the same landing files, accounts and decisions. One builds as on a laptop, the other
in the tier ``cloud``. A first build, a day more, a worker that is killed in the middle: whatever
either engine made is compared, value by value.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.daily_listings import Listings, land_days, write_accounts
from pipeline.accounts import load_accounts
from pipeline.clients.spark import MODEL_SCHEMAS, make_model_schemas, run_on_spark
from pipeline.clients.warehouse import published_database
from pipeline.collect.landing import MANIFEST_SUFFIX, manifest_files, read_manifest, rows_path
from pipeline.collect.raw import load_raw
from pipeline.decide.context import ensure_context
from pipeline.decide.review import approve, pending
from pipeline.errors import ConfigurationError, DecisionError
from pipeline.learn.findings import find
from pipeline.learn.recommend import recommend
from pipeline.measure import build
from pipeline.measure.build import ModelBuild, build_models, build_statistics, publish_build
from pipeline.measure.dbt_runs import _spark_arguments
from pipeline.settings import Settings, StorageTier
from tests.measure.engine_cases import failed_cases
from tests.scale.parity import Difference, differences
from tests.scale.spark_cluster import SparkCluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
_BOOKKEEPING = ("build_info", "model_build", "models_made_from", "scrapes_read", "scrapes_stamped")
Event = Callable[[Mapping[str, Any]], None]


@dataclass
class Pair:
    """Two homes with the same landing files, and scrapes that neither of them has yet."""

    on_duckdb: Settings
    on_spark: Settings
    add_a_day: Callable[[Settings], None]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, spark: SparkCluster) -> Iterator[Pair]:
    """The demo's world; what it scraped last comes a day later."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run(
        [Path(sys.executable).with_name("afterpost"), "demo", "--home", folder / "made", "--json"],
        check=True,
        capture_output=True,
    )
    made = Settings(home=folder / "made")
    for path in made.warehouse_dir.iterdir():
        if path.name not in ("landing", "state.db"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    later = folder / "later"
    newest = max(read_manifest(path).scraped_at.date() for path in manifest_files(made))
    for path in list(manifest_files(made)):
        manifest = read_manifest(path)
        if manifest.scraped_at.date() == newest:
            for file in (path, rows_path(made, manifest)):
                target = later / file.relative_to(made.landing_dir)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
    assert sum(1 for _ in later.rglob(f"*{MANIFEST_SUFFIX}")) >= 7
    with _pair(folder, spark, lambda settings: _copy(later, settings.landing_dir)) as pair:
        yield pair


@pytest.fixture(scope="module")
def listings(tmp_path_factory: pytest.TempPathFactory, spark: SparkCluster) -> Iterator[Pair]:
    """A hundred accounts of a hundred posts each, listed daily for sixty days."""
    folder = tmp_path_factory.mktemp("listings")
    world = Listings(account_count=100, days=60, posts_before=40, posts_per_day=1.0, listed=100)
    made = Settings(home=folder / "made")
    write_accounts(made, world)
    assert land_days(made, world, range(60)) > 400_000
    with _pair(folder, spark, lambda settings: _land(settings, world)) as pair:
        yield pair


@contextmanager
def _pair(
    folder: Path, spark: SparkCluster, add_a_day: Callable[[Settings], None]
) -> Iterator[Pair]:
    on_duckdb = Settings(home=folder / "made")
    shutil.copytree(on_duckdb.home, folder / "copy")
    on_spark = Settings(
        home=folder / "copy",
        storage=StorageTier.CLOUD,
        storage_url=str(folder / "lake"),
        spark_url=spark.thrift_url,
    )
    _forget_models(on_spark)  # of the pair before, whose tests are over
    try:
        yield Pair(on_duckdb, on_spark, add_a_day)
    finally:
        _forget_models(on_spark)
        shutil.rmtree(folder)


def _forget_models(settings: Settings) -> None:
    schemas = (*MODEL_SCHEMAS, "raw", "shown")
    run_on_spark(settings, [f"drop schema if exists {name} cascade" for name in schemas])


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


def _land(settings: Settings, world: Listings) -> None:
    land_days(settings, world, [world.days])


def _build(settings: Settings, day: int, on_event: Event | None = None) -> ModelBuild:
    load_raw(settings)
    made = build_models(settings, on_event)
    build_statistics(settings)
    with pytest.MonkeyPatch.context() as patch:
        # A version's name is drawn by chance, and stands in context files.
        patch.setattr(build, "new_version", lambda _: f"202611{day}T090000_000000")
        publish_build(settings)
    return made


def _differences(pair: Pair) -> list[Difference]:
    """Of every table that stands in a published copy, and of every view as Spark shows it."""
    found = []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, settings in (("left", pair.on_duckdb), ("right", pair.on_spark)):
            path = published_database(settings)
            connection.execute(f"attach '{path}' as \"{name}\" (read_only)")
        rows = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'left' "
            "and schema_name in ('intermediate', 'marts', 'stats') "
            "and not list_contains(?, table_name) order by all",
            [list(_BOOKKEEPING)],
        ).fetchall()
        assert len(rows) > 40
        for schema, table in rows:
            name = f'{schema}."{table}"'
            # Statistics are made by one program of what both engines made: to the last bit.
            exactness = {"tolerance": 0.0} if schema == "stats" else {}
            found += differences(connection, name, f'"left".{name}', f'"right".{name}', **exactness)
    return found


def _view_differences(pair: Pair) -> list[Difference]:
    """Of every view of marts: what DuckDB shows, and what Spark's own view shows."""
    lake = Path(str(pair.on_spark.storage_url))
    found = []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"attach '{published_database(pair.on_duckdb)}' as afterpost (read_only)"
        )
        connection.execute("use afterpost")
        views = connection.execute(
            "select view_name from duckdb_views() where database_name = 'afterpost' "
            "and schema_name = 'marts' order by all"
        ).fetchall()
        assert len(views) > 12
        run_on_spark(
            pair.on_spark,
            [
                f"create schema if not exists shown location '{lake / 'shown'}'",
                *(
                    f"create table shown.{view} using parquet as select * from marts.{view}"
                    for (view,) in views
                ),
            ],
        )
        for (view,) in views:
            shape = connection.execute(f"describe marts.{view}").fetchall()
            casts = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in shape)
            connection.execute(
                f"create table memory.{view} as select {casts} "
                f"from read_parquet('{lake}/shown/{view}/*.parquet')"
            )
            found += differences(connection, view, f"marts.{view}", f"memory.{view}")
    return found


def _learnt(settings: Settings, *, deciding: int) -> dict[str, bytes]:
    """Findings of all accounts, and what becomes of the first ones' proposals and context files.

    Returns:
        Bytes by name.
    """
    learnt = {}
    for place, account in enumerate(load_accounts(settings.accounts_dir)):
        with duckdb.connect(str(published_database(settings)), read_only=True) as connection:
            found = [asdict(one) for one in find(connection, account.name)]
        learnt[f"{account.name} findings"] = json.dumps(found, default=str).encode()
        if place >= deciding:
            continue
        ensure_context(settings, account, _NOW)
        recommend(settings, account.name, now=_NOW)
    for proposal in pending(settings):
        try:
            decision = approve(settings, proposal.recommendation_id, by="a person", now=_NOW)
            decided = repr(decision.patch)
        except DecisionError as error:  # another one has changed the same already
            decided = str(error)
        learnt[f"{proposal.recommendation_id} decision"] = decided.encode()
    for path in sorted(settings.accounts_dir.glob("*/performance_context.json")):
        learnt[f"{path.parent.name} context"] = path.read_bytes()
    return learnt


def test_every_macro_of_spark_gives_what_duckdbs_gives(spark: SparkCluster, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        storage=StorageTier.CLOUD,
        storage_url=str(tmp_path / "lake"),
        spark_url=spark.thrift_url,
    )

    assert failed_cases(_spark_arguments(settings, {})) == []


def test_the_demo_is_the_same_on_both_engines(demo: Pair) -> None:
    assert _build(demo.on_duckdb, 20).is_full_refresh
    assert _build(demo.on_spark, 20).is_full_refresh
    assert _differences(demo) == []

    for settings in (demo.on_duckdb, demo.on_spark):
        demo.add_a_day(settings)
        assert not _build(settings, 21).is_full_refresh
    assert _differences(demo) == []
    assert _view_differences(demo) == []

    on_duckdb, on_spark = (
        _learnt(settings, deciding=4) for settings in (demo.on_duckdb, demo.on_spark)
    )
    assert on_duckdb == on_spark
    contexts = [text for name, text in on_duckdb.items() if name.endswith("context")]
    assert len(contexts) == 4
    assert any(b'"approved_recommendations": [\n' in text for text in contexts)


def test_models_of_another_home_are_not_written_over(demo: Pair, tmp_path: Path) -> None:
    other = demo.on_spark.model_copy(update={"storage_url": str(tmp_path / "elsewhere")})

    with pytest.raises(ConfigurationError, match="keeps its files in"):
        make_model_schemas(other)


def test_files_of_tables_that_spark_knows_no_more_are_in_nobodys_way(demo: Pair) -> None:
    marts = Path(str(demo.on_spark.storage_url)) / "models" / "marts"
    known = {path.name for path in marts.iterdir()}
    (marts / "of_a_lost_metastore").mkdir()
    (marts / "of_a_lost_metastore" / "part.parquet").write_bytes(b"rows")

    make_model_schemas(demo.on_spark)

    assert len(known) > 10
    assert {path.name for path in marts.iterdir()} == known


def test_a_hundred_accounts_are_the_same_though_a_worker_is_killed(
    listings: Pair, spark: SparkCluster
) -> None:
    _build(listings.on_duckdb, 20)
    _build(listings.on_spark, 20)
    assert _differences(listings) == []

    for settings in (listings.on_duckdb, listings.on_spark):
        listings.add_a_day(settings)
    assert not _build(listings.on_duckdb, 21).is_full_refresh
    finished: list[str] = []

    def kill_in_the_middle(event: Mapping[str, Any]) -> None:
        finished.append(event["data"]["node_info"]["node_name"])
        if finished[-1] == "int_profiles__snapshots":
            spark.kill_worker(1)

    assert not _build(listings.on_spark, 21, kill_in_the_middle).is_full_refresh

    assert spark.workers[1].returncode is not None
    assert len(finished) - finished.index("int_profiles__snapshots") > 40
    assert _differences(listings) == []
    on_duckdb, on_spark = (
        _learnt(settings, deciding=10) for settings in (listings.on_duckdb, listings.on_spark)
    )
    assert on_duckdb == on_spark
    assert sum(name.endswith("findings") for name in on_duckdb) == 100
