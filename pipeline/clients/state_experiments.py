"""What the state database keeps about experiments: registrations, assignments and events.

Two processes that change one experiment at once come one after the other: :func:`change_experiment`
says which states it may change from, and the second finds that it is no longer in any of them, so
that what follows in its transaction (events, a recommendation) belongs to the one that changed it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists
from pipeline.clients.state_experiment_tables import (
    experiment_assignments,
    experiment_events,
    experiments,
)
from pipeline.errors import AfterpostError
from pipeline.settings import Settings

Row = dict[str, Any]


class AssignmentTakenError(AfterpostError):
    """Another process was faster: what would be assigned is assigned."""


_EXPERIMENTS, _ASSIGNMENTS, _EVENTS = (
    experiments.c,
    experiment_assignments.c,
    experiment_events.c,
)


def add_experiment(state: StateTransaction, row: Row) -> None:
    """Insert an experiment; its id must be new."""
    state.execute(experiments.insert(), [{"version": 1, **row}])


def experiment_row(settings: Settings, experiment_id: str) -> Row | None:
    """One experiment, or None; reading does not create the database."""
    if not state_exists(settings):
        return None
    with reading_state(settings) as state:
        return experiment_row_in(state, experiment_id)


def experiment_row_in(state: StateTransaction, experiment_id: str) -> Row | None:
    """One experiment inside a transaction, or None."""
    found = state.rows(sa.select(experiments).where(_EXPERIMENTS.experiment_id == experiment_id))
    return found[0] if found else None


def experiment_rows(
    settings: Settings,
    *,
    accounts: Collection[str] | None = None,
    statuses: Collection[str] | None = None,
    platform: str | None = None,
) -> list[Row]:
    """Experiments, the newest first; reading does not create the database.

    Args:
        settings: Where the database is.
        accounts: Of these accounts only; of every one when left out.
        statuses: In these states only.
        platform: On this platform only.
    """
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return experiment_rows_in(state, accounts=accounts, statuses=statuses, platform=platform)


def experiment_rows_in(
    state: StateTransaction,
    *,
    accounts: Collection[str] | None = None,
    statuses: Collection[str] | None = None,
    platform: str | None = None,
) -> list[Row]:
    """As :func:`experiment_rows`, inside a transaction."""
    query = sa.select(experiments).order_by(
        _EXPERIMENTS.created_at.desc(), _EXPERIMENTS.experiment_id
    )
    if accounts is not None:
        query = query.where(_EXPERIMENTS.account_name.in_(accounts))
    if statuses is not None:
        query = query.where(_EXPERIMENTS.status.in_(statuses))
    if platform is not None:
        query = query.where(_EXPERIMENTS.platform == platform)
    return state.rows(query)


def change_experiment(
    state: StateTransaction,
    experiment_id: str,
    *,
    expected: Collection[str],
    values: Mapping[str, Any],
) -> Row | None:
    """Set columns of an experiment that is in one of the expected states.

    Args:
        state: The transaction.
        experiment_id: The experiment.
        expected: The states it may be in.
        values: By column; ``version`` is counted here.

    Returns:
        The row as it is now; None when there is no such experiment in such a state, and nothing
        was changed.
    """
    changed = state.rows(
        experiments.update()
        .where(_EXPERIMENTS.experiment_id == experiment_id, _EXPERIMENTS.status.in_(expected))
        .values({**values, "version": _EXPERIMENTS.version + 1})
        .returning(*_EXPERIMENTS)
    )
    return changed[0] if changed else None


def add_assignment(state: StateTransaction, row: Row) -> None:
    """Insert an assignment.

    Raises:
        AssignmentTakenError: Its place in the stratum, its subject or its id is taken. The
            transaction is lost then.
    """
    try:
        state.execute(experiment_assignments.insert(), [row])
    except sa.exc.IntegrityError as error:
        raise AssignmentTakenError(
            f"Another process assigned place {row['position']} of {row['stratum']} in "
            f"{row['experiment_id']}, or the same subject, a moment earlier: try again."
        ) from error


def assignments_of_draws(state: StateTransaction, draw_ids: Collection[str]) -> list[Row]:
    """The assignments that draws were given, whatever became of their experiments."""
    return state.rows(
        sa.select(experiment_assignments)
        .where(_ASSIGNMENTS.draw_id.in_(draw_ids))
        .order_by(_ASSIGNMENTS.assigned_at, _ASSIGNMENTS.assignment_id)
    )


def assignment_rows(settings: Settings, experiment_id: str) -> list[Row]:
    """The assignments of an experiment in the order they were made."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return assignment_rows_in(state, experiment_id)


def assignment_rows_in(state: StateTransaction, experiment_id: str) -> list[Row]:
    """As :func:`assignment_rows`, inside a transaction."""
    return state.rows(
        sa.select(experiment_assignments)
        .where(_ASSIGNMENTS.experiment_id == experiment_id)
        .order_by(
            _ASSIGNMENTS.assigned_at,
            _ASSIGNMENTS.stratum,
            _ASSIGNMENTS.position,
            _ASSIGNMENTS.assignment_id,
        )
    )


def add_event(
    state: StateTransaction,
    experiment_id: str,
    event: str,
    *,
    happened_at: datetime,
    key: str = "",
    done_by: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Write down what happened to an experiment, once.

    Args:
        state: The transaction.
        experiment_id: The experiment.
        event: What happened, in a word.
        happened_at: When.
        key: Tells events of the same word apart, such as the name of an arm; "" for one that
            happens to an experiment only once.
        done_by: Who did it; None: the hourly job.
        details: What else there is to know.

    Returns:
        False when it was written down before; nothing was changed then.
    """
    event_id = event_id_of(experiment_id, event, key)
    if state.rows(sa.select(_EVENTS.event_id).where(_EVENTS.event_id == event_id)):
        return False
    row = {
        "event_id": event_id,
        "experiment_id": experiment_id,
        "event": event,
        "happened_at": happened_at,
        "done_by": done_by,
        "details": None if details is None else dict(details),
    }
    state.execute(experiment_events.insert(), [row])
    return True


def event_id_of(experiment_id: str, event: str, key: str = "") -> str:
    """The id of an event: the same event of the same experiment has the same one."""
    told = json.dumps([experiment_id, event, key])
    return f"xev_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def event_rows(settings: Settings, experiment_id: str) -> list[Row]:
    """What happened to an experiment, in order."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return event_rows_in(state, experiment_id)


def event_rows_in(state: StateTransaction, experiment_id: str) -> list[Row]:
    """As :func:`event_rows`, inside a transaction."""
    return state.rows(
        sa.select(experiment_events)
        .where(_EVENTS.experiment_id == experiment_id)
        .order_by(_EVENTS.happened_at, _EVENTS.event_id)
    )
