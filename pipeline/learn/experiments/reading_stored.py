"""Reading experiments that are stored: what a person, a page or a program asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.clients.state_experiments import Row, assignment_rows, event_rows, experiment_row
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_text
from pipeline.errors import NothingPublishedError
from pipeline.learn.experiments.reading import read_experiment
from pipeline.learn.experiments.readings import ExperimentReading
from pipeline.learn.experiments.registering import ExperimentNotFoundError
from pipeline.learn.experiments.registration import (
    METRICS,
    ChangedRegistrationError,
    Registration,
    Status,
    load,
)
from pipeline.settings import Settings


@dataclass(frozen=True)
class StoredExperiment:
    """An experiment as it stands.

    Attributes:
        row: Of the table ``experiments``.
        registration: None where the stored one was changed.
        reading: What its posts say now; of one that has ended, what was said then is in the row.
            None before it runs, where nothing is published, and where the registration was changed.
        events: What happened, in order.
        assignment_count: Posts that were drawn for it.
        problem: Why there is no registration, in a sentence.
    """

    row: Row
    registration: Registration | None
    reading: ExperimentReading | None
    events: list[Row]
    assignment_count: int
    problem: str | None

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What it says: of one that has ended what was said then, else what is said now."""
        stored = self.row["result"]
        if stored is not None:
            return dict(stored)
        return None if self.reading is None else self.reading.to_json()


def read_stored(settings: Settings, experiment_id: str, now: datetime) -> StoredExperiment:
    """An experiment with its reading of this moment.

    Args:
        settings: Where everything is.
        experiment_id: The experiment.
        now: The moment, with its zone.

    Raises:
        ExperimentNotFoundError: There is no such experiment.
    """
    row = experiment_row(settings, experiment_id)
    if row is None:
        raise ExperimentNotFoundError(
            f"There is no experiment {experiment_id}: `afterpost experiment list` shows them all."
        )
    events = event_rows(settings, experiment_id)
    assignments = assignment_rows(settings, experiment_id)
    try:
        registration = load(row)
    except ChangedRegistrationError as error:
        return StoredExperiment(row, None, None, events, len(assignments), str(error))
    found = None
    if row["status"] not in (Status.PROPOSED, Status.REJECTED):
        # Of one that has ended: as it stood at its end.
        moment = now if row["concluded_at"] is None else row["concluded_at"]
        try:
            with reading(settings) as connection:
                found = read_experiment(connection, registration, assignments, moment)
        except NothingPublishedError:
            found = None
    return StoredExperiment(row, registration, found, events, len(assignments), None)


def analyze_test_results(settings: Settings, experiment_id: str, now: datetime) -> dict[str, Any]:
    """What an experiment says, as plain JSON: the arms, the contrasts, and what to do.

    Args:
        settings: Where everything is.
        experiment_id: The experiment.
        now: The moment, with its zone.

    Raises:
        ExperimentNotFoundError: There is no such experiment.
    """
    stored = read_stored(settings, experiment_id, now)
    row, registration = stored.row, stored.registration
    result = stored.result
    verdict, because = row["verdict"], row["because"]
    if verdict is None and stored.problem is not None:
        verdict, because = "invalid", stored.problem
    elif verdict is None and result is not None and row["status"] != Status.STOPPED:
        verdict, because = result["verdict"], result["because"]
    return {
        "experiment_id": experiment_id,
        "account": row["account_name"],
        "platform": row["platform"],
        "status": row["status"],
        "question": None if registration is None else registration.question,
        "metric": None if registration is None else registration.metric,
        "metric_words": None if registration is None else METRICS[registration.metric].label,
        "verdict": verdict,
        "winner": None if result is None else result["winner"],
        "because": because,
        "is_final": row["verdict"] is not None,
        "posts_drawn": stored.assignment_count,
        "result": result,
        "recommendation_id": row["recommendation_id"],
        "events": [
            {
                "event": event["event"],
                "happened_at": utc_text(event["happened_at"]),
                "done_by": event["done_by"],
                "details": event["details"],
            }
            for event in stored.events
        ],
    }


# Its name begins as those that pytest collects do.
analyze_test_results.__test__ = False  # type: ignore[attr-defined]
