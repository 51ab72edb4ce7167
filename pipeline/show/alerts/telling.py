"""Telling people of what happened to alerts: in the log always, in Slack where it is set up.

An event is written down before anybody is told, and is in one process's hand while it is sent.
What Slack surely did not take is sent at the next round. Where the answer got lost, it is sent once
more: an alert that comes twice does less harm than one that never comes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from pipeline.clients import slack
from pipeline.clients.state_alerts import claim_untold_events, release_events, settle_events
from pipeline.errors import AfterpostError, SlackRefusedError, SlackUnclearError
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Severity
from pipeline.show.alerts.rounds import EventKind
from pipeline.show.reports.slack_text import link, plain, untrusted

LOG = logging.getLogger("afterpost.alerts")
EVENTS_PER_MESSAGE = 10
_LONGEST_SENTENCE = 900
_LONGEST_NAME = 80
_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}
_MARKS = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.CRITICAL: "🔴"}
_MARK_OVER = "✅"
_THREAD_GONE = ("thread_not_found", "channel_not_found", "not_in_channel", "is_archived")
_UNCLEAR = "unclear"
"""``told_to`` of an event that may have been sent once."""

_Row = Mapping[str, Any]


@dataclass
class Told:
    """What became of the events that waited."""

    told: int = 0
    """Events that Slack took."""
    waiting: int = 0
    """Events that the next round will send."""
    problems: list[str] = field(default_factory=list)


def log_event(account_name: str, event: EventKind, severity: Severity, sentence: str) -> None:
    """One line in the log."""
    level = logging.INFO if event is EventKind.RESOLVED else _LEVELS[severity]
    LOG.log(level, "%s %s: %s", account_name, event.value, plain(sentence, _LONGEST_SENTENCE))


def tell_waiting(settings: Settings, now: datetime) -> Told:
    """Send what nobody was told yet. Never raises for Slack's sake.

    Without a token the log is all there is, and what was logged is not sent later.
    """
    result = Told()
    events = claim_untold_events(settings, now)
    if not events:
        return result
    if not slack.is_configured(settings):
        settle_events(settings, events, told_to="log", at=now)
        return result
    for batch in _batches(events):
        _send(settings, batch, now, result)
    return result


def _batches(events: Sequence[_Row]) -> list[list[_Row]]:
    """One message per account, kind of end and thread, of at most `EVENTS_PER_MESSAGE` events."""

    def belongs(event: _Row) -> tuple[str, str, str]:
        is_over = event["event"] == EventKind.RESOLVED.value
        thread = (event["thread_channel"], event["thread_id"]) if is_over else (None, None)
        return (event["account_name"], thread[0] or "", thread[1] or "")

    found = []
    for _, group in groupby(sorted(events, key=belongs), key=belongs):
        members = list(group)
        found += [
            members[start : start + EVENTS_PER_MESSAGE]
            for start in range(0, len(members), EVENTS_PER_MESSAGE)
        ]
    return found


def _send(settings: Settings, batch: Sequence[_Row], now: datetime, result: Told) -> None:
    first = batch[0]
    is_over = first["event"] == EventKind.RESOLVED.value
    thread = (
        slack.PostedMessage(first["thread_channel"], first["thread_id"])
        if is_over and first["thread_id"]
        else None
    )
    text, blocks = alert_message(batch)
    try:
        posted = _post(settings, text, blocks, thread)
    except SlackUnclearError as error:
        result.problems.append(str(error))
        again = [event for event in batch if event["told_to"] != _UNCLEAR]
        given_up = [event for event in batch if event["told_to"] == _UNCLEAR]
        settle_events(settings, again, told_to=_UNCLEAR, at=None)
        settle_events(settings, given_up, told_to=_UNCLEAR, at=now)
        result.waiting += len(again)
        return
    except (AfterpostError, OSError) as error:
        result.problems.append(str(error))
        result.waiting += len(batch)
        release_events(settings, batch)
        return
    message = (posted.channel_id, posted.ts)
    settle_events(settings, batch, told_to="slack", at=now, message=message)
    result.told += len(batch)


def _post(
    settings: Settings,
    text: str,
    blocks: list[dict[str, Any]],
    thread: slack.PostedMessage | None,
) -> slack.PostedMessage:
    try:
        return slack.post(settings, text=text, blocks=blocks, thread=thread)
    except SlackRefusedError as error:
        if thread is None or error.code not in _THREAD_GONE:
            raise
    # Somebody has deleted the message that this one would answer, or moved to another channel.
    return slack.post(settings, text=text, blocks=blocks)


def alert_message(events: Sequence[_Row]) -> tuple[str, list[dict[str, Any]]]:
    """Text and blocks of one message about events of one account.

    Sentences may hold names that others chose; they are shown, and nothing in them works.
    """
    account = str(events[0]["account_name"])
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": plain(f"Alerts · {account}", 150),
                "emoji": True,
            },
        }
    ]
    for event in events:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _section(event)}})
        if event["event"] != EventKind.RESOLVED.value:
            words = f"`afterpost alerts ack {event['alert_id']}` when somebody looks at it"
            blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": words}]})
    told = " ".join(str(event["sentence"]) for event in events)
    return plain(f"{account}: {told}", slack.LONGEST_TEXT // 2), blocks


def _section(event: _Row) -> str:
    is_over = event["event"] == EventKind.RESOLVED.value
    mark = _MARK_OVER if is_over else _MARKS[Severity(event["severity"])]
    kind = str(event["kind"]).replace("_", " ")
    title = f"{kind} {'resolved' if is_over else ''}".strip()
    if event["event"] == EventKind.WORSENED.value:
        title += f", now {event['severity']}"
    if event["platform"]:
        title += f" · {untrusted(str(event['platform']), _LONGEST_NAME)}"
    sentence = untrusted(str(event["sentence"]), _LONGEST_SENTENCE)
    address = event["figures"].get("post_url")
    told = f"{mark} *{title}*\n{sentence}"
    return f"{told} {link(str(address), 'Open the post')}" if address else told
