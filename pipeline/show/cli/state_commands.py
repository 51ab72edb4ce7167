"""``afterpost state``: the state database as a whole."""

from typing import Annotated, Any

import typer

from pipeline.show.cli import output
from pipeline.show.cli.options import AsJson
from pipeline.show.figure_words import count

app = typer.Typer(
    no_args_is_help=True, help="The state database as a whole: move it to a server, or back."
)


@app.command()
def copy(
    to: Annotated[
        str,
        typer.Option(
            help="Database that holds no rows yet, such as "
            "postgresql+psycopg2://USER@HOST/NAME or sqlite:////path/state.db.",
            metavar="URL",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the state database into another one, whole.

    Stop everything that writes first, then set AFTERPOST_STATE_URL to the copy. The source stays as
    it is. Every table's rows and their checksum are compared before the copy is kept.

    Example: afterpost state copy --to postgresql+psycopg2://afterpost@db.example.org/afterpost
    """
    from pipeline.clients.state_copies import copy_state
    from pipeline.settings import load_settings

    copied = copy_state(load_settings(), to)
    if as_json:
        figures: list[dict[str, Any]] = [
            {"table": one.name, "row_count": one.row_count, "sha256": one.sha256} for one in copied
        ]
        output.print_json(figures)
        return
    output.table(
        [("table", output.Align.LEFT), ("rows", output.Align.RIGHT)],
        [[one.name, count(one.row_count)] for one in copied],
    )
    output.say("The copy is whole. Set AFTERPOST_STATE_URL to it, everywhere at once.")
