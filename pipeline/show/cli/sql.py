"""``afterpost sql``: a person's query on the published copy, read-only."""

import contextlib
import csv
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import QueryError, UsageError
from pipeline.show.cli import output
from pipeline.show.cli.options import AsJson
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING

if TYPE_CHECKING:
    import duckdb

    from pipeline.settings import Settings

ROWS_SHOWN = 500
"""A table on a screen ends here; --csv and --json give every row."""

_BATCH_ROWS = 2_000
_NUMBER_TYPES = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT")


def sql(
    query: Annotated[
        str | None, typer.Argument(help="SQL. Default: what stdin says, or a prompt.")
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a program.")] = False,
) -> None:
    """Run SQL on the published copy, read-only.

    The dialect is DuckDB's. Without a query, stdin is read, or a prompt opens on a terminal.

    Example: afterpost sql "select * from marts.v_account_summary"
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other: choose one.")
    from pipeline.clients.warehouse import reading
    from pipeline.settings import load_settings

    settings = load_settings()
    if query is None and sys.stdin.isatty():
        _prompt(settings)
        return
    if query is None or query == "-":
        query = sys.stdin.read()
    if not query.strip():
        raise UsageError("There is no query: give one as an argument or on stdin.")
    with reading(settings) as connection:
        result = _run(connection, query)
        if as_json:
            _print_json(result)
        elif as_csv:
            _print_csv(result)
        else:
            _print_table(result)


class _Result:
    """The rows of a statement, fetched as they are printed."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection
        description = connection.description or []
        self.names = _distinct_names([str(column[0]) for column in description])
        self.types = [str(column[1]) for column in description]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """All rows.

        Raises:
            QueryError: A value could not be computed.
        """
        import duckdb

        while self.names:
            try:
                batch = self._connection.fetchmany(_BATCH_ROWS)
            except duckdb.InterruptException as error:
                raise KeyboardInterrupt from error
            except duckdb.Error as error:
                raise _query_error(error) from error
            if not batch:
                return
            yield from batch


def _run(connection: "duckdb.DuckDBPyConnection", query: str) -> _Result:
    """Execute ``query``.

    Raises:
        QueryError: DuckDB refuses it, in the first line of its words.
    """
    import duckdb

    try:
        executed = connection.execute(query)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise _query_error(error) from error
    if executed is None:  # only comments and semicolons
        raise QueryError("The query says nothing: give one statement, such as `select 1`.")
    return _Result(executed)


def _query_error(error: Exception) -> QueryError:
    message = str(error).strip().splitlines()[0].rstrip(".")
    if "read-only" in message:
        message += ": the published copy cannot be changed"
    return QueryError(f"{message}.")


def _distinct_names(names: Sequence[str]) -> list[str]:
    """Column names with ``_2`` and so on behind repeated ones, so that no value is lost."""
    distinct: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in distinct:
            number += 1
            candidate = f"{name}_{number}"
        distinct.append(candidate)
    return distinct


def _print_json(result: _Result) -> None:
    """An array of objects, written row by row."""
    sys.stdout.write("[")
    for number, row in enumerate(result.rows()):
        sys.stdout.write("\n  " if number == 0 else ",\n  ")
        output.write_json(dict(zip(result.names, row, strict=True)), sys.stdout)
    sys.stdout.write("\n]\n")


def _print_csv(result: _Result) -> None:
    """RFC 4180 with a header; null is an empty cell. Values stay exactly as they are."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.names)
    for row in result.rows():
        writer.writerow([_csv_cell(value) for value in row])


def _csv_cell(value: Any) -> Any:
    value = output.as_json(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _cell(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.1f}"
    return output.plain(str(output.as_json(value)))


def _print_table(result: _Result) -> None:
    """A table, or one block per row where the columns do not fit next to each other."""
    if not result.names:
        output.say("Done: the statement has no rows.")
        return
    rows: list[list[str]] = []
    has_more = False
    for row in result.rows():
        if len(rows) == ROWS_SHOWN:
            has_more = True
            break
        rows.append([_cell(value) for value in row])
    widths = [
        max([len(name), *(len(row[index]) for row in rows)])
        for index, name in enumerate(result.names)
    ]
    if sum(widths) + 2 * len(widths) <= output.console().width or len(widths) == 1:
        output.table(
            [
                (name, Align.RIGHT if _is_number(kind) else Align.LEFT)
                for name, kind in zip(result.names, result.types, strict=True)
            ],
            rows,
        )
    else:
        _print_blocks(result.names, rows)
    if has_more:
        output.note(f"Only the first {ROWS_SHOWN} rows: --csv or --json gives all.")
    else:
        output.note(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


def _is_number(kind: str) -> bool:
    return any(name in kind for name in _NUMBER_TYPES) and "[" not in kind and "(" not in kind[:6]


def _print_blocks(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(len(name) for name in names)
    for number, row in enumerate(rows, start=1):
        output.say(f"- row {number}", style="bold")
        for name, cell in zip(names, row, strict=True):
            output.say(f"{name:<{width}}  {cell}")


def _prompt(settings: "Settings") -> None:
    """Read statements until end of input; a statement ends with ``;``. A bad one ends nothing."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (importing it gives input() its line editing)

    output.say(
        "SQL on the published copy, read-only: end a statement with ; and leave with Ctrl-D."
    )
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   ...> " if lines else "afterpost> "))
        except EOFError:
            output.say()
            return
        except KeyboardInterrupt:
            output.say()
            lines.clear()
            continue
        text = "\n".join(lines).strip()
        if text.lower().rstrip(";") in {"exit", "quit"}:
            return
        if text.endswith(";"):
            lines.clear()
            _run_at_prompt(settings, text)


def _run_at_prompt(settings: "Settings", query: str) -> None:
    """One statement on the newest published copy, which may be newer than the last statement's."""
    from pipeline.clients.warehouse import reading

    try:
        with reading(settings) as connection:
            _print_table(_run(connection, query))
    except QueryError as error:
        output.say_error(str(error))
    except KeyboardInterrupt:
        output.note("Interrupted.")
