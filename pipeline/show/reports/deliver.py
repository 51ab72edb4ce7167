"""Sending and writing reports. To Slack each goes once per period, whatever happens.

The delivery is claimed in the state database before anything leaves, so that two processes send one
message between them, and a process that dies while it sends leaves a note that keeps others from
sending again. Files are simply written anew: the same figures give the same file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.accounts import load_account
from pipeline.atomic_files import write_atomically
from pipeline.clients import slack, state_reports
from pipeline.clients.state_reports import (
    ALL_ACCOUNTS,
    Claim,
    DeliveryKey,
    DeliveryStatus,
)
from pipeline.clients.warehouse import reading
from pipeline.errors import (
    AfterpostError,
    NotConfiguredError,
    SlackError,
    SlackUnclearError,
    UsageError,
)
from pipeline.settings import Settings
from pipeline.show.reports.periods.calendar import Period, PeriodKind, last_complete
from pipeline.show.reports.periods.report import PeriodReport, account_zones, period_report
from pipeline.show.reports.slack_blocks import SlackMessage, slack_messages

if TYPE_CHECKING:
    import duckdb


_MOST_PICTURES = 3


class Target(StrEnum):
    """Where a report goes."""

    SLACK = "slack"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"


class Outcome(StrEnum):
    """What came of a delivery."""

    WRITTEN = "written"
    SENT = "sent"
    ALREADY_SENT = "already_sent"
    """By an earlier run."""
    UNDER_WAY = "under_way"
    """Another process is sending it."""
    PERHAPS_SENT = "perhaps_sent"
    """An earlier run ended while it was sending, or got no answer: it is not sent again."""
    PREVIEW = "preview"
    """There is nowhere to send it to: what would be sent is in ``messages``."""


@dataclass(frozen=True)
class Delivery:
    """A report that was delivered, or why it was not."""

    period: Period
    account_name: str | None
    target: Target
    outcome: Outcome
    sentence: str
    """What came of it, for a person."""
    path: Path | None = None
    """Of the file that was written."""
    channel: str | None = None
    message_id: str | None = None
    messages: tuple[SlackMessage, ...] = ()
    """What was or would be sent."""


def chosen_period(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    kind: PeriodKind,
    account: str | None,
    now: datetime,
) -> Period:
    """The newest period that is over for the account, or for every account.

    Raises:
        UnknownAccountError: No such account.
    """
    known = {name: ZoneInfo(zone) for name, (_, zone) in account_zones(connection).items()}
    if account is None:
        return last_complete(kind, list(known.values()), now)
    # As it was when the days of its posts were told; a new account has only its file.
    zone = load_account(settings.accounts_dir, account).zone
    return last_complete(kind, [known.get(account, zone)], now)


def deliver_report(
    settings: Settings,
    period: "Period | PeriodKind | str",
    *,
    account: str | None,
    to: "Target | str",
    now: datetime,
    again: bool = False,
) -> Delivery:
    """Write a report to a file, or send it to Slack unless that was done.

    Args:
        settings: Where things are.
        period: A period, or the kind of which the newest that is over is meant.
        account: A name; None for all accounts in one report.
        to: slack, html, csv or pdf.
        now: The present moment.
        again: Send it although it was sent, or may have been.

    Raises:
        UnknownAccountError: No such account.
        NothingPublishedError: There is no published copy yet.
        SlackError: Slack did not take it; the sentence says why.
    """
    target = Target(to)
    if account is not None:
        load_account(settings.accounts_dir, account)
    if not isinstance(period, Period):
        with reading(settings) as connection:
            period = chosen_period(settings, connection, PeriodKind(period), account, now)
    if target is Target.SLACK:
        return _to_slack(settings, period, account, now, again=again)
    return _to_file(settings, period, account, target)


def report_path(settings: Settings, period: Period, account: str | None, target: Target) -> Path:
    """Where a report's file is: ``warehouse/reports/<kind>/<period>_<account or all>.<form>``."""
    folder = settings.warehouse_dir / "reports" / period.kind.value
    return folder / f"{period.key}_{account or 'all'}.{target.value}"


def _to_file(settings: Settings, period: Period, account: str | None, target: Target) -> Delivery:
    with reading(settings) as connection:
        report = period_report(settings, connection, period, account)
        if target is Target.CSV:
            from pipeline.show.reports.csv_file import report_csv

            content = report_csv(report)
        else:
            from pipeline.show.reports.pictures import report_pictures

            pictures = report_pictures(connection, report)
            if target is Target.HTML:
                from pipeline.show.reports.html_page import report_html

                content = report_html(report, pictures)
            else:
                from pipeline.show.reports.pdf import report_pdf

                content = report_pdf(report, pictures)
    path = report_path(settings, period, account, target)
    write_atomically(path, content)
    return Delivery(period, account, target, Outcome.WRITTEN, f"Wrote {path}.", path=path)


