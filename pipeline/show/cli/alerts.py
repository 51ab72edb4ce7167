"""``afterpost alerts``: what deserves attention, and that somebody has seen it."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import AfterpostError, UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import moment, plural

if TYPE_CHECKING:
    from pipeline.show.alerts.findings import Alert

app = typer.Typer(
    help="What deserves attention: list, acknowledge, look now.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_INTERNAL = ("usual", "since_s", "newest_s")
"""Figures that a later round needs, and nobody else."""


@app.command("list")
def list_alerts(
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Name of a folder under accounts/. Default: all."),
    ] = None,
    show_all: Annotated[
        bool,
        typer.Option("--all/--open", help="Also those that are over. Default: open ones."),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show alerts, the newest first.

    Acknowledged alerts are open until what they are about is over.

    Example: afterpost alerts list --account dreamtimelullabies --all
    """
    from pipeline.accounts import load_account
    from pipeline.clients.state_alerts import alert_event_rows, alert_rows
    from pipeline.settings import load_settings
    from pipeline.show.alerts.findings import Alert

    settings = load_settings()
    if account:
        load_account(settings.accounts_dir, account)
    rows = alert_rows(settings, account, only_open=not show_all)
    if as_json:
        history: dict[str, list[dict[str, Any]]] = {row["alert_id"]: [] for row in rows}
        for event in alert_event_rows(settings, list(history)):
            history[event["alert_id"]].append(_event(event))
        output.print_json([{**_told(row), "events": history[row["alert_id"]]} for row in rows])
        return
    if not rows:
        output.say("No alert." if show_all else "No open alert.")
        return
    _show([Alert.from_row(row) for row in rows])


@app.command("ack")
def acknowledge(
    alert_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `afterpost alerts list` has it.")
    ],
    note: Annotated[str | None, typer.Option(help="What is done about it; stored.")] = None,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Say that somebody has seen an alert.

    Example: afterpost alerts ack alert_1f3a77c2 --note "new handle is in account.yaml"
    """
    from pipeline.clients.state_alerts import acknowledge_alert
    from pipeline.clock import utc_now
    from pipeline.settings import load_settings

    settings, now, who = load_settings(), utc_now(), options.decider(by)
    row = acknowledge_alert(settings, alert_id, by=who, note=note, at=now)
    if row is None:
        raise UsageError(f"There is no alert {alert_id!r}: see `afterpost alerts list --all`.")
    if as_json:
        output.print_json(_told(row))
        return
    if row["acknowledged_at"] != now:
        seen = moment(row["acknowledged_at"])
        output.say(f"{row['acknowledged_by']} has acknowledged it already, {seen}.")
        return
    output.say(f"Acknowledged: {output.plain(row['sentence'])}")


@app.command("check")
def check(as_json: options.AsJson = False) -> None:
    """Look now: open, renew and end alerts, and tell Slack.

    The scheduled runs do the same. Exits 1 when it could not look everywhere or tell everybody.

    Example: afterpost alerts check
    """
    import logging

    from pipeline.clock import utc_now
    from pipeline.settings import load_settings
    from pipeline.show.alerts.watch import watch

    # What the log would say on stderr is on stdout below.
    logging.getLogger("afterpost.alerts").addHandler(logging.NullHandler())
    result = watch(load_settings(), utc_now())
    if as_json:
        lists = ("opened", "worsened", "resolved", "open")
        told = {name: [_told(one.row()) for one in getattr(result, name)] for name in lists}
        output.print_json({**dataclasses.asdict(result), **told})
    else:
        for words, alerts in (("new", result.opened), ("worse", result.worsened)):
            for alert in alerts:
                output.say_indented(
                    f"{words}: {alert.account_name}: {output.plain(alert.sentence)}"
                )
        for alert in result.resolved:
            output.say(f"over: {alert.account_name}: {_kind(alert)} {output.plain(alert.subject)}")
        output.say(f"{plural(len(result.open), 'open alert')}.")
    for problem in result.problems:
        output.note(output.plain(problem))
    if result.problems:
        raise CouldNotLookError


class CouldNotLookError(AfterpostError):
    """Something stayed unseen or untold; stderr has said what."""

    def __init__(self) -> None:
        """With its sentence."""
        super().__init__("not everything could be looked at or told; the next round tries again.")


def _show(alerts: Sequence["Alert"]) -> None:
    for alert in alerts:
        style = {"critical": "bold red", "warning": "yellow"}.get(alert.severity.value)
        platform = f" · {alert.platform}" if alert.platform else ""
        output.say(
            f"{alert.severity.value:<8} {alert.account_name}{platform} · {_kind(alert)}",
            style=style,
        )
        output.say_indented(f"  {output.plain(alert.sentence)}")
        output.say_indented(f"  {_course(alert)}")
    open_ones = [alert for alert in alerts if alert.is_open]
    unseen = sum(alert.acknowledged_at is None for alert in open_ones)
    output.say()
    output.say(f"{plural(len(open_ones), 'open alert')}, {unseen} not acknowledged.")


def _course(alert: "Alert") -> str:
    words = f"{alert.alert_id}, since {moment(alert.first_seen_at)}"
    if alert.resolved_at is not None:
        words += f", over {moment(alert.resolved_at)}"
    elif alert.last_seen_at != alert.first_seen_at:
        words += f", last seen {moment(alert.last_seen_at)}"
    if alert.acknowledged_at is not None:
        note = f": {output.plain(alert.acknowledged_note)}" if alert.acknowledged_note else ""
        words += f"; acknowledged by {output.plain(alert.acknowledged_by or '')}{note}"
    return words


def _kind(alert: "Alert") -> str:
    return alert.kind.value.replace("_", " ")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "figures": _figures(row["figures"])}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    hidden = ("alert_id", "claimed_until", "message_channel", "message_id")
    told = {name: value for name, value in row.items() if name not in hidden}
    return {**told, "figures": _figures(row["figures"])}


def _figures(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in _INTERNAL}
