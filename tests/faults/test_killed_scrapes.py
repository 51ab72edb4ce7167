"""A process that dies with a run under way: the run is taken up, and paid once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clients.state_attempts import update_attempt
from pipeline.clock import utc_now
from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import ApiReply, ApiRequest
from tests.faults.bench import Bench, Expected, Proceed, is_items, is_start, is_wait, replying

REPOSITORY = Path(__file__).parents[2]
SCRAPE = """
import os, sys
from pipeline.accounts import Platform, load_account
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.scrape import scrape
from pipeline.settings import load_settings
settings = load_settings()
account = load_account(settings.accounts_dir, "lullabies")
scrape(settings, account, Platform.TIKTOK, SOURCES[Platform.TIKTOK].actors[0])
"""


class Stopped:
    """Holds the requests of one kind, before or after they take effect, until it is let go."""

    def __init__(self, where: Callable[[ApiRequest], bool], *, is_carried_out: bool) -> None:
        self._where = where
        self._is_carried_out = is_carried_out
        self.is_reached = threading.Event()
        self._go_on = threading.Event()

    def __call__(self, request: ApiRequest, proceed: Proceed) -> ApiReply:
        if not self._where(request):
            return proceed()
        reply = proceed() if self._is_carried_out else None
        self.is_reached.set()
        self._go_on.wait(30)
        return reply or ApiReply(503, b"", {})

    def let_go(self) -> None:
        self._go_on.set()


def start_scrape(bench: Bench) -> subprocess.Popen[bytes]:
    token = bench.settings.apify_token
    assert token is not None
    return subprocess.Popen(
        [sys.executable, "-c", SCRAPE],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "AFTERPOST_HOME": str(bench.settings.home),
            "APIFY_TOKEN": token.get_secret_value(),
            "APIFY_API_BASE_URL": bench.server.url,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_at(bench: Bench, where: Callable[[ApiRequest], bool], *, is_carried_out: bool) -> None:
    """Scrape in a process of its own, and kill it while a request of one kind is under way."""
    stopped = Stopped(where, is_carried_out=is_carried_out)
    bench.server.intercept = stopped
    process = start_scrape(bench)
    try:
        assert stopped.is_reached.wait(30)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        stopped.let_go()
    bench.server.intercept = None


@pytest.mark.parametrize(
    ("where", "is_carried_out"),
    [(is_start, True), (is_wait, True), (is_items, False)],
    ids=["after the start", "while waiting", "while reading"],
)
def test_the_run_of_a_killed_scrape_is_adopted_and_paid_once(
    bench: Bench, where: Callable[[ApiRequest], bool], is_carried_out: bool
):
    kill_at(bench, where, is_carried_out=is_carried_out)
    assert len(bench.server.starts) == 1
    (attempt,) = bench.attempts()
    assert attempt["finished_at"] is None

    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=0, cost_usd="0.0105"))
    (attempt,) = bench.attempts()
    assert attempt["run_id"] == bench.server.starts[0].run_id


def test_an_intent_whose_start_never_reached_apify_makes_way_for_a_new_run(bench: Bench):
    kill_at(bench, is_start, is_carried_out=False)
    assert bench.server.starts == []

    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=1))
    first, second = bench.attempts()
    assert (first["outcome"], first["cost_usd"]) == ("unavailable", "0")
    assert second["outcome"] == "new_posts"


def test_a_run_of_another_attempt_is_never_adopted(bench: Bench):
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    bench.server.intercept = replying(is_start, ApiReply(500, b"", {}))
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, items=3, starts=0, is_open=True))


def test_a_start_that_shows_up_late_is_adopted_by_the_next_scrape(bench: Bench):
    def lost_from_sight(request: ApiRequest, proceed: Proceed) -> ApiReply:
        if is_start(request):
            proceed()
            return ApiReply(502, b"", {})
        is_list = request.method == "GET" and request.path.endswith("/runs")
        return ApiReply(503, b"", {}) if is_list else proceed()

    bench.server.intercept = lost_from_sight
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, starts=1, is_open=True))
    bench.server.intercept = None
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=0))


def test_a_run_left_behind_long_ago_is_kept_but_is_no_answer_to_todays_question(bench: Bench):
    long_ago = utc_now() - timedelta(hours=20)
    bench.server.intercept = replying(is_items, ApiReply(503, b"", {}))
    bench.answer = {"started_at": long_ago, "finished_at": long_ago}
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, is_open=True))
    update_attempt(bench.settings, bench.attempts()[0]["attempt_id"], {"intended_at": long_ago})
    bench.server.intercept = None
    bench.answer = {}
    bench.check(Expected(RunOutcome.NO_NEW_POSTS, scrapes=2, items=6, starts=1))
    assert [attempt["outcome"] for attempt in bench.attempts()] == ["new_posts", "no_new_posts"]


def test_two_processes_at_once_pay_one_after_the_other_and_share_no_run(bench: Bench):
    processes = [start_scrape(bench) for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=60) == 0
    runs = [attempt["run_id"] for attempt in bench.attempts()]
    assert sorted(runs) == sorted(start.run_id for start in bench.server.starts)
    assert all(attempt["finished_at"] for attempt in bench.attempts())


def test_an_interrupted_scrape_aborts_its_run_and_says_so_in_the_ledger(bench: Bench):
    bench.says([], status="RUNNING")
    process = start_scrape(bench)
    while not any(is_wait(request) for request in bench.server.requests):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) != 0
    (attempt,) = bench.attempts()
    assert (attempt["run_status"], attempt["outcome"]) == ("ABORTED", "failed")
    assert attempt["finished_at"] is not None
