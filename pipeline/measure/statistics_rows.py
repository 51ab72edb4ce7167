"""How figures that Python computed get into a table of the ``stats`` schema."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.measure.statistics_tables import STATISTICS_TABLES, create_empty

_DECIMALS = 9
"""The last bits of a float differ between machines: they must not reach a mart."""


def replace_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, NDArray[Any] | Sequence[Any]],
) -> None:
    """Fill one table anew.

    Args:
        connection: To the warehouse; the caller's transaction decides when readers see it.
        table: A name of :data:`pipeline.measure.statistics_tables.STATISTICS_TABLES`.
        columns: One array per column of the table, all of one length; a float that is not a number
            becomes null.

    Raises:
        ValueError: A column of the table is missing, or there is one too many.
    """
    types = STATISTICS_TABLES[table]
    if set(types) != set(columns):
        raise ValueError(f"stats.{table} has the columns {', '.join(types)}")
    create_empty(connection, table)
    given: dict[str, NDArray[Any]] = {}
    selected = []
    for name, declared in types.items():
        kind = declared.split()[0]
        if kind == "varchar":
            given[name] = np.asarray(columns[name], dtype=object)
            selected.append(name)
        else:
            given[name] = np.round(np.asarray(columns[name], dtype=np.float64), _DECIMALS)
            selected.append(f"case when not isnan({name}) then cast({name} as {kind}) end")
    if not len(next(iter(given.values()))):
        return
    connection.register("_given_rows", given)
    try:
        connection.execute(
            f"insert into stats.{table} select {', '.join(selected)} from _given_rows"  # noqa: S608
        )
    finally:
        connection.unregister("_given_rows")
