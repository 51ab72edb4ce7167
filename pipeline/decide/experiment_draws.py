"""Draws that join running experiments: each is assigned to an arm, once, whatever happens.

An assignment is kept before its brief is shown, in one transaction with all others of the same
call. A draw that was killed in between, or is repeated, has the same id and finds its assignment.
Where two processes want the same place in a stratum, the database takes one of them, and the other
goes on from there. What is assigned and never posted stays assigned: arms are balanced by what was
dealt, so that nobody can undo a draw that they do not like.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_experiments import (
    AssignmentTakenError,
    Row,
    add_assignment,
    assignment_rows_in,
    assignments_of_draws,
    experiment_row_in,
    experiment_rows_in,
)
from pipeline.decide.briefs import Arm, Assignment, Brief, Experiment, Joining
from pipeline.decide.draw import checked_seed, draw, draw_ids, joining
from pipeline.decide.draw_sources import Sources, read_sources, readable_context
from pipeline.decide.experiment_arms import next_arm, plain_subject, stratum_of
from pipeline.errors import UsageError
from pipeline.learn.experiments.registration import (
    ChangedRegistrationError,
    Registration,
    Status,
    load,
)
from pipeline.settings import Settings

_MOST_TRIES = 100
"""How often another process may be faster; each time it has made an assignment itself."""
_LONGEST_SUBJECT = 500
"""Characters; it is part of a key, and a key of PostgreSQL holds 2,700 bytes."""


@dataclass(frozen=True)
class DrawRequest:
    """What is asked of a draw."""

    number: int = 1
    seed: int | None = None
    """For the same briefs again; a new one when left out."""
    platform: Platform | None = None
    """Join experiments of this platform only."""
    planned_at: datetime | None = None
    """When the posts are to go out, with its zone; now when left out."""
    subject: str | None = None
    """What the post is about; one subject makes one post of an experiment."""


@dataclass(frozen=True)
class Drawn:
    """What came of a draw."""

    briefs: tuple[Brief, ...]
    notes: tuple[str, ...]
    """A sentence per experiment that cannot be joined though it runs."""


@dataclass(frozen=True)
class _Running:
    """The experiments of a draw, read in its transaction."""

    registrations: Mapping[str, Registration]
    """By id; those that run, and those that an earlier try of the same draw was assigned in."""
    running: frozenset[str]
    notes: tuple[str, ...]

    def experiments(self, *, running: bool) -> list[Experiment]:
        """Those that draws may join, or those that they no longer may."""
        return [
            _experiment(registration)
            for experiment_id, registration in self.registrations.items()
            if (experiment_id in self.running) is running
        ]


def draw_for_account(
    settings: Settings, account: AccountConfig, request: DrawRequest, now: datetime
) -> Drawn:
    """Draw briefs; those that join a running experiment are assigned to one of its arms.

    Raises:
        ContextError: The context or account file is missing or cannot be read.
        UsageError: What is asked for cannot be drawn, or the subject was used in an experiment
            that runs: another one is to be given.
    """
    folder = settings.accounts_dir / account.name
    seed = checked_seed(request.number, request.seed)
    subject = None if request.subject is None else plain_subject(request.subject)
    _check_subject(subject, request)
    sources = read_sources(folder)
    with readable_context(folder):
        ids = draw_ids(sources, n=request.number, seed=seed)
    found = _Running({}, frozenset(), ())
    assignments: dict[str, Assignment] = {}
    if _concerns_experiments(settings, account, request.platform, ids):
        asked = _Asked(account, folder, sources, request, seed, ids, subject, now)
        found, assignments = _assigned(settings, asked)
    with readable_context(folder):
        briefs = draw(
            sources.context,
            sources.account,
            previous=sources.previous,
            n=request.number,
            seed=seed,
            experiments=found.experiments(running=True),
            former=found.experiments(running=False),
            assignments=assignments,
        )
    return Drawn(tuple(briefs), found.notes)


@dataclass(frozen=True)
class _Asked:
    """A request with everything that it left open."""

    account: AccountConfig
    folder: Path
    sources: Sources
    request: DrawRequest
    seed: int
    draw_ids: list[str]
    subject: str | None
    now: datetime


def _check_subject(subject: str | None, request: DrawRequest) -> None:
    if subject is None:
        return
    if not subject:
        raise UsageError("The subject is empty: say what the post is about, or leave it out.")
    if len(subject) > _LONGEST_SUBJECT:
        raise UsageError(
            f"The subject has {len(subject)} characters: say what the post is about in "
            f"{_LONGEST_SUBJECT} or fewer."
        )
    if request.number > 1:
        raise UsageError(
            f"One subject makes one post, and {request.number} briefs were asked for: draw one "
            "brief per subject."
        )


def _concerns_experiments(
    settings: Settings, account: AccountConfig, platform: Platform | None, ids: Collection[str]
) -> bool:
    if not state_exists(settings):
        return False
    with reading_state(settings) as state:
        return bool(_running_rows(state, account, platform) or assignments_of_draws(state, ids))


def _running_rows(
    state: StateTransaction, account: AccountConfig, platform: Platform | None
) -> list[Row]:
    return experiment_rows_in(
        state,
        accounts=[account.name],
        statuses=[Status.RUNNING.value],
        platform=None if platform is None else platform.value,
    )


def _assigned(settings: Settings, asked: _Asked) -> tuple[_Running, dict[str, Assignment]]:
    """The experiments and the assignments of the request's draws by draw id, kept."""
    tries = 0
    while True:
        try:
            with writing_state(settings) as state:
                return _assign(state, asked)
        except AssignmentTakenError:
            tries += 1
            if tries == _MOST_TRIES:
                raise


