"""``afterpost report``: a day, a week or a month, on the terminal, in a file or in Slack."""

import dataclasses
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.show.reports.deliver import Delivery
    from pipeline.show.reports.periods.calendar import Period
    from pipeline.show.reports.periods.document import Cell, Document, Part
    from pipeline.show.reports.slack_blocks import SlackMessage

_KINDS = ("daily", "weekly", "monthly")
_TARGETS = ("stdout", "slack", "html", "csv", "pdf")
_UNSEEN = dict.fromkeys(map(ord, "\u2060\u2068\u2069"))
"""Signs that Slack obeys and does not show."""


def report(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="daily, weekly or monthly.")],
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Name of a folder under accounts/. Default: all."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="stdout, slack, html, csv or pdf.", metavar="TARGET")
    ] = "stdout",
    period_end: Annotated[
        str | None,
        typer.Option(
            help="A day of the period, such as its last. Default: the newest that is over.",
            metavar="DATE",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Send to Slack although that was done before.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Report on the last day, week or month.

    What moved against the period before (at equal age), the best and the worst posts, what waits
    for a decision, verdicts, and costs. To Slack each report goes once per period, however often
    this is run; without SLACK_BOT_TOKEN what would be sent is shown.

    Example: afterpost report weekly --account dreamtimelullabies --to pdf
    """
    from pipeline.settings import load_settings

    if period not in _KINDS:
        raise UsageError(f"{period!r} is no period: write one of {', '.join(_KINDS)}.")
    if to not in _TARGETS:
        raise UsageError(f"--to is {to!r}: write one of {', '.join(_TARGETS)}.")
    if again and to != "slack":
        raise UsageError("--again goes with --to slack: files are written anew each time.")
    settings = load_settings()
    chosen = _period(settings, period, account, period_end)
    if to == "stdout":
        _to_stdout(settings, chosen, account, as_json=as_json)
        return
    from pipeline.clock import utc_now
    from pipeline.show.reports.deliver import deliver_report

    delivered = deliver_report(settings, chosen, account=account, to=to, now=utc_now(), again=again)
    if as_json:
        output.print_json(_figures(delivered))
    else:
        _say(delivered)


def _period(
    settings: "Settings", kind_name: str, account: str | None, day_text: str | None
) -> "Period":
    """The period that was asked for.

    Raises:
        UsageError: The day is none, or its period is not over yet.
    """
    from pipeline.clients.warehouse import reading
    from pipeline.clock import utc_now
    from pipeline.show.reports.deliver import chosen_period, period_ended
    from pipeline.show.reports.periods.calendar import PeriodKind, period_of

    kind = PeriodKind(kind_name)
    with reading(settings) as connection:
        newest = chosen_period(settings, connection, kind, account, utc_now())
        if day_text is None:
            return newest
        try:
            day = date.fromisoformat(day_text)
        except ValueError:
            raise UsageError(
                f"--period-end is {day_text!r}: write a day such as 2026-05-21."
            ) from None
        return period_ended(period_of(kind, day), newest)


def _to_stdout(
    settings: "Settings", period: "Period", account: str | None, *, as_json: bool
) -> None:
    from pipeline.clients.warehouse import reading
    from pipeline.show.reports.periods.document import document_of
    from pipeline.show.reports.periods.report import period_report, report_json
    from pipeline.show.reports.periods.summary import executive_summary

    with reading(settings) as connection:
        made = period_report(settings, connection, period, account)
    if as_json:
        output.print_json(report_json(made, executive_summary(made)))
    else:
        show(document_of(made))


def show(document: "Document") -> None:
    """The report on the terminal."""
    output.say(output.plain(document.title), style="bold")
    output.say(output.plain(document.subtitle))
    output.say()
    for sentence in document.summary:
        output.say_indented(f"• {output.plain(sentence)}")
    for part in document.parts:
        if part.is_detail:
            continue
        output.heading(output.plain(part.title))
        if any(cell.address for row in part.rows for cell in row):
            _list(part)
        elif part.rows:
            _table(part)
        for sentence in part.sentences:
            output.say_indented(output.plain(sentence))
    output.say()
    if any(part.is_detail for part in document.parts):
        output.say_indented("By platform: the same with --account NAME, or --to html.")
    for line in document.context:
        output.say_indented(output.plain(line))


def _list(part: "Part") -> None:
    """Rows one below the other, so that links stay whole and can be followed."""
    for place, (first, *others) in enumerate(part.rows, 1):
        figures = "; ".join(
            f"{name}: {output.plain(' '.join(filter(None, (cell.text, cell.small))))}"
            for name, cell in zip(part.columns[1:], others, strict=True)
        )
        output.say_indented(f"{place}. {output.plain(first.text)}")
        for line in (first.small, figures, first.address or ""):
            if line:
                output.say(f"   {output.plain(line)}")


def _table(part: "Part") -> None:
    output.table(
        [
            (name, Align.RIGHT if cell.is_number else Align.LEFT)
            for name, cell in zip(part.columns, part.rows[0], strict=True)
        ],
        [[_cell(cell) for cell in row] for row in part.rows],
    )
    commands = [cell.small for row in part.rows for cell in row if cell.is_code]
    if commands:
        output.say(f"To approve the first: {output.plain(commands[0])}")


def _cell(cell: "Cell") -> str:
    # Of a command the table has room for the last word, the id.
    small = cell.small.rpartition(" ")[2] if cell.is_code else cell.small
    return "\n".join(output.plain(line) for line in (cell.text, small) if line)


def _say(delivered: "Delivery") -> None:
    from pipeline.show.reports.deliver import Outcome

    if delivered.outcome is Outcome.PREVIEW:
        for message in delivered.messages:
            _preview(message)
    sentence = delivered.sentence
    if delivered.path is not None:
        sentence = f"Wrote {output.short_path(delivered.path)}."
    output.say_indented(output.plain(sentence))


def _preview(message: "SlackMessage") -> None:
    for block in message.blocks:
        fields = [field["text"] for field in block.get("fields", ())]
        elements = [element["text"] for element in block.get("elements", ())]
        text = [block["text"]["text"]] if "text" in block else []
        for part in (*text, *fields, *elements):
            for line in part.split("\n"):
                output.say_indented(output.plain(line.translate(_UNSEEN)))
        output.say()
    output.say("─" * 40)


def _figures(delivered: "Delivery") -> dict[str, Any]:
    return {
        "period": delivered.period.key,
        "kind": delivered.period.kind.value,
        "account": delivered.account_name,
        "to": delivered.target.value,
        "outcome": delivered.outcome.value,
        "sentence": delivered.sentence,
        "path": None if delivered.path is None else str(delivered.path),
        "channel": delivered.channel,
        "message_id": delivered.message_id,
        "messages": [dataclasses.asdict(message) for message in delivered.messages],
    }
