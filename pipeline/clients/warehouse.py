"""The DuckDB warehouse: one writer at a time, and read-only copies for everybody else.

DuckDB lets one process write a file and locks every other out, readers included. So writers take
a file lock first (the kernel frees it when its holder dies, however it dies), and readers never
open the warehouse: they open the newest published copy.
"""

import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from pipeline.atomic_files import sync_folder, write_atomically
from pipeline.clock import utc_now
from pipeline.errors import (
    NothingPublishedError,
    PublishedCopyOutdatedError,
    WarehouseDamagedError,
    WarehouseLockedError,
)
from pipeline.settings import Settings

SCHEMAS = ("raw", "staging", "intermediate", "marts", "stats")
PUBLISHED_VERSIONS_KEPT = 5
_STORAGE_VERSION = "v1.5.0"
"""Older DuckDB shells and editors that people have can open a file of this storage version."""

_locks = threading.local()
_configuring = threading.Lock()


@contextmanager
def writer_lock(settings: Settings, purpose: str) -> Iterator[None]:
    """Be the only writer of the warehouse while the block runs. Nests within one thread.

    Raises:
        WarehouseLockedError: Another process held the lock for the whole ``lock_timeout_s``; the
            message names its process and purpose.
    """
    folder = settings.warehouse_dir
    folder.mkdir(parents=True, exist_ok=True)
    held: dict[Path, int] = _locks.__dict__.setdefault("held", {})
    if held.get(folder, 0):
        yield
        return
    lock = FileLock(folder / ".writer.lock")
    try:
        lock.acquire(timeout=settings.lock_timeout_s, poll_interval=0.05)
    except Timeout as error:
        raise WarehouseLockedError(
            f"The warehouse {settings.database_path} is being written by {_holder(folder)}; "
            f"waited {settings.lock_timeout_s:.0f} s. Try again when it has finished."
        ) from error
    held[folder] = 1
    try:
        holder = {"pid": os.getpid(), "purpose": purpose, "since": utc_now().isoformat()}
        (folder / ".writer.holder.json").write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        held.pop(folder)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / ".writer.holder.json").read_text(encoding="utf-8"))
        return f"process {holder['pid']} ({holder['purpose']}, since {holder['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"


