"""Connections that break, bodies that are none, pages that lie."""

import socket
import threading
import time

import pytest

from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import ApiReply, json_reply
from tests.faults.bench import (
    Bench,
    Expected,
    Proceed,
    is_count,
    is_items,
    is_start,
    is_wait,
    posts,
    replying,
)

HTML = ApiReply(200, b"<!doctype html><html>Sign in</html>", {"Content-Type": "text/html"})
JSON = {"Content-Type": "application/json"}
BROKEN = {
    "closed connection": ApiReply(200, b"", cut_after=0),
    "truncated body": ApiReply(200, b'{"data": {"id": "run0000', JSON, cut_after=9),
    "invalid JSON": ApiReply(200, b'{"data": {"id"', JSON),
    "HTML": HTML,
    "other JSON": json_reply(200, {"data": {"hello": 1}}),
    "an empty body": ApiReply(200, b"", JSON),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_start_whose_reply_is_lost_is_adopted_and_paid_once(bench: Bench, how: str):
    bench.server.intercept = replying(is_start, BROKEN[how], is_carried_out=True)
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3, starts=1, cost_usd="0.0105"))


@pytest.mark.parametrize("how", BROKEN)
def test_a_wait_whose_replies_break_goes_on(bench: Bench, how: str):
    left = [BROKEN[how]] * 2
    bench.server.intercept = lambda request, proceed: (
        left.pop() if is_wait(request) and left else proceed()
    )
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))


@pytest.mark.parametrize("how", [*BROKEN, "no pagination headers", "an error as a page"])
def test_rows_that_cannot_be_understood_land_nothing_and_stay_to_be_read(bench: Bench, how: str):
    replies = {
        **BROKEN,
        "no pagination headers": json_reply(200, posts()),
        "an error as a page": json_reply(
            200,
            {"error": {"type": "internal", "message": "Oops"}},
            **{f"x-apify-pagination-{name}": "1" for name in ("total", "limit", "count")},
            **{"x-apify-pagination-offset": "0", "x-apify-pagination-desc": "false"},
        ),
    }
    bench.server.intercept = replying(is_items, replies[how])
    bench.check(
        Expected(
            RunOutcome.UNAVAILABLE, Retry.LATER, words=("stays at Apify",), is_open=True,
            cost_usd="0.0105",
        )
    )  # fmt: skip


def test_a_start_that_never_arrives_is_unavailable_and_costs_nothing(bench: Bench):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    bench.settings = bench.settings.model_copy(update={"apify_api_base_url": url})
    bench.check(
        Expected(
            RunOutcome.UNAVAILABLE, Retry.LATER, words=("cannot be reached",), starts=0,
            cost_usd="0",
        )
    )  # fmt: skip


def test_a_socket_that_hangs_ends_by_the_deadline(bench: Bench):
    held = threading.Event()

    def hang(request, proceed: Proceed) -> ApiReply:
        if is_items(request):
            held.wait(20)
        return proceed()

    bench.set_deadline(1.2)
    bench.server.intercept = hang
    before = time.monotonic()
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, is_open=True))
    held.set()
    assert time.monotonic() - before < 8


def test_an_empty_page_before_the_end_is_read_again_and_then_a_part(bench: Bench):
    rows = posts(3)

    def short(request, proceed: Proceed) -> ApiReply:
        if not is_items(request) or request.parameters["offset"] == "0":
            return proceed()
        return _page([], 5)

    bench.says(rows, items_total=5)
    bench.server.intercept = short
    bench.check(Expected(RunOutcome.PARTIAL, words=("incomplete",), scrapes=1, items=3))


def test_counted_rows_of_which_none_comes_are_unavailable_not_empty(bench: Bench):
    bench.says([], items_total=4)
    bench.check(
        Expected(RunOutcome.UNAVAILABLE, Retry.LATER, words=("counts 4 rows",), is_open=True)
    )


def test_a_dataset_that_lags_is_asked_again(bench: Bench):
    seen: list[int] = []

    def lagging(request, proceed: Proceed) -> ApiReply:
        if is_items(request):
            seen.append(1)
            if len(seen) == 1:
                return _page(posts(1), 1)
        return proceed()

    bench.server.intercept = lagging
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))


def test_a_count_that_cannot_be_had_does_not_stop_the_rows(bench: Bench):
    bench.server.intercept = replying(is_count, ApiReply(500, b"", {}))
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))


def test_a_page_that_comes_twice_is_taken_once_and_the_answer_is_a_part(bench: Bench):
    rows = posts(3)

    def twice(request, proceed: Proceed) -> ApiReply:
        return _page(rows, 6) if is_items(request) else proceed()

    bench.says(rows, items_total=6)
    bench.server.intercept = twice
    bench.check(Expected(RunOutcome.PARTIAL, scrapes=1, items=3))


def test_the_same_post_twice_in_one_answer_is_one_post(bench: Bench):
    bench.says([*posts(2), *posts(2)])
    report = bench.scrape()
    assert (report.new_post_count, len(report.manifest.post_ids)) == (2, 2)


def test_rows_that_are_no_objects_are_an_unusable_answer(bench: Bench):
    bench.server.intercept = lambda request, proceed: (
        _page(["text"], 1) if is_items(request) else proceed()
    )
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, is_open=True))


def _page(rows: list, total: int) -> ApiReply:
    headers = {"total": total, "offset": 0, "limit": 1000, "count": len(rows)}
    return json_reply(
        200,
        rows,
        **{f"x-apify-pagination-{name}": str(value) for name, value in headers.items()},
        **{"x-apify-pagination-desc": "false"},
    )
