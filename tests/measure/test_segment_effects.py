"""The table of effects: one mechanism, one row per segment, families per account."""

import math
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.measure.effects import Verdict
from pipeline.measure.segment_effects import write_segment_effects
from pipeline.measure.statistics_tables import STATISTICS_TABLES, prepare_statistics_tables

Posts = list[tuple[str, str, float]]
"""Account, format and log views of posts."""


def _posts(account: str, segment: str, n: int, factor: float, seed: int) -> Posts:
    luck = 0.4 * np.random.default_rng(seed).standard_normal(n)
    return [(account, segment, float(value)) for value in math.log(1000 * factor) + luck]


def _warehouse(posts: Posts) -> duckdb.DuckDBPyConnection:
    """A database with the moments of posts of one dimension and one outcome."""
    connection = duckdb.connect()
    prepare_statistics_tables(connection)
    connection.execute("create schema intermediate")
    connection.execute("create table posts (account_name varchar, segment varchar, value double)")
    if posts:
        connection.executemany("insert into posts values (?, ?, ?)", posts)
    grouped = (
        "select account_name, 'tiktok' as platform, {} as dimension, {} as segment, "
        "'views_7d' as outcome, 168 as age_hours, cast(count(*) as integer) as n, "
        "median(exp(value)) as median, avg(value) as log_mean, "
        "var_pop(value) * count(*) as log_squared_deviations from posts group by all"
    )
    connection.execute(
        "create table intermediate.int_segment_moments as "
        + grouped.format("'format'", "segment")
        + " union all "
        + grouped.format("'all_posts'", "'all_posts'")
    )
    return connection


def _rows(posts: Posts) -> dict[tuple[str, str], dict[str, Any]]:
    connection = _warehouse(posts)
    write_segment_effects(connection)
    cursor = connection.execute("select * from stats.segment_effects")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert names == list(STATISTICS_TABLES["segment_effects"])
    return {(row["account_name"], row["segment"]): row for row in rows}


def test_a_planted_ratio_is_measured_against_the_accounts_own_usual() -> None:
    rows = _rows(_posts("a", "guide", 60, 2.0, 1) + _posts("a", "list", 60, 1.0, 2))
    guide = rows["a", "guide"]

    assert guide["effect_low"] <= math.sqrt(2) <= guide["effect_high"]
    assert guide["effect_low"] <= guide["effect"] <= guide["effect_unpooled"]
    assert guide["verdict"] == Verdict.BETTER
    assert guide["posts_needed"] == 0
    assert rows["a", "list"]["verdict"] == Verdict.WORSE
    assert (guide["n"], guide["account_n"], guide["age_hours"]) == (60, 120, 168)
    assert guide["effect_elsewhere"] is None


def test_a_segment_with_few_posts_keeps_its_count_and_gets_no_figure() -> None:
    rare = _rows(_posts("a", "guide", 30, 1.0, 3) + _posts("a", "rare", 3, 9.0, 4))["a", "rare"]

    assert (rare["n"], rare["effect"], rare["q_value"]) == (3, None, None)
    assert rare["verdict"] == Verdict.NOT_ENOUGH_DATA
    assert rare["posts_needed"] == 2
    assert rare["median"] > 1000


def test_a_big_account_with_a_favourite_format_does_not_make_the_format_universal() -> None:
    """Pooled naively, the big account's audience would make its favourite format look best."""
    big = _posts("big", "list", 90, 100.0, 5) + _posts("big", "guide", 10, 100.0, 6)
    small = _posts("small", "list", 10, 1.0, 7) + _posts("small", "guide", 90, 1.0, 8)
    across = _rows(big + small)["*", "list"]

    assert across["verdict"] == Verdict.NO_CLEAR_DIFFERENCE
    assert across["account_count"] == 2
    assert (across["n"], across["account_n"], across["median"]) == (100, 200, None)


def test_what_helps_in_every_account_is_told_across_accounts_and_to_each_of_them() -> None:
    posts = [
        post
        for number, name in enumerate("abcd")
        for post in _posts(name, "guide", 40, 2.0, 2 * number)
        + _posts(name, "list", 40, 1.0, 2 * number + 1)
    ]
    rows = _rows(posts)

    assert rows["*", "guide"]["verdict"] == Verdict.BETTER
    assert rows["a", "guide"]["effect_elsewhere"] == pytest.approx(math.sqrt(2), abs=0.15)


def test_a_difference_that_is_not_sure_yet_says_how_many_posts_it_takes() -> None:
    level = [6.5, 7.5] * 30
    posts = [("a", "guide", value + 0.28) for value in level[:12]]
    posts += [("a", "list", value) for value in level]
    guide = _rows(posts)["a", "guide"]

    assert guide["verdict"] == Verdict.NO_CLEAR_DIFFERENCE
    more = guide["posts_needed"]
    assert more > 0
    posts += [("a", "guide", value + 0.28) for value in level * 3][: 2 * more]
    assert _rows(posts)["a", "guide"]["verdict"] == Verdict.BETTER


def test_no_posts_give_an_empty_table() -> None:
    assert _rows([]) == {}


def test_the_same_moments_in_another_order_give_the_same_bits() -> None:
    posts = [
        post
        for number, name in enumerate(("x", "y", "z"))
        for segment in ("guide", "list", "rare")
        for post in _posts(name, segment, 6 + 9 * number, 1.2, number)
    ]
    one, other = _warehouse(posts), _warehouse(posts)
    other.execute(
        "create or replace table intermediate.int_segment_moments as "
        "select * from intermediate.int_segment_moments order by random()"
    )
    for connection in (one, other):
        write_segment_effects(connection)
    query = "select * from stats.segment_effects"
    assert one.execute(query).fetchall() == other.execute(query).fetchall()
