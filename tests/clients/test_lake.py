"""The lake holds the raw tables' rows, no more and no less, whatever happened in between."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.clients.lake import LakeWrite, write_raw, write_stats
from pipeline.clients.lake_reading import read_raw_views
from pipeline.clients.warehouse import writing
from pipeline.collect.landing import MANIFEST_SUFFIX
from pipeline.collect.raw import load_raw
from pipeline.errors import LakeError, LakeUnreachableError
from pipeline.measure.statistics_tables import STATISTICS_TABLES, prepare_statistics_tables
from pipeline.settings import Settings, StorageTier
from tests.collect.samples import make_account, tiktok_row
from tests.collect.test_raw_load import landed
from tests.fakes.lake_rows import MOMENTS, differences, fill, forget, scrape, warehouse

ROOT = Path(__file__).parents[2]
NOTHING = LakeWrite(0, 0, 0)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as connection:
        fill(connection)
        yield connection


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "it's é%20lake")


def files(url: str) -> dict[str, tuple[int, int]]:
    """When each file was written and which one it is, by its path."""
    return {
        str(path.relative_to(url)): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in sorted(Path(url).rglob("*"))
        if path.is_file() and path.suffix != ".json"
    }


def changed(before: dict[str, Any], after: dict[str, Any], table: str) -> tuple[list[str], int]:
    """Partitions with new files of a table, and how many files of it are gone."""
    new = [path for path in after if path.startswith(f"raw/{table}/") and path not in before]
    gone = [path for path in before if path.startswith(f"raw/{table}/") and path not in after]
    return sorted(str(Path(path).parent.relative_to(f"raw/{table}")) for path in new), len(gone)


def test_the_lake_has_every_row_and_value_and_type(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    written = write_raw(url, connection)
    assert differences(connection, url) == {}
    parquet = [path for path in files(url) if path.endswith(".parquet")]
    assert len(parquet) == written.files_written == len(files(url))
    assert "raw/scrape_items/platform=tiktok/month=2026-10" in {
        str(Path(path).parent) for path in parquet
    }
    [(rows,)] = connection.execute(
        "select sum(n)::int from (select count(*) as n from raw.scrapes union all "
        "select count(*) from raw.scrape_items union all select count(*) from raw.rejected_items "
        "union all from (values (3)))"
    ).fetchall()
    assert written.rows == rows


def test_empty_tables_have_their_columns(url: str) -> None:
    with warehouse() as connection:
        write_raw(url, connection)
        assert differences(connection, url) == {}
        assert write_raw(url, connection) == NOTHING


def test_a_write_without_news_writes_nothing(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    noted = (Path(url) / "raw/_manifest.json").stat().st_mtime_ns
    before = files(url)
    assert write_raw(url, connection) == NOTHING
    assert files(url) == before
    assert (Path(url) / "raw/_manifest.json").stat().st_mtime_ns == noted


def test_a_load_writes_its_own_day_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    forget(connection, "t7")  # of 2099: its month would be the newest
    write_raw(url, connection)
    before = files(url)
    scrape(connection, "new", "2026-11-07 08:00:00+00")
    connection.execute("update raw.accounts set niche = 'sleep'")
    assert write_raw(url, connection) == LakeWrite(4, 1, 1 + 3 + 1 + 1)
    assert changed(before, files(url), "scrape_items") == (["platform=tiktok/month=2026-11"], 0)
    assert differences(connection, url) == {}


def test_a_month_that_has_passed_becomes_one_file(url: str) -> None:
    with warehouse() as connection:
        for day in range(1, 11):
            scrape(connection, f"s{day}", f"2026-10-{day:02} 06:00:00+00")
        write_raw(url, connection)
        assert len(list((Path(url) / "raw/scrape_items").rglob("*.parquet"))) == 10
        scrape(connection, "next", "2026-11-01 06:00:00+00")
        assert write_raw(url, connection) == LakeWrite(6, 30, 11 * (1 + 3 + 1))
        assert len(list((Path(url) / "raw/scrape_items").rglob("*.parquet"))) == 2
        assert differences(connection, url) == {}


def test_which_files_there_are_depends_on_the_rows_alone(
    connection: duckdb.DuckDBPyConnection, url: str, tmp_path: Path
) -> None:
    with warehouse() as grown:
        for number, moment in reversed(list(enumerate(MOMENTS))):
            scrape(grown, f"i{number}", moment, platform="instagram", items=number % 3)
            scrape(grown, f"t{number}", moment, handle="wrong")
            write_raw(url, grown)
        for table in ("accounts", "native_metrics"):
            rows = connection.execute(f"from raw.{table} order by all desc").fetchall()
            marks = ", ".join("?" * len(rows[0]))
            grown.executemany(f"insert into raw.{table} values ({marks})", rows)
        for number, moment in enumerate(MOMENTS):
            forget(grown, f"t{number}")
            scrape(grown, f"t{number}", moment)
        write_raw(url, grown)
    fresh = str(tmp_path / "fresh")
    write_raw(fresh, connection)
    assert files(fresh).keys() == files(url).keys()
    assert differences(connection, url) == differences(connection, fresh) == {}


def test_a_corrected_scrape_is_replaced_where_it_is(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    before = files(url)
    forget(connection, "t3")
    scrape(connection, "t3", MOMENTS[3], handle="right", items=2)
    write_raw(url, connection)
    assert changed(before, files(url), "scrape_items") == (["platform=tiktok/month=2026-10"], 1)
    assert changed(before, files(url), "scrapes") == (["platform=tiktok/month=2026-10"], 1)
    assert differences(connection, url) == {}


def test_a_month_that_was_taken_out_leaves_no_folder(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    forget(connection, "i1")
    forget(connection, "t1")
    assert write_raw(url, connection).files_written == 0
    assert not list(Path(url).rglob("month=2026-09"))
    assert differences(connection, url) == {}


def test_a_warehouse_made_anew_writes_only_what_came_out_otherwise(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    before = files(url)
    connection.execute("delete from loading.lake")  # as when tables are dropped or made anew
    assert write_raw(url, connection) == NOTHING
    connection.execute("delete from loading.lake")
    connection.execute(
        "update raw.scrape_items set item_kind = 'foreign_post' where scrape_id = 't6'"
    )
    assert write_raw(url, connection).files_written == 1
    assert changed(before, files(url), "scrape_items") == (["platform=tiktok/month=2026-11"], 1)
    assert differences(connection, url) == {}


def test_other_columns_are_written_anew(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    write_raw(url, connection)
    connection.execute("alter table raw.accounts add column colour varchar")
    connection.execute("alter table raw.scrape_items add column colour varchar default 'red'")
    connection.execute("delete from loading.lake")
    write_raw(url, connection)
    assert differences(connection, url) == {}


def test_items_that_went_without_their_scrape_are_noticed(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    connection.execute("delete from raw.scrape_items where scrape_id = 't5' and item_index = 1")
    assert write_raw(url, connection).files_written == 1
    assert differences(connection, url) == {}


def test_items_of_no_scrape_are_refused(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    connection.execute("update raw.scrape_items set scraped_at = scraped_at + interval 1 year")
    with pytest.raises(LakeError, match="run `afterpost rebuild`"):
        write_raw(url, connection)


@pytest.mark.parametrize("platform", ["../../tiktok", "tiktok'; drop table raw.scrapes; --", ""])
def test_a_platform_that_nobody_knows_names_no_folder(
    connection: duckdb.DuckDBPyConnection, url: str, platform: str
) -> None:
    scrape(connection, "odd", "2026-11-07 00:00:00+00", platform=platform)
    with pytest.raises(LakeError, match="does not know"):
        write_raw(url, connection)
    assert not Path(url).exists() or not files(url)


def test_damaged_and_missing_files_are_put_right(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    write_raw(url, connection)
    first, second, *_ = sorted((Path(url) / "raw/scrape_items").rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-10])
    second.unlink()
    (first.parent / ".0123456789abcdef.tmp").write_bytes(b"left behind")
    shutil.copy(
        second.parents[1].joinpath(*first.parts[-2:]), second.parent / f"{'0' * 32}.parquet"
    )
    assert write_raw(url, connection).files_removed == 1
    assert differences(connection, url) == {}
    assert not list(Path(url).rglob("*.tmp"))


def test_files_of_somebody_else_are_left_alone(
    connection: duckdb.DuckDBPyConnection, url: str
) -> None:
    theirs = Path(url) / "raw" / "scrapes" / "export.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    with pytest.raises(LakeError, match=r"export\.parquet was not written by afterpost"):
        write_raw(url, connection)
    assert theirs.read_bytes() == b"theirs"


KILLED = """
import os, signal, sys
import duckdb
from pipeline.clients import lake
from pipeline.clients.lake_files import Lake

