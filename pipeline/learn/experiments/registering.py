"""Storing an experiment, and a person's word about one."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.clients.state import StateTransaction, writing_state
from pipeline.clients.state_experiments import (
    add_event,
    add_experiment,
    change_experiment,
    experiment_row_in,
    experiment_rows_in,
)
from pipeline.errors import AfterpostError
from pipeline.learn.experiments.registration import (
    ACTIVE,
    ChangedRegistrationError,
    Origin,
    Registration,
    Status,
    load,
)
from pipeline.settings import Settings


class ExperimentError(AfterpostError):
    """Something that cannot be done with an experiment, with the reason."""


class ExperimentNotFoundError(ExperimentError):
    """There is no such experiment."""


class RefusedDesignError(ExperimentError):
    """A design that could not answer its question.

    Attributes:
        reasons: All that speak against it, a sentence each.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(self.reasons))


class Word(StrEnum):
    """What a person may say about an experiment."""

    APPROVE = "approve"
    REJECT = "reject"
    STOP = "stop"


_DECIDABLE: Mapping[Word, tuple[Status, ...]] = {
    Word.APPROVE: (Status.PROPOSED,),
    Word.REJECT: (Status.PROPOSED,),
    Word.STOP: ACTIVE,
}
_AFTERWARDS: Mapping[Word, tuple[Status, str]] = {
    Word.APPROVE: (Status.REGISTERED, "approved"),
    Word.REJECT: (Status.REJECTED, "rejected"),
    Word.STOP: (Status.STOPPED, "stopped"),
}


def not_found(experiment_id: str) -> ExperimentNotFoundError:
    """The error for an id that no experiment has."""
    return ExperimentNotFoundError(
        f"There is no experiment {experiment_id!r}: `afterpost experiment list` shows them all."
    )


def new_experiment_id() -> str:
    """An id that no other experiment has."""
    return f"exp_{secrets.token_hex(6)}"


def store(settings: Settings, registration: Registration) -> None:
    """Write an experiment down: proposed where a gap asked for it, otherwise registered.

    Raises:
        RefusedDesignError: Another experiment of the profile fixes the same dimension.
    """
    is_proposal = registration.origin == Origin.GAP
    status = Status.PROPOSED if is_proposal else Status.REGISTERED
    with writing_state(settings) as state:
        if not is_proposal:
            _refuse_overlap(state, registration)
        add_experiment(
            state,
            {
                "experiment_id": registration.experiment_id,
                "account_name": registration.account_name,
                "platform": registration.platform,
                "status": status.value,
                "origin": registration.origin,
                "registration": registration.to_json(),
                "registration_sha256": registration.sha256(),
                "created_by": registration.created_by,
                "created_at": registration.created_at,
            },
        )
        add_event(
            state,
            registration.experiment_id,
            status.value,
            happened_at=registration.created_at,
            done_by=registration.created_by,
            details={"registration_sha256": registration.sha256()},
        )


def decide_experiment(
    settings: Settings,
    experiment_id: str,
    word: Word | str,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
) -> dict[str, Any]:
    """Approve or reject a proposed experiment, or stop one that is registered or running.

    Saying the same word twice is the same as saying it once.

    Args:
        settings: Where the state database is.
        experiment_id: The experiment.
        word: What is decided.
        by: Who decides.
        now: When.
        note: Why; kept as the reason of a rejection or stop.

    Returns:
        The row of ``experiments`` afterwards.

    Raises:
        ExperimentNotFoundError: There is no such experiment.
        RefusedDesignError: Approved while another experiment fixes the same dimension.
        ExperimentError: The experiment is in a state in which this cannot be decided.
    """
    word = Word(word)
    status, event = _AFTERWARDS[word]
    values: dict[str, Any] = {"status": status.value, "decided_by": by, "decided_at": now}
    if word is not Word.APPROVE:
        values["because"] = note or f"{event.capitalize()} by {by}."
    if word is Word.STOP:
        values["concluded_at"] = now
    with writing_state(settings) as state:
        changed = change_experiment(state, experiment_id, expected=_DECIDABLE[word], values=values)
        if changed is None:
            return _as_before(state, experiment_id, word)
        if word is Word.APPROVE:
            _refuse_overlap(state, load(changed))
        add_event(
            state,
            experiment_id,
            event,
            happened_at=now,
            done_by=by,
            details={"note": note} if note else None,
        )
        return changed


def _as_before(state: StateTransaction, experiment_id: str, word: Word) -> dict[str, Any]:
    row = experiment_row_in(state, experiment_id)
    if row is None:
        raise not_found(experiment_id)
    if word is Word.APPROVE:
        is_same = row["origin"] == Origin.GAP and row["status"] in ACTIVE
    else:
        is_same = row["status"] == _AFTERWARDS[word][0]
    if is_same:
        return row
    needed = " or ".join(_DECIDABLE[word])
    raise ExperimentError(
        f"{experiment_id} is {row['status']}; only one that is {needed} can be "
        f"{_AFTERWARDS[word][1]}."
    )


def overlapping(
    dimensions: Collection[str], rows: Iterable[Mapping[str, Any]], experiment_id: str | None = None
) -> list[str]:
    """Why an experiment cannot run beside others of its profile, a sentence each.

    Args:
        dimensions: What the new one's arms fix.
        rows: The registered and running experiments of the profile.
        experiment_id: The new one's id, which is no other.
    """
    reasons = []
    for row in rows:
        if row["experiment_id"] == experiment_id:
            continue
        try:
            shared = load(row).dimensions & set(dimensions)
        except ChangedRegistrationError:
            continue  # it is going to be ended as invalid
        if shared:
            reasons.append(
                f"{row['experiment_id']} is {row['status']} on {row['platform']} and fixes "
                f"{' and '.join(sorted(shared))} too: wait for its end or stop it."
            )
    return reasons


def _refuse_overlap(state: StateTransaction, registration: Registration) -> None:
    rows = experiment_rows_in(
        state, accounts=[registration.account_name], platform=registration.platform, statuses=ACTIVE
    )
    reasons = overlapping(registration.dimensions, rows, registration.experiment_id)
    if reasons:
        raise RefusedDesignError(reasons)
