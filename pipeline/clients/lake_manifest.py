"""What stands in one area of the lake, as the last write noted it.

The manifest is written first as "being changed" and last as complete: who finds the first knows
that a write was broken off, and that the files may not belong together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from pipeline.clients.lake_files import Lake
from pipeline.errors import LakeError

MANIFEST = "_manifest.json"
"""Spark and DuckDB's globs pass over it."""

Columns = tuple[tuple[str, str], ...]
"""Names and DuckDB types, in order."""


@dataclass(frozen=True)
class StoredFile:
    """One Parquet file."""

    path: str
    """Relative to the area."""
    digest: str
    """Of its rows and columns."""
    rows: int
    size: int
    """Bytes."""


Key = tuple[str, str]
"""A table and which part of it a file holds: ``""`` for all of it."""


@dataclass(frozen=True)
class Manifest:
    """All files of an area."""

    generation: str = ""
    """Of the database that the rows came from; another one's rows are compared one by one."""
    is_complete: bool = True
    columns: Mapping[str, Columns] = field(default_factory=dict)
    """By table."""
    files: Mapping[Key, StoredFile] = field(default_factory=dict)


def read_manifest(lake: Lake) -> Manifest | None:
    """What was noted; None when nothing was, or not in this program's form."""
    content = lake.read(MANIFEST)
    if content is None:
        return None
    try:
        document = orjson.loads(content)
        return Manifest(
            generation=document["generation"],
            is_complete=document["is_complete"],
            columns={
                table: tuple((name, kind) for name, kind in columns)
                for table, columns in document["columns"].items()
            },
            files={
                (table, part): StoredFile(path, digest, rows, size)
                for table, part, path, digest, rows, size in document["files"]
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # then every file is compared


def complete_manifest(lake: Lake) -> Manifest:
    """The manifest of an area whose files belong together.

    Raises:
        LakeError: Nothing was written there, or a write was broken off.
    """
    manifest = read_manifest(lake)
    if manifest is None:
        raise LakeError(
            f"There are no rows in {lake.url()} yet: run `afterpost load` in the tier cloud."
        )
    if not manifest.is_complete:
        raise LakeError(
            f"A write to {lake.url()} was broken off, so its files may not belong together: run "
            "`afterpost load`, which puts them right."
        )
    return manifest


def write_manifest(lake: Lake, manifest: Manifest) -> None:
    """Replace what is noted."""
    document = {
        "generation": manifest.generation,
        "is_complete": manifest.is_complete,
        "columns": manifest.columns,
        "files": [
            [*key, file.path, file.digest, file.rows, file.size]
            for key, file in sorted(manifest.files.items())
        ],
    }
    lake.replace(MANIFEST, orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
