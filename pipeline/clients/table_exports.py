"""Tables of the published copy as files that other programs read.

The same rows give the same bytes: rows are sorted by all columns, one thread writes, and nothing
in a file tells when it was made. Bookkeeping of the builds is left out for the same reason.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from pipeline.atomic_files import sync_folder
from pipeline.clients.warehouse import published_database
from pipeline.errors import QueryError
from pipeline.settings import Settings

SCHEMAS = ("marts", "stats")
_BOOKKEEPING = ("stats.model_build", "stats.build_info")
"""Differ between two builds of the same rows."""

FORMULA = "^[=+@\\-\\t\\r\\n＝＋－＠]"
"""Beginnings of a text that a spreadsheet would run as a formula.

Source: OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""


class ExportFormat(StrEnum):
    """What the files are."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True)
class ExportedTable:
    """One written file."""

    table: str
    """With its schema."""
    path: Path
    row_count: int


def export_tables(
    settings: Settings,
    folder: Path,
    *,
    export_format: ExportFormat = ExportFormat.PARQUET,
    tables: Sequence[str] = (),
) -> list[ExportedTable]:
    """Write tables of the published copy, one file each; files of the same names are replaced.

    Parquet holds every value exactly. In CSV, times are UTC, null is an empty cell (an empty text
    is ``""``), and a text that a spreadsheet would run as a formula gets a ``'`` before it.

    Args:
        settings: Whose published copy.
        folder: Where to; made when missing.
        export_format: Of all files.
        tables: Names with or without their schema; every mart and statistic when left out.

    Returns:
        The files in order of table.

    Raises:
        NothingPublishedError: No build has been green yet.
        QueryError: There is no such table.
        OSError: The folder is not writable.
    """
    copy = published_database(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(copy), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        # More threads would cut the file at other places.
        connection.execute("set threads = 1")
        known = _tables(connection)
        chosen = [_chosen(name, known) for name in tables] or [
            name for name in known if name not in _BOOKKEEPING
        ]
        written = [
            _write(connection, table, folder / f"{table}.{export_format.value}", export_format)
            for table in dict.fromkeys(chosen)
        ]
    sync_folder(folder)
    return written


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where list_contains(?, table_schema) order by all",
        [list(SCHEMAS)],
    ).fetchall()
    return [name for (name,) in rows]


def _chosen(name: str, known: Sequence[str]) -> str:
    found = [table for table in known if name in (table, table.partition(".")[2])]
    if len(found) != 1:
        raise QueryError(
            f"There is no table {name!r} among the marts and statistics: choose from "
            f"{', '.join(known)}."
        )
    return found[0]


def _write(
    connection: duckdb.DuckDBPyConnection, table: str, path: Path, export_format: ExportFormat
) -> ExportedTable:
    schema, _, name = table.partition(".")
    source = f'{schema}."{name}"'
    columns = connection.execute(f"describe {source}").fetchall()
    selected = ", ".join(
        _guarded(column)
        if export_format is ExportFormat.CSV and kind == "VARCHAR"
        else f'"{column}"'
        for column, kind, *_ in columns
    )
    options = (
        "format parquet, compression zstd"
        if export_format is ExportFormat.PARQUET
        else "format csv, header true, delimiter ','"
    )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    quoted = str(temporary).replace("'", "''")
    try:
        counted = connection.execute(
            f"copy (select {selected} from (select * from {source}) as rows "  # noqa: S608
            f"order by {_order(columns)}) to '{quoted}' ({options})"
        ).fetchone()
        descriptor = os.open(temporary, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        temporary.replace(path)
    except duckdb.IOException as error:
        raise OSError(str(error).splitlines()[0].rstrip(".")) from error
    finally:
        temporary.unlink(missing_ok=True)
    return ExportedTable(table, path, int(counted[0]) if counted else 0)


def _order(columns: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(f'rows."{column[0]}" asc nulls last' for column in columns)


def _guarded(column: str) -> str:
    return (
        f"""case when regexp_matches("{column}", '{FORMULA}') then '''' || "{column}" """
        f"""else "{column}" end as "{column}\""""
    )
