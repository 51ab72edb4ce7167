"""Rows of a published copy as frozen dataclasses: a query's columns are the class's fields."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import duckdb

Row = TypeVar("Row")


def read_rows(
    connection: "duckdb.DuckDBPyConnection",
    kind: type[Row],
    sql: str,
    parameters: Mapping[str, Any] | None = None,
) -> list[Row]:
    """What ``sql`` gives, one ``kind`` per row, in its order.

    Args:
        connection: To a published copy.
        kind: A dataclass with a field for each column of the query, under the column's name.
        sql: A query; values stand in it as named parameters only.
        parameters: The values by name.
    """
    cursor = connection.execute(sql, dict(parameters or {}))
    names = [column[0] for column in cursor.description]
    return [kind(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
