"""The rows of landed answers, into the raw tables: fast where rows are ordinary.

Rows are read in blocks, so that an answer of any size passes through the same memory, and many
small answers cost no more than a large one. In a large block the database itself tells the ordinary
posts by the platform's signs (:class:`pipeline.collect.platform_interface.PlainPosts`) and keeps
their text as it landed; every other row is read here one by one. Both ways give the same rows.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
from pipeline.collect.platform_rows import handle_of
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
class _Part:
    """Some consecutive rows of one answer."""

    answer: int
    """Which of the answers that are being loaded."""
    first_index: int
    lines: list[bytes]


@dataclass(frozen=True)
class _Block:
    """Rows of one answer or of several."""

    parts: list[_Part]
    readable: Path | None
    """A file of the rows with their places, where the database is to read them."""

    @property
    def row_count(self) -> int:
        return sum(len(part.lines) for part in self.parts)


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
    manifests: Sequence[Manifest],
    columns: Mapping[str, Mapping[str, str]],
    *,
    is_row_by_row: bool = False,
) -> tuple[int, int]:
    """Append all rows of landed answers to ``raw.scrape_items`` and ``raw.rejected_items``.

    Args:
        connection: Open for writing, in a transaction that the caller ends: rolled back when this
            raises, because rows before a damaged place are in by then.
        settings: Where the landing folder is.
        manifests: The answers', all of one platform.
        columns: Column types by table and name.
        is_row_by_row: Leave nothing to the database's own reader.

    Returns:
        The numbers of items and of rejected rows.

    Raises:
        LandingError: The rows are missing or do not match the manifest.
        UnreadableRowsError: The database cannot read a row: load them one by one.
    """
    source = SOURCES[manifests[0].platform]
    signs = None if is_row_by_row else getattr(source, "plain_posts", None)
    items = rejected = 0
    with tempfile.TemporaryDirectory(prefix="afterpost-") as folder:
        for block in _ahead(_blocks(settings, manifests, Path(folder), signs)):
            if block.readable is None or signs is None:
                rest = [
                    (manifests[part.answer], _prepared(index, line, manifests[part.answer]))
                    for part in block.parts
                    for index, line in enumerate(part.lines, part.first_index)
                ]
            else:
                left = _insert_ordinary(connection, block, manifests, signs)
                items += block.row_count - len(left)
                rest = [
                    (manifests[answer], _prepared(index, line, manifests[answer]))
                    for answer, index, line in _lines_at(block, left)
                ]
            items += insert_rows(
                connection, "scrape_items", _item_rows(rest), columns["scrape_items"]
            )
            rejected += insert_rows(
                connection, "rejected_items", _rejected_rows(rest), columns["rejected_items"]
            )
    return items, rejected


def _blocks(
    settings: Settings, manifests: Sequence[Manifest], folder: Path, signs: PlainPosts | None
) -> Iterator[_Block]:
    parts: list[_Part] = []
    size = number = 0
    for answer, manifest in enumerate(manifests):
        index = 0
        for text in read_blocks(settings, manifest):
            if size >= _BLOCK_BYTES:
                # Names in turn: one block is being loaded while the next is written.
                yield _block(parts, folder / f"{number % 3}.csv", signs)
                parts, size, number = [], 0, number + 1
            lines = text.split(b"\n")
            lines.pop()
            parts.append(_Part(answer, index, lines))
            index, size = index + len(lines), size + len(text)
    yield _block(parts, folder / f"{number % 3}.csv", signs)


def _block(parts: list[_Part], path: Path, signs: PlainPosts | None) -> _Block:
    if signs is None or sum(len(part.lines) for part in parts) <= _FEW_ROWS:
        return _Block(parts, None)
    with path.open("wb") as file:
        for part in parts:
            head = b"%d\x01" % part.answer
            for first in range(0, len(part.lines), _LINES_AT_ONCE):
                some = part.lines[first : first + _LINES_AT_ONCE]
                file.write(
                    b"".join(
                        b"%b%d\x01%b\n" % (head, index, line)
                        for index, line in enumerate(some, part.first_index + first)
                    )
                )
    return _Block(parts, path)


def _lines_at(block: _Block, places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, bytes]]:
    """The rows at some places, each an answer and an index, in the block's order."""
    wanted: dict[int, list[int]] = {}
    for answer, index in places:
        wanted.setdefault(answer, []).append(index)
    for part in block.parts:
        for index in wanted.get(part.answer, ()):
            place = index - part.first_index
            if 0 <= place < len(part.lines):
                yield part.answer, index, part.lines[place]


