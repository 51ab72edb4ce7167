"""Landed answers into the raw tables, each once.

Answers are loaded in transactions, so that a process killed at any moment leaves every scrape
either wholly in the tables or not at all, and the next load goes on from there. A transaction takes
many small answers: its own cost is that of hundreds of rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson

from pipeline.collect.drifted import is_drifted
from pipeline.collect.jsontext import clean_json
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Manifest,
    Outcome,
    Source,
    manifest_files,
    read_manifest,
    rows_path,
)
from pipeline.collect.native_imports import native_rows
from pipeline.collect.raw_items import UnreadableRowsError, load_items
from pipeline.collect.table_rows import insert_columns, insert_rows, table_columns, transaction
from pipeline.errors import LandingError
from pipeline.settings import Settings

_OF_ONE_SCRAPE = ("scrape_items", "rejected_items", "native_metrics")
_ITEMS_AT_ONCE = 50_000
"""Items of one transaction, unless a single answer has more."""


@dataclass(frozen=True)
class _Landed:
    """One landed answer that is to be loaded."""

    manifest: Manifest
    stamp: str
    is_loaded: bool
    """It is in the tables under another handle."""

    @property
    def is_ordinary(self) -> bool:
        """Whether it may be loaded together with others."""
        is_scrape = self.manifest.source is not Source.NATIVE
        return is_scrape and not self.is_loaded and self.manifest.outcome is not _DRIFT


_DRIFT = Outcome.SCHEMA_DRIFT


@dataclass
class _Load:
    """What a load does and has done."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    columns: Mapping[str, Mapping[str, str]]
    scrapes: int = 0
    items: int = 0
    rejected: int = 0
    damages: list[LandingError] = field(default_factory=list)

    def together(self, batch: Sequence[_Landed]) -> None:
        """Load ordinary answers of one platform in one transaction, or else one by one."""
        if len(batch) > 1:
            try:
                self._in_a_transaction(batch)
            except (LandingError, UnreadableRowsError):
                pass  # one of them is to blame; on its own it says so, and costs no other
            else:
                return
        for one in batch:
            self.alone(one)

    def alone(self, one: _Landed) -> None:
        """Load one answer in a transaction of its own; what is wrong with it is kept."""
        try:
            try:
                self._in_a_transaction([one])
            except UnreadableRowsError:
                self._in_a_transaction([one], is_row_by_row=True)
        except LandingError as error:
            self.damages.append(error)

    def _in_a_transaction(self, batch: Sequence[_Landed], *, is_row_by_row: bool = False) -> None:
        with transaction(self.connection):
            items, rejected = self._rows_of(batch, is_row_by_row)
            self._remember(batch)
        self.scrapes += len(batch)
        self.items += items
        self.rejected += rejected

    def _rows_of(self, batch: Sequence[_Landed], is_row_by_row: bool) -> tuple[int, int]:
        manifests = [one.manifest for one in batch]
        if not all(one.is_ordinary for one in batch):
            [one] = batch
            if one.is_loaded:  # landed again under a corrected handle
                _unload(self.connection, one.manifest, self.columns)
            if one.manifest.source is Source.NATIVE:
                rows = native_rows(self.settings, one.manifest)
                insert_rows(self.connection, "native_metrics", rows, self.columns["native_metrics"])
                return (0, 0)
            # Rows that break their source's contract stay in landing: half of their numbers would
            # do more harm than none.
            if is_drifted(self.settings, one.manifest):
                return (0, 0)
        return load_items(
            self.connection, self.settings, manifests, self.columns, is_row_by_row=is_row_by_row
        )

    def _remember(self, batch: Sequence[_Landed]) -> None:
        rows = [_scrape_row(self.settings, one.manifest) for one in batch]
        insert_rows(self.connection, "scrapes", rows, self.columns["scrapes"])
        names = [one.manifest.scrape_id for one in batch]
        stamps = [one.stamp for one in batch]
        insert_columns(
            self.connection,
            "loading.manifests",
            {"scrape_id varchar": names, "file_stamp varchar": stamps},
        )
        insert_columns(self.connection, "loading.unread_scrapes", {"scrape_id varchar": names})


