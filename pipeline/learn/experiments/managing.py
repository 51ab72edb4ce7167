"""Running experiments without a person: start, read, conclude, propose.

Everything that follows from one step is one transaction of the state database, whose first
statement moves the experiment on: a process that is killed leaves a step done or not done, and two
at once make it once. Readings are made anew from the posts each time, so nothing has to be
remembered between two runs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.accounts import account_names, load_account
from pipeline.clients.state import StateTransaction, state_exists, writing_state
from pipeline.clients.state_experiments import (
    Row,
    add_event,
    assignment_rows,
    change_experiment,
    experiment_rows,
)
from pipeline.clients.warehouse import reading
from pipeline.errors import AfterpostError, NothingPublishedError
from pipeline.learn.experiments.gaps import propose
from pipeline.learn.experiments.reading import primary_series, read_posts
from pipeline.learn.experiments.readings import ExperimentReading
from pipeline.learn.experiments.registration import (
    ChangedRegistrationError,
    Registration,
    Status,
    load,
)
from pipeline.learn.experiments.units import posts_of, version_of
from pipeline.learn.experiments.verdicts import Verdict
from pipeline.learn.experiments.winner import Proposed, recommend_winner
from pipeline.learn.exploration import explore
from pipeline.learn.pace import posts_per_week
from pipeline.learn.recommend import base_context
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.learn.recommend.recommendation import Status as RecommendationStatus
from pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

QUARTERS = (25, 50, 75)
"""Percent of the planned posts at which the event log says how far an experiment is."""


@dataclass
class Managed:
    """What one run did; ids of experiments."""

    started: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    """Read, and going on."""
    concluded: list[str] = field(default_factory=list)
    """Of them, without those that are invalid."""
    invalid: list[str] = field(default_factory=list)
    recommended: list[str] = field(default_factory=list)
    """Recommendations that were proposed, by their own ids."""
    approved: list[str] = field(default_factory=list)
    """Recommendations that an account's policy approved, filled by who applies policies."""
    proposed: list[str] = field(default_factory=list)
    """Experiments that were proposed because nobody knows what they would show."""
    lines: list[str] = field(default_factory=list)
    """What happened, a sentence each."""
    problems: list[str] = field(default_factory=list)
    """What kept an experiment from being read; the next run tries again."""


def manage(settings: Settings, now: datetime, *, with_proposals: bool = True) -> Managed:
    """Start what is registered, read what runs, conclude what has ended, propose what to try.

    Safe to kill at any moment, and to run twice or at once.

    Args:
        settings: Where everything is.
        now: The moment, with its zone.
        with_proposals: Whether to look for segments that are worth an experiment.

    Raises:
        ConfigurationError: The state database cannot be used.
    """
    done = Managed()
    if state_exists(settings):
        for row in reversed(experiment_rows(settings, statuses=[Status.REGISTERED])):
            _start(settings, row, now, done)
        _read_all(settings, now, done)
    if with_proposals:
        _propose_all(settings, now, done)
    return done


def _start(settings: Settings, row: Row, now: datetime, done: Managed) -> None:
    experiment_id = row["experiment_id"]
    with writing_state(settings) as state:
        changed = change_experiment(
            state,
            experiment_id,
            expected=[Status.REGISTERED],
            values={"status": Status.RUNNING.value, "started_at": now},
        )
        if changed is None:
            return
        add_event(state, experiment_id, "started", happened_at=now)
    done.started.append(experiment_id)
    done.lines.append(f"{experiment_id} of {row['account_name']} has started.")


def _read_all(settings: Settings, now: datetime, done: Managed) -> None:
    import duckdb

    running = list(reversed(experiment_rows(settings, statuses=[Status.RUNNING])))
    if not running:
        return
    try:
        with reading(settings) as connection:
            for row in running:
                try:
                    _read(settings, connection, row, now, done)
                except (AfterpostError, duckdb.Error) as error:
                    done.problems.append(f"{row['experiment_id']}: {error}")
    except NothingPublishedError:
        done.running += [row["experiment_id"] for row in running]
    except duckdb.Error as error:  # the copy itself
        done.problems.append(str(error))


def _read(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    row: Row,
    now: datetime,
    done: Managed,
) -> None:
    try:
        registration = load(row)
    except ChangedRegistrationError as error:
        _conclude(settings, row, Verdict.INVALID, str(error), None, None, now, done)
        return
    assignments = assignment_rows(settings, registration.experiment_id)
    posts = posts_of(connection, registration)
    found = read_posts(registration, assignments, posts, now, version_of(connection))
    _note_progress(settings, found, now)
    if found.verdict is Verdict.KEEP_GOING:
        done.running.append(registration.experiment_id)
        return
    proposed = None
    if found.verdict is Verdict.WINNER:
        assert found.ended_at is not None, "a winner was found at a look"
        series = primary_series(registration, assignments, posts, found.ended_at)
        account = load_account(settings.accounts_dir, registration.account_name)
        proposed = recommend_winner(
            connection, registration, found, series, base_context(settings, account), now=now
        )
        proposed = _with_pace(connection, registration, proposed, [f.name for f in account.formats])
    _conclude(settings, row, found.verdict, found.because, found, proposed, now, done)


