"""The rows of one landed answer, into the raw tables: fast where rows are ordinary.

Rows are read in blocks, so that an answer of any size passes through the same memory. In a large
block the database itself tells the ordinary posts by the platform's signs
(:class:`pipeline.collect.platform_interface.PlainPosts`) and keeps their text as it landed; every
other row is read here one by one. Both ways give the same rows.
"""

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import orjson

from pipeline.collect.jsontext import clean_json, parse_json
from pipeline.collect.landing import Manifest, classify_row, read_blocks
from pipeline.collect.nesting import is_nested, nested
from pipeline.collect.plain_rows import ordinary_posts_sql
from pipeline.collect.platform_interface import ItemKind, PlainPosts
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.table_rows import insert_rows
from pipeline.settings import Settings

_FEW_ROWS = 200
"""Up to here, reading row by row costs less than asking the database."""
_BLOCK_BYTES = 64 << 20
"""Rows that the database takes at a time: many of its row groups, or it writes them twice."""
_LINES_AT_ONCE = 4_096
_LEAST_LINE_BYTES = 1 << 21

_Value = TypeVar("_Value")


class UnreadableRowsError(Exception):
    """The database's JSON reader cannot take a row of an answer."""


@dataclass(frozen=True)
class _Block:
    """Some consecutive rows of an answer."""

    lines: list[bytes]
    first_index: int
    readable: Path | None
    """A file of the rows with their indexes, where the database is to read them."""


@dataclass(frozen=True)
class _PreparedRow:
    index: int
    kind: ItemKind
    post_id: str | None
    reason: str | None
    payload: str


def load_items(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    manifest: Manifest,
    columns: Mapping[str, Mapping[str, str]],
    *,
    is_row_by_row: bool = False,
) -> tuple[int, int]:
    """Append all rows of one landed answer to ``raw.scrape_items`` and ``raw.rejected_items``.

    Args:
        connection: Open for writing, in a transaction that the caller ends: rolled back when this
            raises, because rows before a damaged place are in by then.
        settings: Where the landing folder is.
        manifest: The answer's.
        columns: Column types by table and name.
        is_row_by_row: Leave nothing to the database's own reader.

    Returns:
        The numbers of items and of rejected rows.

    Raises:
        LandingError: The rows are missing or do not match the manifest.
        UnreadableRowsError: The database cannot read a row: load them one by one.
    """
    source = SOURCES[manifest.platform]
    signs = None if is_row_by_row else getattr(source, "plain_posts", None)
    items = rejected = 0
    with tempfile.TemporaryDirectory(prefix="afterpost-") as folder:
        for block in _ahead(_blocks(settings, manifest, Path(folder), signs)):
            if block.readable is None or signs is None:
                rest: Iterator[tuple[int, bytes]] = enumerate(block.lines, block.first_index)
            else:
                left = _insert_ordinary(connection, block, manifest, signs)
                items += len(block.lines) - len(left)
                rest = ((index, block.lines[index - block.first_index]) for index in left)
            rows = [_prepared(index, line, manifest) for index, line in rest]
            items += insert_rows(
                connection, "scrape_items", _item_rows(manifest, rows), columns["scrape_items"]
            )
            rejected += insert_rows(
                connection,
                "rejected_items",
                _rejected_rows(manifest, rows),
                columns["rejected_items"],
            )
    return items, rejected


def _blocks(
    settings: Settings, manifest: Manifest, folder: Path, signs: PlainPosts | None
) -> Iterator[_Block]:
    lines: list[bytes] = []
    first_index = size = number = 0
    for text in read_blocks(settings, manifest):
        if size >= _BLOCK_BYTES:
            # Names in turn: one block is being loaded while the next is written.
            yield _block(lines, first_index, folder / f"{number % 3}.csv", signs)
            first_index, size, number = first_index + len(lines), 0, number + 1
            lines = []
        lines += text.split(b"\n")[:-1]
        size += len(text)
    yield _block(lines, first_index, folder / f"{number % 3}.csv", signs)


def _block(lines: list[bytes], first_index: int, path: Path, signs: PlainPosts | None) -> _Block:
    if signs is None or len(lines) <= _FEW_ROWS:
        return _Block(lines, first_index, None)
    with path.open("wb") as file:
        for first in range(0, len(lines), _LINES_AT_ONCE):
            some = lines[first : first + _LINES_AT_ONCE]
            numbered = [b"%d\x01%s\n" % row for row in enumerate(some, first_index + first)]
            file.write(b"".join(numbered))
    return _Block(lines, first_index, path)


