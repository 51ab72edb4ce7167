"""One writer at a time, readers never locked out, nothing damaged overwritten."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline.clients.warehouse import (
    PUBLISHED_VERSIONS_KEPT,
    new_version,
    publish,
    published_version,
    reading,
    writer_lock,
    writing,
)
from pipeline.errors import (
    NothingPublishedError,
    PublishedCopyOutdatedError,
    WarehouseDamagedError,
    WarehouseLockedError,
)
from pipeline.settings import Settings

_HOLD_THE_LOCK = """
    import sys, time
    from pathlib import Path
    from pipeline.clients.warehouse import writing
    from pipeline.settings import Settings
    with writing(Settings(home=Path(sys.argv[1])), "hold on") as connection:
        connection.execute("create or replace table raw.unfinished as select 1 as one")
        connection.execute("begin")
        connection.execute("insert into raw.unfinished values (2)")
        print("holding", flush=True)
        time.sleep(60)
"""


def _holder(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_HOLD_THE_LOCK), str(home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    return process


def _publish(settings: Settings, moment: datetime) -> str:
    version = new_version(moment)
    with writer_lock(settings, "test"):
        publish(settings, version)
    return version


def test_a_second_writer_waits_and_then_names_the_holder(tmp_path: Path) -> None:
    process = _holder(tmp_path)
    try:
        with (
            pytest.raises(WarehouseLockedError, match=rf"process {process.pid} \(hold on"),
            writing(Settings(home=tmp_path, lock_timeout_s=0.3), "second"),
        ):
            pass
    finally:
        process.kill()
        process.wait()


def test_a_killed_writer_blocks_nobody_and_leaves_no_half_transaction(tmp_path: Path) -> None:
    process = _holder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    started = time.monotonic()
    with writing(Settings(home=tmp_path, lock_timeout_s=20), "next") as connection:
        rows = connection.execute("select one from raw.unfinished").fetchall()

    assert rows == [(1,)]
    assert time.monotonic() - started < 10


def test_a_reader_gets_the_published_copy_while_a_writer_writes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with writing(settings, "test") as connection:
        connection.execute("create table raw.numbers as select 1 as n")
    _publish(settings, datetime(2026, 1, 1, tzinfo=UTC))
    process = _holder(tmp_path)
    try:
        with reading(settings) as connection:
            assert connection.execute("select n from raw.numbers").fetchall() == [(1,)]
    finally:
        process.kill()
        process.wait()


def test_a_program_that_holds_the_file_open_is_waited_for_and_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, lock_timeout_s=0.5)
    with writing(settings, "test"):
        pass
    code = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); "
        "print('open', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.database_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        with (
            pytest.raises(WarehouseLockedError, match="Another program has"),
            writing(settings, "test"),
        ):
            pass
    finally:
        process.kill()
        process.wait()


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.warehouse_dir.mkdir()
    settings.database_path.write_bytes(b"<html>not a database</html>" * 100)
    before = settings.database_path.read_bytes()
    with pytest.raises(WarehouseDamagedError, match="afterpost rebuild"), writing(settings, "test"):
        pass

    assert settings.database_path.read_bytes() == before


def test_nothing_published_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError, match="afterpost build"):
        published_version(Settings(home=tmp_path))


@pytest.mark.parametrize("query", ["select * from marts.not_yet", "select not_yet from raw.one"])
def test_a_copy_of_an_older_version_is_a_sentence(tmp_path: Path, query: str) -> None:
    settings = Settings(home=tmp_path)
    with writing(settings, "test") as connection:
        connection.execute("create table raw.one as select 1 as one")
    publish(settings, "v1")

    with (
        pytest.raises(PublishedCopyOutdatedError, match="Run `afterpost build`"),
        reading(settings) as published,
    ):
        published.execute(query)


def test_old_versions_go_and_the_current_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    versions = [_publish(settings, datetime(2026, 1, day, tzinfo=UTC)) for day in range(1, 9)]
    kept = sorted(path.name for path in settings.published_dir.iterdir() if path.is_dir())

    assert kept == versions[-PUBLISHED_VERSIONS_KEPT:]
    assert published_version(settings) == versions[-1]


def test_an_open_reader_keeps_its_copy_when_a_new_one_is_published(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with writing(settings, "test") as connection:
        connection.execute("create table raw.numbers as select 1 as n")
    _publish(settings, datetime(2026, 1, 1, tzinfo=UTC))
    with reading(settings) as old:
        with writing(settings, "test") as connection:
            connection.execute("update raw.numbers set n = 2")
        _publish(settings, datetime(2026, 1, 2, tzinfo=UTC))
        assert old.execute("select n from raw.numbers").fetchall() == [(1,)]
    with reading(settings) as new:
        assert new.execute("select n from raw.numbers").fetchall() == [(2,)]


def test_sql_on_the_published_copy_cannot_write_or_reach_files(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with writing(settings, "test"):
        pass
    _publish(settings, datetime(2026, 1, 1, tzinfo=UTC))
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n", encoding="utf-8")
    with reading(settings) as connection:
        for statement in (
            "create table raw.evil (n integer)",
            f"select * from read_csv('{secret}')",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{settings.database_path}' as other",
            "set enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement).fetchall()


def test_older_duckdb_programs_can_open_the_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with writing(settings, "test"):
        pass
    with duckdb.connect(str(settings.database_path)) as connection:
        tags = connection.execute(
            "select tags from duckdb_databases() where database_name = 'afterpost'"
        ).fetchone()

    assert tags is not None
    assert "v1.5" in str(tags[0])


def test_threads_of_one_process_read_the_same_copy_at_once(tmp_path):
    settings = Settings(home=tmp_path)
    with writing(settings, "test") as connection:
        connection.execute("create table marts.moments as select timestamptz '2026-01-01 00:00Z' t")
    publish(settings, "v1")

    with reading(settings) as first, reading(settings) as second:
        shown = [one.execute("select t::varchar from marts.moments").fetchone() for one in
                 (first, second)]  # fmt: skip
        with pytest.raises(duckdb.Error, match="locked"):
            second.execute("set timezone = 'Asia/Tokyo'")

    assert shown == [("2026-01-01 00:00:00+00",)] * 2
