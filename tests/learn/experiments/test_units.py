"""The posts of an experiment from a copy's tables, and a winner's figures from the same tables."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pytest

from pipeline.learn.experiments.adjusting import Adjustment
from pipeline.learn.experiments.anytime import bound, log_evidence
from pipeline.learn.experiments.arms import difference
from pipeline.learn.experiments.reading import primary_series, read_experiment, read_posts
from pipeline.learn.experiments.registration import Registration
from pipeline.learn.experiments.units import Post, metrics_of, posts_of
from pipeline.learn.experiments.winner import INTERVAL_ERROR, query_of
from tests.fakes.experiment_copies import earlier_posts, fill
from tests.learn.experiments.hand_made import (
    Row,
    after,
    experiment,
    guarded,
    registration,
    views,
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database."""
    with duckdb.connect(":memory:") as opened:
        opened.execute("set timezone = 'UTC'")
        yield opened


def made(design: Registration, n: int = 30) -> tuple[list[Row], list[Post]]:
    """Posts with all metrics of a registration; the tried arm is 1.4 times as good."""
    scale = {"views_72h": 1.0, "save_rate_7d": 1e-4, "comments_72h": 0.05}
    values = {
        name: {
            metric.name: [
                x * scale[metric.name]
                for x in views(n, 400 * better, seed=10 * place + len(metric.name))
            ]
            for metric in metrics_of(design)
        }
        for place, (name, better) in enumerate((("usual", 1.0), ("tried", 1.4)))
    }
    return experiment(design, values)


@pytest.mark.parametrize("metric", ["views_72h", "save_rate_7d", "comments_72h"])
def test_posts_come_with_their_values_stamps_and_moments(
    connection: duckdb.DuckDBPyConnection, metric: str
) -> None:
    design = registration(metric=metric)
    _, posts = made(design)
    fill(connection, design, [*posts, *earlier_posts(posts)])

    found = posts_of(connection, design)

    assert [post.post_id for post in found] == [post.post_id for post in posts]
    for post, given in zip(found, posts, strict=True):
        assert (post.assignment_id, post.arm) == (given.assignment_id, given.arm)
        assert (post.posted_at, post.weekday, post.daypart) == (
            given.posted_at, given.weekday, given.daypart,
        )  # fmt: skip
        assert post.outcomes[metric].value == pytest.approx(given.outcomes[metric].value)


def test_what_was_to_be_expected_is_known_before_the_post(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    design = registration()
    _, posts = made(design)
    before = earlier_posts(posts)
    fill(connection, design, [*posts, *before])

    first = posts_of(connection, design)[0].outcomes["views_72h"]

    known = sorted(
        (post for post in before if post.posted_at <= posts[0].posted_at - timedelta(hours=72)),
        key=lambda post: post.posted_at,
    )[-20:]
    logs = [math.log1p(post.outcomes["views_72h"].value) for post in known]
    assert first.expected == pytest.approx(sum(logs) / len(logs))


def test_posts_of_other_experiments_and_profiles_are_not_read(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    design = registration()
    _, posts = made(design)
    fill(connection, design, posts)

    for other in (
        replace(design, experiment_id="exp_ffffffffffff"),
        replace(design, platform="instagram"),
        replace(design, account_name="else"),
    ):
        assert posts_of(connection, other) == []


def test_a_reading_from_tables_is_that_of_the_posts(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    design = guarded()
    assignments, posts = made(design)
    fill(connection, design, posts)

    read = read_experiment(connection, design, assignments, after(posts))
    of_posts = read_posts(design, assignments, posts, after(posts), "v1")

    assert read.contrasts[0].p_value_anytime == pytest.approx(
        of_posts.contrasts[0].p_value_anytime, rel=1e-9
    )
    assert read.contrasts[0].ratio == pytest.approx(of_posts.contrasts[0].ratio, rel=1e-9)
    assert (read.verdict, read.ended_at) == (of_posts.verdict, of_posts.ended_at)
    assert read.warehouse_version == "v1"


@pytest.mark.parametrize("metric", ["views_72h", "save_rate_7d", "comments_72h"])
@pytest.mark.parametrize("is_adjusted", [False, True])
def test_a_winners_query_gives_the_figures_of_the_reading(
    connection: duckdb.DuckDBPyConnection, metric: str, is_adjusted: bool
) -> None:
    centre = {"views_72h": 6.0, "save_rate_7d": 0.04, "comments_72h": 20.0}[metric]
    design = registration(
        metric=metric, adjustment=Adjustment(0.6, centre) if is_adjusted else None
    )
    assignments, posts = made(design)
    fill(connection, design, [*posts, *earlier_posts(posts)])
    found = posts_of(connection, design)
    series = primary_series(design, assignments, found, after(found))

    query = query_of(design, series, "usual", "tried")
    cursor = connection.execute(query["sql"], query["parameters"])
    names = [column[0] for column in cursor.description]
    (row,) = cursor.fetchall()
    figures = dict(zip(names, row, strict=True))

    gap = difference(series["usual"].first(30), series["tried"].first(30))
    progress = gap.information / (design.planned_per_arm / 2)
    half = float(bound(gap.df, progress, INTERVAL_ERROR) * gap.log_ratio_se)
    p_value = math.exp(-float(log_evidence(gap.effect / gap.se, gap.df, progress)))
    middle = float(gap.log_ratio)
    assert (figures["n"], figures["account_n"]) == (30, 60)
    assert figures["effect"] == pytest.approx(math.exp(middle), rel=1e-8)
    assert figures["effect_low"] == pytest.approx(math.exp(middle - half), rel=1e-8)
    assert figures["effect_high"] == pytest.approx(math.exp(middle + half), rel=1e-8)
    assert figures["q_value"] == pytest.approx(min(1, p_value), abs=1e-8)
    assert figures["median"] == pytest.approx(float(np.median(series["tried"].plain)), rel=1e-8)
