"""Patterns among the worst posts: exact chances, and few false alarms."""

import duckdb
import numpy as np
import pytest
from scipy import stats

from pipeline.measure.failure_patterns import (
    over_representation,
    share_bounds,
    write_failure_patterns,
)
from pipeline.measure.statistics_tables import prepare_statistics_tables


def test_the_chance_is_that_of_a_draw_without_putting_back() -> None:
    generator = np.random.default_rng(1)
    account_n = generator.integers(10, 400, 200).astype(float)
    worst = np.floor(account_n / 5)
    n = np.array([float(generator.integers(1, total + 1)) for total in account_n])
    hits = np.array(
        [
            float(generator.integers(max(0, n_ + w - a), min(n_, w) + 1))
            for n_, w, a in zip(n, worst, account_n, strict=True)
        ]
    )
    exact = stats.hypergeom.sf(hits - 1, account_n, worst, n)
    assert over_representation(n, hits, account_n, worst) == pytest.approx(exact, rel=1e-6)


def test_the_bounds_of_a_share_are_exact_and_exist_at_both_ends() -> None:
    low, high = share_bounds(np.array([0.0, 3.0, 8.0]), np.array([8.0, 8.0, 8.0]))
    assert (low[0], high[2]) == (0.0, 1.0)
    expected = stats.binomtest(3, 8).proportion_ci(0.9, method="exact")
    assert (low[1], high[1]) == pytest.approx((expected.low, expected.high))


def _found(segments: dict[str, float], accounts: int, seed: int) -> list[tuple[str, str]]:
    """Account and segment of every finding; a segment's posts are shifted by its value."""
    generator = np.random.default_rng(seed)
    rows = [
        (f"a{account}", f"p{place}", name, float(generator.standard_normal() + shift))
        for account in range(accounts)
        for place, (name, shift) in enumerate(list(segments.items()) * 20)
    ]
    with duckdb.connect() as connection:
        connection.execute("create schema intermediate; create schema marts")
        connection.execute(
            "create table posts (account_name varchar, post_id varchar, segment varchar, x double)"
        )
        connection.executemany("insert into posts values (?, ?, ?, ?)", rows)
        connection.execute(
            "create view intermediate.int_post_outcomes as "
            "select *, 'tiktok' as platform, 'views_7d' as outcome from posts"
        )
        connection.execute(
            "create view intermediate.int_post_segments as "
            "select *, 'tiktok' as platform, 'format' as dimension from posts"
        )
        connection.execute(
            "create view marts.mart_failure_posts as select * from intermediate.int_post_outcomes "
            "qualify 5 * row_number() over (partition by account_name order by x) "
            "<= count(*) over (partition by account_name)"
        )
        prepare_statistics_tables(connection)
        write_failure_patterns(connection)
        return connection.execute(
            "select account_name, segment from stats.failure_patterns "
            "where verdict = 'over_represented' order by all"
        ).fetchall()


def test_segments_that_do_not_differ_are_hardly_ever_found() -> None:
    alike = dict.fromkeys("abcde", 0.0)
    assert sum(bool(_found(alike, 1, seed)) for seed in range(60)) <= 6


def test_a_segment_that_fails_twice_as_often_is_found() -> None:
    found = _found({"a": 0.0, "b": 0.0, "c": 0.0, "bad": -1.3}, 5, 3)
    assert {segment for _, segment in found} == {"bad"}
    assert len(found) >= 4
