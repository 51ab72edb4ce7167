"""Raw rows and statistics of the warehouse as Parquet that Spark and DuckDB both read.

The warehouse's own tables are the truth. A write brings the lake in line with them: what is new is
added, what changed is replaced, what is gone is removed, and a process killed in between leaves
nothing that the next write does not put right. Only one process may write to a lake at a time; the
callers hold the writer lock of the warehouse.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from pipeline.clients.lake_files import Lake, is_temporary, reached
from pipeline.clients.lake_manifest import (
    MANIFEST,
    Columns,
    Key,
    Manifest,
    StoredFile,
    read_manifest,
    write_manifest,
)
from pipeline.clients.lake_parts import (
    OF_SCRAPES,
    PARTITIONS,
    Part,
    quoted,
    schema_columns,
    scrape_parts,
    whole_table,
)
from pipeline.errors import LakeError

_ROWS_OF_A_GROUP = 40_960
"""Rows that are packed together; payloads take kilobytes each."""
_OURS = re.compile(r"(.*/)?[0-9a-f]{32}\.parquet")


@dataclass(frozen=True)
class LakeWrite:
    """What one write did."""

    files_written: int
    files_removed: int
    rows: int
    """In the written files."""


def write_raw(url: str, connection: duckdb.DuckDBPyConnection) -> LakeWrite:
    """Bring ``<url>/raw`` in line with the raw schema.

    Tables that grow with every scrape stand under ``<table>/platform=<p>/month=<YYYY-MM>/``,
    without the column ``platform``; the others are one file each.

    Args:
        url: A folder's path or an fsspec URL.
        connection: To the warehouse, open for writing and in no transaction, with the tables of
            the schemas ``raw`` and ``loading``.

    Raises:
        LakeError: The storage cannot be written, or holds Parquet files that are not ours.
    """
    lake = Lake(url, "raw")
    with reached(url):
        columns = schema_columns(connection, "raw")
        generation = _generation(connection)
        manifest = read_manifest(lake) or Manifest()
        parts = [
            whole_table(connection, "raw", table, shape)
            for table, shape in columns.items()
            if table not in OF_SCRAPES
        ]
        # What a broken-off write noted may lack the items of a scrape that it has.
        is_trusted = manifest.is_complete and manifest.generation == generation
        of_scrapes = scrape_parts(connection, columns, manifest, is_trusted=is_trusted)
        if _row_counts(of_scrapes) != _table_counts(connection):
            of_scrapes = scrape_parts(connection, columns, manifest, is_trusted=False)
            if _row_counts(of_scrapes) != _table_counts(connection):
                raise LakeError(
                    "The raw tables hold items whose scrape is missing or of another platform or "
                    "time, so they are not copied: run `afterpost rebuild`."
                )
        return _bring_in_line(lake, connection, columns, generation, [*parts, *of_scrapes])


def write_stats(
    url: str, connection: duckdb.DuckDBPyConnection, tables: Iterable[str]
) -> LakeWrite:
    """Bring ``<url>/stats`` in line with tables of the schema ``stats``, one file each.

    Args:
        url: A folder's path or an fsspec URL.
        connection: To the warehouse, in no transaction.
        tables: Names without the schema: those that Python fills. Files of others are removed.

    Raises:
        LakeError: The storage cannot be written, or holds Parquet files that are not ours.
    """
    lake = Lake(url, "stats")
    with reached(url):
        found = schema_columns(connection, "stats")
        columns = {table: found[table] for table in sorted(tables)}
        parts = [whole_table(connection, "stats", *table) for table in columns.items()]
        return _bring_in_line(lake, connection, columns, "", parts)


def _generation(connection: duckdb.DuckDBPyConnection) -> str:
    """Name of the raw tables' life: a new one when they were dropped or made anew."""
    found = connection.execute("select generation from loading.lake").fetchall()
    if found:
        return str(found[0][0])
    generation = secrets.token_hex(16)
    connection.execute("insert into loading.lake values (?)", [generation])
    return generation


def _row_counts(parts: Sequence[Part]) -> dict[str, int]:
    return {table: sum(part.rows for part in parts if part.table == table) for table in OF_SCRAPES}


