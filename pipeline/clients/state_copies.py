"""A whole state database copied into another one: from a file to a server, or back.

What the target holds afterwards is read again and compared before it is committed, so that there is
a whole copy or none.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_tables import metadata, without_nul
from pipeline.clock import utc_text
from pipeline.errors import AfterpostError, UsageError
from pipeline.settings import Settings

_AT_ONCE = 1000
"""Rows that are held in memory."""


class StateCopyError(AfterpostError):
    """What arrived is not what was sent; nothing was kept of it."""


@dataclass(frozen=True)
class CopiedTable:
    """A table of both databases."""

    name: str
    row_count: int
    sha256: str
    """Of all its rows, in the order of their keys."""


def copy_state(source: Settings, target_url: str) -> list[CopiedTable]:
    """Copy every table as it is at one moment into a database that holds no rows.

    Whoever goes on writing into the source meanwhile is not copied.

    Args:
        source: Whose state; it is only read.
        target_url: SQLAlchemy URL of the other database; its tables are made.

    Returns:
        The tables, those without rows too.

    Raises:
        UsageError: There is nothing to copy, or the target has rows.
        ConfigurationError: A database cannot be used.
        StateCopyError: The copy differs; it was rolled back.
    """
    target = source.model_copy(update={"state_url": target_url})
    if not state_exists(source):
        raise UsageError(
            f"There is no state database in {source.warehouse_dir} yet: nothing to copy. The first "
            "scrape or decision makes one wherever AFTERPOST_STATE_URL says."
        )
    with reading_state(source) as old, writing_state(target) as new:
        filled = [table.name for table in metadata.sorted_tables if _row_count(new, table)]
        if filled:
            raise UsageError(
                f"The target has rows already (in {', '.join(filled)}): a copy goes into an empty "
                "database only. Nothing was copied."
            )
        return [_copied(old, new, table) for table in metadata.sorted_tables]


def _copied(old: StateTransaction, new: StateTransaction, table: sa.Table) -> CopiedTable:
    for rows in _in_parts(old, table):
        new.execute(table.insert(), rows)
    sent, arrived = (_digest(table.name, _in_parts(state, table)) for state in (old, new))
    if sent != arrived:
        raise StateCopyError(
            f"{arrived.row_count} rows of {table.name} arrived and {sent.row_count} were sent, or "
            "they differ: nothing was kept. Is another program writing into the target?"
        )
    return sent


def _row_count(state: StateTransaction, table: sa.Table) -> int:
    (found,) = state.rows(sa.select(sa.func.count().label("n")).select_from(table))
    return int(found["n"])


def _in_parts(state: StateTransaction, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """All rows by their keys, some at a time."""
    keys = list(table.primary_key.columns)
    query = sa.select(table).order_by(*keys).limit(_AT_ONCE)
    rows = state.rows(query)
    while rows:
        yield rows
        last = sa.tuple_(*(sa.literal(rows[-1][key.name], key.type) for key in keys))
        rows = state.rows(query.where(sa.tuple_(*keys) > last))


def _digest(name: str, parts: Iterable[list[dict[str, Any]]]) -> CopiedTable:
    told = hashlib.sha256()
    row_count = 0
    for rows in parts:
        row_count += len(rows)
        for row in rows:
            # A file of an older version may hold what no database keeps any more.
            kept = {
                name: without_nul(value) if isinstance(value, str) else value
                for name, value in row.items()
            }
            told.update(json.dumps(kept, default=_plain, sort_keys=True).encode() + b"\n")
    return CopiedTable(name, row_count, told.hexdigest())


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} is of no column's type")
