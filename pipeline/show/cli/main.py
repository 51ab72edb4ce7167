"""The command line's root: which commands there are, and how errors become exit codes.

Exit codes: 0 done, 1 it failed, 2 the words do not fit together, 130 interrupted.
"""

import os
import sys
import warnings
from collections.abc import Sequence

import click
import typer
from typer.core import TyperGroup

from pipeline.errors import AfterpostError
from pipeline.show.cli import (
    accounts_commands,
    alerts,
    analyze,
    build_commands,
    collect_commands,
    context_commands,
    dashboard,
    demo,
    draw,
    experiment,
    export,
    feedback_commands,
    health,
    label_commands,
    match_commands,
    metrics,
    mirror,
    output,
    predict,
    reflexion,
    report,
    review,
    sql,
    state_commands,
    verdicts,
    web,
)

INTERRUPTED = 130
READER_GONE = 141
"""What a shell reports for a program whose reader went away, as in ``afterpost sql … | head``."""

_ORDER = (
    "demo", "accounts", "scrape", "import", "health", "build", "recommend", "analyze", "dashboard",
    "report", "alerts", "review", "context", "draw", "predict", "reflexion", "verdicts",
    "experiment", "feedback", "match", "label", "sql", "export", "metrics", "web", "rebuild",
    "mirror", "restore",
    "state",
)  # fmt: skip


class _InterruptedError(Exception):
    """Ctrl-C; Click would turn the original into an exit without a word."""


class _ReaderGoneError(Exception):
    """Nobody reads our output any more; Click would turn the original into a failure."""


class _Commands(TyperGroup):
    """Commands in the order in which a newcomer needs them."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what Click would swallow goes up under another name."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _InterruptedError from error
        except BrokenPipeError as error:
            raise _ReaderGoneError from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands; one that the order forgets comes last."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


app = typer.Typer(
    cls=_Commands,
    name="afterpost",
    help=(
        "Learns from what an account posted: collect, measure, learn, decide.\n\n"
        "A first look without keys or data: afterpost demo"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(accounts_commands.app, name="accounts")
app.command("scrape")(collect_commands.scrape)
app.command("import")(collect_commands.import_files)
app.command("health")(health.health)
app.command("build")(build_commands.build)
app.command("recommend")(build_commands.recommend)
app.command("analyze")(analyze.analyze)
app.command("dashboard")(dashboard.dashboard)
app.command("report")(report.report)
app.add_typer(alerts.app, name="alerts")
app.command("review")(review.review)
app.add_typer(context_commands.app, name="context")
app.command("draw")(draw.draw)
app.command("predict")(predict.predict)
app.command("reflexion")(reflexion.reflexion)
app.command("verdicts")(verdicts.verdicts)
app.add_typer(experiment.app, name="experiment")
app.add_typer(feedback_commands.app, name="feedback")
app.add_typer(match_commands.app, name="match")
app.add_typer(label_commands.app, name="label")
app.command("sql")(sql.sql)
app.command("export")(export.export)
app.command("metrics")(metrics.metrics)
app.command("web")(web.web)
app.command("rebuild")(build_commands.rebuild)
app.command("mirror")(mirror.mirror)
app.command("restore")(mirror.restore)
app.add_typer(state_commands.app, name="state")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; expected errors are one sentence on stderr.

    Args:
        arguments: The words after ``afterpost``; the process's own when left out.
    """
    output.make_streams_safe()
    try:
        result = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments),
            prog_name="afterpost",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except (BrokenPipeError, _ReaderGoneError):
        _close_stdout_quietly()
        return READER_GONE
    except (KeyboardInterrupt, _InterruptedError, click.Abort):
        output.note("Interrupted: nothing is half done, the same command can be run again.")
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except AfterpostError as error:
        output.say_error(str(error))
        return error.exit_code
    except OSError as error:
        output.say_error(f"the operating system refused: {error}.")
        return 1
    return result if isinstance(result, int) else 0


def run() -> None:
    """Entry point of the ``afterpost`` program."""
    if not sys.warnoptions:
        # Libraries' remarks to programmers; PYTHONWARNINGS or -W brings them back.
        warnings.simplefilter("ignore")
    sys.exit(main())


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        typer.echo(error.format_message(), err=True)
        return error.exit_code
    command = getattr(getattr(error, "ctx", None), "command_path", "afterpost")
    message = error.format_message().rstrip(".")
    output.say_error(f"{message}. See `{command} --help`.")
    return error.exit_code


def _close_stdout_quietly() -> None:
    """Keep Python's own flush at exit from complaining about the closed pipe."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, sys.stdout.fileno())
    os.close(descriptor)


if __name__ == "__main__":
    run()
