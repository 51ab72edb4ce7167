"""Every error that Apify documents, on each kind of request."""

from dataclasses import replace

from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from pipeline.simulate.apify_server import error_reply
from tests.faults.bench import (
    TOKEN,
    is_abort,
    is_count,
    is_input,
    is_items,
    is_search,
    is_start,
    is_wait,
)
from tests.faults.scenarios import (
    AS_BEFORE,
    ONLY_NEXT,
    WHOLE,
    Break,
    Landed,
    Message,
    Next,
    Scenario,
)

_WORDS = f"Their own\nwords about {TOKEN}"
_QUOTED = '"Their own words about [token]"'

NEVER = (
    (400, "invalid-input", "account.yaml"),
    (400, "max-total-charge-usd-below-minimum", "AFTERPOST_APIFY_MAX_CHARGE_USD"),
    (400, "run-failed", "account.yaml"),
    (401, "token-not-provided", "set APIFY_TOKEN"),
    (401, "user-or-token-not-found", "set APIFY_TOKEN"),
    (402, "not-enough-usage-to-run-paid-actor", "plan and usage limit"),
    (403, "apify-plan-required-to-use-paid-actor", "rent the actor"),
    (403, "actor-is-not-rented", "rent the actor"),
    (404, "record-not-found", "APIFY_API_BASE_URL"),
    (409, "conflict", "APIFY_API_BASE_URL"),
)
"""Status, kind, and what the message says to do."""
WAIT = (
    (402, "actor-memory-limit-exceeded"),
    (400, "actor-memory-limit-exceeded"),
    (400, "concurrent-runs-limit-exceeded"),
    (408, "run-timeout-exceeded"),
    (429, "rate-limit-exceeded"),
)
DOWN = (
    (500, "internal-server-error"),
    (502, "bad-gateway"),
    (503, "service-unavailable"),
    (504, "gateway-timeout"),
)
_BY_STATUS = {
    400: NEVER[0],
    401: NEVER[3],
    402: NEVER[5],
    403: NEVER[6],
    404: NEVER[8],
    409: NEVER[9],
}
_FOR_EVERYBODY = frozenset({401, 402, 403})


def _name(phase: str, status: int, kind: str = "") -> str:
    return f"{phase}_{status}_{kind.replace('-', '_')}".rstrip("_")


def _starts() -> list[Scenario]:
    refused = [
        Scenario(
            _name("start", status, kind),
            RunOutcome.REFUSED,
            Message(f"({status}): {_QUOTED}", "starting {actor}", what_to_do),
            AS_BEFORE,
            Retry.NEVER,
            stops_others=status in _FOR_EVERYBODY,
            breaks=(Break(is_start, error_reply(status, kind, _WORDS)),),
            starts=0,
            cost_usd="0",
        )
        for status, kind, what_to_do in NEVER
    ]
    put_off = [
        Scenario(
            _name("start", status, kind),
            RunOutcome.UNAVAILABLE,
            Message(f"asked to wait when starting {{actor}} ({status}): {_QUOTED}", "{actor}",
                    "Try again later"),
            AS_BEFORE,
            Retry.LATER,
            breaks=(Break(is_start, error_reply(status, kind, _WORDS)),),
            starts=0,
            cost_usd="0",
        )
        for status, kind in WAIT
    ]  # fmt: skip
    broken = [
        Scenario(
            _name("start", status, kind),
            RunOutcome.UNAVAILABLE,
            Message(f"{status}: {_QUOTED}", "{url} did not answer when {actor} was started",
                    "no run of it has begun. Try again later"),
            ONLY_NEXT,
            Retry.LATER,
            breaks=(Break(is_start, error_reply(status, kind, _WORDS)),),
            starts=0,
            is_open=True,
            cost_usd=None,
            next=Next(ledger=("new_posts", "unavailable", "new_posts")),
        )
        for status, kind in DOWN
    ]  # fmt: skip
    carried_out = [
        Scenario(
            _name("start_carried_out", status),
            RunOutcome.NEW_POSTS,
            Message("Scraped 4 posts"),
            WHOLE,
            landed=Landed(post=4),
            new_posts=1,
            breaks=(Break(is_start, error_reply(status, kind, _WORDS), is_carried_out=True),),
        )
        for status, kind in DOWN
    ]
    return [*refused, *put_off, *broken, *carried_out]


_LATE = Scenario(
    "start_lost_and_not_to_be_seen",
    RunOutcome.UNAVAILABLE,
    Message("503", "looking for a run of {actor}", "Try again later"),
    WHOLE,
    Retry.LATER,
    breaks=(
        Break(is_start, error_reply(502, "bad-gateway", "Oops"), is_carried_out=True),
        Break(is_search, error_reply(503, "service-unavailable", "Oops")),
    ),
    is_open=True,
    cost_usd=None,
    next=Next(starts=0, ledger=("new_posts", "new_posts")),
)

_LOST_STARTS = [
    _LATE,
    replace(
        _LATE,
        name="start_lost_and_search_401",
        outcome=RunOutcome.REFUSED,
        message=Message("(401)", "looking for a run of {actor}", "set APIFY_TOKEN"),
        retry=Retry.NEVER,
        stops_others=True,
        breaks=(_LATE.breaks[0], Break(is_search, error_reply(401, "token-not-provided", "No"))),
    ),
    Scenario(
        "start_lost_and_input_unreadable",
        RunOutcome.NEW_POSTS,
        Message("Scraped 4 posts"),
        WHOLE,
        landed=Landed(post=4),
        new_posts=1,
        breaks=(
            _LATE.breaks[0],
            Break(is_input, error_reply(404, "record-not-found", "No such record")),
        ),
    ),
]


