"""A state database is copied whole or not at all, there and back."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.clients import state_copies
from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_copies import StateCopyError, copy_state
from pipeline.clients.state_tables import metadata
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.show.cli.main import main

NOW = datetime(2026, 11, 20, 9, 30, 1, 123456, tzinfo=UTC)


def value_of(column: sa.Column[Any], number: int) -> Any:
    """Some value of a column's kind, another one for each row."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value_of(key.column, number)
    values = {
        "JSON": {"z": f"\0 {number} 🤔", "a": [None, 0.1 + 0.2, number]},
        "Boolean": number % 2 == 0,
        "Integer": number,
        "Float": number / 3,
        "LargeBinary": bytes([0, 255, number % 256]),
        "Date": date(2026, 1, 1) + timedelta(days=number),
        "UtcDateTime": NOW + timedelta(microseconds=number),
    }
    # Not in the order of a language: "B" comes before "a" by its byte.
    text = f"{'aBé_🤔'[number % 5]} {column.name} {number}"
    return values.get(type(column.type).__name__, text)


def fill(settings: Settings, count: int) -> None:
    """Rows in every table; every second one has nothing wherever that may be."""
    with writing_state(settings) as state:
        for table in metadata.sorted_tables:
            rows = [
                {
                    column.name: None
                    if column.nullable and number % 2
                    else value_of(column, number)
                    for column in table.columns
                }
                for number in range(count)
            ]
            state.execute(table.insert(), rows)


def everything(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    with reading_state(settings) as state:
        return {
            table.name: state.rows(sa.select(table).order_by(*table.primary_key.columns))
            for table in metadata.sorted_tables
        }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", lock_timeout_s=20)


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """Another home of the same kind of database."""
    return Settings(home=tmp_path / "other", lock_timeout_s=20)


def of_file(path: Path) -> Settings:
    return Settings(home=path.parent, lock_timeout_s=20, state_url=f"sqlite:///{path}")


def test_a_copy_there_and_back_is_the_same_to_the_last_byte(
    settings: Settings, other: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state_copies, "_AT_ONCE", 7)
    fill(settings, 23)
    file = of_file(tmp_path / "copy.db")

    there = copy_state(settings, file.state_database_url)
    back = copy_state(file, other.state_database_url)

    assert there == back
    assert [table.row_count for table in there] == [23] * len(metadata.sorted_tables)
    assert everything(settings) == everything(file) == everything(other)


def test_a_target_with_rows_is_refused_and_stays_as_it_is(settings: Settings, other: Settings):
    fill(settings, 3)
    fill(other, 1)
    before = everything(other)

    with pytest.raises(UsageError, match="recommendations"):
        copy_state(settings, other.state_database_url)

    assert everything(other) == before


def test_a_database_is_not_copied_into_itself(settings: Settings):
    fill(settings, 2)

    with pytest.raises(UsageError, match="rows already"):
        copy_state(settings, settings.state_database_url)
    assert len(everything(settings)["decisions"]) == 2


def test_without_a_state_there_is_nothing_to_copy(settings: Settings, other: Settings):
    with pytest.raises(UsageError, match="nothing to copy"):
        copy_state(settings, other.state_database_url)
    assert not state_exists(other)


@pytest.mark.parametrize("trouble", ["a row is lost", "a value changes", "the program dies"])
def test_a_copy_that_goes_wrong_leaves_nothing_behind(
    settings: Settings, other: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
):
    fill(settings, 5)
    execute = StateTransaction.execute

    def disturbed(self: StateTransaction, statement: Any, rows: Any = None) -> None:
        if getattr(statement, "table", None) is metadata.tables["predictions"]:
            if trouble == "the program dies":
                raise KeyboardInterrupt
            rows = rows[1:] if trouble == "a row is lost" else [{**rows[0], "low": 1e9}, *rows[1:]]
        execute(self, statement, rows)

    monkeypatch.setattr(StateTransaction, "execute", disturbed)
    with pytest.raises(KeyboardInterrupt if "dies" in trouble else StateCopyError):
        copy_state(settings, other.state_database_url)
    monkeypatch.undo()

    assert not any(everything(other).values())
    copy_state(settings, other.state_database_url)


def test_a_file_with_characters_that_servers_refuse_can_still_be_moved(
    tmp_path: Path, other: Settings
):
    old = of_file(tmp_path / "old.db")
    fill(old, 2)
    with sa.create_engine(old.state_database_url).begin() as connection:
        connection.execute(sa.text("update decisions set note = 'a' || char(0) || 'b'"))

    copy_state(old, other.state_database_url)

    assert {row["note"] for row in everything(other)["decisions"]} == {"a\ufffdb"}


def test_the_command_says_what_it_copied(
    settings: Settings,
    other: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    fill(settings, 4)
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))

    assert main(["state", "copy", "--to", other.state_database_url, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {one["row_count"] for one in told} == {4}
    assert main(["state", "copy", "--to", other.state_database_url]) == 2
    assert "rows already" in capsys.readouterr().err
    assert main(["state", "copy", "--to", "nonsense"]) == 1
