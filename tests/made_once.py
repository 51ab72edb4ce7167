"""What takes long to make and is the same for many tests: made once in a run, by one process."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.engine import Engine

from pipeline.atomic_files import write_atomically
from pipeline.clients import state_databases
from pipeline.clients.state_tables import metadata
from pipeline.measure import dbt_runs
from tests.engines import ON_A_SERVER

_PARSE = "partial_parse.msgpack"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that the first process in need of it makes; the others wait for it.

    Safe because nobody writes to it afterwards: a test that changes something takes a copy.

    Args:
        factory: Of the test process.
        name: What else in the run has no name like it.
        make: Fills the folder, which is there and empty.
    """
    root = _folder_of_the_run(factory)
    folder, finished = root / name, root / f"{name}.made"
    with FileLock(root / f"{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder


@contextmanager
def one_parse_of_the_models(factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have dbt begin in each new home with what it parsed in the run's first one.

    Safe because dbt itself compares every file's checksum, the variables and the settings with
    those of the parse that it finds, and parses again what differs. It takes the path of the
    database for one of the settings; no model depends on that, so it is left out of them.
    """
    parsed = _folder_of_the_run(factory) / _PARSE
    project = str(dbt_runs.DBT_PROJECT)
    invoke = dbt_runs._invoke

    def invoke_with_parse(arguments: list[str], on_event: Any) -> Any:
        if "build" not in arguments:
            return invoke(arguments, on_event)
        own = Path(_option(arguments, "--target-path")) / _PARSE
        if parsed.exists() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(parsed, own)
        with pytest.MonkeyPatch.context() as patch:
            _leave_the_path_out(patch)
            result = invoke(arguments, on_event)
        # A test's own copy of the models is gone when others would look for its files.
        if _option(arguments, "--project-dir") == project and own.exists() and not parsed.exists():
            write_atomically(parsed, own.read_bytes())
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_runs, "_invoke", invoke_with_parse)
        yield


@contextmanager
def one_migration_of_the_state() -> Iterator[None]:
    """Give each new state database what the migrations made of the process's first one.

    Safe because only files without a byte are filled so; all others are migrated as ever. On a
    server, databases without tables get those that the code declares, which a test compares with
    what the migrations make.
    """
    migrate = state_databases._upgrade
    with TemporaryDirectory(prefix="migrated_") as folder, pytest.MonkeyPatch.context() as patch:
        migrated = Path(folder) / "state.db"

        def migrate_or_copy(engine: Engine) -> None:
            path = Path(engine.url.database or "")
            if ON_A_SERVER and engine.dialect.name == "postgresql":
                _make_tables_or(migrate, engine)
                return
            is_new = engine.dialect.name == "sqlite" and path.exists() and not path.stat().st_size
            if is_new and migrated.exists():
                _copy_database(migrated, path)
                return
            migrate(engine)
            if is_new:
                copy = Path(folder) / f"{threading.get_ident()}.db"
                _copy_database(path, copy)
                copy.replace(migrated)

        patch.setattr(state_databases, "_upgrade", migrate_or_copy)
        yield


def _make_tables_or(migrate: Callable[[Engine], object], engine: Engine) -> None:
    with engine.connect() as connection:
        for statement in state_databases._KINDS[engine.dialect.name].upgrading:
            connection.exec_driver_sql(statement)
        is_new = not sa.inspect(connection).get_table_names()
        if is_new:
            metadata.create_all(connection, checkfirst=False)
            connection.exec_driver_sql("create table alembic_version (version_num varchar(32))")
            connection.exec_driver_sql(
                f"insert into alembic_version values ('{state_databases.HEAD_REVISION}')"
            )
        connection.exec_driver_sql("COMMIT")
    if not is_new:
        migrate(engine)


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(target)) as empty:
        held.backup(empty)


def _leave_the_path_out(patch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    keys = DuckDBCredentials._connection_keys

    def without_path(credentials: Any) -> tuple[str, ...]:
        return tuple(key for key in keys(credentials) if key != "path")

    patch.setattr(DuckDBCredentials, "_connection_keys", without_path)


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def _folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
