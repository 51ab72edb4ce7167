"""Printing: tables, JSON and progress, for a terminal and for a pipe.

What platforms and people wrote (captions, hooks, notes) is untrusted: it goes through
:func:`plain`, so that it can neither colour nor rewrite what a terminal shows.
"""

import json
import math
import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import IO, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

LARGEST_EXACT_JSON_INTEGER = 2**53
"""Readers that keep numbers as doubles (JavaScript, jq) round integers above this."""

LONGEST_UNBROKEN_WORD = 24
"""Characters of one word that a table's column makes room for."""

SHORTEST_NAME = 10
"""Columns of a terminal that a shortened name keeps."""


class Align(StrEnum):
    """How a column's cells stand."""

    LEFT = "left"
    RIGHT = "right"


def make_streams_safe() -> None:
    """Let output never fail on a character that the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


class _Console(Console):
    """A console whose broken pipe is the caller's to handle, as for every other write."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program here."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console for the present stdout or stderr.

    Rich itself leaves out colours for a pipe and when ``NO_COLOR`` is set.
    """
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(line: str = "", *, style: str | None = None) -> None:
    """One line for a person; long ones are not broken, so that they can be copied."""
    console().print(Text(line), style=style, soft_wrap=True)


def say_indented(line: str) -> None:
    """A long line for a person: on a terminal broken between words and indented below its start.

    In a pipe it stays one line, so that it can be searched for.
    """
    target = console()
    if not target.is_terminal:
        say(line)
        return
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    say(textwrap.fill(line, target.width, subsequent_indent=indent, break_on_hyphens=False))


def say_error(sentence: str) -> None:
    """``error: <sentence>`` on stderr."""
    console(stderr=True).print(Text(f"error: {plain(sentence)}"), soft_wrap=True)


def note(line: str) -> None:
    """A remark beside the result, on stderr."""
    console(stderr=True).print(Text(line), soft_wrap=True)


def heading(text: str) -> None:
    """A title above a block."""
    say()
    say(text, style="bold")


def plain(text: str) -> str:
    """``text`` in one line without control, format-override and surrogate characters.

    Escape sequences and right-to-left overrides in a caption would otherwise act on the terminal.
    """
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cc":
            kept.append(" ")
        elif (
            category == "Cs"
            or "\u202a" <= character <= "\u202e"
            or "\u2066" <= character <= "\u2069"
        ):
            kept.append("\N{REPLACEMENT CHARACTER}")
        else:
            kept.append(character)
    return "".join(kept)


def plain_lines(text: str) -> str:
    """As :func:`plain`, but a line break that we put there ourselves stays one."""
    return "\n".join(plain(line) for line in text.split("\n"))


def table(
    columns: Sequence[tuple[str, Align]],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    shorten: Sequence[int] = (),
    most: int | None = None,
) -> None:
    """A table that fits the width of the console: long cells wrap.

    Args:
        columns: Name and alignment of each.
        rows: Their cells.
        title: What stands above it.
        shorten: Places of columns whose cells are cut to one line instead, with an ellipsis.
        most: Rows that are shown at most; a line says how many more there are.
    """
    shape = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    given = list(rows)
    cells = [[plain_lines(cell) for cell in row] for row in given[:most]]
    target = console()
    by_column = [[name, *(row[index] for row in cells)] for index, (name, _) in enumerate(columns)]
    widths = _widths(by_column, target.width - 2 * len(columns) + 1, shorten)
    for (name, align), width in zip(columns, widths, strict=True):
        shape.add_column(name, justify=align.value, overflow="fold", width=width)
    for row in cells:
        shape.add_row(
            *(
                Text(cell if index not in shorten or width is None else shortened(cell, width))
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    target.print(shape)
    say_more(len(given) - len(cells))


def say_more(count: int, what: str = "") -> None:
    """How many more there are than are shown, and where; nothing when there are none."""
    if count > 0:
        say(f"… and {count} more{what and ' '}{what}: --json")


def shortened(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns of a terminal, with an ellipsis where it was cut.

    Wide characters (Chinese, emoji) take two columns; none is cut in two.
    """
    if cell_len(text) <= width:
        return text
    short = Text(text)
    short.truncate(width, overflow="ellipsis")
    return short.plain


