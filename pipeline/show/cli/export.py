"""``afterpost export``: tables of the published copy as Parquet or CSV files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import output
from pipeline.show.cli.options import AsJson
from pipeline.show.figure_words import count

_FORMATS = ("parquet", "csv")


def export(
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE]...", help="Marts or statistics, such as dim_post. Default: all."
        ),
    ] = None,
    export_format: Annotated[
        str, typer.Option("--format", help="parquet, or csv for spreadsheets.", metavar="FORMAT")
    ] = "parquet",
    to: Annotated[Path, typer.Option(help="Folder; made when missing.", metavar="DIR")] = Path(
        "export"
    ),
    as_json: AsJson = False,
) -> None:
    """Write marts and statistics to Parquet or CSV.

    The published copy is read, so a running build disturbs nothing. The same rows give the same
    bytes. In CSV, a text that a spreadsheet would run as a formula gets a ' before it.
    """
    if export_format not in _FORMATS:
        raise UsageError(f"--format is {export_format!r}: write one of {', '.join(_FORMATS)}.")
    from pipeline.clients.table_exports import ExportFormat, export_tables
    from pipeline.settings import load_settings

    written = export_tables(
        load_settings(), to, export_format=ExportFormat(export_format), tables=tables or ()
    )
    if as_json:
        figures: list[dict[str, Any]] = [
            {"table": one.table, "file": str(one.path), "row_count": one.row_count}
            for one in written
        ]
        output.print_json(figures)
        return
    output.table(
        [("table", output.Align.LEFT), ("rows", output.Align.RIGHT)],
        [[one.table, count(one.row_count)] for one in written],
    )
    output.say(f"Wrote {len(written)} file{'' if len(written) == 1 else 's'} to {to}.")
