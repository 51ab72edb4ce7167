"""Whether two tables hold the same rows, whichever engine made them."""

from dataclasses import dataclass

import duckdb

_FLOATS = frozenset({"DOUBLE", "FLOAT"})
RELATIVE_TOLERANCE = 1e-9
"""What two engines' floats may differ by."""


@dataclass(frozen=True)
class Difference:
    """How two tables differ."""

    table: str
    words: str


def differences(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    left: str,
    right: str,
    *,
    tolerance: float = RELATIVE_TOLERANCE,
) -> list[Difference]:
    """What is not the same in two tables that DuckDB can read.

    Rows are brought side by side in the order of all their columns, floats last and without their
    last digits; then every value is compared: floats to the tolerance, all else exactly, null being
    like null.

    Args:
        connection: Reads both.
        table: What to call it.
        left: A relation, as SQL names it.
        right: The other one.
        tolerance: By how much of the larger one, and of 1 at least, two floats may differ.
    """
    columns = _columns(connection, left)
    if columns != _columns(connection, right):
        return [Difference(table, f"columns {columns} and {_columns(connection, right)}")]
    counts = [
        connection.execute(f"select count(*) from {one}").fetchall()[0][0] for one in (left, right)
    ]
    if counts[0] != counts[1]:
        return [Difference(table, f"{counts[0]} and {counts[1]} rows")]
    exact = [name for name, kind in columns.items() if kind not in _FLOATS]
    floats = [name for name, kind in columns.items() if kind in _FLOATS]
    order = ", ".join(
        [f'"{name}" asc nulls last' for name in exact]
        + [f'round("{name}", 5) asc nulls last' for name in floats]
    )
    unequal = [
        (
            name,
            f'l."{name}" is distinct from r."{name}"' if name in exact else _apart(name, tolerance),
        )
        for name in columns
    ]
    counted = ", ".join(f"count_if({condition})" for _, condition in unequal)
    found = connection.execute(
        f"with l as (select *, row_number() over (order by {order}) as place from {left}), "
        f"r as (select *, row_number() over (order by {order}) as place from {right}) "
        f"select {counted} from l join r using (place)"
    ).fetchall()[0]
    return [
        Difference(table, f"{name}: {count} of {counts[0]} rows")
        for (name, _), count in zip(unequal, found, strict=True)
        if count
    ]


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = connection.execute(f"describe select * from {relation}").fetchall()
    return {name: kind for name, kind, *_ in rows}


def _apart(name: str, tolerance: float) -> str:
    return (
        f'((l."{name}" is null) <> (r."{name}" is null) or '
        f'abs(l."{name}" - r."{name}") > {tolerance} * '
        f'greatest(1, abs(l."{name}"), abs(r."{name}")))'
    )
