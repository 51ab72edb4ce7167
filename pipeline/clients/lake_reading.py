"""DuckDB reads the lake: raw rows as views, and what Spark made of them as tables."""

from collections.abc import Mapping, Sequence

import duckdb

from pipeline.clients.lake_files import Lake, is_hidden, reached
from pipeline.clients.lake_manifest import Columns, complete_manifest
from pipeline.clients.lake_parts import OF_SCRAPES, quoted
from pipeline.errors import LakeError

_UTC = "TIMESTAMP WITH TIME ZONE"
_UNZONED = ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S")


def read_raw_views(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    """Make views ``raw.<table>`` over the lake's files, with the raw tables' columns and types.

    Args:
        connection: To a database that has no tables of these names.
        url: A folder's path or an fsspec URL. One that is no folder is read only as long as the
            connection lives.

    Raises:
        LakeError: Nothing was written there, or a write was broken off.
    """
    lake = Lake(url, "raw")
    with reached(url):
        manifest = complete_manifest(lake)
        _register(connection, lake)
        filled = {table for table, _ in manifest.files}
        connection.execute("create schema if not exists raw")
        for table, columns in manifest.columns.items():
            source = _source(lake, table) if table in filled else ""
            connection.execute(
                f"create or replace view raw.{quoted(table)} as {_selected(columns, source)}"
            )


def _source(lake: Lake, table: str) -> str:
    if table in OF_SCRAPES:
        return (
            f"read_parquet({_text(lake.url(f'{table}/*/*/*.parquet'))}, hive_partitioning = true, "
            "hive_types = {'platform': 'varchar', 'month': 'varchar'})"
        )
    return f"read_parquet({_text(lake.url(f'{table}/*.parquet'))}, hive_partitioning = false)"


def _selected(columns: Columns, source: str) -> str:
    if not source:
        nothing = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in columns)
        return f"select {nothing} where false"
    casts = ", ".join(f"{quoted(name)}::{kind} as {quoted(name)}" for name, kind in columns)
    return f"select {casts} from {source}"  # noqa: S608 - names are ours


def read_models(
    connection: duckdb.DuckDBPyConnection,
    url: str,
    tables: Mapping[str, Sequence[tuple[str, str]]],
) -> dict[str, int]:
    """Make tables of what Spark wrote under ``<url>/models/<schema>/<name>/``.

    All of them in one transaction: readers see every table of the former build or of this one.
    Spark's TIMESTAMP is a moment, and read as UTC; TIMESTAMP_NTZ is read as it is.

    Args:
        connection: To the warehouse, open for writing and in no transaction.
        url: A folder's path or an fsspec URL.
        tables: Columns with their DuckDB types, in order, by ``schema.name``. A column that stands
            only in the names of partition folders is read when it is asked for.

    Returns:
        Number of rows by table.

    Raises:
        LakeError: A table or column is missing, or a value is not exactly one of its type; nothing
            was changed.
    """
    lake = Lake(url, "models")
    with reached(url):
        _register(connection, lake)
        connection.execute("begin transaction")
        try:
            counts = {
                table: _read_model(connection, lake, table, tuple(columns))
                for table, columns in tables.items()
            }
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
    return counts


def _read_model(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: str, columns: Columns
) -> int:
    schema, _, name = table.partition(".")
    folder = f"{schema}/{name}"
    files = sorted(
        path
        for path in lake.sizes(folder)
        if path.endswith(".parquet") and not is_hidden(path.removeprefix(f"{folder}/"))
    )
    if not files and not lake.exists(folder):
        raise LakeError(
            f"Spark made no table {table}: there is nothing in {lake.url(folder)}. Run the build "
            "again."
        )
    try:
        selected = _model_query(connection, lake, table, columns, files)
        return _make_table(connection, schema, name, selected)
    except duckdb.Error as error:
        raise LakeError(
            f"Spark's table {table} cannot be read: {str(error).splitlines()[0]}"
        ) from error


def _make_table(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, selected: str
) -> int:
    connection.execute(f"create schema if not exists {quoted(schema)}")
    target = f"{quoted(schema)}.{quoted(name)}"
    kind = connection.execute(
        "select table_type from information_schema.tables where table_schema = ? "
        "and table_name = ? and table_catalog = current_database()",
        [schema, name],
    ).fetchall()
    if kind:
        connection.execute(f"drop {'view' if kind == [('VIEW',)] else 'table'} {target}")
    connection.execute(f"create table {target} as {selected}")
    [(count,)] = connection.execute(f"select count(*) from {target}").fetchall()  # noqa: S608
    return int(count)


def _model_query(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: str,
    columns: Columns,
    files: Sequence[str],
) -> str:
    """The select of all columns in their types, after a look at every value that is cast."""
    if not files:  # a table of no rows that is cut by a column has no file
        return _selected(columns, "")
    listed = ", ".join(_text(lake.url(path)) for path in files)
    source = f"read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"
    found = {
        name.lower(): (name, kind)
        for name, kind, *_ in connection.execute(f"describe from {source}").fetchall()
    }
    missing = [name for name, _ in columns if name.lower() not in found]
    if missing:
        raise LakeError(f"Spark's table {table} has no column {missing[0]!r}.")
    selected, changed = [], []
    for name, kind in columns:
        is_called, is_of = found[name.lower()]
        wanted = _type_name(connection, kind)
        cast = _cast(quoted(is_called), is_of, wanted)
        selected.append(f"{cast} as {quoted(name)}")
        if is_of != wanted:
            back = _cast(f"({cast})", wanted, is_of)
            changed.append((name, wanted, f"count_if({back} is distinct from {quoted(is_called)})"))
    if changed:
        counts = ", ".join(count for _, _, count in changed)
        [row] = connection.execute(f"select {counts} from {source}").fetchall()  # noqa: S608
        for (name, kind, _), count in zip(changed, row, strict=True):
            if count:
                raise LakeError(
                    f"Spark's table {table} has {count} values in {name!r} that no {kind} holds "
                    f"exactly (they came as {found[name.lower()][1]})."
                )
    return f"select {', '.join(selected)} from {source}"  # noqa: S608 - names are ours


def _type_name(connection: duckdb.DuckDBPyConnection, kind: str) -> str:
    """DuckDB's own name of a type, as ``describe`` has it."""
    [(name,)] = connection.execute(f"select typeof(null::{kind})").fetchall()
    return str(name)


def _cast(value: str, kind: str, wanted: str) -> str:
    """A value in another type, null where it has none; the session's time zone plays no part."""
    if kind == wanted:
        return value
    if kind in _UNZONED and wanted == _UTC:
        return f"timezone('UTC', {value}::timestamp)"
    if kind == _UTC and wanted in _UNZONED:
        return f"timezone('UTC', {value})::{wanted}"
    return f"try_cast({value} as {wanted})"


def _register(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Let DuckDB read a storage that is no folder through the very client that wrote it."""
    if lake.is_folder:
        return
    if not lake.protocols & set(connection.list_filesystems()):
        connection.register_filesystem(lake.files)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
