"""Marts over weeks, periods and platforms, recomputed from a simulated world's posts."""

import math
from collections import Counter
from datetime import timedelta

import duckdb
import numpy as np
import pytest
from scipy import stats

from tests.measure.marts.worlds import OUTCOMES, Rows, log_outcome, posts_of, rows_of

pytestmark = pytest.mark.slow


def test_the_hook_scores_correlation_is_the_partial_one_of_ranks(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    checked = 0
    for mart in rows_of(warehouse, "select * from marts.mart_hook_score"):
        if mart["outcome"] not in OUTCOMES:
            continue
        pairs = [
            (p["format"] or "", p["hook_score"], log_outcome(p, mart["outcome"]))
            for p in posts_of(posts, mart["account_name"], mart["platform"])
            if p["hook_score"] is not None and log_outcome(p, mart["outcome"]) is not None
        ]
        assert mart["n"] == len(pairs)
        if mart["correlation"] is None:
            continue
        formats = sorted({name for name, _, _ in pairs})
        dummies = np.array([[name == other for other in formats] for name, _, _ in pairs], float)
        left = []
        for place in (1, 2):
            # Equal log outcomes come out a millionth apart when they are kept to one.
            ranks = stats.rankdata(np.round([pair[place] for pair in pairs], 6))
            fitted, *_ = np.linalg.lstsq(dummies, ranks, rcond=None)
            left.append(ranks - dummies @ fitted)
        assert mart["correlation"] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-6)
        checked += 1
    assert checked >= 6


def test_weeks_are_counted_on_the_accounts_own_clock(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    counted: Counter[tuple[str, str, object]] = Counter()
    for post in posts:
        if post["is_pinned"] is not True:
            monday = post["local_date"] - timedelta(days=post["local_posted_at"].weekday())
            counted[post["account_name"], post["platform"], monday] += 1
    weeks = rows_of(
        warehouse, "select * from marts.mart_cadence_weekly where outcome = 'engagement_7d'"
    )
    assert len(weeks) > 30
    for week in weeks:
        key = week["account_name"], week["platform"], week["week_start"]
        assert week["post_count"] == counted[key]
        assert week["n"] <= week["post_count"]


def test_the_slope_of_cadence_is_a_regression_with_a_trend_and_hc3_errors(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    checked = 0
    for mart in rows_of(warehouse, "select * from marts.mart_cadence"):
        weeks = rows_of(
            warehouse,
            "select * from marts.mart_cadence_weekly where is_compared and account_name = ? "
            "and platform = ? and outcome = ? order by week_start",
            mart["account_name"],
            mart["platform"],
            mart["outcome"],
        )
        assert mart["week_count"] == len(weeks)
        assert mart["post_count"] == sum(week["post_count"] for week in weeks)
        if mart["per_post_slope"] is None:
            assert mart["verdict"] == "not_enough_data"
            continue
        days = [(week["week_start"] - weeks[0]["week_start"]).days for week in weeks]
        x = np.column_stack(
            [np.ones(len(weeks)), days, np.log([week["post_count"] for week in weeks])]
        )
        y = np.array([week["log_mean"] for week in weeks])
        inverse = np.linalg.inv(x.T @ x)
        slopes = inverse @ x.T @ y
        left = (y - x @ slopes) / (1 - np.einsum("ij,jk,ik->i", x, inverse, x))
        error = math.sqrt((inverse @ (x.T * left**2) @ x @ inverse)[2, 2])
        width = stats.t.ppf(0.95, len(weeks) - 3) * error
        assert mart["per_post_slope"] == pytest.approx(slopes[2], abs=1e-6)
        assert mart["per_post_slope_low"] == pytest.approx(slopes[2] - width, rel=0.005, abs=0.005)
        assert mart["per_post_slope_high"] == pytest.approx(slopes[2] + width, rel=0.005, abs=0.005)
        checked += 1
    assert checked >= 8


def test_a_trend_is_welchs_interval_over_posts_of_equal_age(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    checked = 0
    for mart in rows_of(warehouse, "select * from marts.mart_trend where change is not null"):
        if mart["outcome"] not in OUTCOMES:
            continue
        own = [
            (p["local_date"], log)
            for p in posts_of(posts, mart["account_name"], mart["platform"])
            if (log := log_outcome(p, mart["outcome"])) is not None
        ]
        now = [v for day, v in own if mart["period_start"] <= day <= mart["period_end"]]
        before = [v for day, v in own if mart["before_start"] <= day <= mart["before_end"]]
        assert (mart["n"], mart["n_before"]) == (len(now), len(before))
        interval = stats.ttest_ind(now, before, equal_var=False).confidence_interval(0.9)
        assert math.log(mart["change"]) == pytest.approx(np.mean(now) - np.mean(before), abs=1e-5)
        assert math.log(mart["change_low"]) == pytest.approx(interval.low, rel=0.01, abs=0.005)
        assert math.log(mart["change_high"]) == pytest.approx(interval.high, rel=0.01, abs=0.005)
        checked += 1
    assert checked >= 40


def test_no_period_of_a_trend_ends_with_posts_younger_than_seven_days(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    newest = {
        (p["account_name"], p["platform"]): max(
            q["last_seen_at"] for q in posts_of(posts, p["account_name"], p["platform"])
        )
        for p in posts
    }
    for mart in rows_of(warehouse, "select * from marts.mart_trend"):
        end = newest[mart["account_name"], mart["platform"]]
        assert mart["period_end"] <= (end - timedelta(days=6)).date()


def test_platforms_are_compared_by_likes_and_comments_of_videos(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    marts = rows_of(
        warehouse,
        "select * from marts.mart_platform_comparison where metric = 'like_comment_rate_views_7d'",
    )
    assert len(marts) == 6

    def logs(account: str, platform: str) -> list[float]:
        return [
            math.log((p["like_7d"] + p["comment_7d"] + 0.5) / (p["view_7d"] + 1))
            for p in posts_of(posts, account, platform)
            if p["media_type"] == "video" and None not in (p["like_7d"], p["view_7d"])
        ]

    for mart in marts:
        own = logs(mart["account_name"], mart["platform"])
        other = logs(mart["account_name"], mart["other_platform"])
        assert (mart["n"], mart["n_other"]) == (len(own), len(other))
        assert math.log(mart["ratio"]) == pytest.approx(np.mean(own) - np.mean(other), abs=1e-6)
        interval = stats.ttest_ind(own, other, equal_var=False).confidence_interval(0.9)
        assert math.log(mart["ratio_low"]) == pytest.approx(interval.low, rel=0.01)
        # TikTok's likes per view are planted a third higher.
        assert mart["verdict"] == ("higher" if mart["platform"] == "tiktok" else "lower")