def load_new_scrapes(
    settings: Settings, connection: duckdb.DuckDBPyConnection
) -> tuple[tuple[int, int, int], list[LandingError]]:
    """Load every landed answer that is not in the raw tables yet.

    Args:
        settings: Where the landing folder is.
        connection: Open for writing, in no transaction.

    Returns:
        The numbers of scrapes, items and rejected rows; and what is wrong with the answers that
        could not be loaded.
    """
    loaded = dict(connection.execute("select scrape_id, handle from raw.scrapes").fetchall())
    stamps = dict(
        connection.execute("select scrape_id, file_stamp from loading.manifests").fetchall()
    )
    columns = {table: table_columns(connection, table) for table in (*_OF_ONE_SCRAPE, "scrapes")}
    load = _Load(settings, connection, columns)
    touched: dict[str, str] = {}
    batch: list[_Landed] = []
    item_count = 0
    for path in manifest_files(settings):
        scrape_id = path.name.removesuffix(MANIFEST_SUFFIX)
        try:
            stamp = _stamp(path)
            if scrape_id in loaded and stamps.get(scrape_id) == stamp:
                continue
            if scrape_id in loaded and _landed_handle(path) == loaded[scrape_id]:
                touched[scrape_id] = stamp
                continue
            one = _Landed(read_manifest(path), stamp, scrape_id in loaded)
        except LandingError as error:
            load.damages.append(error)
            continue
        if not one.is_ordinary:
            load.alone(one)
            continue
        item_count += one.manifest.items_got
        is_other = bool(batch) and batch[0].manifest.platform is not one.manifest.platform
        if is_other or item_count > _ITEMS_AT_ONCE:
            load.together(batch)
            batch, item_count = [], one.manifest.items_got
        batch.append(one)
    load.together(batch)
    _remember_stamps(connection, touched)
    return (load.scrapes, load.items, load.rejected), load.damages


def _stamp(path: Path) -> str:
    """How a file is on disk. Manifests are replaced, never written into: another one shows."""
    try:
        file = path.stat()
    except OSError:
        return ""  # reading it says in a sentence what is wrong
    return f"{file.st_mtime_ns}-{file.st_size}-{file.st_ino}"


def _remember_stamps(connection: duckdb.DuckDBPyConnection, stamps: Mapping[str, str]) -> None:
    if stamps:
        with transaction(connection):
            connection.execute(
                "delete from loading.manifests where scrape_id in (select unnest(?::varchar[]))",
                [list(stamps)],
            )
            insert_columns(
                connection,
                "loading.manifests",
                {"scrape_id varchar": [*stamps], "file_stamp varchar": [*stamps.values()]},
            )


def _unload(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, tables: Iterable[str]
) -> None:
    """Take a scrape's rows out; which posts are the account's own is to be found out again."""
    for table in (*(f"raw.{name}" for name in tables), "loading.manifests"):
        connection.execute(
            f"delete from {table} where scrape_id = ?",  # noqa: S608 - names are ours
            [manifest.scrape_id],
        )
    connection.execute("insert into loading.unread_accounts values (?)", [manifest.account_name])


def _landed_handle(path: Path) -> str | None:
    """The handle in a manifest, without checking the rest: it is asked of every scrape, always."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return read_manifest(path).handle  # says in a sentence what is wrong
    handle = document.get("handle") if isinstance(document, dict) else None
    return handle if isinstance(handle, str) else None


def _scrape_row(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    row = manifest.model_dump(exclude={"input", "post_ids", "rejected_reasons"})
    for key in ("platform", "source", "source_kind", "outcome", "scraped_at_source"):
        row[key] = row[key].value
    row["input"] = None if manifest.input is None else clean_json(manifest.input)
    row["run_outcome"] = None if manifest.run_outcome is None else manifest.run_outcome.value
    row["drift"] = None if manifest.drift is None else clean_json(manifest.drift)
    row["landing_path"] = rows_path(settings, manifest).relative_to(settings.landing_dir).as_posix()
    return row
