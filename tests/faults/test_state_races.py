"""Eight processes that ask the state database for the same at once: one gets it.

Real processes that start together, several times each, on whatever database the run is for.
"""

import multiprocessing
import multiprocessing.synchronize
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pipeline.accounts import load_account
from pipeline.clients import state_alerts, state_reports
from pipeline.clients.state import decision_rows, reading_state, writing_state
from pipeline.clients.state_attempts import NoBudgetLeft, attempts_since, record_intent
from pipeline.clients.state_experiments import event_rows, experiment_rows
from pipeline.clients.state_model_calls import Budget, model_call_rows, record_call
from pipeline.clients.state_plans import begin_change
from pipeline.clients.state_predictions import store_predictions, stored_predictions
from pipeline.clients.state_reflexion import add_adjustments
from pipeline.clients.state_tables import metadata
from pipeline.clients.state_verdicts import add_feedback, feedback_rows
from pipeline.decide.context import ensure_context, history
from pipeline.decide.plans.plan import ItemDraft, PlanDraft
from pipeline.decide.plans.planning import add_item, create_plan, get_plan
from pipeline.decide.review import approve, reject
from pipeline.errors import DecisionError
from pipeline.learn.experiments.registering import RefusedDesignError, decide_experiment, store
from pipeline.settings import Settings
from tests.clients.test_state_predictions import adjustment, prediction
from tests.fakes.published import ACCOUNT, add_account
from tests.fakes.recommendations import add_pending
from tests.fakes.state_rows import NOW, feedback, paid_run, question, raised
from tests.learn.experiments.test_registration import REGISTRATION

PROCESSES = 8

Work = Callable[[Settings, int], Any]
Race = Callable[[Work], list[Any]]

_CONTEXT = multiprocessing.get_context("forkserver")
_start: multiprocessing.synchronize.Barrier


def _know(barrier: multiprocessing.synchronize.Barrier) -> None:
    global _start  # noqa: PLW0603 (what each process of the pool is given at its beginning)
    _start = barrier


