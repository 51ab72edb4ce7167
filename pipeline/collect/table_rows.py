"""Writing many rows into a table at once.

Rows go through a temporary file of JSON lines that DuckDB reads with every column named and typed
as text, then cast: no sniffing, and far faster than row-wise inserts.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import orjson

from pipeline.clock import utc_text

_LEAST_OBJECT_BYTES = 1 << 24


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end of the block, roll back when it raises."""
    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def table_columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column types by name of a table of the raw schema, in order."""
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where schema_name = 'raw' and table_name = ? order by column_index",
        [table],
    ).fetchall()
    return {str(name): str(kind) for name, kind in found}


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Iterable[Mapping[str, Any]],
    columns: Mapping[str, str] | None = None,
) -> int:
    """Append rows to ``raw.<table>``; missing keys become null. Returns the number of rows.

    Args:
        connection: Open for writing; the caller owns the transaction.
        table: A table of the raw schema. Names are ours, never a user's.
        rows: Values by column: text, numbers, booleans, times with zone, None.
        columns: What :func:`table_columns` says of the table, for callers that insert often.
    """
    columns = columns or table_columns(connection, table)
    count, longest = 0, 0
    with tempfile.TemporaryDirectory(prefix="afterpost-") as folder:
        path = Path(folder) / "rows.ndjson"
        with path.open("wb") as file:
            for row in rows:
                values = {name: _as_text(row.get(name)) for name in columns}
                line = orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
                file.write(line)
                count, longest = count + 1, max(longest, len(line))
        if not count:
            return 0
        names = ", ".join(columns)
        casts = ", ".join(f"cast({name} as {kind})" for name, kind in columns.items())
        texts = ", ".join(f"{name}: 'varchar'" for name in columns)
        connection.execute(
            f"insert into raw.{table} ({names}) select {casts} from read_json(?, "  # noqa: S608
            f"format = 'newline_delimited', columns = {{{texts}}}, "
            f"maximum_object_size = {max(_LEAST_OBJECT_BYTES, 2 * longest)})",
            [str(path)],
        )
    return count


def insert_columns(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[Any]]
) -> None:
    """Append rows that are at hand as lists, one per column; faster than a row at a time.

    Args:
        connection: Open for writing; the caller owns the transaction.
        table: Any table. Names are ours, never a user's.
        columns: Values of equal number by the column's name and type, as ``"item bigint"``.
    """
    names = ", ".join(column.split(" ")[0] for column in columns)
    lists = ", ".join(f"unnest(?::{column.split(' ')[1]}[])" for column in columns)
    connection.execute(
        f"insert into {table} ({names}) select {lists}",
        list(columns.values()),
    )


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    raise TypeError(f"no column takes a {type(value).__name__}")
