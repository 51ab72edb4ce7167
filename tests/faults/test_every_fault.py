"""Every fault of the tables: stored outcome, retry decision, what landed, the marts, the message.

Each scenario has an account of its own in one home; all share one load and one build.
"""

import json
from collections.abc import Iterator

import pytest

from pipeline.simulate.apify_server import ApiReply
from tests.faults import aftermath
from tests.faults.scenarios_of_broken_replies import BROKEN_REPLIES
from tests.faults.scenarios_of_refusals import REFUSALS
from tests.faults.scenarios_of_rows import ODD_ROWS
from tests.faults.scenarios_of_run_ends import RUN_ENDS
from tests.faults.stage import Stage, perform

SCENARIOS = (*REFUSALS, *BROKEN_REPLIES, *RUN_ENDS, *ODD_ROWS)

STATUSES = {400, 401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504}
ERROR_TYPES = {
    "rate-limit-exceeded", "actor-memory-limit-exceeded", "concurrent-runs-limit-exceeded",
    "not-enough-usage-to-run-paid-actor", "apify-plan-required-to-use-paid-actor",
    "actor-is-not-rented", "max-total-charge-usd-below-minimum", "invalid-input",
    "token-not-provided", "run-timeout-exceeded", "run-failed",
}  # fmt: skip
RUN_STATUSES = {"FAILED", "TIMED-OUT", "ABORTED", "READY", "RUNNING", "TIMING-OUT", "ABORTING"}


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    names = {
        item.callspec.params.get("name")
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    asked_for = [scenario for scenario in SCENARIOS if scenario.name in names]
    with perform(tmp_path_factory.mktemp("stage"), asked_for or SCENARIOS) as stage:
        yield stage


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_fault_leaves_what_was_observed_and_says_so(stage: Stage, name: str):
    one = stage.performances[name]
    scenario, told = one.scenario, one.fault.told
    assert one.unbroken == []
    assert aftermath.stored(stage, one) == aftermath.stored_as_it_should(scenario), told
    assert aftermath.retry(one) == aftermath.retry_as_it_should(scenario), told
    assert aftermath.landed(stage, one) == aftermath.landed_as_it_should(scenario), told
    assert aftermath.marts(stage, one) == aftermath.marts_as_it_should(scenario), told
    assert aftermath.message(stage, one) == aftermath.message_as_it_should(scenario), told


@pytest.mark.timeout(600)
def test_no_number_of_a_mart_is_negative_or_no_number(stage: Stage):
    columns = stage.warehouse.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and data_type in ('BIGINT', 'DOUBLE') "
        "and (column_name like '%_count' or column_name like '%_rate%')"
    ).fetchall()
    assert len(columns) > 20
    for table, column in columns:
        wrong = f"{column} < 0 or not isfinite({column}::double)"
        found = stage.warehouse.execute(f"select count(*) from marts.{table} where {wrong}")
        assert found.fetchall() == [(0,)], (table, column)


def test_no_two_scenarios_share_an_account():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


def test_the_tables_hold_every_answer_that_the_service_documents():
    replies = [
        one.reply
        for scenario in SCENARIOS
        for one in scenario.breaks
        if isinstance(one.reply, ApiReply)
    ]
    refusals = [reply for reply in replies if b'"error"' in reply.body and reply.status >= 400]
    assert {reply.status for reply in refusals} >= STATUSES
    assert {json.loads(reply.body)["error"]["type"] for reply in refusals} >= ERROR_TYPES
    assert {scenario.run.get("status") for scenario in SCENARIOS} >= RUN_STATUSES
