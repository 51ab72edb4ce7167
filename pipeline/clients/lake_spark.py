"""What a Spark session is told so that it reads the lake's files as tables."""

import re

from pipeline.clients.lake_files import Lake
from pipeline.clients.lake_manifest import Columns, complete_manifest
from pipeline.clients.lake_parts import OF_SCRAPES, PARTITIONS
from pipeline.errors import LakeError

_AREAS = ("raw", "stats")
_SPARK_TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
"""By DuckDB's name of the type, where the same Parquet holds both."""
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_SPARK_PROTOCOLS = {"s3": "s3a", "gcs": "gs", "abfs": "abfss", "az": "abfss"}
"""What Hadoop calls a storage that fsspec calls otherwise."""


def spark_table_ddl(url: str) -> list[str]:
    """Spark SQL that makes the schemas ``raw`` and ``stats`` over the lake's files.

    The tables are external: to drop one takes no file away. In tables that are cut by platform and
    month, these two stand last, as Spark has it.

    Args:
        url: A folder's path or an fsspec URL, as Spark's machines reach it too.

    Returns:
        Statements in the order in which they are to run.

    Raises:
        LakeError: Rows or statistics were never written there, or a write was broken off.
    """
    statements = []
    for area in _AREAS:
        lake = Lake(url, area)
        statements.append(f"create schema if not exists {area}")
        for table, columns in sorted(complete_manifest(lake).columns.items()):
            if lake.is_folder:
                lake.make_folder(table)  # of a table that no file was ever written for
            statements += _table_ddl(lake, area, table, columns)
    return statements


def spark_location(lake: Lake, path: str) -> str:
    """A folder of the lake as Spark's statements name it, quotes and all."""
    full = f"{lake.root}/{path}"
    if lake.is_folder:
        address = f"file:{full}"
    else:
        protocol, _, rest = str(lake.files.unstrip_protocol(full)).partition("://")
        address = f"{_SPARK_PROTOCOLS.get(protocol, protocol)}://{rest}"
    return "'" + address.replace("\\", "\\\\").replace("'", "\\'") + "'"


def spark_type(kind: str) -> str:
    """Spark's name of a DuckDB type.

    Raises:
        LakeError: Spark has no type for it.
    """
    decimal = _DECIMAL.fullmatch(kind)
    if decimal:
        return f"decimal({decimal[1]},{decimal[2]})"
    if kind not in _SPARK_TYPES:
        raise LakeError(f"Spark has no type for a column of type {kind}.")
    return _SPARK_TYPES[kind]


def _table_ddl(lake: Lake, area: str, table: str, columns: Columns) -> list[str]:
    is_cut = area == "raw" and table in OF_SCRAPES
    last = PARTITIONS if is_cut else ()
    kinds = {name: spark_type(kind) for name, kind in columns}
    ordered = [name for name in kinds if name not in last] + list(last)
    shape = ", ".join(f"`{name}` {kinds.get(name, 'string')}" for name in ordered)
    cut = f" partitioned by ({', '.join(last)})" if is_cut else ""
    name = f"{area}.`{table}`"
    # Made anew each time: its columns and partitions may be others, and what a session remembers
    # of the former table's files goes with it.
    statements = [
        f"drop table if exists {name}",
        f"create table {name} ({shape}) using parquet{cut} location {spark_location(lake, table)}",
    ]
    if is_cut:
        statements.append(f"alter table {name} recover partitions")
    return statements