def _reader(block: _Block) -> str:
    """Reader of a block's file: places and row, parted by a character that JSON escapes."""
    longest_row = max(len(line) for part in block.parts for line in part.lines)
    longest = max(_LEAST_LINE_BYTES, 2 * longest_row)
    return (
        "read_csv(?, columns = {answer: 'integer', row_index: 'integer', payload: 'varchar'}, "
        "delim = '\x01', quote = '', escape = '', header = false, auto_detect = false, "
        f"strict_mode = false, new_line = '\\n', max_line_size = {longest}, "
        f"buffer_size = {2 * longest})"
    )


_ANSWERS = (
    "select unnest(?::integer[]) as answer, unnest(?::varchar[]) as scrape_id, "
    "unnest(?::varchar[]) as platform, unnest(?::varchar[]) as account_name, "
    "unnest(?::timestamptz[]) as scraped_at, unnest(?::varchar[]) as owner, "
    "unnest(?::boolean[]) as is_any_author"
)
"""What the rows of each answer have in common."""


def _answer_columns(block: _Block, manifests: Sequence[Manifest]) -> list[list[Any]]:
    """Parameters of :data:`_ANSWERS` for the answers that a block has rows of."""
    numbers = sorted({part.answer for part in block.parts})
    some = [manifests[number] for number in numbers]
    return [
        numbers,
        [one.scrape_id for one in some],
        [one.platform.value for one in some],
        [one.account_name for one in some],
        [one.scraped_at for one in some],
        [handle_of(one.handle) for one in some],
        [one.is_any_author for one in some],
    ]


def _ahead(values: Iterator[_Value]) -> Iterator[_Value]:
    """The same values, each next one made while the caller works on the one before."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, values, end)
        while (value := waiting.result()) is not end:
            waiting = pool.submit(next, values, end)
            yield value  # type: ignore[misc]


def _insert_ordinary(
    connection: duckdb.DuckDBPyConnection,
    block: _Block,
    manifests: Sequence[Manifest],
    signs: PlainPosts,
) -> list[tuple[int, int]]:
    """Load the block's ordinary posts; returns answer and index of all other rows."""
    source = f"({_reader(block)} as lines join ({_ANSWERS}) as answers using (answer))"
    query = ordinary_posts_sql(signs, source)
    parameters = [str(block.readable), *_answer_columns(block, manifests)]
    try:
        [(count,)] = connection.execute(
            "insert into raw.scrape_items (scrape_id, item_index, platform, account_name, "  # noqa: S608
            "item_kind, post_id, scraped_at, payload) "
            "select scrape_id, row_index, platform, account_name, item_kind, post_id, scraped_at, "
            f"payload from ({query}) where item_kind is not null",
            parameters,
        ).fetchall()
        if count == block.row_count:
            return []
        left = connection.execute(
            f"select answer, row_index from ({query}) where item_kind is null order by all",  # noqa: S608
            parameters,
        ).fetchall()
    except duckdb.InvalidInputException as error:
        raise UnreadableRowsError(str(error)) from error
    if count + len(left) != block.row_count:
        raise UnreadableRowsError(f"{block.row_count} lines were read as {count + len(left)} rows")
    return [(int(answer), int(index)) for answer, index in left]


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


_Rows = Sequence[tuple[Manifest, _PreparedRow]]


def _item_rows(rows: _Rows) -> Iterator[dict[str, Any]]:
    for manifest, row in rows:
        if row.kind is not ItemKind.REJECTED:
            yield {
                **_place(manifest, row),
                "item_kind": row.kind.value,
                "post_id": row.post_id,
                "payload": row.payload,
            }


def _rejected_rows(rows: _Rows) -> Iterator[dict[str, Any]]:
    for manifest, row in rows:
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