def _with_pace(
    connection: "duckdb.DuckDBPyConnection",
    registration: Registration,
    proposed: Proposed,
    formats: list[str],
) -> Proposed:
    """With what tells how soon a verdict on the change may come, and what exploration goes by."""
    if proposed.recommendation is None:
        return proposed
    name = registration.account_name
    return Proposed(
        proposed.recommendation.model_copy(
            update={
                "format_posteriors": explore(connection, name, formats).to_json() or None,
                "posts_per_week": posts_per_week(connection, name).get(registration.platform),
            }
        )
    )


def _note_progress(settings: Settings, found: ExperimentReading, now: datetime) -> None:
    percent = 100 * found.progress
    passed = [str(quarter) for quarter in QUARTERS if percent >= quarter]
    fixed = [one for one in found.contrasts if one.fixed is not None]
    if not passed and not fixed:
        return
    with writing_state(settings) as state:
        for quarter in passed:
            add_event(
                state,
                found.experiment_id,
                "progress",
                key=quarter,
                happened_at=now,
                details={"percent": int(quarter)},
            )
        for one in fixed:
            assert one.fixed is not None
            add_event(
                state,
                found.experiment_id,
                "planned_end",
                key=f"{one.usual}\n{one.tried}",
                happened_at=now,
                details={
                    "usual": one.usual,
                    "tried": one.tried,
                    "p_value_fixed": one.fixed.p_value,
                    "p_value_fixed_adjusted": one.fixed.p_value_adjusted,
                },
            )


def _conclude(
    settings: Settings,
    row: Row,
    verdict: Verdict,
    because: str,
    found: ExperimentReading | None,
    proposed: Proposed | None,
    now: datetime,
    done: Managed,
) -> None:
    experiment_id = row["experiment_id"]
    recommendation = None if proposed is None else proposed.recommendation
    values: dict[str, Any] = {
        "status": Status.CONCLUDED.value,
        "concluded_at": now,
        "verdict": verdict.value,
        "because": because,
        "result": None if found is None else found.to_json(),
        "recommendation_id": None if recommendation is None else recommendation.recommendation_id,
    }
    with writing_state(settings) as state:
        changed = change_experiment(state, experiment_id, expected=[Status.RUNNING], values=values)
        if changed is None:  # stopped by a person, or concluded by another run
            return
        details = {
            "verdict": verdict.value,
            "winner": None if found is None else found.winner,
            "because": because,
        }
        add_event(state, experiment_id, "concluded", happened_at=now, details=details)
        if recommendation is not None:
            _recommend(state, experiment_id, recommendation, now)
        elif proposed is not None:
            add_event(
                state,
                experiment_id,
                "not_recommended",
                happened_at=now,
                details={"because": proposed.reason},
            )
    (done.invalid if verdict is Verdict.INVALID else done.concluded).append(experiment_id)
    word = verdict.value.replace("_", " ")
    done.lines.append(f"{experiment_id} of {row['account_name']} has ended: {word}. {because}")
    if recommendation is not None:
        done.recommended.append(recommendation.recommendation_id)
        done.lines.append(f"{recommendation.recommendation_id}: {recommendation.headline}")


def _recommend(
    state: StateTransaction, experiment_id: str, made: Recommendation, now: datetime
) -> None:
    """Store a recommendation; what was proposed of the same from other posts is set aside."""
    details: dict[str, Any] = {"recommendation_id": made.recommendation_id}
    for other in state.recommendations(
        made.account_name, status=RecommendationStatus.PENDING.value
    ):
        if (other["category"], other["target"]) == (made.category.value, made.target):
            state.settle_recommendation(
                other["recommendation_id"],
                status=RecommendationStatus.SUPERSEDED.value,
                decided_at=now,
            )
            details["instead_of"] = other["recommendation_id"]
    state.add_recommendations([made.to_row()])
    add_event(state, experiment_id, "recommended", happened_at=now, details=details)


def _propose_all(settings: Settings, now: datetime, done: Managed) -> None:
    for name in account_names(settings.accounts_dir):
        try:
            made = propose(settings, name, now)
        except NothingPublishedError:
            return
        except AfterpostError as error:
            done.problems.append(f"{name}: {error}")
            continue
        for registration, sentence in made:
            done.proposed.append(registration.experiment_id)
            done.lines.append(f"{registration.experiment_id} of {name} is proposed: {sentence}")