def _together(work: Work, settings: Settings, number: int) -> Any:
    _start.wait(60)
    return work(settings, number)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Eight processes that have imported everything, so that they really begin together."""
    _CONTEXT.set_forkserver_preload([__name__])
    barrier = _CONTEXT.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, _CONTEXT, _know, (barrier,)) as pool:
        yield pool


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=60)


@pytest.fixture
def race(settings: Settings, pool: ProcessPoolExecutor) -> Race:
    """What each of the eight processes brings home; each waits for the others before it begins."""

    def run(work: Work) -> list[Any]:
        begun = [pool.submit(_together, work, settings, number) for number in range(PROCESSES)]
        return [one.result(120) for one in begun]

    return run


def _first_use(settings: Settings, number: int) -> int:
    with writing_state(settings) as state:
        return add_feedback(state, feedback(f"person {number}"))


def test_processes_that_find_no_database_make_its_tables_once(settings, race):
    assert sorted(race(_first_use)) == list(range(1, PROCESSES + 1))

    engine = sa.create_engine(settings.state_database_url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _much_feedback(settings: Settings, number: int) -> list[int]:
    return [_first_use(settings, number) for _ in range(5)]


def test_what_people_say_of_a_plan_is_numbered_without_gap_or_double(settings, race):
    told = race(_much_feedback)

    everything = list(range(1, 5 * PROCESSES + 1))
    assert sorted(number for one in told for number in one) == everything
    rows = feedback_rows(settings)
    assert sorted(row["sequence"] for row in rows) == everything
    for number, mine in enumerate(told):
        assert mine == sorted(
            row["sequence"] for row in rows if row["given_by"] == f"person {number}"
        )


def _decide(settings: Settings, number: int) -> str:
    decide = approve if number % 2 else reject
    try:
        made = decide(settings, "rec_000000000001", by=f"person {number}", now=NOW)
    except DecisionError as error:
        return str(error)
    return made.decided_by


def test_a_recommendation_is_decided_by_one_and_the_others_hear_of_it(settings, race):
    add_account(settings)
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    add_pending(settings)

    told = race(_decide)

    (row,) = decision_rows(settings)
    is_approved = row["decision"] == "approve"
    same, others = told[is_approved::2], told[not is_approved :: 2]
    assert set(same) == {row["decided_by"]}, "who says the same gets the decision that was made"
    word = f"decided already: {row['decision']} by {row['decided_by']}"
    assert all(word in sentence for sentence in others), others
    assert len(history(settings, ACCOUNT)) == 1 + is_approved


def _settle(settings: Settings, number: int) -> bool:
    with writing_state(settings) as state:
        if state.decision_about("rec_000000000001") is not None:
            return False
        state.add_decision(
            {
                "decision_id": f"dec_{number}",
                "recommendation_id": "rec_000000000001",
                "account_name": ACCOUNT,
                "decision": "reject",
                "decided_by": f"person {number}",
                "decided_at": NOW,
                "note": None,
                "patch": [],
                "context_id_before": None,
                "context_id_after": None,
            }
        )
        return state.settle_recommendation("rec_000000000001", status="rejected", decided_at=NOW)


def test_what_a_transaction_has_read_stays_true_until_it_has_written(settings, race):
    add_pending(settings)

    assert Counter(race(_settle)) == {True: 1, False: PROCESSES - 1}


def _scrape(settings: Settings, number: int) -> list[Decimal]:
    reserved = []
    for turn in range(3):
        may = record_intent(
            settings,
            paid_run(f"att_{number}_{turn}", Decimal("0.30")),
            budget_usd=Decimal("1.00"),
            since=NOW,
        )
        if not isinstance(may, NoBudgetLeft):
            reserved.append(may)
    return reserved


def test_paid_runs_never_reserve_more_than_the_budget(settings, race):
    reserved = [amount for one in race(_scrape) for amount in one]

    assert sorted(reserved) == [Decimal("0.10"), *[Decimal("0.30")] * 3]
    assert sum(Decimal(row["max_charge_usd"]) for row in attempts_since(settings)) == 1


def _ask(settings: Settings, number: int) -> bool:
    budget = Budget(Decimal("1.00"), NOW)
    return record_call(settings, question(f"call_{number}", Decimal("0.30")), budget)


def test_questions_to_the_model_never_reserve_more_than_the_budget(settings, race):
    assert Counter(race(_ask)) == {True: 3, False: 5}
    assert len(model_call_rows(settings)) == 3


def _raise_alert(settings: Settings, number: int) -> bool:
    def decide(standing: list[dict[str, Any]]) -> state_alerts.AlertChanges:
        return (
            state_alerts.AlertChanges() if standing else raised(f"alr_{number}", subject="tiktok")
        )

    return bool(state_alerts.change_alerts(settings, NOW, decide).new)


def _acknowledge(settings: Settings, number: int) -> str:
    row = state_alerts.acknowledge_alert(
        settings, "alr_x", by=f"person {number}", note=None, at=NOW
    )
    assert row is not None
    return str(row["acknowledged_by"])


def test_a_thing_that_all_see_at_once_has_one_alert(settings, race):
    assert Counter(race(_raise_alert)) == {True: 1, False: PROCESSES - 1}
    assert len(state_alerts.alert_rows(settings)) == 1


def test_an_alert_is_acknowledged_by_one(settings, race):
    state_alerts.change_alerts(settings, NOW, lambda _: raised("alr_x"))

    (by,) = set(race(_acknowledge))

    (row,) = state_alerts.alert_rows(settings)
    assert row["acknowledged_by"] == by
    events = state_alerts.alert_event_rows(settings, ["alr_x"])
    assert [(one["sequence"], one["event"], one["done_by"]) for one in events] == [
        (1, "raised", None),
        (2, "acknowledged", by),
    ]


def _claim_events(settings: Settings, number: int) -> list[str]:
    return [row["alert_id"] for row in state_alerts.claim_untold_events(settings, NOW)]


def test_what_waits_to_be_told_is_told_by_one(settings, race):
    ids = [f"alr_{number}" for number in range(20)]
    state_alerts.change_alerts(settings, NOW, lambda _: raised(*ids))

    claimed = race(_claim_events)

    assert sorted(map(len, claimed)) == [0] * (PROCESSES - 1) + [20]


_KEY = state_reports.DeliveryKey("week", "2026-W47", ACCOUNT, "slack:#reports")


def _deliver(settings: Settings, number: int) -> bool:
    held = state_reports.claim(settings, _KEY, NOW)
    return held is not None and state_reports.begin_sending(settings, held)


def test_a_report_is_sent_by_one_at_first_and_when_it_failed(settings, race):
    assert Counter(race(_deliver)) == {True: 1, False: PROCESSES - 1}

    row = state_reports.delivery(settings, _KEY)
    assert row is not None
    failed = state_reports.Claim(_KEY, row["claim_id"])
    state_reports.note_not_sent(settings, failed, state_reports.DeliveryStatus.FAILED, "refused")

    assert Counter(race(_deliver)) == {True: 1, False: PROCESSES - 1}
    row = state_reports.delivery(settings, _KEY)
    assert row is not None
    assert row["attempt_count"] == 2


def _register(settings: Settings, number: int) -> str:
    try:
        store(settings, replace(REGISTRATION, experiment_id=f"exp_{number:012x}"))
    except RefusedDesignError as error:
        return str(error)
    return ""


def _approve_proposal(settings: Settings, number: int) -> str:
    try:
        decide_experiment(settings, f"exp_{number:012x}", "approve", by="ann", now=NOW)
    except RefusedDesignError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("way", ["registered", "approved"])
def test_of_experiments_on_the_same_dimension_one_begins(settings, race, way):
    if way == "approved":
        for number in range(PROCESSES):
            proposal = replace(REGISTRATION, experiment_id=f"exp_{number:012x}", origin="gap")
            store(settings, proposal)

    told = race(_register if way == "registered" else _approve_proposal)

    (won,) = (number for number, sentence in enumerate(told) if not sentence)
    assert all(f"exp_{won:012x} is registered" in sentence for sentence in told if sentence), told
    (row,) = experiment_rows(settings, statuses=["registered"])
    assert row["experiment_id"] == f"exp_{won:012x}"
    assert {event["event"] for event in event_rows(settings, row["experiment_id"])} >= {way}


def _predict(settings: Settings, number: int) -> int:
    rows = [prediction(f"plan:{place}", expected=float(number)) for place in range(10)]
    return len(store_predictions(settings, rows))


def test_a_prediction_that_all_make_at_once_is_kept_once(settings, race):
    assert sorted(race(_predict)) == [0] * (PROCESSES - 1) + [10]
    assert len({row["expected"] for row in stored_predictions(settings)}) == 1


def _correct(settings: Settings, number: int) -> int:
    row = adjustment(f"adj_{number}", status="proposed", applied_at=None, ended_at=None)
    return len(add_adjustments(settings, [row]))


def test_a_segment_has_one_open_correction(settings, race):
    assert sorted(race(_correct)) == [0] * (PROCESSES - 1) + [1]


def _change_plan(settings: Settings, number: int) -> bool:
    (plan_id,) = _plan_ids(settings)
    with writing_state(settings) as state:
        return begin_change(state, plan_id, NOW + timedelta(seconds=number), 1) is not None


def _extend_plan(settings: Settings, number: int) -> int:
    (plan_id,) = _plan_ids(settings)
    return len(
        add_item(settings, plan_id, ItemDraft(title=f"step {number}"), by="ann", now=NOW).items
    )


def _plan_ids(settings: Settings) -> list[str]:
    with reading_state(settings) as state:
        found = state.rows(sa.select(metadata.tables["action_plans"].c.plan_id))
    return [row["plan_id"] for row in found]


def test_of_changes_made_from_one_version_of_a_plan_one_is_kept(settings, race):
    plan = create_plan(settings, PlanDraft(ACCOUNT, "A plan", "A goal"), by="ann", now=NOW)

    assert Counter(race(_change_plan)) == {True: 1, False: PROCESSES - 1}
    assert get_plan(settings, plan.plan_id).version == 2


def test_steps_that_are_added_at_once_are_all_there_in_an_order(settings, race):
    plan = create_plan(settings, PlanDraft(ACCOUNT, "A plan", "A goal"), by="ann", now=NOW)

    assert sorted(race(_extend_plan)) == list(range(1, PROCESSES + 1))
    items = get_plan(settings, plan.plan_id).items
    assert [item.order_index for item in items] == list(range(PROCESSES))
    assert len({item.title for item in items}) == PROCESSES


def _hold(settings: Settings, told: Any) -> None:
    with writing_state(settings) as state:
        add_feedback(state, feedback("nobody"))
        told.set()
        time.sleep(60)


@pytest.mark.usefixtures("pool")
def test_a_writer_that_is_killed_leaves_nothing_and_holds_nobody_up(settings):
    with writing_state(settings):
        pass
    told = _CONTEXT.Event()
    writer = _CONTEXT.Process(target=_hold, args=(settings, told))
    writer.start()
    assert told.wait(60)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    begun = time.monotonic()

    assert _first_use(settings, 1) == 1, "what the dead one wrote is not there"

    assert time.monotonic() - begun < 10
    writer.join()