def _reader(lines: list[bytes]) -> str:
    """Reader of a block's file: index and row, parted by a character that JSON escapes."""
    longest = max(_LEAST_LINE_BYTES, 2 * max(map(len, lines)))
    return (
        "read_csv(?, columns = {row_index: 'integer', payload: 'varchar'}, delim = '\x01', "
        "quote = '', escape = '', header = false, auto_detect = false, strict_mode = false, "
        f"new_line = '\\n', max_line_size = {longest}, buffer_size = {2 * longest})"
    )


def _ahead(values: Iterator[_Value]) -> Iterator[_Value]:
    """The same values, each next one made while the caller works on the one before."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, values, end)
        while (value := waiting.result()) is not end:
            waiting = pool.submit(next, values, end)
            yield value  # type: ignore[misc]


def _insert_ordinary(
    connection: duckdb.DuckDBPyConnection, block: _Block, manifest: Manifest, signs: PlainPosts
) -> list[int]:
    """Load the block's ordinary posts; returns the indexes of all other rows."""
    query, parameters = ordinary_posts_sql(
        signs, manifest.handle, manifest.is_any_author, _reader(block.lines)
    )
    try:
        [(count,)] = connection.execute(
            "insert into raw.scrape_items (scrape_id, item_index, platform, account_name, "  # noqa: S608
            "item_kind, post_id, scraped_at, payload) "
            "select ?, row_index, ?, ?, item_kind, post_id, ?, payload "
            f"from ({query}) where item_kind is not null",
            [
                manifest.scrape_id,
                manifest.platform.value,
                manifest.account_name,
                manifest.scraped_at,
                *parameters,
                str(block.readable),
            ],
        ).fetchall()
        if count == len(block.lines):
            return []
        left = connection.execute(
            f"select row_index from ({query}) where item_kind is null order by row_index",  # noqa: S608
            [*parameters, str(block.readable)],
        ).fetchall()
    except duckdb.InvalidInputException as error:
        raise UnreadableRowsError(str(error)) from error
    if count + len(left) != len(block.lines):
        raise UnreadableRowsError(f"{len(block.lines)} lines were read as {count + len(left)} rows")
    return [int(index) for (index,) in left]


def _prepared(index: int, line: bytes, manifest: Manifest) -> _PreparedRow:
    """One landed line as a row: classified, nested, and readable for every JSON parser."""
    try:
        payload = line.decode("utf-8")
        row: Any = orjson.loads(line)
        # orjson refuses NaN and lone surrogates, so what it reads may stay as it is.
        if isinstance(row, dict) and not is_nested(row):
            row = nested(parse_json(line))
            payload = clean_json(row)
    except ValueError:
        try:
            row = parse_json(line)
            row = nested(row) if isinstance(row, dict) else row
            payload = clean_json(row)
            row = orjson.loads(payload)
        except (ValueError, RecursionError):
            reason = "not readable as JSON, or nested too deeply"
            text = line.decode("utf-8", errors="replace")
            return _PreparedRow(index, ItemKind.REJECTED, None, reason, text)
    what = classify_row(row, manifest.platform, manifest.handle, manifest.is_any_author)
    return _PreparedRow(index, what.kind, what.post_id, what.reason, payload)


def _item_rows(manifest: Manifest, rows: list[_PreparedRow]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row.kind is not ItemKind.REJECTED:
            yield {
                **_place(manifest, row),
                "item_kind": row.kind.value,
                "post_id": row.post_id,
                "payload": row.payload,
            }


def _rejected_rows(manifest: Manifest, rows: list[_PreparedRow]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row.kind is ItemKind.REJECTED:
            yield {
                **_place(manifest, row),
                "reason": row.reason or "no reason",
                "payload": row.payload,
            }


def _place(manifest: Manifest, row: _PreparedRow) -> dict[str, Any]:
    return {
        "scrape_id": manifest.scrape_id,
        "item_index": row.index,
        "platform": manifest.platform.value,
        "account_name": manifest.account_name,
        "scraped_at": manifest.scraped_at,
    }
