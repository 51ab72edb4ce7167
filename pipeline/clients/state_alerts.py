"""What the state database keeps about alerts: what stands, what happened, what was told.

Every function is one transaction; reading does not create the database. Rows are dicts by column
name (`pipeline.clients.state_tables`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import (
    StateTransaction,
    in_parts,
    reading_state,
    state_exists,
    writing_state,
)
from pipeline.clients.state_tables import alert_events, alerts
from pipeline.settings import Settings

_ALERT = alerts.c
_EVENT = alert_events.c
_CLAIM = timedelta(minutes=10)
"""How long a process may take to send; afterwards another one sends."""

Row = dict[str, Any]


@dataclass
class AlertChanges:
    """Rows to write in one transaction."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    """Whole rows, by ``alert_id``."""
    events: list[Row] = field(default_factory=list)
    """Without ``sequence``; an event with ``told_at`` is not sent to anybody."""


def alert_rows(
    settings: Settings,
    account_name: str | None = None,
    *,
    only_open: bool = False,
    since: datetime | None = None,
) -> list[Row]:
    """Alerts of one account or all, newest first.

    Args:
        settings: Where the database is.
        account_name: None for all.
        only_open: Without those that are over; acknowledged ones are open.
        since: Only those that were seen at this moment or later.
    """
    query = sa.select(alerts).order_by(_ALERT.first_seen_at.desc(), _ALERT.alert_id)
    if account_name is not None:
        query = query.where(_ALERT.account_name == account_name)
    if only_open:
        query = query.where(_ALERT.resolved_at.is_(None))
    if since is not None:
        query = query.where(_ALERT.last_seen_at >= since)
    return _rows(settings, query)


def alert_event_rows(settings: Settings, alert_ids: Sequence[str]) -> list[Row]:
    """The history of some alerts, in order."""
    if not alert_ids or not state_exists(settings):
        return []
    query = sa.select(alert_events).order_by(_EVENT.alert_id, _EVENT.sequence)
    with reading_state(settings) as state:
        return [
            row
            for wanted in in_parts(sorted(set(alert_ids)))
            for row in state.rows(query.where(_EVENT.alert_id.in_(wanted)))
        ]


def change_alerts(
    settings: Settings, now: datetime, decide: Callable[[list[Row]], AlertChanges]
) -> AlertChanges:
    """Change alerts by what is stored, so that two processes at once make one alert of a thing.

    Args:
        settings: Where the database is.
        now: Alerts that are over count while their ``quiet_until`` is later.
        decide: Gets the rows that stand or are quiet, and says what to write.

    Returns:
        What was written.
    """
    relevant = sa.select(alerts).where(
        sa.or_(_ALERT.resolved_at.is_(None), _ALERT.quiet_until > now)
    )
    with writing_state(settings) as state:
        changes = decide(state.rows(relevant.order_by(_ALERT.alert_id)))
        _write(state, changes)
    return changes


def acknowledge_alert(
    settings: Settings, alert_id: str, *, by: str, note: str | None, at: datetime
) -> Row | None:
    """Note that somebody has seen an alert; who did so first stays.

    Returns:
        The alert as it is now; None when there is none of that id.
    """
    if not state_exists(settings):
        return None
    with writing_state(settings) as state:
        found = state.rows(sa.select(alerts).where(_ALERT.alert_id == alert_id))
        if not found:
            return None
        row = found[0]
        if row["acknowledged_at"] is not None:
            return row
        values = {"acknowledged_at": at, "acknowledged_by": by, "acknowledged_note": note}
        state.execute(alerts.update().where(_ALERT.alert_id == alert_id).values(**values))
        _add_events(
            state,
            [
                {
                    "alert_id": alert_id,
                    "happened_at": at,
                    "event": "acknowledged",
                    "severity": row["severity"],
                    "sentence": row["sentence"],
                    "figures": row["figures"],
                    "done_by": by,
                    "note": note,
                    "told_to": "nobody",
                    "told_at": at,
                }
            ],
        )
    return {**row, **values}


def claim_untold_events(settings: Settings, now: datetime) -> list[Row]:
    """Take what nobody was told yet in hand, so that no other process sends it meanwhile.

    Returns:
        Events, oldest first, with their alert's ``account_name``, ``kind`` and ``platform``, and
        with ``thread_channel`` and ``thread_id`` of the message that first told of the alert.
    """
    if not state_exists(settings):
        return []
    is_free = sa.or_(_EVENT.claimed_until.is_(None), _EVENT.claimed_until <= now)
    is_untold = sa.and_(_EVENT.told_at.is_(None), is_free)
    # Most rounds have nothing to tell: they need no write lock.
    if not _rows(settings, sa.select(_EVENT.alert_id).where(is_untold).limit(1)):
        return []
    first = alert_events.alias("first")
    query = (
        sa.select(
            alert_events,
            _ALERT.account_name,
            _ALERT.kind,
            _ALERT.platform,
            first.c.message_channel.label("thread_channel"),
            first.c.message_id.label("thread_id"),
        )
        .select_from(
            alert_events.join(alerts, _EVENT.alert_id == _ALERT.alert_id).outerjoin(
                first, sa.and_(first.c.alert_id == _EVENT.alert_id, first.c.sequence == 1)
            )
        )
        .where(is_untold)
        .order_by(_EVENT.happened_at, _EVENT.alert_id, _EVENT.sequence)
    )
    with writing_state(settings) as state:
        rows = state.rows(query)
        for row in rows:
            state.execute(_event_update(row).values(claimed_until=now + _CLAIM))
    return rows


def settle_events(
    settings: Settings,
    events: Sequence[Mapping[str, Any]],
    *,
    told_to: str,
    at: datetime | None,
    message: tuple[str, str] | None = None,
) -> None:
    """Note that people were told of events, and by which message (channel and id).

    With ``at`` None they stay untold, and free for the next round.
    """
    if not events:
        return
    channel, message_id = message or (None, None)
    with writing_state(settings) as state:
        for event in events:
            state.execute(
                _event_update(event).values(
                    told_to=told_to,
                    told_at=at,
                    claimed_until=None,
                    message_channel=channel,
                    message_id=message_id,
                )
            )


def release_events(settings: Settings, events: Sequence[Mapping[str, Any]]) -> None:
    """Give back events that could not be told: the next round tries again."""
    with writing_state(settings) as state:
        for event in events:
            state.execute(_event_update(event).values(claimed_until=None))


def _event_update(event: Mapping[str, Any]) -> sa.Update:
    return alert_events.update().where(
        _EVENT.alert_id == event["alert_id"], _EVENT.sequence == event["sequence"]
    )


def _write(state: StateTransaction, changes: AlertChanges) -> None:
    # What ends makes room for what begins: one open alert per thing.
    for row in changes.changed:
        values = {name: value for name, value in row.items() if not name.startswith("acknowledged")}
        state.execute(alerts.update().where(_ALERT.alert_id == row["alert_id"]).values(**values))
    if changes.new:
        state.execute(alerts.insert(), changes.new)
    _add_events(state, changes.events)


def _add_events(state: StateTransaction, events: Sequence[Row]) -> None:
    for event in events:
        (found,) = state.rows(
            sa.select(sa.func.max(_EVENT.sequence).label("last")).where(
                _EVENT.alert_id == event["alert_id"]
            )
        )
        state.execute(alert_events.insert(), [{**event, "sequence": (found["last"] or 0) + 1}])


def _rows(settings: Settings, query: sa.Select[Any]) -> list[Row]:
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return state.rows(query)
