"""How a run can end, with rows and without, on its way there, and one that does not end."""

import json
from dataclasses import replace

from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import ApiReply, ApiRequest
from tests.faults.bench import TOKEN, Proceed, is_wait
from tests.faults.scenarios import (
    AS_BEFORE,
    FAULT,
    GOOD,
    NEXT,
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

_WITHOUT_SUCCESS = ("FAILED", "TIMED-OUT", "ABORTED")
_TOLD = f"The proxy\nof {TOKEN} was too slow"
_QUOTED = '"The proxy of [token] was too slow"'
_ERROR: Row = {"url": "u", "error": "Oops", "errorDescription": "It did not work"}
_ROW_WORDS = "error row: Oops: It did not work"


def _ends(status: str) -> list[Scenario]:
    name = status.lower().replace("-", "_")
    nothing = Scenario(
        f"{name}_without_rows",
        RunOutcome.FAILED,
        Message(f"ended as {status}: {_QUOTED}", "{run} of {actor} for {account} on {platform}",
                "Nothing was stored; see the run's log at Apify, then try again"),
        AS_BEFORE,
        Retry.LATER,
        rows=(),
        run={"status": status, "status_message": _TOLD},
    )  # fmt: skip
    part = Scenario(
        f"{name}_with_rows",
        RunOutcome.PARTIAL,
        Message(f"incomplete: the run ended as {status}: {_QUOTED}"),
        PART,
        landed=Landed(post=2, outcome="partial"),
        new_posts=0,
        rows=rows(2),
        run=nothing.run,
    )
    return [
        nothing,
        replace(nothing, name=f"{name}_with_error_rows", rows=(_ERROR, _ERROR),
                message=replace(nothing.message, what=f"{_QUOTED}; {_ROW_WORDS}")),
        part,
        replace(part, name=f"{name}_with_posts_and_error_rows", rows=(*rows(2), _ERROR),
                landed=Landed(post=2, outcome="partial", rejected={_ROW_WORDS: 1})),
        replace(part, name=f"{name}_with_a_new_post", rows=rows()[2:],
                marts=Marts(((GOOD, 3, 900), (FAULT, 2, 1000), (NEXT, 4, 1100)), 4, NEXT,
                            {"listed": 4}),
                next=Next(ledger=("new_posts", "partial", "new_posts"))),
    ]  # fmt: skip


def _says(status: str) -> Break:
    """The first answers about the run say that it is on its way to its end."""

    def reply(_: ApiRequest, proceed: Proceed) -> ApiReply:
        fair = proceed()
        document = json.loads(fair.body)
        document["data"] |= {"status": status, "finishedAt": None, "usageTotalUsd": 0.0}
        return replace(fair, body=json.dumps(document).encode())

    return Break(is_wait, reply, times=2)


_ON_ITS_WAY = [
    Scenario(
        f"{status.lower().replace('-', '_')}_first",
        RunOutcome.PARTIAL,
        Message(f"incomplete: the run ended as {end}: {_QUOTED}"),
        PART,
        landed=Landed(post=2, outcome="partial"),
        new_posts=0,
        rows=rows(2),
        run={"status": end, "status_message": _TOLD},
        breaks=(_says(status),),
    )
    for status, end in (("TIMING-OUT", "TIMED-OUT"), ("ABORTING", "ABORTED"))
]
_NO_END = [
    Scenario(
        f"{status.lower().replace('-', '_')}_without_end",
        RunOutcome.UNAVAILABLE,
        Message("had not finished after 1 s and was aborted", "{run} of {actor}",
                "Try again later, or raise AFTERPOST_APIFY_DEADLINE_S"),
        AS_BEFORE,
        Retry.LATER,
        run={"status": status},
        deadline_s=1.0,
        most_s=6.0,
        is_aborted=True,
    )
    for status in ("READY", "RUNNING", "TIMING-OUT", "ABORTING", "UNHEARD-OF")
]  # fmt: skip

_ENDS_MEANWHILE = Scenario(
    "ends_while_it_is_aborted",
    RunOutcome.UNAVAILABLE,
    Message("had not finished after 1 s", "{run} of {actor}", "Try again later"),
    WHOLE,
    Retry.LATER,
    breaks=(replace(_says("RUNNING"), times=None),),
    deadline_s=1.0,
    most_s=6.0,
    is_open=True,
    next=Next(starts=0, ledger=("new_posts", "new_posts")),
)
"""The paid rows are there, and the next scrape takes them."""

_SUCCEEDED = [
    Scenario("fair_weather", RunOutcome.NEW_POSTS, Message("Scraped 4 posts for {account}"), WHOLE,
             landed=Landed(post=4), new_posts=1),
    Scenario("known_posts_alone", RunOutcome.NO_NEW_POSTS, Message("0 new"),
             Marts(((GOOD, 3, 900), (FAULT, 3, 1000)), 3, FAULT), rows=rows(3),
             landed=Landed(post=3), new_posts=0),
    Scenario("no_rows", RunOutcome.EMPTY, Message("the profile has no posts to show"),
             replace(PART_AND_NEXT, snapshots=((GOOD, 3, 900), (NEXT, 4, 1100))), rows=(),
             landed=Landed(outcome="empty"), new_posts=0,
             next=Next(ledger=("new_posts", "empty", "new_posts"))),
    Scenario("blocked_inside", RunOutcome.THROTTLED,
             Message("was blocked: \"Finished! Total 4 requests: 0 succeeded, 4 failed.\"",
                     "{account} on {platform} (handle {handle})",
                     "Nothing was stored; try again later"),
             AS_BEFORE, Retry.LATER, rows=(),
             run={"status_message": "Finished! Total 4 requests: 0 succeeded, 4 failed."}),
    Scenario("cost_not_told", RunOutcome.NEW_POSTS, Message("Scraped 4 posts"), WHOLE,
             landed=Landed(post=4), new_posts=1, run={"usage_total_usd": None}, cost_usd=None),
    Scenario("end_not_told", RunOutcome.NEW_POSTS, Message("Scraped 4 posts"), WHOLE,
             landed=Landed(post=4), new_posts=1, run={"finished_at": None}),
    Scenario("no_run_before_and_a_part", RunOutcome.PARTIAL, Message("incomplete"),
             Marts(((FAULT, 2, 1000), (NEXT, 4, 1100)), 4, NEXT, {"listed": 4}), good_rows=(),
             rows=rows(2), run={"status": "TIMED-OUT"}, landed=Landed(post=2, outcome="partial"),
             new_posts=0, next=Next(new_posts=4, ledger=("partial", "new_posts"))),
]  # fmt: skip

RUN_ENDS = (
    *(scenario for status in _WITHOUT_SUCCESS for scenario in _ends(status)),
    *_ON_ITS_WAY,
    *_NO_END,
    _ENDS_MEANWHILE,
    *_SUCCEEDED,
)
