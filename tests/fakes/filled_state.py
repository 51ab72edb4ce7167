"""Rows in every table of the state database, of every type that its columns have."""

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import writing_state
from pipeline.clients.state_tables import metadata
from pipeline.settings import Settings

_JSON = {"é": [1, 2.5, None, {"b": 1, "a": "\u2028\n"}], "large": 2**53 + 1, "tiny": 1e-300}
MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def fill_state(settings: Settings, rows_per_table: int = 2) -> None:
    """Put the same few rows into every table of an empty database."""
    with writing_state(settings) as state:
        for table in metadata.sorted_tables:
            rows = [_row(table, number) for number in range(rows_per_table)]
            state.execute(table.insert(), rows)


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: sa.Column[Any], number: int) -> Any:
    is_key = column.primary_key or bool(column.foreign_keys) or column.unique
    if column.nullable and not is_key and number % 2:
        return sa.null() if isinstance(column.type, sa.JSON) else None
    if isinstance(column.type, sa.JSON):
        # JSON's own null, which is something else than no value.
        return sa.JSON.NULL if column.nullable and number % 4 == 2 else _JSON
    kind: Any = column.type
    python = (kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind).python_type
    if python is str:
        return f"Ключ {number}" if is_key else f'Zoë’s "quoted" \\ line\r\n{number}\u2028\ttab'
    values: dict[type, Any] = {
        int: number,
        float: 0.1 + number,
        bool: number % 2 == 0,
        bytes: bytes(range(256)),
        date: MOMENT.date(),
        datetime: MOMENT,
    }
    return values[python]