@contextmanager
def writing(settings: Settings, purpose: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-write connection to the warehouse under the writer lock, closed at the end.

    Creates the file and its schemas when missing. A transaction left open is rolled back.

    Args:
        settings: Where the warehouse is.
        purpose: What is being done, for the message to whoever waits.

    Raises:
        WarehouseLockedError: Another writer, or a program that holds the file open, did not let go.
        WarehouseDamagedError: The file is no DuckDB database; it is left as it is.
    """
    with writer_lock(settings, purpose):
        connection = _open(settings)
        try:
            yield connection
        finally:
            connection.close()


def _open(settings: Settings) -> duckdb.DuckDBPyConnection:
    path = settings.database_path
    if not path.exists():
        # The option is only given to the connection that creates the file: two connections of
        # one process to one file must have the same configuration.
        duckdb.connect(
            str(path), config={"storage_compatibility_version": _STORAGE_VERSION}
        ).close()
    deadline = time.monotonic() + settings.lock_timeout_s
    while True:
        try:
            connection = duckdb.connect(str(path))
            break
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise _damaged(path, error) from error
            if time.monotonic() > deadline:
                raise WarehouseLockedError(
                    f"Another program has {path} open and did not close it within "
                    f"{settings.lock_timeout_s:.0f} s ({str(error).splitlines()[0]}). Close it; "
                    "read the published copy instead (`afterpost sql`)."
                ) from error
            time.sleep(0.2)
        except duckdb.Error as error:
            raise _damaged(path, error) from error
    connection.execute("set timezone = 'UTC'")
    for schema in SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    return connection


def _damaged(path: Path, error: Exception) -> WarehouseDamagedError:
    return WarehouseDamagedError(
        f"{path} cannot be opened as a DuckDB database ({str(error).splitlines()[0]}). Nothing was "
        "changed. Move it aside and run `afterpost rebuild`: everything is remade from the "
        "landing files."
    )


def publish(settings: Settings, version: str) -> Path:
    """Copy the warehouse to ``published/<version>/`` and make it the current one.

    The caller holds the writer lock over everything that belongs to the version, so that readers
    get one build as a whole. Readers with the former copy open keep it undisturbed.

    Returns:
        Path of the published database file.
    """
    with writing(settings, "publish") as connection:
        # After a checkpoint the file alone is the whole database: there is no log to copy.
        connection.execute("force checkpoint")
    target = settings.published_dir / version
    if not target.exists():
        settings.published_dir.mkdir(parents=True, exist_ok=True)
        temporary = settings.published_dir / f".{version}.{secrets.token_hex(4)}.tmp"
        temporary.mkdir()
        try:
            # The stem stays the same, because dbt's views name their catalog.
            copy = temporary / settings.database_path.name
            shutil.copyfile(settings.database_path, copy)
            descriptor = os.open(copy, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
            copy.chmod(0o444)
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        sync_folder(settings.published_dir)
    write_atomically(_current(settings), f"{version}\n".encode())
    _remove_old_versions(settings, keep=version)
    return target / settings.database_path.name


def _remove_old_versions(settings: Settings, keep: str) -> None:
    folders = [path for path in settings.published_dir.iterdir() if path.is_dir()]
    versions = sorted(path for path in folders if not path.name.startswith("."))
    for path in versions[:-PUBLISHED_VERSIONS_KEPT]:
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)
    for path in folders:
        if path.name.startswith("."):  # left behind by a publish that was killed
            shutil.rmtree(path, ignore_errors=True)


def new_version(moment: datetime) -> str:
    """A name for a published version that sorts by time and never repeats."""
    return f"{moment:%Y%m%dT%H%M%S}_{secrets.token_hex(3)}"


def published_version(settings: Settings) -> str:
    """Name of the current published version.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    try:
        version = _current(settings).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        version = ""
    if not version or not (settings.published_dir / version).is_dir():
        raise NothingPublishedError(
            f"Nothing has been published in {settings.published_dir} yet: run `afterpost build`."
        )
    return version


def published_database(settings: Settings) -> Path:
    """The database file of the current published version.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    return settings.published_dir / published_version(settings) / settings.database_path.name


def is_anything_published(settings: Settings) -> bool:
    """Whether a build has ever been green."""
    return _current(settings).exists()


def _current(settings: Settings) -> Path:
    """The file that names the current version."""
    return settings.published_dir / "current"


def _lock_configuration(connection: duckdb.DuckDBPyConnection) -> None:
    """UTC, and no setting can be changed any more.

    Connections of one process to one file share their configuration: a thread that opens the copy
    while another reads it finds it locked already.
    """
    with _configuring:
        (is_locked,) = connection.execute(
            "select current_setting('lock_configuration')"
        ).fetchone() or (False,)
        if not is_locked:
            connection.execute("set global timezone = 'UTC'")
            connection.execute("set lock_configuration = true")


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the current published copy, closed at the end.

    It cannot reach files, the network or other databases, so a person's SQL may run on it.

    Raises:
        NothingPublishedError: No build has been green yet.
        PublishedCopyOutdatedError: The copy was made by an older version of the program, and lacks
            a table or column that the caller's query reads.
    """
    path = published_database(settings)
    connection = duckdb.connect(
        str(path), read_only=True, config={"enable_external_access": "false"}
    )
    try:
        _lock_configuration(connection)
        yield connection
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise PublishedCopyOutdatedError(
            f"The published copy {path.parent.name} does not have what this version of afterpost "
            f"reads ({str(error).splitlines()[0]}). Run `afterpost build` to make a new one."
        ) from error
    finally:
        connection.close()