def _assign(state: StateTransaction, asked: _Asked) -> tuple[_Running, dict[str, Assignment]]:
    found, rows = _experiments(state, asked)
    taken = {one: assignment_rows_in(state, one) for one in sorted(found.running)}
    if asked.subject is not None:
        _refuse_used_subject(asked.subject, asked.draw_ids[0], rows, taken)
    with readable_context(asked.folder):
        wanted = joining(
            asked.sources,
            n=asked.request.number,
            seed=asked.seed,
            experiments=found.experiments(running=True),
        )
    for one in wanted:
        if one.draw_id not in rows:
            earlier = taken[one.experiment_id]
            row = _new_row(found.registrations[one.experiment_id], one, earlier, asked)
            add_assignment(state, row)
            rows[one.draw_id] = row
            earlier.append(row)
    return found, {
        draw_id: Assignment(row["assignment_id"], row["experiment_id"], row["arm"])
        for draw_id, row in rows.items()
    }


def _experiments(state: StateTransaction, asked: _Asked) -> tuple[_Running, dict[str, Row]]:
    """The experiments of the draws, and the assignments that were made before, by draw id."""
    before = {row["draw_id"]: row for row in assignments_of_draws(state, asked.draw_ids)}
    rows = _running_rows(state, asked.account, asked.request.platform)
    running = {row["experiment_id"] for row in rows}
    for experiment_id in sorted({row["experiment_id"] for row in before.values()} - running):
        row = experiment_row_in(state, experiment_id)
        rows += [] if row is None else [row]
    registrations, notes = {}, []
    for row in rows:
        try:
            registrations[row["experiment_id"]] = load(row)
        except ChangedRegistrationError as error:
            notes.append(f"{error} No draw joins it.")
    kept = {
        draw_id: row for draw_id, row in before.items() if row["experiment_id"] in registrations
    }
    return _Running(registrations, frozenset(running & registrations.keys()), tuple(notes)), kept


def _refuse_used_subject(
    subject: str,
    draw_id: str,
    before: Mapping[str, Row],
    taken: Mapping[str, Sequence[Row]],
) -> None:
    """Ask for another subject, whether or not this draw would join.

    If only the draws that join were refused, what is drawn with a used subject would be a selection
    with other probabilities than stated; and its post would meet the same audience again.
    """
    own = before.get(draw_id)
    if own is not None and own["subject"] != subject:
        raise UsageError(
            f"Draw {draw_id} was made for "
            f"{'no subject' if own['subject'] is None else repr(own['subject'])}: leave --topic "
            "as it was, or draw with another seed."
        )
    for experiment_id, rows in taken.items():
        if any(row["subject"] == subject and row["draw_id"] != draw_id for row in rows):
            raise UsageError(
                f"The subject {subject!r} was already used in {experiment_id}, and one subject is "
                "never shown twice to the same audience: give another one with --topic."
            )


def _new_row(
    registration: Registration,
    wanted: Joining,
    earlier: Sequence[Row],
    asked: _Asked,
) -> Row:
    local = (asked.request.planned_at or asked.now).astimezone(asked.account.zone)
    stratum = stratum_of(
        local, wanted.daypart, is_daypart_tried="daypart" in registration.dimensions
    )
    position = sum(row["stratum"] == stratum for row in earlier)
    told = json.dumps([registration.experiment_id, wanted.draw_id])
    return {
        "assignment_id": f"asg_{hashlib.sha256(told.encode()).hexdigest()[:12]}",
        "experiment_id": registration.experiment_id,
        "arm": next_arm(
            [arm.name for arm in registration.arms],
            registration.seed,
            stratum,
            position,
            [(row["stratum"], row["arm"]) for row in earlier],
        ),
        "stratum": stratum,
        "position": position,
        "subject": asked.subject,
        "draw_id": wanted.draw_id,
        "assigned_at": asked.now,
    }


def _experiment(registration: Registration) -> Experiment:
    return Experiment(
        registration.experiment_id,
        registration.platform,
        tuple(Arm(arm.name, arm.choices, arm.instructions) for arm in registration.arms),
        registration.draw_share,
    )
