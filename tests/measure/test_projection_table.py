"""Which posts get a projection, and from which numbers."""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.measure.projection_table import write_post_projection
from pipeline.measure.statistics_tables import prepare_statistics_tables
from pipeline.simulate.growth import draw_curve

_TABLES = """
create schema intermediate;
create table intermediate.int_posts__engagement (
    account_name varchar, platform varchar, post_id varchar, engagement_terms varchar,
    scraped_at timestamptz, age_hours double, view_7d double, view_28d double,
    engagement_7d double, engagement_28d double
);
create table intermediate.int_posts__labelled (
    account_name varchar, platform varchar, post_id varchar, is_ad boolean
);
create table intermediate.int_snapshots__published (
    account_name varchar, platform varchar, post_id varchar, scraped_at timestamptz,
    age_hours double, view_count bigint, like_count bigint, comment_count bigint,
    share_count bigint, save_count bigint
);
"""
NOW = "2026-06-30 08:00:00+00"


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(_TABLES)
        prepare_statistics_tables(connection)
        yield connection


def _post(
    connection: duckdb.DuckDBPyConnection,
    post_id: str,
    age_now_hours: float,
    views: dict[float, int | None],
    *,
    account: str = "a",
    at_ages: tuple[float | None, float | None] = (None, None),
    is_ad: bool = False,
) -> None:
    """A post with its views by age; a tenth of the views likes it, and nobody comments."""
    key = [account, "tiktok", post_id]
    for age, count in views.items():
        connection.execute(
            "insert into intermediate.int_snapshots__published "
            "select ?, ?, ?, ?::timestamptz - to_seconds(?), ?, ?, ?, 0, null, null",
            [*key, NOW, (age_now_hours - age) * 3600, age, count, (count or 0) // 10],
        )
    newest = max(views)
    tenths = [None if value is None else value / 10 for value in at_ages]
    connection.execute(
        "insert into intermediate.int_posts__engagement "
        "select ?, ?, ?, 'likes+comments', ?::timestamptz - to_seconds(?), ?, ?, ?, ?, ?",
        [*key, NOW, (age_now_hours - newest) * 3600, newest, *at_ages, *tenths],
    )
    connection.execute("insert into intermediate.int_posts__labelled values (?, ?, ?, ?)",
                       [*key, is_ad])  # fmt: skip


def _old_posts(connection: duckdb.DuckDBPyConnection, count: int, *, seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    for post in range(count):
        curve, final = draw_curve(rng, 1.0), float(np.exp(rng.normal(9, 1)))
        start = rng.uniform(1, 20)
        ages = [start + 24.0 * day for day in (0, 1, 2, 4, 6, 10, 20, 29)]
        _post(
            connection,
            f"old{post:03}",
            800.0 + post,
            {age: round(final * curve.reached(age)) for age in ages},
            at_ages=(final * curve.reached(168), final * curve.reached(672)),
        )


def _rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    write_post_projection(connection)
    found = connection.execute("select * from stats.post_projection")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_without_a_young_post_there_is_no_row(warehouse: duckdb.DuckDBPyConnection):
    _old_posts(warehouse, 15)

    assert _rows(warehouse) == []


def test_an_empty_warehouse_gives_an_empty_table(warehouse: duckdb.DuckDBPyConnection):
    assert _rows(warehouse) == []


def test_a_young_post_is_projected_to_each_standard_age_ahead_of_it(
    warehouse: duckdb.DuckDBPyConnection,
):
    _old_posts(warehouse, 30)
    _post(warehouse, "day2", 48.0, {20.0: 700, 48.0: 1000})
    _post(warehouse, "day9", 216.0, {20.0: 700, 216.0: 1000})
    _post(warehouse, "grown", 700.0, {20.0: 700, 650.0: 1000})

    rows = _rows(warehouse)

    assert [(row["post_id"], row["metric"], row["age_hours"]) for row in rows] == [
        ("day2", "engagement", 168), ("day2", "engagement", 672),
        ("day2", "view", 168), ("day2", "view", 672),
        ("day9", "engagement", 672), ("day9", "view", 672),
    ]  # fmt: skip
    for row in rows:
        assert row["method"] == "curve"
        assert row["training_post_count"] == row["account_training_post_count"] == 30
        assert (
            row["expected_count_low_80"] <= row["expected_count"] <= row["expected_count_high_80"]
        )
    views = {row["age_hours"]: row for row in rows if row["metric"] == "view"}
    assert views[168]["observed_count"] == 1000
    assert 1000 <= views[168]["expected_count"] < 2000


def test_age_is_counted_to_the_newest_scrape_even_for_a_post_that_was_not_seen_since(
    warehouse: duckdb.DuckDBPyConnection,
):
    _old_posts(warehouse, 15)
    _post(warehouse, "vanished", 200.0, {20.0: 700, 48.0: 1000})
    _post(warehouse, "just_seen", 3.0, {3.0: 10})

    rows = [row for row in _rows(warehouse) if row["post_id"] == "vanished"]

    assert {row["age_hours"] for row in rows} == {672}
    assert {row["observed_age_hours"] for row in rows} == {48.0}


def test_what_is_known_of_7_days_alone_says_nothing_of_28(warehouse: duckdb.DuckDBPyConnection):
    for post in range(20):
        _post(warehouse, f"p{post}", 200.0 + post, {20.0: 500 + post, 44.0: 700, 200.0: 1000},
              at_ages=(990.0, None))  # fmt: skip
    _post(warehouse, "young", 44.0, {20.0: 500, 44.0: 700})

    methods = {
        row["age_hours"]: (row["method"], row["training_post_count"])
        for row in _rows(warehouse)
        if row["post_id"] == "young" and row["metric"] == "view"
    }

    assert methods == {168: ("curve", 20), 672: ("built_in_curve", 0)}


def test_a_count_that_fell_grows_from_the_highest_that_was_seen(
    warehouse: duckdb.DuckDBPyConnection,
):
    _old_posts(warehouse, 15)
    _post(warehouse, "fell", 60.0, {10.0: 900, 60.0: 850})

    views = [row for row in _rows(warehouse) if row["metric"] == "view"]

    assert {row["observed_count"] for row in views} == {850}
    assert all(row["expected_count_low_80"] >= 900 for row in views)


def test_where_views_are_not_published_engagement_alone_is_projected(
    warehouse: duckdb.DuckDBPyConnection,
):
    _old_posts(warehouse, 15)
    _post(warehouse, "image", 60.0, {10.0: None, 60.0: None})

    rows = _rows(warehouse)

    assert {row["metric"] for row in rows if row["post_id"] == "image"} == {"engagement"}


def test_paid_posts_teach_nothing(warehouse: duckdb.DuckDBPyConnection):
    _old_posts(warehouse, 15)
    _post(warehouse, "paid", 900.0, {10.0: 1, 60.0: 900}, at_ages=(5000.0, 9e9), is_ad=True)
    _post(warehouse, "young", 44.0, {20.0: 500, 44.0: 700})

    assert {row["training_post_count"] for row in _rows(warehouse)} == {15}


def test_the_table_is_the_same_each_time(warehouse: duckdb.DuckDBPyConnection):
    _old_posts(warehouse, 70)
    _post(warehouse, "young", 44.0, {20.0: 500, 44.0: 700})

    once, again = _rows(warehouse), _rows(warehouse)

    assert once == again
    assert {row["method"] for row in once} == {"boosting"}
