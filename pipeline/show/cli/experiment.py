"""``afterpost experiment``: comparisons that are planned first and may be looked at any day."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.show.cli import experiment_import, experiment_plan, options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING, moment

if TYPE_CHECKING:
    from pipeline.settings import Settings

app = typer.Typer(
    help="Compare ways to make posts: plan, read at any time, decide.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("plan")(experiment_plan.plan)
app.command("variations")(experiment_plan.variations)

ExperimentId = Annotated[
    str, typer.Argument(metavar="ID", help="As `afterpost experiment list` has it.")
]


@app.command("list")
def list_experiments(
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Name of a folder under accounts/. Default: all."),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="Only those that are proposed, registered, running, concluded, stopped or "
            "rejected."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """List experiments, the newest first.

    Example: afterpost experiment list --account dreamtimelullabies
    """
    from pipeline.accounts import load_account
    from pipeline.clients.state_experiments import experiment_rows
    from pipeline.errors import UsageError
    from pipeline.learn.experiments.registration import Status
    from pipeline.settings import load_settings

    settings = load_settings()
    if account:
        load_account(settings.accounts_dir, account)
    if status is not None and status not in set(Status):
        raise UsageError(f"{status!r} is no status: one of {', '.join(Status)}.")
    rows = experiment_rows(
        settings,
        accounts=None if account is None else [account],
        statuses=None if status is None else [status],
    )
    if as_json:
        output.print_json(rows)
        return
    if not rows:
        output.say("No experiment. `afterpost experiment plan` says how long one would take.")
        return
    output.table(
        [
            ("id", Align.LEFT),
            ("status", Align.LEFT),
            ("account", Align.LEFT),
            ("question", Align.LEFT),
            ("verdict", Align.LEFT),
        ],
        [
            (
                row["experiment_id"],
                row["status"],
                f"{row['account_name']} {row['platform']}",
                _question(row),
                str(row["verdict"] or MISSING).replace("_", " "),
            )
            for row in rows
        ],
    )


@app.command("show")
def show(experiment_id: ExperimentId, as_json: options.AsJson = False) -> None:
    """Show what was registered, and what happened since.

    Example: afterpost experiment show exp_3f2a9c1b7d5e
    """
    from pipeline.clients.state_experiments import assignment_rows, event_rows
    from pipeline.learn.experiments.registration import ChangedRegistrationError, load
    from pipeline.settings import load_settings

    settings = load_settings()
    row = _row(settings, experiment_id)
    events = event_rows(settings, experiment_id)
    assignments = assignment_rows(settings, experiment_id)
    if as_json:
        output.print_json({**row, "assignments": assignments, "events": events})
        return
    output.say_indented(f"{experiment_id}: {_question(row)}")
    output.say(f"{row['account_name']} on {row['platform']}, {row['status']}")
    if row["verdict"]:
        output.say_indented(
            f"{str(row['verdict']).replace('_', ' ')}: {output.plain(row['because'] or '')}"
        )
    elif row["because"]:
        output.say_indented(output.plain(row["because"]))
    try:
        registration = load(row)
    except ChangedRegistrationError as error:
        output.say_error(str(error))
        registration = None
    if registration is not None:
        from pipeline.show.cli.experiment_tables import say_registration

        say_registration(registration, assignments)
    output.heading("What happened")
    for event in events:
        by = f" by {output.plain(event['done_by'])}" if event["done_by"] else ""
        output.say(f"{moment(event['happened_at'])} {event['event'].replace('_', ' ')}{by}")


@app.command("approve")
def approve(
    experiment_id: ExperimentId,
    note: options.Note = None,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Let a proposed experiment start.

    Example: afterpost experiment approve exp_3f2a9c1b7d5e
    """
    _decide(experiment_id, "approve", note=note, by=by, as_json=as_json)


@app.command("reject")
def reject(
    experiment_id: ExperimentId,
    note: options.Note = None,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Refuse a proposed experiment.

    Example: afterpost experiment reject exp_3f2a9c1b7d5e --note "not now"
    """
    _decide(experiment_id, "reject", note=note, by=by, as_json=as_json)


@app.command("stop")
def stop(
    experiment_id: ExperimentId,
    note: options.Note = None,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """End an experiment before its time.

    What it has shown so far stays readable; draws no longer join it.

    Example: afterpost experiment stop exp_3f2a9c1b7d5e --note "a new series begins"
    """
    _decide(experiment_id, "stop", note=note, by=by, as_json=as_json)


@app.command("results")
def results(experiment_id: ExperimentId, as_json: options.AsJson = False) -> None:
    """Say what an experiment shows by now.

    It may be looked at every day: looking makes no false winners. The analysis at the planned end
    is shown once the planned posts are there.

    Example: afterpost experiment results exp_3f2a9c1b7d5e --json
    """
    from pipeline.clock import utc_now
    from pipeline.learn.experiments.reading_stored import analyze_test_results, read_stored
    from pipeline.settings import load_settings
    from pipeline.show.cli.experiment_tables import say_reading

    settings, now = load_settings(), utc_now()
    if as_json:
        output.print_json(analyze_test_results(settings, experiment_id, now))
    else:
        say_reading(read_stored(settings, experiment_id, now))


@app.command("manage")
def manage(as_json: options.AsJson = False) -> None:
    """Start, read and conclude experiments, as every hour.

    Running it twice, or killing it, does no harm.

    Example: afterpost experiment manage
    """
    from pipeline.clock import utc_now
    from pipeline.decide.managed_experiments import manage_experiments
    from pipeline.settings import load_settings

    managed = manage_experiments(load_settings(), utc_now())
    if as_json:
        from dataclasses import asdict

        output.print_json(asdict(managed))
    else:
        from pipeline.show.cli.experiment_tables import say_managed

        say_managed(managed)
    if managed.problems:
        raise typer.Exit(code=1)


app.command("import")(experiment_import.import_counts)


def _row(settings: "Settings", experiment_id: str) -> dict[str, Any]:
    from pipeline.clients.state_experiments import experiment_row
    from pipeline.learn.experiments.registering import not_found

    row = experiment_row(settings, experiment_id)
    if row is None:
        raise not_found(experiment_id)
    return row


def _question(row: dict[str, Any]) -> str:
    """The question as it is stored; of a row that was tampered with, whatever is there."""
    content = row["registration"]
    return output.plain(str(content.get("question", "") if isinstance(content, dict) else ""))


def _decide(
    experiment_id: str, word: str, *, note: str | None, by: str | None, as_json: bool
) -> None:
    from pipeline.clock import utc_now
    from pipeline.learn.experiments.registering import decide_experiment
    from pipeline.settings import load_settings

    row = decide_experiment(
        load_settings(), experiment_id, word, by=options.decider(by), now=utc_now(), note=note
    )
    if as_json:
        output.print_json(row)
        return
    afterwards = " It starts within the hour." if row["status"] == "registered" else ""
    output.say(f"{experiment_id} is {row['status']}.{afterwards}")
