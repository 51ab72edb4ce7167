"""Metadata for Dagster's pages: rows, columns and sentences, with other people's text made safe."""

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from pipeline.show.cli.output import as_json, plain
from pipeline.show.figure_words import MISSING

MOST_ROWS = 20
"""Rows of a table in metadata: it is kept with every run."""
LONGEST_TEXT = 200
"""Characters of one cell."""

_ESCAPES = {ord(mark): f"\\{mark}" for mark in string.punctuation}


def in_markdown(text: object) -> str:
    """``text`` as Markdown that shows it letter by letter: no link, no picture, no HTML."""
    return _short(str(text)).translate(_ESCAPES)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table whose cells show as they are."""
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(in_markdown(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def table_of_rows(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """At most twenty rows as a table; the pages show its cells as text."""
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["nothing"]
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({name: _cell(row.get(name)) for name in columns})
            for row in rows[:MOST_ROWS]
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
    )


def query_rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The first rows that a query returns."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(MOST_ROWS)]


def table_schemas(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dg.TableSchema]:
    """Columns of each table and view of a schema as they are in the warehouse."""
    found: dict[str, list[dg.TableColumn]] = {}
    for table, column, kind, is_nullable in connection.execute(
        "select table_name, column_name, data_type, is_nullable from duckdb_columns() "
        "where schema_name = ? and database_name = current_database() "
        "order by table_name, column_index",
        [schema],
    ).fetchall():
        found.setdefault(table, []).append(
            dg.TableColumn(
                name=column,
                type=kind,
                constraints=dg.TableColumnConstraints(nullable=is_nullable),
            )
        )
    return {table: dg.TableSchema(columns) for table, columns in found.items()}


def row_counts(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, int]:
    """Rows of each table of a schema; views are not counted."""
    names = connection.execute(
        "select table_name from duckdb_tables() "
        "where schema_name = ? and database_name = current_database() order by table_name",
        [schema],
    ).fetchall()
    counts = {}
    for (name,) in names:
        # The names are the warehouse's own.
        row = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()  # noqa: S608
        counts[str(name)] = int(row[0]) if row else 0
    return counts


def _cell(value: Any) -> str | int | float | bool:
    simple = as_json(value)
    if simple is None:
        return MISSING
    if isinstance(simple, bool | int | float):
        return simple
    return _short(str(simple))


def _short(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= LONGEST_TEXT else f"{shown[: LONGEST_TEXT - 1]}…"
