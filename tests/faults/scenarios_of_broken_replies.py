"""Connections that break or hang, bodies that are none, pages that lie."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import ApiReply, ApiRequest, error_reply, json_reply
from tests.collect.samples import tiktok_row
from tests.faults.bench import Proceed, is_count, is_items, is_start, is_wait
from tests.faults.scenarios import (
    AS_BEFORE,
    FAULT,
    GOOD,
    ONLY_NEXT,
    PART,
    PART_AND_NEXT,
    WHOLE,
    Break,
    Landed,
    Marts,
    Message,
    Next,
    Row,
    Scenario,
    rows,
)

_JSON = {"Content-Type": "application/json"}
_NOWHERE = "http://127.0.0.1:9"
"""The port of a service that nothing offers."""

BODIES = {
    "closed_connection": ApiReply(200, b"", cut_after=0),
    "truncated_body": ApiReply(200, b'{"data": {"id": "run0000', _JSON, cut_after=9),
    "invalid_json": ApiReply(200, b'{"data": {"id"', _JSON),
    "html": ApiReply(200, b"<!doctype html><html>Sign in</html>", {"Content-Type": "text/html"}),
    "other_json": json_reply(200, {"data": {"hello": 1}}),
    "empty_body": ApiReply(200, b"", _JSON),
}

_TAKEN = Scenario(
    "",
    RunOutcome.NEW_POSTS,
    Message("Scraped 4 posts"),
    WHOLE,
    landed=Landed(post=4),
    new_posts=1,
)
"""A fault that costs some more requests, and nothing else."""
_UNREAD = Scenario(
    "",
    RunOutcome.UNAVAILABLE,
    Message("no usable answer", "reading dataset d{run}",
            "stays at Apify for 7 days, and the next scrape reads it"),
    WHOLE,
    Retry.LATER,
    is_open=True,
    next=Next(starts=0, ledger=("new_posts", "new_posts")),
)  # fmt: skip
"""Rows that were paid for and cannot be read now."""
_NEVER_BEGAN = Scenario(
    "",
    RunOutcome.UNAVAILABLE,
    Message("did not answer when {actor} was started", "{url}",
            "no run of it has begun. Try again later"),
    ONLY_NEXT,
    Retry.LATER,
    starts=0,
    is_open=True,
    cost_usd=None,
    next=Next(ledger=("new_posts", "unavailable", "new_posts")),
)  # fmt: skip


def _page(page: Sequence[object], total: int, offset: int = 0) -> ApiReply:
    """One page of a dataset as Apify sends it."""
    headers = {"total": total, "offset": offset, "limit": 1000, "count": len(page)}
    return json_reply(
        200,
        page,
        **{f"x-apify-pagination-{name}": str(value) for name, value in headers.items()},
        **{"x-apify-pagination-desc": "false"},
    )


def _pages(
    found: Sequence[Row], page_of: Callable[[int], Sequence[object]], total: int | None = None
) -> Break:
    """A dataset in pages of our making, by the offset that is asked for."""

    def reply(request: ApiRequest, _: Proceed) -> ApiReply:
        offset = int(request.parameters["offset"])
        return _page(page_of(offset), len(found) if total is None else total, offset)

    return Break(is_items, reply)


def _is_second_page(request: ApiRequest) -> bool:
    return is_items(request) and request.parameters["offset"] != "0"


def _bodies() -> list[Scenario]:
    scenarios = []
    for name, body in BODIES.items():
        scenarios += [
            replace(_TAKEN, name=f"start_carried_out_{name}",
                    breaks=(Break(is_start, body, is_carried_out=True),)),
            replace(_TAKEN, name=f"wait_{name}", breaks=(Break(is_wait, body, times=2),)),
            replace(_TAKEN, name=f"count_{name}", breaks=(Break(is_count, body),)),
            replace(_UNREAD, name=f"rows_{name}", breaks=(Break(is_items, body),)),
        ]  # fmt: skip
    for name in ("closed_connection", "invalid_json"):
        lost = Break(is_start, BODIES[name])
        scenarios.append(replace(_NEVER_BEGAN, name=f"start_{name}", breaks=(lost,)))
    return scenarios


_SILENCE = ApiReply(503, b"")

_HANGS = [
    replace(_TAKEN, name="start_carried_out_hangs", deadline_s=1.2, most_s=8.0,
            breaks=(Break(is_start, _SILENCE, is_carried_out=True, hangs=True),)),
    replace(_NEVER_BEGAN, name="start_hangs", breaks=(Break(is_start, _SILENCE, hangs=True),),
            deadline_s=1.2, most_s=8.0),
    Scenario(
        "wait_hangs",
        RunOutcome.UNAVAILABLE,
        Message("gave no usable answer", "waiting for run {run}",
                "Try again later"),
        AS_BEFORE,
        Retry.LATER,
        breaks=(Break(is_wait, _SILENCE, hangs=True),),
        deadline_s=1.2,
        most_s=10.0,
        is_aborted=True,
    ),
    replace(_UNREAD, name="rows_hang", breaks=(Break(is_items, _SILENCE, hangs=True),),
            deadline_s=2.0, most_s=8.0),
    replace(_TAKEN, name="count_hangs", breaks=(Break(is_count, _SILENCE, hangs=True),),
            deadline_s=2.0, most_s=8.0),
]  # fmt: skip

_UNREACHABLE = Scenario(
    "service_cannot_be_reached",
    RunOutcome.UNAVAILABLE,
    Message("cannot be reached when starting {actor}", "{url}",
            "Check the network and APIFY_API_BASE_URL"),
    AS_BEFORE,
    Retry.LATER,
    starts=0,
    asked=0,
    cost_usd="0",
    url=_NOWHERE,
)  # fmt: skip

_ERROR_AS_PAGE = replace(error_reply(200, "internal", "Oops"), headers=_page([{}], 1).headers)


def _shifting(found: Sequence[Row]) -> Callable[[int], Sequence[Row]]:
    """A post went up between two pages, so that the next begins with a row that was read."""
    return lambda offset: found[:2] if not offset else found[1:3]


def _pages_that_lie() -> list[Scenario]:
    four, three = rows(), rows(3)
    by_two = _pages(four, lambda offset: four[offset : offset + 2])
    down = error_reply(503, "unavailable", "Oops")
    incomplete = Message("incomplete: Apify holds more rows than it gave")
    part_of_three = Marts(((GOOD, 3, 900), (FAULT, 3, 1000)), 3, GOOD)
    return [
        replace(_UNREAD, name="rows_without_pagination_headers",
                breaks=(Break(is_items, json_reply(200, list(four))),)),
        replace(_UNREAD, name="rows_are_an_error_as_a_page",
                breaks=(Break(is_items, _ERROR_AS_PAGE),)),
        replace(_UNREAD, name="rows_are_no_objects",
                breaks=(_pages(four, lambda _: ["text", None]),)),
        replace(_UNREAD, name="rows_are_one_object",
                breaks=(Break(is_items, json_reply(200, {"items": []})),)),
        replace(_UNREAD, name="second_page_truncated",
                breaks=(Break(_is_second_page, BODIES["truncated_body"]), by_two)),
        replace(_UNREAD, name="second_page_down", breaks=(Break(_is_second_page, down), by_two)),
        replace(_TAKEN, name="second_page_down_for_a_while",
                breaks=(Break(_is_second_page, down, times=3), by_two)),
        replace(_TAKEN, name="pages_of_two_rows", breaks=(by_two,)),
        Scenario("empty_page_before_the_end", RunOutcome.PARTIAL, incomplete,
                 PART_AND_NEXT, landed=Landed(post=2, outcome="partial"), new_posts=0,
                 run={"items_total": 5},
                 breaks=(_pages(four, lambda offset: () if offset else four[:2], 5),),
                 next=Next(ledger=("new_posts", "partial", "new_posts"))),
        Scenario("same_page_twice", RunOutcome.PARTIAL, incomplete,
                 part_of_three, landed=Landed(post=3, outcome="partial"), new_posts=0,
                 run={"items_total": 6}, breaks=(_pages(three, lambda _: three, 6),)),
        replace(_TAKEN, name="second_page_repeats_a_row", message=Message("Scraped 3 posts"),
                new_posts=0, outcome=RunOutcome.NO_NEW_POSTS,
                marts=Marts(((GOOD, 3, 900), (FAULT, 3, 1000)), 3, FAULT),
                breaks=(_pages(four, _shifting(three)),)),
        Scenario("fewer_rows_than_counted", RunOutcome.PARTIAL, incomplete, PART, rows=rows(2),
                 landed=Landed(post=2, outcome="partial"), new_posts=0, run={"items_total": 4}),
        replace(_UNREAD, name="rows_counted_and_none_given", rows=(), run={"items_total": 4},
                message=Message("counts 4 rows in the dataset d{run} and gave none", "{run}",
                                "stays at Apify for 7 days"),
                marts=AS_BEFORE, next=None),
        replace(_TAKEN, name="rows_that_lag_behind",
                breaks=(Break(is_items, _page([tiktok_row(0, playCount=1000)], 1), times=1),)),
    ]  # fmt: skip


BROKEN_REPLIES = (*_bodies(), *_HANGS, _UNREACHABLE, *_pages_that_lie())
