"""One round of alerts: look everywhere, store what changed, tell people."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import duckdb

from pipeline.accounts import AccountConfig, AlertKind, account_names, load_account
from pipeline.clients.state_alerts import AlertChanges, Row, alert_rows, change_alerts
from pipeline.clients.warehouse import reading
from pipeline.errors import AfterpostError, NothingPublishedError
from pipeline.settings import Settings
from pipeline.show.alerts.experiments import experiment_findings
from pipeline.show.alerts.findings import Alert, Figures, Finding
from pipeline.show.alerts.generator_reports import generator_findings, read_reports
from pipeline.show.alerts.operations import (
    question_findings,
    scrape_findings,
    verdict_findings,
    waiting_findings,
)
from pipeline.show.alerts.posts import POST_KINDS, post_findings
from pipeline.show.alerts.predictions import prediction_findings
from pipeline.show.alerts.rounds import Event, EventKind, Scope, Turn, turn
from pipeline.show.alerts.series import ProfileSeries, read_series
from pipeline.show.alerts.telling import log_event, tell_waiting

_PUBLISHED_KINDS = POST_KINDS | {AlertKind.VERDICT_CONCLUDED, AlertKind.ACCURACY_DROP}
_ADDRESSES = """
select platform, post_id, post_url from marts.dim_post
where account_name = $account_name and post_url is not null
    and list_contains($post_ids, post_id)
"""


@dataclass
class AlertRound:
    """What one round did."""

    checked_at: datetime
    opened: list[Alert] = field(default_factory=list)
    worsened: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)
    """Over, with a follow-up."""
    open: list[Alert] = field(default_factory=list)
    """All that stand after the round, newest first; acknowledged ones too."""
    told_count: int = 0
    """Events that Slack took."""
    waiting_count: int = 0
    """Events that the next round will send."""
    problems: list[str] = field(default_factory=list)
    """Where the round could not look, or whom it could not tell; alerts there stay as they are."""


@dataclass
class _Look:
    """What was seen, and where there was something to see."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: set[Scope] = field(default_factory=set)
    silenced: set[Scope] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def watch(settings: Settings, now: datetime) -> AlertRound:
    """Find, store, resolve and tell.

    Figures come from the published copy and the state database. Any number of rounds may run at
    once: each thing has one alert, and each event is told once.

    Args:
        settings: Where everything is; Slack's token and channel decide who is told.
        now: The moment, with its zone.

    Raises:
        ConfigurationError: The state database cannot be used.
    """
    standing = [Alert.from_row(row) for row in alert_rows(settings, only_open=True)]
    look = _look(settings, standing, now)
    result = AlertRound(now, problems=look.problems)
    if look.findings or standing:
        made = _store(settings, look, now)
        _sort_into(result, made)
    told = tell_waiting(settings, now)
    result.told_count, result.waiting_count = told.told, told.waiting
    result.problems += told.problems
    result.open = [Alert.from_row(row) for row in alert_rows(settings, only_open=True)]
    return result


def _look(settings: Settings, standing: Sequence[Alert], now: datetime) -> _Look:
    look = _Look()
    names = account_names(settings.accounts_dir)
    accounts = []
    for name in names:
        try:
            accounts.append(load_account(settings.accounts_dir, name))
        except (AfterpostError, OSError) as error:
            look.problems.append(str(error))
    for account in accounts:
        look.silenced |= {(account.name, kind) for kind in account.alerts.muted}
        _look_at_account(settings, account, now, look)
    _look_at_published(settings, accounts, standing, now, look)
    look.silenced |= {
        (alert.account_name, alert.kind) for alert in standing if alert.account_name not in names
    }
    look.findings = [
        one for one in look.findings if (one.account_name, one.kind) not in look.silenced
    ]
    return look


