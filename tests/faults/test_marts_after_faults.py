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
        load_raw(bench.settings)
        build_models(bench.settings)
        with duckdb.connect(str(bench.settings.database_path), read_only=True) as connection:
            yield connection


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


GOOD = ("01", 3, 900)


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


def test_the_ledger_of_costs_has_every_run_once(marts):
    rows = marts.execute(
        "select account_name, sum(cost_usd), sum(run_count), sum(unpriced_run_count) "
        "from stats.cost_ledger group by account_name order by account_name"
    ).fetchall()
    cost = Decimal("0.0105")
    assert {row[0]: row[1:] for row in rows} == {
        name: (runs * cost, attempts, 0)
        for name, runs, attempts in (
            ("timed_out", 2, 2), ("errors", 2, 2), ("drifted", 2, 2), ("renamed", 2, 2),
            ("refused", 1, 2), ("adopted", 3, 3), ("emptied", 2, 2),
        )
    }  # fmt: skip


def test_no_number_of_a_mart_is_negative(marts):
    assert marts.execute(
        "select count(*) from marts.fct_snapshot where least(view_count, like_count, "
        "comment_count, share_count, save_count) < 0"
    ).fetchall() == [(0,)]