def _waits() -> list[Scenario]:
    refused = [
        Scenario(
            _name("wait", status),
            RunOutcome.REFUSED,
            Message(f"({status}): {_QUOTED}", "waiting for run {run}", what_to_do),
            WHOLE,
            Retry.NEVER,
            stops_others=status in _FOR_EVERYBODY,
            breaks=(Break(is_wait, error_reply(status, kind, _WORDS)),),
            is_open=True,
            cost_usd=None,
            next=Next(starts=0, ledger=("new_posts", "new_posts")),
        )
        for status, (_, kind, what_to_do) in _BY_STATUS.items()
        if status != 404
    ]
    forgotten = Scenario(
        _name("wait", 404),
        RunOutcome.REFUSED,
        Message("no longer knows the run {run} of {actor} (404)", "{run}",
                "check APIFY_API_BASE_URL"),
        WHOLE,
        Retry.NEVER,
        breaks=(Break(is_wait, error_reply(404, "record-not-found", _WORDS)),),
        is_open=True,
        cost_usd=None,
        next=Next(starts=0, ledger=("new_posts", "new_posts")),
    )  # fmt: skip
    sat_out = [
        Scenario(
            _name("wait_sat_out", status),
            RunOutcome.NEW_POSTS,
            Message("Scraped 4 posts"),
            WHOLE,
            landed=Landed(post=4),
            new_posts=1,
            breaks=(Break(is_wait, error_reply(status, kind, _WORDS), times=3),),
        )
        for status, kind in (*WAIT[3:], *DOWN)
    ]
    too_long = [
        Scenario(
            _name("wait_too_long", status),
            RunOutcome.UNAVAILABLE,
            Message(_QUOTED, "waiting for run {run}", "Try again later"),
            AS_BEFORE,
            Retry.LATER,
            breaks=(Break(is_wait, error_reply(status, kind, _WORDS)),),
            deadline_s=1.0,
            most_s=6.0,
            is_aborted=True,
        )
        for status, kind in (WAIT[4], DOWN[2])
    ]
    unstoppable = Scenario(
        "wait_and_abort_down",
        RunOutcome.UNAVAILABLE,
        Message(_QUOTED, "waiting for run {run}", "Try again later"),
        WHOLE,
        Retry.LATER,
        breaks=(
            Break(is_wait, error_reply(*DOWN[2], _WORDS)),
            Break(is_abort, error_reply(*DOWN[2], _WORDS)),
        ),
        deadline_s=1.0,
        most_s=6.0,
        is_open=True,
        cost_usd=None,
        next=Next(starts=0, ledger=("new_posts", "new_posts")),
    )
    return [*refused, forgotten, *sat_out, *too_long, unstoppable]


def _reads() -> list[Scenario]:
    refused = {
        status: Scenario(
            _name("rows", status),
            RunOutcome.REFUSED,
            Message(f"({status}): {_QUOTED}", "reading dataset d{run}", what_to_do),
            WHOLE,
            Retry.NEVER,
            stops_others=status in _FOR_EVERYBODY,
            breaks=(Break(is_items, error_reply(status, kind, _WORDS)),),
            is_open=True,
            next=Next(starts=0, ledger=("new_posts", "new_posts")),
        )
        for status, (_, kind, what_to_do) in _BY_STATUS.items()
    }
    gone = replace(
        refused[404],
        name="rows_404_for_good",
        marts=ONLY_NEXT,
        next=Next(
            ledger=("new_posts", "unavailable", "new_posts"),
            breaks=(Break(is_items, error_reply(404, "record-not-found", "Gone"), times=1),),
        ),
    )
    expired = replace(
        refused[401],
        name="rows_401_for_a_week",
        marts=ONLY_NEXT,
        hours_ago=8 * 24.0,
        next=Next(ledger=("new_posts", "unavailable", "new_posts")),
    )
    down = [
        Scenario(
            _name("rows", status, kind),
            RunOutcome.UNAVAILABLE,
            Message(_QUOTED, "reading dataset d{run}",
                    "stays at Apify for 7 days, and the next scrape reads it"),
            WHOLE,
            Retry.LATER,
            breaks=(Break(is_items, error_reply(status, kind, _WORDS)),),
            is_open=True,
            next=Next(starts=0, ledger=("new_posts", "new_posts")),
        )
        for status, kind in (*WAIT[3:], *DOWN)
    ]  # fmt: skip
    long_ago = replace(
        down[-1],
        name="rows_504_for_a_day",
        marts=replace(
            WHOLE, snapshots=(*WHOLE.snapshots, ("next", 4, 1100)), listing="next"
        ),
        hours_ago=20.0,
        next=Next(new_posts=0, outcome=RunOutcome.NO_NEW_POSTS, scrapes=2,
                  ledger=("new_posts", "new_posts", "no_new_posts")),
    )  # fmt: skip
    read_again = [
        Scenario(
            _name("rows_read_again", status),
            RunOutcome.NEW_POSTS,
            Message("Scraped 4 posts"),
            WHOLE,
            landed=Landed(post=4),
            new_posts=1,
            breaks=(Break(is_items, error_reply(status, kind, _WORDS), times=3),),
        )
        for status, kind in (WAIT[4], DOWN[1])
    ]
    uncounted = [
        Scenario(
            _name("count", status),
            RunOutcome.NEW_POSTS,
            Message("Scraped 4 posts"),
            WHOLE,
            landed=Landed(post=4),
            new_posts=1,
            breaks=(Break(is_count, error_reply(status, kind, _WORDS)),),
        )
        for status, kind in ((403, "forbidden"), (404, "record-not-found"), WAIT[4], DOWN[0])
    ]
    return [*refused.values(), gone, expired, *down, long_ago, *read_again, *uncounted]


REFUSALS = (*_starts(), *_LOST_STARTS, *_waits(), *_reads())
