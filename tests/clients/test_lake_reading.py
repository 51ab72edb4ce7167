"""What DuckDB and Spark are told of the lake, and what comes back of what Spark made."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.clients.lake import write_raw, write_stats
from pipeline.clients.lake_reading import read_models, read_raw_views
from pipeline.clients.lake_spark import spark_table_ddl, spark_type
from pipeline.errors import LakeError
from pipeline.measure.statistics_tables import STATISTICS_TABLES, prepare_statistics_tables
from tests.fakes.lake_rows import fill, warehouse

TOKYO = timezone(timedelta(hours=9))
MOMENT = "2026-10-01 23:59:59.123456"
MODEL = f"""
    select 1::bigint as n, 'it''s é' as name, timestamp '{MOMENT}' as at_utc,
        timestamp '{MOMENT}' as at_local, 1.25::decimal(20, 4) as cost, 0.1::double as rate,
        ['a', null] as tags, date '2026-01-31' as day, true as is_paid
    union all by name select 2 as n
"""
"""Spark writes moments as INT96, which DuckDB reads as what it reads TIMESTAMP_NTZ as."""
COLUMNS = [
    ("name", "varchar"),
    ("n", "integer"),
    ("at_utc", "timestamptz"),
    ("at_local", "timestamp"),
    ("cost", "decimal(12, 6)"),
    ("rate", "double"),
    ("tags", "varchar[]"),
    ("day", "date"),
    ("is_paid", "boolean"),
]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A session of another time zone: it must play no part."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Asia/Tokyo'")
        yield connection


def as_spark_writes(url: Path, table: str, query: str, partition: str = "") -> None:
    """One part file of a table, with all that Spark leaves beside it."""
    folder = url / "models" / table.replace(".", "/")
    target = folder / partition
    target.mkdir(parents=True, exist_ok=True)
    number = len(list(target.glob("part-*")))
    path = target / f"part-0000{number}-5c8b.c000.snappy.parquet"
    with duckdb.connect() as writer:
        writer.execute("set timezone = 'UTC'")
        writer.execute(f"copy ({query}) to '{path}' (format parquet)")
    (folder / "_SUCCESS").touch()
    (target / f".{path.name}.crc").write_bytes(b"crc")
    for left in (folder / "_temporary" / "0", folder / ".spark-staging-1" / partition):
        left.mkdir(parents=True, exist_ok=True)
        (left / "part-00009-dead.parquet").write_bytes(b"half")


def test_spark_is_told_every_column_and_where_the_files_are(tmp_path: Path) -> None:
    lake = tmp_path / "it's é%20lake"
    with warehouse() as warehoused:
        prepare_statistics_tables(warehoused)
        write_raw(str(lake), warehoused)
        write_stats(str(lake), warehoused, STATISTICS_TABLES)
    statements = spark_table_ddl(str(lake))
    made = [one for one in statements if one.startswith("create table raw.`scrape_items`")]
    where = str(lake).replace("'", "\\'")
    assert made == [
        (
            "create table raw.`scrape_items` (`scrape_id` string, `item_index` int, "
            "`account_name` string, `item_kind` string, `post_id` string, `scraped_at` timestamp, "
            "`payload` string, `platform` string, `month` string) using parquet "
            f"partitioned by (platform, month) location 'file:{where}/raw/scrape_items'"
        )
    ]
    after = statements[statements.index(made[0]) + 1]
    assert after == "alter table raw.`scrape_items` recover partitions"
    assert (lake / "raw" / "scrape_items").is_dir()  # although there is no row yet
    assert sum(one.startswith("create table stats.") for one in statements) == 6
    assert "`cost_usd` decimal(12,6)" in " ".join(statements)


def test_spark_is_told_an_object_store_by_its_url() -> None:
    with warehouse() as warehoused:
        prepare_statistics_tables(warehoused)
        write_raw("memory://ddl/lake", warehoused)
        write_stats("memory://ddl/lake", warehoused, STATISTICS_TABLES)
    assert any(
        "location 'memory:///ddl/lake/raw/acc" in o for o in spark_table_ddl("memory://ddl/lake")
    )


def test_a_type_that_spark_lacks_is_named() -> None:
    with pytest.raises(LakeError, match="HUGEINT"):
        spark_type("HUGEINT")


def test_nothing_is_told_of_a_lake_that_nobody_wrote(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(LakeError, match="run `afterpost load`"):
        spark_table_ddl(str(tmp_path))
    with pytest.raises(LakeError, match="run `afterpost load`"):
        read_raw_views(connection, str(tmp_path))


def test_views_show_what_was_written_after_them(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    with warehouse() as warehoused:
        fill(warehoused)
        write_raw(str(tmp_path), warehoused)
        read_raw_views(connection, str(tmp_path))
        count = "select count(*) from raw.scrapes where platform = 'tiktok'"
        assert connection.execute(count).fetchall() == [(8,)]
        warehoused.execute("delete from raw.scrapes where scrape_id = 't1'")
        warehoused.execute("delete from raw.scrape_items where scrape_id = 't1'")
        warehoused.execute("delete from raw.rejected_items where scrape_id = 't1'")
        write_raw(str(tmp_path), warehoused)
        assert connection.execute(count).fetchall() == [(7,)]


def test_models_come_back_in_the_order_and_types_asked_for(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    as_spark_writes(tmp_path, "marts.dim", f"select * from ({MODEL}) where n = 1")
    as_spark_writes(tmp_path, "marts.dim", f"select * from ({MODEL}) where n = 2")
    connection.execute("create schema marts; create view marts.dim as select 1 as former")
    assert read_models(connection, str(tmp_path), {"marts.dim": COLUMNS}) == {"marts.dim": 2}

    described = connection.execute("describe marts.dim").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [
        ("name", "VARCHAR"),
        ("n", "INTEGER"),
        ("at_utc", "TIMESTAMP WITH TIME ZONE"),
        ("at_local", "TIMESTAMP"),
        ("cost", "DECIMAL(12,6)"),
        ("rate", "DOUBLE"),
        ("tags", "VARCHAR[]"),
        ("day", "DATE"),
        ("is_paid", "BOOLEAN"),
    ]
    first, second = connection.execute("from marts.dim order by n").fetchall()
    local = datetime.fromisoformat(MOMENT)
    assert first == (
        "it's é", 1, (local + timedelta(hours=9)).replace(tzinfo=TOKYO), local,
        Decimal("1.250000"), 0.1, ["a", None], date(2026, 1, 31), True,
    )  # fmt: skip
    assert second == (None, 2, *[None] * 7)
    read_models(connection, str(tmp_path), {"marts.dim": COLUMNS[:1]})
    assert connection.execute("describe marts.dim").fetchall()[1:] == []


def test_a_column_of_partition_folders_is_read_when_it_is_asked_for(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    for month, folder in (
        ("2026-09", "2026-09"),
        ("2026-10", "2026-10"),
        (None, "__HIVE_DEFAULT_PARTITION__"),
    ):
        query = f"select '{month}' as name, 1 as n"
        as_spark_writes(tmp_path, "marts.cut", query, f"scraped_month={folder}")
    (tmp_path / "models" / "marts" / "empty").mkdir()
    (tmp_path / "models" / "marts" / "empty" / "_SUCCESS").touch()
    tables = {
        "marts.cut": [("scraped_month", "varchar"), ("name", "varchar")],
        "marts.empty": [("n", "bigint")],
    }
    assert read_models(connection, str(tmp_path), tables) == {"marts.cut": 3, "marts.empty": 0}
    rows = connection.execute("from marts.cut order by name").fetchall()
    assert rows == [("2026-09", "2026-09"), ("2026-10", "2026-10"), (None, "None")]
    read_models(connection, str(tmp_path), {"marts.cut": [("name", "varchar")]})
    described = connection.execute("describe marts.cut").fetchall()
    assert [name for name, *_ in described] == ["name"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"marts.gone": [("n", "bigint")]}, "made no table marts.gone"),
        ({"marts.dim": [("colour", "varchar")]}, "marts.dim has no column 'colour'"),
        ({"marts.dim": [("cost", "decimal(12, 1)")]}, "1 values in 'cost'"),
        ({"marts.dim": [("cost", "integer")]}, "1 values in 'cost'"),
        ({"marts.dim": [("name", "double")]}, "1 values in 'name'"),
        ({"marts.dim": [("rate", "float")]}, "1 values in 'rate'"),
        ({"marts.dim": [("at_local", "date")]}, "1 values in 'at_local'"),
        ({"marts.torn": [("n", "bigint")]}, "marts.torn cannot be read"),
    ],
)
def test_what_cannot_be_taken_over_changes_nothing(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    asked: dict[str, list[tuple[str, str]]],
    said: str,
) -> None:
    as_spark_writes(tmp_path, "marts.dim", MODEL)
    as_spark_writes(tmp_path, "marts.torn", MODEL)
    [torn] = (tmp_path / "models" / "marts" / "torn").glob("part-*")
    torn.write_bytes(torn.read_bytes()[:-30])
    connection.execute("create schema marts; create table marts.dim as select 7 as former")
    as_spark_writes(tmp_path, "marts.new", MODEL)
    with pytest.raises(LakeError, match=said):
        read_models(connection, str(tmp_path), {"marts.new": COLUMNS, **asked})
    assert connection.execute("from marts.dim").fetchall() == [(7,)]
    found = connection.execute("select table_name from duckdb_tables()").fetchall()
    assert found == [("dim",)]


def test_models_of_an_object_store_come_back_too(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    import fsspec

    as_spark_writes(tmp_path, "marts.dim", MODEL)
    [part] = (tmp_path / "models" / "marts" / "dim").glob("part-*")
    memory = fsspec.filesystem("memory")
    memory.pipe("/spark/models/marts/dim/part-0.parquet", part.read_bytes())
    memory.pipe("/spark/models/marts/dim/_SUCCESS", b"")
    try:
        assert read_models(connection, "memory://spark", {"marts.dim": COLUMNS}) == {"marts.dim": 2}
    finally:
        memory.rm("/spark", recursive=True)