def _to_slack(
    settings: Settings, period: Period, account: str | None, now: datetime, *, again: bool
) -> Delivery:
    base = Delivery(period, account, Target.SLACK, Outcome.PREVIEW, "")
    try:
        channel = slack.channel_of(settings)
    except NotConfiguredError as error:
        with reading(settings) as connection:
            messages = slack_messages(period_report(settings, connection, period, account))
        return replace(base, sentence=f"Nothing was sent. {error}", messages=tuple(messages))
    base = replace(base, channel=channel)
    key = DeliveryKey(
        period.kind.value, period.key, account or ALL_ACCOUNTS, f"{Target.SLACK.value}:{channel}"
    )
    held = state_reports.claim(settings, key, now, again=again)
    if held is None:
        return _not_ours(settings, key, base)
    try:
        with reading(settings) as connection:
            report = period_report(settings, connection, period, account)
            pictures = _pictures(connection, report)
        messages = slack_messages(report)
        if not state_reports.begin_sending(settings, held):
            return _not_ours(settings, key, base)
        posted = slack.post(settings, text=messages[0].text, blocks=messages[0].blocks)
    except SlackUnclearError as error:
        state_reports.note_not_sent(settings, held, DeliveryStatus.UNCLEAR, str(error))
        raise
    except Exception as error:
        state_reports.note_not_sent(settings, held, DeliveryStatus.FAILED, _reason(error))
        raise
    build = report.build
    state_reports.note_sent(
        settings,
        held,
        sent_at=now,
        channel_id=posted.channel_id,
        message_id=posted.ts,
        warehouse_version=build.warehouse_version if build else None,
    )
    missing = _to_thread(settings, held, posted, messages[1:], pictures)
    told = f"Sent to {channel}." + (f" {missing}" if missing else "")
    return replace(
        base,
        outcome=Outcome.SENT,
        sentence=told,
        message_id=posted.ts,
        messages=tuple(messages),
    )


def _to_thread(
    settings: Settings,
    held: Claim,
    posted: slack.PostedMessage,
    messages: Sequence[SlackMessage],
    pictures: Sequence[slack.Picture],
) -> str | None:
    """Send the rest below the message; what fails there is noted and does not undo it."""
    missing = None
    try:
        for message in messages:
            slack.post(settings, text=message.text, blocks=message.blocks, thread=posted)
    except SlackError as error:
        missing = f"Its thread is not whole: {error}"
    problem = slack.upload(settings, pictures, posted) if pictures else None
    if problem:
        missing = f"{missing or ''} Its pictures are missing: {problem}".strip()
    if missing:
        state_reports.note_missing(settings, held, missing)
    return missing


def _not_ours(settings: Settings, key: DeliveryKey, base: Delivery) -> Delivery:
    row = state_reports.delivery(settings, key) or {}
    status = row.get("status")
    base = replace(base, message_id=row.get("message_id"))
    if status == DeliveryStatus.SENT.value:
        sentence = f"Sent already, at {row['sent_at']:%Y-%m-%d %H:%M}Z to {base.channel}."
        return replace(base, outcome=Outcome.ALREADY_SENT, sentence=sentence)
    if status == DeliveryStatus.CLAIMED.value:
        sentence = (
            f"Another run claimed it at {row['claimed_at']:%H:%M}Z and is making it ready. Should "
            "that one be gone, a run after a quarter of an hour sends it."
        )
        return replace(base, outcome=Outcome.UNDER_WAY, sentence=sentence)
    sentence = (
        f"An earlier run may have sent it to {base.channel} and did not hear back, so it is not "
        "sent again. Look there; --again sends it in any case."
    )
    return replace(base, outcome=Outcome.PERHAPS_SENT, sentence=sentence)


def _pictures(connection: "duckdb.DuckDBPyConnection", report: PeriodReport) -> list[slack.Picture]:
    from pipeline.show.reports.pictures import report_pictures

    return [
        slack.Picture(f"{one.name}.png", one.title, one.words, one.png)
        for one in report_pictures(connection, report)[:_MOST_PICTURES]
    ]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, AfterpostError) else type(error).__name__


def period_ended(period: Period, newest: Period) -> Period:
    """The period, when it is not younger than the newest that is over.

    Raises:
        UsageError: It is not over yet.
    """
    if period.days.last > newest.days.last:
        raise UsageError(
            f"{period.title[0].upper()}{period.title[1:]} is not over yet for every account that "
            f"the report is about: the newest that is over ended on {newest.days.last}."
        )
    return period