left = int(sys.argv[3])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def stepping(method):
    def wrapped(self, first, *rest):
        step()
        if method is remove:
            for path in first:
                method(self, [path], *rest)
                step()
        else:
            method(self, first, *rest)
            step()
    return wrapped

remove = Lake.remove
for name in ("put", "replace", "remove"):
    setattr(Lake, name, stepping(getattr(Lake, name)))
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("set timezone = 'UTC'")
    lake.write_raw(sys.argv[2], connection)
"""


def test_a_write_killed_at_any_step_is_put_right_by_the_next(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    before, url, fresh = (str(tmp_path / name) for name in ("before", "lake", "fresh"))
    with warehouse(database) as connection:
        for number in range(3):
            scrape(connection, f"s{number}", f"2026-10-0{number + 1} 06:00:00+00")
        write_raw(before, connection)
        forget(connection, "s0")
        scrape(connection, "s0", "2026-10-01 06:00:00+00", handle="right", items=1)
        forget(connection, "s2")
        scrape(connection, "s3", "2026-10-04 06:00:00+00", platform="instagram")
        write_raw(fresh, connection)
    killed, step = 0, 0
    while True:
        step += 3
        shutil.rmtree(url, ignore_errors=True)
        shutil.copytree(before, url)
        child = subprocess.run(
            [sys.executable, "-c", KILLED, str(database), url, str(step)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
        with warehouse(database) as connection:
            for path in Path(url).rglob("*.parquet"):
                connection.execute("select count(*) from read_parquet(?)", [str(path)]).fetchall()
            if child.returncode == 0:
                break
            assert child.returncode == -signal.SIGKILL
            killed += 1
            with duckdb.connect() as reader:
                # Before the first change and after the last, all files belong together.
                is_whole = files(url).keys() in (files(before).keys(), files(fresh).keys())
                with suppress(LakeError) if is_whole else pytest.raises(LakeError, match="off"):
                    read_raw_views(reader, url)
            write_raw(url, connection)
            assert files(url).keys() == files(fresh).keys()
            assert differences(connection, url) == {}
    assert killed >= 5


def test_an_object_store_holds_the_same(
    connection: duckdb.DuckDBPyConnection, url: str, tmp_path: Path
) -> None:
    import fsspec

    store = f"memory://{tmp_path.name}/lake"
    memory, root = fsspec.core.url_to_fs(store)
    try:
        written = write_raw(store, connection)
        assert write_raw(url, connection) == written
        assert write_raw(store, connection) == NOTHING
        stored = {path.removeprefix(f"{root}/") for path in memory.find(root)}
        assert stored == {*files(url), "raw/_manifest.json"}
        assert differences(connection, store) == {}
        forget(connection, "t3")
        scrape(connection, "t9", "2026-11-06 11:00:00+00")
        write_raw(store, connection)
        assert differences(connection, store) == {}
    finally:
        memory.rm(f"/{tmp_path.name}", recursive=True)


def test_what_cannot_be_reached_is_said_without_the_password(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LakeUnreachableError, match="cannot be written or read"):
        write_raw(str(tmp_path / "file"), connection)
    with pytest.raises(LakeError, match=r"https?://me:…@|nosuch://me:…@") as caught:
        write_raw("nosuch://me:hush@host/lake", connection)
    assert "hush" not in str(caught.value)


def test_statistics_stand_as_they_are(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    prepare_statistics_tables(connection)
    connection.execute("create table stats.of_a_model (n integer)")
    assert write_stats(url, connection, STATISTICS_TABLES).files_written == 6
    assert write_stats(url, connection, STATISTICS_TABLES) == NOTHING
    connection.execute(
        "insert into stats.pareto by name select 'a' as account_name, 'tiktok' as platform, "
        "'views' as outcome, 3 as n, 0.1 as top_share, 'flat' as verdict, 0 as posts_needed"
    )
    assert write_stats(url, connection, STATISTICS_TABLES) == LakeWrite(1, 1, 1)
    read = f"from read_parquet('{url.replace(chr(39), chr(39) * 2)}/stats/pareto/*.parquet')"
    assert connection.execute(read).fetchall() == connection.execute("from stats.pareto").fetchall()
    assert not (Path(url) / "stats" / "of_a_model").exists()


def test_only_the_tier_cloud_writes_a_lake(tmp_path: Path) -> None:
    local = Settings(home=tmp_path / "home", storage_url=str(tmp_path / "lake"))
    make_account(local)
    landed(local, [tiktok_row(0), {"error": "gone"}])
    load_raw(local)
    assert not (tmp_path / "lake").exists()
    cloud = local.model_copy(update={"storage": StorageTier.CLOUD})
    load_raw(cloud)
    [manifest] = local.landing_dir.rglob(f"*{MANIFEST_SUFFIX}")
    document = manifest.read_text(encoding="utf-8").replace('"quietnights"', '"someoneelse"')
    manifest.write_text(document, encoding="utf-8")
    load_raw(cloud)
    with writing(cloud, "test") as connection:
        assert connection.execute("select handle from raw.scrapes").fetchall() == [("someoneelse",)]
        assert differences(connection, str(tmp_path / "lake")) == {}
