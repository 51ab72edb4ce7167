"""What the marts hold after runs that went wrong: real observations, and no others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from pipeline.accounts import load_account
from pipeline.collect.raw import load_raw
from pipeline.errors import AfterpostError
from pipeline.measure.build import build_models
from pipeline.simulate.apify_server import error_reply
from tests.collect.samples import make_account, tiktok_row
from tests.faults.bench import Bench, is_items, is_start, open_bench, posts, replying

DAY = datetime(2026, 10, 1, 8, tzinfo=UTC)
GOOD = ("01", 3, 900)

REFUSALS = {
    f"{phase}_{status}": (matches, error_reply(status, kind, "No"))
    for phase, matches in (("start", is_start), ("items", is_items))
    for status, kind in (
        (400, "invalid-input"), (402, "not-enough-usage-to-run-paid-actor"),
        (403, "actor-is-not-rented"), (404, "record-not-found"), (429, "rate-limit-exceeded"),
        (500, "internal-server-error"), (502, "bad-gateway"), (503, "service-unavailable"),
    )
}  # fmt: skip
"""Answers of the service in place of a run's start or of its rows: no snapshot comes of them."""

ENDS = {
    f"{status.lower().replace('-', '_')}_{'with' if rows else 'without'}_rows": (status, rows)
    for status in ("FAILED", "TIMED-OUT", "ABORTED")
    for rows in (0, 2)
}
"""Ends of runs that did not succeed: the rows that they had found are observations."""

STRANGE_ROWS = {
    "no_results": ([{"noResults": True}], []),
    "another_author": ([tiktok_row(7, authorMeta={"id": "9", "name": "somebody"})], []),
    "twice_in_one_answer": (
        [tiktok_row(0, playCount=800), tiktok_row(0, playCount=1000)], [("02", 1, 1000)]
    ),
    "among_error_rows": (
        [{"error": "Request failed"}, tiktok_row(0, playCount=1000)], [("02", 1, 1000)]
    ),
}  # fmt: skip
"""Answers of runs that succeeded, and what the marts have of them."""


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One build over accounts that each met another fault, one day after a good scrape."""
    with open_bench(tmp_path_factory.mktemp("marts")) as bench:
        for name in ("timed_out", "errors", "drifted", "renamed", "refused", "adopted", "emptied"):
            make_account(bench.settings, name)
            _scrape(bench, name, posts(3), DAY)
        later = DAY + timedelta(days=1)
        more = [tiktok_row(number, playCount=1000) for number in range(4)]
        _scrape(bench, "timed_out", more[:2], later, status="TIMED-OUT")
        _scrape(bench, "errors", [{"error": "private", "errorCode": "PROFILE_PRIVATE"}], later)
        _scrape(bench, "drifted", [tiktok_row(0, playCount="many")], later)
        moved = {"id": "71", "name": "calm.nights", "fans": 5}
        _scrape(bench, "renamed", [tiktok_row(0, authorMeta=moved)], later)
        _scrape(bench, "emptied", [], later)
        bench.server.intercept = replying(is_start, error_reply(401, "x", "No"))
        _scrape(bench, "refused", more, later)
        bench.server.intercept = replying(is_items, error_reply(503, "x", "Down"))
        _scrape(bench, "adopted", more, later)
        bench.server.intercept = None
        _scrape(bench, "adopted", more, later + timedelta(days=1))
        for name, (matches, reply) in REFUSALS.items():
            _good_scrape(bench, name)
            bench.server.intercept = replying(matches, reply)
            _scrape(bench, name, more, later)
        bench.server.intercept = None
        for name, (status, row_count) in ENDS.items():
            _good_scrape(bench, name)
            _scrape(bench, name, more[:row_count], later, status=status)
        for name, (rows, _) in STRANGE_ROWS.items():
            _good_scrape(bench, name)
            _scrape(bench, name, rows, later)
        load_raw(bench.settings)
        build_models(bench.settings)
        with duckdb.connect(str(bench.settings.database_path), read_only=True) as connection:
            yield connection


def _good_scrape(bench: Bench, name: str) -> None:
    bench.server.intercept = None
    make_account(bench.settings, name)
    _scrape(bench, name, posts(3), DAY)


def _scrape(bench: Bench, name: str, items: list, at: datetime, **changes: object) -> None:
    bench.account = load_account(bench.settings.accounts_dir, name)
    bench.says(items, started_at=at - timedelta(seconds=20), finished_at=at, **changes)
    try:
        bench.scrape()
    except AfterpostError:
        return  # what is left of it is what this file looks at


def _snapshots(marts: duckdb.DuckDBPyConnection, name: str) -> list[tuple]:
    return marts.execute(
        "select strftime(scraped_at at time zone 'UTC', '%d'), count(*), max(view_count) "
        "from marts.fct_snapshot where account_name = ? group by 1 order by 1",
        [name],
    ).fetchall()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_leaves_the_marts_as_they_were(marts, name: str):
    assert _snapshots(marts, name) == [GOOD]


@pytest.mark.parametrize("name", ENDS)
def test_a_run_that_did_not_succeed_gives_the_rows_that_it_found(marts, name: str):
    found = [("02", 2, 1000)] if ENDS[name][1] else []
    assert _snapshots(marts, name) == [GOOD, *found]


@pytest.mark.parametrize("name", STRANGE_ROWS)
def test_rows_that_are_no_own_posts_never_become_snapshots(marts, name: str):
    assert _snapshots(marts, name) == [GOOD, *STRANGE_ROWS[name][1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("timed_out", [GOOD, ("02", 2, 1000)]),
        ("errors", [GOOD]),
        ("drifted", [GOOD]),
        ("renamed", [GOOD]),
        ("refused", [GOOD]),
        ("emptied", [GOOD]),
    ],
)
def test_the_marts_hold_the_real_observations_and_no_others(marts, name: str, expected: list):
    assert _snapshots(marts, name) == expected


def test_an_adopted_run_is_a_snapshot_of_its_own_time(marts):
    # Ended weeks ago by Apify's clock: kept as of then, and the new run is of its own day.
    assert _snapshots(marts, "adopted") == [GOOD, ("02", 4, 1000), ("03", 4, 1000)]


_LEDGERS = {
    "timed_out": (2, 2), "errors": (2, 2), "drifted": (2, 2), "renamed": (2, 2),
    "refused": (1, 2), "adopted": (3, 3), "emptied": (2, 2),
}  # fmt: skip
"""Runs that were paid for, and runs that were meant to be, by account."""


def test_the_ledger_of_costs_has_every_run_once(marts):
    rows = marts.execute(
        "select account_name, sum(cost_usd), sum(run_count), sum(unpriced_run_count) "
        "from stats.cost_ledger group by account_name order by account_name"
    ).fetchall()
    cost = Decimal("0.0105")
    own = {row[0]: row[1:] for row in rows if row[0] in _LEDGERS}
    assert own == {name: (runs * cost, attempts, 0) for name, (runs, attempts) in _LEDGERS.items()}


def test_no_number_of_a_mart_is_negative(marts):
    assert marts.execute(
        "select count(*) from marts.fct_snapshot where least(view_count, like_count, "
        "comment_count, share_count, save_count) < 0"
    ).fetchall() == [(0,)]
