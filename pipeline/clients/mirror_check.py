"""Whether the tables that were built from a restored home are those that were mirrored."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.clients.mirror_copying import sha256_of
from pipeline.clients.mirror_fetching import fetch_files
from pipeline.clients.mirror_generations import PUBLISHED, Generation, MirroredFile
from pipeline.clients.mirror_store import MirrorStore
from pipeline.clients.table_exports import export_tables
from pipeline.clients.table_hashes import raw_table_hashes
from pipeline.clients.warehouse import published_database
from pipeline.settings import Settings


@dataclass(frozen=True)
class TableDifference:
    """A table whose rows are not those that were mirrored."""

    table: str
    only_here: int | None
    """Rows that the mirror does not have; None where the columns differ, or a table is missing."""
    only_mirrored: int | None


@dataclass(frozen=True)
class Comparison:
    """All marts and statistics, row by row."""

    table_count: int
    """Tables that were mirrored."""
    row_count: int
    """Their rows."""
    differences: tuple[TableDifference, ...]
    changed_inputs: tuple[str, ...]
    """Raw tables that had changed between the build and the mirror, so that the marts may differ:
    scrapes that had landed or decisions that were made meanwhile."""


def compare_tables(settings: Settings, store: MirrorStore, generation: Generation) -> Comparison:
    """Compare the published copy of a home with the tables of a generation.

    Raises:
        NothingPublishedError: The home has not been built.
        MirrorDamagedError: A table of the mirror is missing or damaged.
    """
    mirrored = {Path(file.path).stem: file for file in generation.below(PUBLISHED)}
    with tempfile.TemporaryDirectory(prefix=".checking", dir=settings.warehouse_dir) as folder:
        own = {one.table: one for one in export_tables(settings, Path(folder) / "own")}
        unlike: dict[str, MirroredFile] = {
            table: file
            for table, file in mirrored.items()
            if table not in own or sha256_of(own[table].path) != file.sha256
        }
        place = Path(folder) / "mirrored"
        fetch_files(
            store, generation, list(unlike.values()), lambda file: place / file.path, lambda: None
        )
        differences = [
            _difference(table, own[table].path, place / file.path)
            if table in own
            else TableDifference(table, None, None)
            for table, file in unlike.items()
        ]
        row_count = sum(one.row_count for table, one in own.items() if table in mirrored)
    differences += [TableDifference(table, None, None) for table in own if table not in mirrored]
    # A table may have other bytes and the same rows when another DuckDB wrote it.
    differences = [one for one in differences if one.only_here != 0 or one.only_mirrored != 0]
    now = raw_table_hashes(published_database(settings))
    inputs = sorted(now.keys() | generation.inputs.keys())
    return Comparison(
        table_count=len(mirrored),
        row_count=row_count,
        # A table may have other bytes and the same rows when another DuckDB wrote it.
        differences=tuple(
            one for one in differences if one.only_here != 0 or one.only_mirrored != 0
        ),
        changed_inputs=tuple(one for one in inputs if now.get(one) != generation.inputs.get(one)),
    )


def _difference(table: str, own: Path, mirrored: Path) -> TableDifference:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        relations = [connection.read_parquet(str(path)) for path in (own, mirrored)]
        shapes = [(one.columns, one.types) for one in relations]
        if shapes[0] != shapes[1]:
            return TableDifference(table, None, None)
        here, there = relations  # `except_` counts doubled rows, as SQL's `except all`
        return TableDifference(table, _count(here.except_(there)), _count(there.except_(here)))


def _count(rows: duckdb.DuckDBPyRelation) -> int:
    ((count,),) = rows.aggregate("count(*)").fetchall()
    return int(count)