def _look_at_account(
    settings: Settings, account: AccountConfig, now: datetime, look: _Look
) -> None:
    """The rules that need no published copy; each may fail without the others."""
    rules: dict[frozenset[AlertKind], Callable[[], list[Finding]]] = {
        frozenset({AlertKind.RECOMMENDATIONS_WAITING}): lambda: waiting_findings(
            settings, account, now
        ),
        frozenset({AlertKind.EXPERIMENT_CONCLUDED}): lambda: experiment_findings(
            settings, account, now
        ),
        frozenset({AlertKind.SCRAPE_FAILING, AlertKind.BUDGET_NEAR}): lambda: [
            *scrape_findings(settings, account, now),
            *question_findings(settings, account, now),
        ],
        frozenset(
            {
                AlertKind.POSTING_FAILURES,
                AlertKind.GENERATION_FAILURES,
                AlertKind.GENERATION_COST,
            }
        ): lambda: generator_findings(account, read_reports(settings, account, now)),
    }
    for kinds, rule in rules.items():
        try:
            look.findings += rule()
        except (AfterpostError, OSError) as error:
            look.problems.append(str(error))
        else:
            look.looked_at |= {(account.name, kind) for kind in kinds}


def _look_at_published(
    settings: Settings,
    accounts: Sequence[AccountConfig],
    standing: Sequence[Alert],
    now: datetime,
    look: _Look,
) -> None:
    figures: dict[str, dict[tuple[AlertKind, str], Figures]] = defaultdict(dict)
    for alert in standing:
        figures[alert.account_name][alert.kind, alert.subject] = alert.figures
    found: list[Finding] = []
    try:
        with reading(settings) as connection:
            by_account: dict[str, list[ProfileSeries]] = defaultdict(list)
            for series in read_series(connection, now):
                by_account[series.account_name].append(series)
            found += verdict_findings(connection, now)
            found += prediction_findings(connection, accounts, now)
            for account in accounts:
                found += _with_addresses(
                    connection,
                    account.name,
                    post_findings(
                        by_account[account.name],
                        account.alerts,
                        figures[account.name],
                        now.timestamp(),
                    ),
                )
    except NothingPublishedError:
        return  # a home in which nothing was built yet is nothing to complain about
    except (AfterpostError, OSError, duckdb.Error) as error:
        look.problems.append(str(error))
        return
    known = {account.name for account in accounts}
    look.findings += [one for one in found if one.account_name in known]
    look.looked_at |= {(name, kind) for name in known for kind in _PUBLISHED_KINDS}


def _with_addresses(
    connection: duckdb.DuckDBPyConnection, account_name: str, findings: list[Finding]
) -> list[Finding]:
    post_ids = sorted({one.figures["post_id"] for one in findings if "post_id" in one.figures})
    if not post_ids:
        return findings
    rows = connection.execute(
        _ADDRESSES, {"account_name": account_name, "post_ids": post_ids}
    ).fetchall()
    addresses = {(platform, post_id): address for platform, post_id, address in rows}
    return [
        replace(one, figures={**one.figures, "post_url": addresses[place]})
        if (place := (one.platform, one.figures.get("post_id"))) in addresses
        else one
        for one in findings
    ]


def _store(settings: Settings, look: _Look, now: datetime) -> Turn:
    made = Turn()

    def decide(rows: list[Row]) -> AlertChanges:
        nonlocal made
        made = turn(
            [Alert.from_row(row) for row in rows],
            look.findings,
            looked_at=look.looked_at,
            silenced=look.silenced,
            now=now,
            new_id=partial(_new_id, now=now),
        )
        return AlertChanges(
            new=[alert.row() for alert in made.new],
            changed=[alert.row() for alert in made.changed],
            events=[event_row(event) for event in made.events],
        )

    change_alerts(settings, now, decide)
    return made


def _sort_into(result: AlertRound, made: Turn) -> None:
    alerts = {alert.alert_id: alert for alert in [*made.new, *made.changed]}
    lists = {
        EventKind.OPENED: result.opened,
        EventKind.WORSENED: result.worsened,
        EventKind.RESOLVED: result.resolved,
    }
    for event in made.events:
        alert = alerts[event.alert_id]
        if event.event in lists:
            lists[event.event].append(alert)
            log_event(alert.account_name, event.event, event.severity, event.sentence)


def event_row(event: Event) -> Row:
    """As it is stored; what is told to nobody has been told."""
    row = {
        **vars(event),
        "event": event.event.value,
        "severity": event.severity.value,
        "figures": dict(event.figures),
        "told_to": None,
        "told_at": None,
    }
    if not event.event.is_told:
        row |= {"told_to": "nobody", "told_at": event.happened_at}
    return row


def _new_id(finding: Finding, *, now: datetime) -> str:
    """Short enough to be typed; the same for the same thing at the same moment."""
    text = "\n".join((*finding.key, now.isoformat()))
    return f"alert_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
