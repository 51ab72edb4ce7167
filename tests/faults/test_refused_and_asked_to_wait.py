"""Every error that Apify documents, on each kind of request."""

import pytest

from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import error_reply
from tests.faults.bench import Bench, Expected, is_items, is_start, is_wait, replying

NEVER = (
    (400, "invalid-input", "account.yaml"),
    (400, "max-total-charge-usd-below-minimum", "AFTERPOST_APIFY_MAX_CHARGE_USD"),
    (400, "run-failed", "account.yaml"),
    (401, "token-not-provided", "APIFY_TOKEN"),
    (401, "user-or-token-not-found", "APIFY_TOKEN"),
    (402, "not-enough-usage-to-run-paid-actor", "plan and usage limit"),
    (403, "apify-plan-required-to-use-paid-actor", "rent the actor"),
    (403, "actor-is-not-rented", "rent the actor"),
    (404, "record-not-found", "APIFY_API_BASE_URL"),
    (409, "conflict", "APIFY_API_BASE_URL"),
)
WAIT = (
    (402, "actor-memory-limit-exceeded"),
    (400, "concurrent-runs-limit-exceeded"),
    (408, "run-timeout-exceeded"),
    (429, "rate-limit-exceeded"),
)
BROKEN = ((500, "internal-server-error"), (502, "bad-gateway"), (503, "unavailable"))


def _name(case: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in case[:2])


@pytest.mark.parametrize("case", NEVER, ids=_name)
def test_a_start_that_is_refused_is_asked_once_costs_nothing_and_is_not_tried_again(
    bench: Bench, case: tuple[int, str, str]
):
    status, kind, setting = case
    bench.server.intercept = replying(is_start, error_reply(status, kind, "Their own words"))
    bench.check(
        Expected(
            RunOutcome.REFUSED,
            Retry.NEVER,
            words=("Their own words", str(status), setting),
            starts=0,
            cost_usd="0",
        )
    )
    assert sum(is_start(request) for request in bench.server.requests) == 1


@pytest.mark.parametrize("case", WAIT, ids=_name)
def test_a_start_that_is_put_off_is_tried_later_and_costs_nothing(
    bench: Bench, case: tuple[int, str]
):
    bench.server.intercept = replying(is_start, error_reply(*case, "Not now"))
    bench.check(
        Expected(
            RunOutcome.UNAVAILABLE, Retry.LATER, words=("asked to wait", "Not now"), starts=0,
            cost_usd="0",
        )
    )  # fmt: skip
    assert sum(is_start(request) for request in bench.server.requests) == 1


@pytest.mark.parametrize("case", BROKEN, ids=_name)
def test_a_start_that_breaks_the_server_is_looked_for_and_not_repeated(
    bench: Bench, case: tuple[int, str]
):
    bench.server.intercept = replying(is_start, error_reply(*case, "Oops"))
    bench.check(
        Expected(
            RunOutcome.UNAVAILABLE, Retry.LATER, words=("Oops", "no run of it has begun"),
            starts=0, is_open=True,
        )
    )  # fmt: skip
    assert sum(is_start(request) for request in bench.server.requests) == 1


@pytest.mark.parametrize("case", [NEVER[3], NEVER[5], NEVER[6], NEVER[8]], ids=_name)
def test_a_wait_that_is_refused_leaves_the_paid_run_to_the_next_scrape(
    bench: Bench, case: tuple[int, str, str]
):
    status, kind, _ = case
    bench.server.intercept = replying(is_wait, error_reply(status, kind, "Their own words"))
    bench.check(Expected(RunOutcome.REFUSED, Retry.NEVER, words=(str(status),), is_open=True))
    bench.server.intercept = None
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=0, cost_usd="0.0105"))


@pytest.mark.parametrize("case", [*WAIT[2:], *BROKEN], ids=_name)
def test_a_wait_through_an_outage_goes_on_until_there_is_an_answer(
    bench: Bench, case: tuple[int, str]
):
    failures = [error_reply(*case, "Down")] * 3
    replies = iter(failures)
    bench.server.intercept = lambda request, proceed: (
        (next(replies, None) or proceed()) if is_wait(request) else proceed()
    )
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))


@pytest.mark.parametrize("case", [WAIT[3], BROKEN[2]], ids=_name)
def test_an_outage_that_outlasts_the_deadline_ends_in_an_abort(bench: Bench, case: tuple[int, str]):
    bench.set_deadline(1.0)
    bench.server.intercept = replying(is_wait, error_reply(*case, "Down for long"))
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, words=("Down for long",)))
    assert bench.server.aborts == [bench.server.starts[0].run_id]


@pytest.mark.parametrize("case", [NEVER[3], NEVER[5], NEVER[6], NEVER[8]], ids=_name)
def test_rows_that_are_refused_stay_at_apify_and_the_run_is_not_paid_again(
    bench: Bench, case: tuple[int, str, str]
):
    status, kind, _ = case
    bench.server.intercept = replying(is_items, error_reply(status, kind, "No rows for you"))
    bench.check(
        Expected(
            RunOutcome.REFUSED,
            Retry.NEVER,
            words=("No rows for you", "stays at Apify"),
            is_open=True,
            cost_usd="0.0105",
        )
    )


@pytest.mark.parametrize("case", [WAIT[3], *BROKEN], ids=_name)
def test_rows_that_cannot_be_read_now_are_read_by_the_next_scrape(
    bench: Bench, case: tuple[int, str]
):
    bench.server.intercept = replying(is_items, error_reply(*case, "Later"))
    bench.check(
        Expected(
            RunOutcome.UNAVAILABLE, Retry.LATER, words=("Later", "stays at Apify"), is_open=True
        )
    )
    bench.server.intercept = None
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=0))
    assert len(bench.attempts()) == 1


def test_a_dataset_that_is_gone_makes_way_for_a_new_run(bench: Bench):
    bench.server.intercept = replying(is_items, error_reply(404, "record-not-found", "Gone"))
    bench.check(Expected(RunOutcome.REFUSED, Retry.NEVER, is_open=True))
    gone = bench.server.starts[0].run_id
    bench.server.intercept = lambda request, proceed: (
        error_reply(404, "record-not-found", "Gone") if gone in request.path else proceed()
    )
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=1))
    assert [attempt["finished_at"] is None for attempt in bench.attempts()] == [False, False]
