"""What the state keeps of experiments, and what people may say about them."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiment_tables import experiments
from pipeline.clients.state_experiments import (
    AssignmentTakenError,
    add_assignment,
    add_event,
    assignment_rows,
    change_experiment,
    event_rows,
    experiment_row,
    experiment_rows,
)
from pipeline.learn.experiments.registering import (
    ExperimentError,
    ExperimentNotFoundError,
    RefusedDesignError,
    decide_experiment,
    store,
)
from pipeline.learn.experiments.registration import ChangedRegistrationError, Status
from pipeline.settings import Settings
from tests.learn.experiments.hand_made import registration

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
REGISTRATION = registration(account_name="sleepy", created_by="ann", created_at=NOW)
PROPOSAL = replace(REGISTRATION, experiment_id="exp_00000000000a", origin="gap")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def row_of(settings: Settings, experiment_id: str = REGISTRATION.experiment_id) -> dict[str, Any]:
    row = experiment_row(settings, experiment_id)
    assert row is not None
    return row


def test_what_a_person_asks_for_is_registered_and_what_a_gap_asks_for_waits(settings):
    store(settings, PROPOSAL)
    store(settings, REGISTRATION)

    assert row_of(settings)["status"] == Status.REGISTERED
    assert row_of(settings, PROPOSAL.experiment_id)["status"] == Status.PROPOSED
    (event,) = event_rows(settings, REGISTRATION.experiment_id)
    assert (event["event"], event["done_by"]) == ("registered", "ann")
    assert event["details"] == {"registration_sha256": REGISTRATION.sha256()}


def test_two_experiments_on_one_dimension_of_a_profile_are_refused(settings):
    store(settings, REGISTRATION)

    with pytest.raises(RefusedDesignError, match="fixes hook_style too"):
        store(settings, replace(REGISTRATION, experiment_id="exp_000000000002"))
    assert len(experiment_rows(settings)) == 1


@pytest.mark.parametrize("changed", [{"platform": "youtube"}, {"account_name": "other"}])
def test_another_profile_is_not_in_the_way(settings, changed):
    store(settings, REGISTRATION)

    store(settings, replace(REGISTRATION, experiment_id="exp_000000000002", **changed))

    assert len(experiment_rows(settings)) == 2


@pytest.mark.parametrize("word", ["stop", "conclude"])
def test_an_experiment_that_is_over_is_not_in_the_way(settings, word):
    store(settings, REGISTRATION)
    if word == "stop":
        decide_experiment(settings, REGISTRATION.experiment_id, "stop", by="ann", now=NOW)
    else:
        with writing_state(settings) as state:
            change_experiment(
                state,
                REGISTRATION.experiment_id,
                expected=[Status.REGISTERED],
                values={"status": Status.CONCLUDED.value},
            )

    store(settings, replace(REGISTRATION, experiment_id="exp_000000000002"))


def test_a_proposal_is_approved_once_and_by_one(settings):
    store(settings, PROPOSAL)
    later = NOW + timedelta(hours=1)

    first = decide_experiment(settings, PROPOSAL.experiment_id, "approve", by="ann", now=NOW)
    again = decide_experiment(settings, PROPOSAL.experiment_id, "approve", by="bob", now=later)

    assert first == again
    assert (first["status"], first["decided_by"], first["decided_at"]) == ("registered", "ann", NOW)
    events = event_rows(settings, PROPOSAL.experiment_id)
    assert sorted(event["event"] for event in events) == ["approved", "proposed"]


def test_a_proposal_cannot_be_approved_beside_one_that_fixes_the_same(settings):
    store(settings, PROPOSAL)
    store(settings, REGISTRATION)

    with pytest.raises(RefusedDesignError, match=REGISTRATION.experiment_id):
        decide_experiment(settings, PROPOSAL.experiment_id, "approve", by="ann", now=NOW)

    row = row_of(settings, PROPOSAL.experiment_id)
    assert (row["status"], row["decided_by"], row["version"]) == ("proposed", None, 1)
    assert len(event_rows(settings, PROPOSAL.experiment_id)) == 1


def test_a_proposal_that_was_changed_is_not_approved(settings):
    store(settings, PROPOSAL)
    with writing_state(settings) as state:
        state.execute(experiments.update().values(registration={**PROPOSAL.to_json(), "alpha": 1}))

    with pytest.raises(ChangedRegistrationError):
        decide_experiment(settings, PROPOSAL.experiment_id, "approve", by="ann", now=NOW)
    assert row_of(settings, PROPOSAL.experiment_id)["status"] == "proposed"


def test_a_rejected_proposal_keeps_its_reason_and_stays_rejected(settings):
    store(settings, PROPOSAL)

    row = decide_experiment(
        settings, PROPOSAL.experiment_id, "reject", by="ann", now=NOW, note="not now"
    )

    assert (row["status"], row["because"]) == ("rejected", "not now")
    with pytest.raises(ExperimentError, match="only one that is proposed can be approved"):
        decide_experiment(settings, PROPOSAL.experiment_id, "approve", by="ann", now=NOW)


@pytest.mark.parametrize("is_running", [False, True])
def test_a_person_may_stop_what_is_registered_or_runs(settings, is_running):
    store(settings, REGISTRATION)
    if is_running:
        with writing_state(settings) as state:
            change_experiment(
                state,
                REGISTRATION.experiment_id,
                expected=[Status.REGISTERED],
                values={"status": Status.RUNNING.value, "started_at": NOW},
            )

    row = decide_experiment(settings, REGISTRATION.experiment_id, "stop", by="ann", now=NOW)

    assert (row["status"], row["because"], row["concluded_at"]) == (
        "stopped",
        "Stopped by ann.",
        NOW,
    )


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_what_was_registered_is_past_approval(settings, word):
    store(settings, REGISTRATION)

    with pytest.raises(ExperimentError, match="is registered; only one that is proposed"):
        decide_experiment(settings, REGISTRATION.experiment_id, word, by="ann", now=NOW)


def test_nothing_can_be_said_about_an_experiment_that_is_not_there(settings):
    with pytest.raises(ExperimentNotFoundError, match="experiment list"):
        decide_experiment(settings, "exp_nope", "stop", by="ann", now=NOW)


def test_a_change_from_a_state_that_is_gone_changes_nothing(settings):
    store(settings, REGISTRATION)

    with writing_state(settings) as state:
        changed = change_experiment(
            state,
            REGISTRATION.experiment_id,
            expected=[Status.RUNNING],
            values={"status": Status.CONCLUDED.value},
        )

    assert changed is None
    assert row_of(settings)["version"] == 1


def test_an_event_is_told_once(settings):
    store(settings, REGISTRATION)

    with writing_state(settings) as state:
        told = [
            add_event(
                state, REGISTRATION.experiment_id, "reached", happened_at=NOW, key=key, details={}
            )
            for key in ("25", "25", "50")
        ]

    assert told == [True, False, True]
    assert len(event_rows(settings, REGISTRATION.experiment_id)) == 3


def test_a_place_and_a_subject_are_given_once(settings):
    store(settings, REGISTRATION)
    row = {
        "assignment_id": "asg_1",
        "experiment_id": REGISTRATION.experiment_id,
        "arm": "usual",
        "stratum": "3/evening",
        "position": 0,
        "subject": "naps",
        "draw_id": None,
        "assigned_at": NOW,
    }
    with writing_state(settings) as state:
        add_assignment(state, row)
        add_assignment(state, {**row, "assignment_id": "asg_2", "position": 1, "subject": None})
        add_assignment(state, {**row, "assignment_id": "asg_3", "position": 2, "subject": None})

    for changed in ({"subject": "other"}, {"position": 9}):
        with pytest.raises(AssignmentTakenError), writing_state(settings) as state:
            add_assignment(state, {**row, "assignment_id": "asg_4", **changed})
    assert len(assignment_rows(settings, REGISTRATION.experiment_id)) == 3


def test_reading_creates_no_database(settings):
    assert experiment_rows(settings) == []
    assert experiment_row(settings, "exp_1") is None
    assert event_rows(settings, "exp_1") == []
    assert assignment_rows(settings, "exp_1") == []
    assert not settings.warehouse_dir.exists()


def test_experiments_are_listed_by_account_and_status(settings):
    store(settings, REGISTRATION)
    store(settings, PROPOSAL)
    store(settings, replace(REGISTRATION, experiment_id="exp_2", account_name="other"))

    assert len(experiment_rows(settings)) == 3
    assert len(experiment_rows(settings, accounts=["sleepy"])) == 2
    assert len(experiment_rows(settings, accounts=[])) == 0
    assert len(experiment_rows(settings, statuses=["proposed"], platform="tiktok")) == 1


def _register_one(home: str, number: int, told: "multiprocessing.Queue[str]") -> None:
    registration = replace(REGISTRATION, experiment_id=f"exp_{number:012x}")
    try:
        store(Settings(home=Path(home), lock_timeout_s=20), registration)
        told.put("stored")
    except RefusedDesignError:
        told.put("refused")


def _decide_one(home: str, word: str, told: "multiprocessing.Queue[str]") -> None:
    try:
        decide_experiment(
            Settings(home=Path(home), lock_timeout_s=20),
            PROPOSAL.experiment_id,
            word,
            by=word,
            now=NOW,
        )
        told.put(word)
    except ExperimentError:
        told.put("too late")


def _together(target: Any, calls: list[tuple[Any, ...]]) -> list[str]:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    processes = [context.Process(target=target, args=(*call, told)) for call in calls]
    for process in processes:
        process.start()
    words = sorted(told.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    return words


def test_of_two_processes_that_register_the_same_one_is_refused(settings):
    with writing_state(settings):
        pass

    words = _together(_register_one, [(str(settings.home), number) for number in range(2)])

    assert words == ["refused", "stored"]
    assert len(experiment_rows(settings)) == 1


def test_of_two_processes_that_decide_otherwise_one_is_too_late(settings):
    store(settings, PROPOSAL)

    words = _together(_decide_one, [(str(settings.home), word) for word in ("approve", "reject")])

    decided = row_of(settings, PROPOSAL.experiment_id)
    assert "too late" in words
    assert decided["decided_by"] in words
    assert decided["version"] == 2
    assert len(event_rows(settings, PROPOSAL.experiment_id)) == 2
