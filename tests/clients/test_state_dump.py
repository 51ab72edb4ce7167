"""The state as files: every row, id and type back again, and the same rows the same bytes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from pipeline.clients.state import reading_state
from pipeline.clients.state_dump import dump_hashes, dump_state, restore_state, state_row_count
from pipeline.clients.state_tables import metadata
from pipeline.errors import ConfigurationError, HomeInTheWayError, MirrorDamagedError
from pipeline.settings import Settings
from tests.fakes.filled_state import fill_state


@pytest.fixture
def dumped(tmp_path: Path) -> tuple[Settings, Path]:
    settings = Settings(home=tmp_path / "home")
    fill_state(settings, rows_per_table=3)
    return settings, dump_into(settings, tmp_path / "dump")


def dump_into(settings: Settings, folder: Path) -> Path:
    folder.mkdir()
    dump_state(settings, folder)
    return folder


def stored(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every value with its type, as SQLite itself holds them."""
    with closing(sqlite3.connect(settings.warehouse_dir / "state.db")) as connection:
        return {
            table.name: connection.execute(
                f"select * from {table.name} order by "
                + ", ".join(column.name for column in table.primary_key)
            ).fetchall()
            for table in metadata.sorted_tables
        }


def test_every_value_of_every_table_comes_back_as_it_was(dumped, tmp_path: Path) -> None:
    settings, folder = dumped
    target = Settings(home=tmp_path / "other")

    assert restore_state(target, folder) == 3 * len(metadata.sorted_tables)
    assert stored(target) == stored(settings)
    assert {len(rows) for rows in stored(target).values()} == {3}


def test_the_same_rows_give_the_same_bytes(dumped, tmp_path: Path) -> None:
    _, folder = dumped
    target = Settings(home=tmp_path / "other")
    restore_state(target, folder)

    again = dump_into(target, tmp_path / "again")
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert dump_hashes(again) == dump_hashes(folder)
    assert len(dump_hashes(folder)) == len(metadata.sorted_tables)


def test_a_null_of_json_is_told_from_no_value(dumped, tmp_path: Path) -> None:
    _, folder = dumped
    target = Settings(home=tmp_path / "other")
    restore_state(target, folder)

    with reading_state(target) as state:
        found = state.rows(sa.text("select labels from model_labels order by 1 nulls first"))
    assert [row["labels"] for row in found][:2] == [None, "null"]


def test_rows_that_are_there_are_never_joined_by_others(dumped, tmp_path: Path) -> None:
    _, folder = dumped
    target = Settings(home=tmp_path / "other")
    fill_state(target, rows_per_table=1)
    before = stored(target)

    with pytest.raises(HomeInTheWayError, match="holds rows already"):
        restore_state(target, folder)
    assert stored(target) == before


def test_a_half_file_restores_no_row_of_any_table(dumped, tmp_path: Path) -> None:
    _, folder = dumped
    path = folder / "model_calls.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(b'{"call_id":\n'))
    target = Settings(home=tmp_path / "other")

    with pytest.raises(MirrorDamagedError, match=r"model_calls\.jsonl\.zst"):
        restore_state(target, folder)
    assert state_row_count(target) == 0


def test_a_dump_of_an_older_program_is_upgraded_as_its_database_would_have_been(
    dumped, tmp_path: Path
) -> None:
    settings, folder = dumped
    schema = json.loads((folder / "schema.json").read_text())
    old_tables = {"recommendations", "decisions", "context_versions"}
    columns = _columns_of_revision("0001", tmp_path)
    for path in folder.glob("*.zst"):
        if path.name.split(".")[0] not in old_tables:
            path.unlink()
    for name in old_tables:
        _keep_columns(folder / f"{name}.jsonl.zst", columns[name])
    schema["revision"] = "0001"
    schema["tables"] = {
        name: {c: kind for c, kind in schema["tables"][name].items() if c in columns[name]}
        for name in old_tables
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    target = Settings(home=tmp_path / "other")

    assert restore_state(target, folder) == 9
    now, then = stored(target), stored(settings)
    assert [row[:2] for row in now["decisions"]] == [row[:2] for row in then["decisions"]]
    assert now["scrape_attempts"] == []


def test_a_dump_of_a_newer_program_is_refused(dumped, tmp_path: Path) -> None:
    _, folder = dumped
    schema = json.loads((folder / "schema.json").read_text())
    schema["revision"] = "9999"
    (folder / "schema.json").write_text(json.dumps(schema))

    with pytest.raises(ConfigurationError, match="newer version"):
        restore_state(Settings(home=tmp_path / "other"), folder)


def test_a_home_without_a_database_gives_no_files_and_gets_none(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")

    assert dump_state(settings, tmp_path).files == ()
    assert state_row_count(settings) == 0
    assert not settings.warehouse_dir.exists()


def _columns_of_revision(revision: str, place: Path) -> dict[str, set[str]]:
    from alembic import command
    from alembic.config import Config

    from pipeline.clients.state_databases import MIGRATIONS_DIR

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    engine = sa.create_engine(f"sqlite:///{place / 'old.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        found = sa.inspect(connection)
        return {
            name: {column["name"] for column in found.get_columns(name)}
            for name in found.get_table_names()
        }


def _keep_columns(path: Path, columns: set[str]) -> None:
    lines = zstandard.ZstdDecompressor().decompress(path.read_bytes()).splitlines()
    kept = [
        {name: value for name, value in json.loads(line).items() if name in columns}
        for line in lines
    ]
    text = "".join(json.dumps(row) + "\n" for row in kept)
    path.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