def _widths(
    columns: Sequence[Sequence[str]], available: int, shorten: Sequence[int] = ()
) -> list[int | None]:
    """A width per column, in all at most ``available``.

    A name or a date that is broken in two cannot be read, so columns of several words give way
    first. When even single words do not fit, Rich decides (None).
    """
    widths = [
        max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in columns
    ]
    least = [
        min(
            SHORTEST_NAME if index in shorten else LONGEST_UNBROKEN_WORD,
            max(cell_len(w) for cell in cells for w in re.split("[ \n]", cell)),
        )
        for index, cells in enumerate(columns)
    ]
    while sum(widths) > available:
        index = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[index] <= least[index]:
            return [None] * len(widths)
        widths[index] -= 1
    return list(widths)


def as_json(value: Any) -> Any:
    """``value`` in types that JSON has, with nothing rounded and nothing invented.

    Times are ISO 8601 in UTC with ``Z``; NaN and infinities, which JSON lacks, are null; integers
    that other readers would round and decimals that a double cannot hold are text.
    """
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return str(value)


def _same(value: Any) -> Any:
    return value


def _integer_as_json(value: int) -> int | str:
    return value if abs(value) <= LARGEST_EXACT_JSON_INTEGER else str(value)


def _float_as_json(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _decimal_as_json(value: Decimal) -> float | str | None:
    if not value.is_finite():
        return None
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def _moment_as_json(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (NoneType, _same),
    (bool, _same),  # before int, which it is a kind of
    (str, _same),
    (int, _integer_as_json),
    (float, _float_as_json),
    (Decimal, _decimal_as_json),
    (datetime, _moment_as_json),  # before date, which it is a kind of
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (bytes, lambda value: value.hex()),
)


def print_json(value: Any) -> None:
    """``value`` as indented JSON on stdout."""
    write_json(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def write_json(value: Any, stream: IO[str], *, indent: int | None = None) -> None:
    """``value`` as JSON; a lone surrogate becomes the replacement character."""
    text = json.dumps(as_json(value), ensure_ascii=False, allow_nan=False, indent=indent)
    stream.write(text.encode("utf-8", errors="replace").decode("utf-8"))


def short_path(path: Path, *, resolve: bool = True) -> str:
    """``path`` as it is best typed: relative to the working folder when it is below it.

    Args:
        path: Any path.
        resolve: Follow links first; not for a program that finds its environment by its own path.
    """
    absolute = path.resolve() if resolve else path.absolute()
    folder = Path.cwd()
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


class Steps:
    """Progress through a known number of steps: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total) if progress else None

    def done(self, line: str) -> None:
        """One step is finished; ``line`` says what it did."""
        if self._progress is None:
            say(line)
        else:
            self._progress.console.print(Text(line), soft_wrap=True)
        self.advance()

    def doing(self, what: str) -> None:
        """A step has begun; a bar names it."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=plain(what))

    def advance(self) -> None:
        """One step is finished, and there is nothing to say about it."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)


@contextmanager
def steps(total: int, *, quiet: bool = False) -> Iterator[Steps]:
    """Show progress through ``total`` steps.

    When ``quiet``, stdout is data or told otherwise: only a bar is shown, on stderr.
    """
    target = console(stderr=quiet)
    if not target.is_terminal:
        yield _Silent(None, total) if quiet else Steps(None, total)
        return
    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=target, transient=True) as progress:
        yield _Silent(progress, total) if quiet else Steps(progress, total)


class _Silent(Steps):
    """No lines, because stdout is data for a program: only the bar moves."""

    def done(self, line: str) -> None:  # noqa: ARG002
        """One step is finished; ``line`` is left out."""
        self.advance()
