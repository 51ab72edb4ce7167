"""``afterpost feedback``: what people say about planned posts, and what was learned."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import interval, moment, percent

if TYPE_CHECKING:
    from pipeline.settings import Settings

app = typer.Typer(
    help="What people say about planned posts; what was learned.", no_args_is_help=True
)

PlannedId = Annotated[
    str, typer.Argument(metavar="PLANNED_ID", help="Name of a folder under output/.")
]

_RATES_SQL = """\
select dimension, segment, judged_count, approved_count, edited_count, rejected_count,
  approval_rate, approval_rate_low, approval_rate_high
from marts.mart_feedback where account_name = $account_name
order by dimension, judged_count desc, segment"""


@app.command("approve")
def approve(
    planned_id: PlannedId,
    account: options.Account,
    note: options.Note = None,
    by: options.By = None,
) -> None:
    """Say that a planned post was good as it was.

    Example: afterpost feedback approve PLANNED_ID --account dreamtimelullabies
    """
    _give("approve", planned_id, account, note, by)


@app.command("reject")
def reject(
    planned_id: PlannedId,
    account: options.Account,
    note: options.Note = None,
    by: options.By = None,
) -> None:
    """Say that a planned post was not usable."""
    _give("reject", planned_id, account, note, by)


@app.command("edit")
def edit(
    planned_id: PlannedId,
    account: options.Account,
    note: options.Note = None,
    by: options.By = None,
) -> None:
    """Say that a planned post had to be changed first."""
    _give("edit", planned_id, account, note, by)


@app.command("list")
def list_feedback(account: options.Account, as_json: options.AsJson = False) -> None:
    """List what was said, and approval rates of the last build.

    Example: afterpost feedback list --account dreamtimelullabies
    """
    from pipeline.clients.state_verdicts import feedback_rows

    settings = _settings(account)
    said = feedback_rows(settings, account)
    rates = _rates(settings, account)
    if as_json:
        output.print_json({"feedback": said, "approval_rates": rates})
        return
    if not said:
        output.say(f"Nobody has said anything about {account}'s planned posts yet.")
        return
    output.table(
        [("when", Align.LEFT), ("plan", Align.LEFT), ("said", Align.LEFT), ("by", Align.LEFT)],
        [
            (
                moment(row["given_at"]),
                row["planned_id"],
                " ".join(filter(None, [row["feedback"], row["note"]])),
                row["given_by"],
            )
            for row in said
        ],
    )
    if rates:
        output.table(
            [
                ("dimension", Align.LEFT),
                ("segment", Align.LEFT),
                ("n", Align.RIGHT),
                ("approved", Align.RIGHT),
                ("90 % interval", Align.RIGHT),
            ],
            [
                (
                    row["dimension"],
                    row["segment"],
                    str(row["judged_count"]),
                    percent(row["approval_rate"], 2, " "),
                    interval(row["approval_rate_low"], row["approval_rate_high"]),
                )
                for row in rates
            ],
            title="Approved as they were, by the last build",
        )


@app.command("patterns")
def patterns(account: options.Account) -> None:
    """Print what was learned of topics, length, time and hooks.

    As JSON, one record per platform and outcome, with correlation and confidence; a list is empty
    where nothing stands out.
    """
    from pipeline.clients.warehouse import reading
    from pipeline.learn.patterns import learning_patterns

    with reading(_settings(account)) as connection:
        found = learning_patterns(connection, account)
    output.print_json([dataclasses.asdict(pattern) for pattern in found])


def _give(kind: str, planned_id: str, account: str, note: str | None, by: str | None) -> None:
    from pipeline.clock import utc_now
    from pipeline.decide.feedback import FeedbackKind, give_feedback

    settings = _settings(account)
    give_feedback(
        settings,
        account,
        planned_id,
        FeedbackKind(kind),
        by=options.decider(by),
        now=utc_now(),
        note=note,
    )
    output.say(f"Stored: {kind} {output.plain(planned_id)}. The next build counts it.")


def _settings(account: str) -> "Settings":
    from pipeline.accounts import load_account
    from pipeline.settings import load_settings

    settings = load_settings()
    load_account(settings.accounts_dir, account)
    return settings


def _rates(settings: "Settings", account: str) -> list[dict[str, Any]]:
    """Approval rates of the newest published copy; none before the first build."""
    from pipeline.clients.warehouse import reading
    from pipeline.errors import NothingPublishedError

    try:
        with reading(settings) as connection:
            cursor = connection.execute(_RATES_SQL, {"account_name": account})
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except NothingPublishedError:
        return []