def _table_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """From the tables' own statistics: no row is read."""
    counts = ", ".join(f"(select count(*) from raw.{table})" for table in OF_SCRAPES)  # noqa: S608
    [row] = connection.execute(f"select {counts}").fetchall()
    return dict(zip(OF_SCRAPES, row, strict=True))


def _bring_in_line(
    lake: Lake,
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Columns],
    generation: str,
    parts: Sequence[Part],
) -> LakeWrite:
    former = read_manifest(lake)
    listed = _parquet_files(lake)
    stored = {
        key: file
        for key, file in (former.files if former else {}).items()
        if listed.get(file.path) == file.size
    }
    wanted = {part.key: part for part in parts}
    kept: dict[Key, StoredFile] = {
        key: file for key, file in stored.items()
        if key in wanted and wanted[key].digest == file.digest
    }  # fmt: skip
    missing = [part for part in parts if part.key not in kept]
    extra = listed.keys() - {file.path for file in kept.values()}
    if not missing and not extra:
        complete = Manifest(generation, columns=columns, files=kept)
        if former != complete:
            write_manifest(lake, complete)
        return LakeWrite(0, 0, 0)
    started = replace(former or Manifest(columns=columns), is_complete=False)
    write_manifest(lake, started)
    damaged = {file.path for file in (former.files.values() if former else ())} - {
        file.path for file in stored.values()
    }
    written, rows = 0, 0
    for part in missing:
        path = f"{part.folder}/{_content_name(part)}.parquet"
        size = listed.get(path)
        if size is None or path in damaged:  # else a write that was broken off got so far
            size = _write(lake, connection, part, columns[part.table], path)
            written, rows = written + 1, rows + part.rows
        kept[part.key] = StoredFile(path, part.digest, part.rows, size)
    # What is new stands before anything is taken away.
    former_paths = sorted(listed.keys() - {file.path for file in kept.values()})
    lake.remove(former_paths)
    write_manifest(lake, Manifest(generation, columns=columns, files=kept))
    return LakeWrite(written, len(former_paths), rows)


def _parquet_files(lake: Lake) -> dict[str, int]:
    """Bytes of our files by path; drafts of a killed write are removed."""
    sizes = lake.sizes()
    lake.remove([path for path in sizes if is_temporary(path)])
    found = {path: size for path, size in sizes.items() if path.endswith(".parquet")}
    strange = sorted(path for path in found if not _OURS.fullmatch(path))
    if strange:
        raise LakeError(
            f"{lake.url(strange[0])} was not written by afterpost, and readers would take it for "
            f"rows: move it away, or set AFTERPOST_STORAGE_URL to a folder of its own "
            f"(it keeps its notes in {lake.url(MANIFEST)})."
        )
    return found


def _write(
    lake: Lake, connection: duckdb.DuckDBPyConnection, part: Part, columns: Columns, path: str
) -> int:
    """Write one file and return its size in bytes."""
    schema = lake.root.rpartition("/")[2]
    left_out = PARTITIONS if part.name else ()
    names = [name for name, _ in columns if name not in left_out]
    order = OF_SCRAPES[part.table] if part.name else _by_all(columns)
    with lake.draft(part.folder) as draft:
        target = str(draft).replace("'", "''")
        [(rows,)] = connection.execute(
            f"copy (select {', '.join(map(quoted, names))} from {schema}.{quoted(part.table)} "  # noqa: S608
            f"where {part.condition} order by {order}) to '{target}' "
            f"(format parquet, compression zstd, row_group_size {_ROWS_OF_A_GROUP})"
        ).fetchall()
        if rows != part.rows:
            raise LakeError(
                f"{schema}.{part.table} changed while it was copied: {part.rows} rows were counted "
                f"and {rows} written. Run `afterpost load` again."
            )
        size = draft.stat().st_size
        lake.put(draft, path)
    return size


def _by_all(columns: Columns) -> str:
    return ", ".join(f"{quoted(name)} nulls first" for name, _ in columns)


def _content_name(part: Part) -> str:
    """A name that stands for the rows: bytes may differ by what else was in the same table."""
    return hashlib.sha256(f"{part.table} {part.name} {part.digest}".encode()).hexdigest()[:32]
