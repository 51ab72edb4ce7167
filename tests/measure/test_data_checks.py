"""Each check finds its fault and is silent on a healthy scrape."""

from collections.abc import Iterator

import duckdb
import pytest

from pipeline.measure.data_checks import DATA_CHECKS, offending_rows
from pipeline.measure.statistics_tables import prepare_statistics_tables

CHECKS = {check.name: check for check in DATA_CHECKS}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A healthy history: two scrapes of five posts each."""
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.execute("create schema raw")
        database.execute("create schema marts")
        prepare_statistics_tables(database)
        database.execute(
            """
            create table marts.fct_snapshot as
            select
                'a' as account_name,
                'tiktok' as platform,
                cast(post as varchar) as post_id,
                timestamptz '2026-01-01 08:00:00+00' + day * interval '1 day' as scraped_at,
                10 * post + day as view_count,
                post + day as like_count,
                false as has_count_drop
            from range(1, 6) as posts (post), range(2) as days (day)
            """
        )
        database.execute(
            """
            create table raw.scrapes as
            select
                'a' as account_name,
                'tiktok' as platform,
                'apify' as source,
                'actor' as actor_id,
                'scrape' || day as scrape_id,
                timestamptz '2026-01-01 08:00:00+00' + day * interval '1 day' as scraped_at,
                30 as items_asked,
                5 as post_count
            from range(2) as days (day)
            """
        )
        yield database


@pytest.mark.parametrize("name", CHECKS)
def test_a_healthy_scrape_passes(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    assert offending_rows(connection, CHECKS[name]) == (0, [])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("like_counts_differ", "update marts.fct_snapshot set like_count = 3"),
        ("views_are_not_all_zero", "update marts.fct_snapshot set view_count = 0"),
        (
            "as_many_posts_as_last_time",
            "update raw.scrapes set post_count = 4 where scrape_id = 'scrape1'",
        ),
        (
            "counts_do_not_fall",
            "update marts.fct_snapshot set has_count_drop = (post_id = '2' and like_count = 3)",
        ),
    ],
)
def test_a_fault_is_found_with_its_rows(
    connection: duckdb.DuckDBPyConnection, name: str, fault: str
) -> None:
    connection.execute(fault)
    count, rows = offending_rows(connection, CHECKS[name])

    assert count == 1
    assert rows[0]["account_name"] == "a"
    assert rows[0]["scraped_at"].startswith("2026-01-02T08:00:00")


def test_a_shorter_list_that_was_asked_for_is_no_fault(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "update raw.scrapes set post_count = 4, items_asked = 4 where scrape_id = 'scrape1'"
    )
    assert offending_rows(connection, CHECKS["as_many_posts_as_last_time"]) == (0, [])
