"""Intervals of the marts on many simulated accounts at once: how often they hold the truth.

The SQL of a model, as dbt compiled it, runs over posts that were drawn with a known truth.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.settings import Settings
from tests.measure.marts.worlds import Rows, run_model, texts

pytestmark = pytest.mark.slow

ACCOUNTS = 400


def _covered(rows: Rows, name: str, truth: float) -> float:
    """Share of the rows whose interval holds the truth; all rows have one."""
    bounds = [(row[f"{name}_low"], row[f"{name}_high"]) for row in rows]
    assert len(bounds) >= ACCOUNTS
    return float(np.mean([low <= truth <= high for low, high in bounds]))


def _accounts(posts: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(ACCOUNTS), posts)


def _posts(account: NDArray[np.int64]) -> dict[str, NDArray[np.object_]]:
    return {
        "account_name": texts(account),
        "platform": np.full(len(account), "tiktok", dtype=object),
        "post_id": texts(np.arange(len(account))),
    }


def _hook_rows(settings: Settings, correlation: float, sizes: NDArray[np.int64], seed: int) -> Rows:
    generator = np.random.default_rng(seed)
    account = np.repeat(np.arange(len(sizes)), sizes)
    format_index = generator.integers(0, 3, len(account))
    score, noise = generator.standard_normal((2, len(account)))
    # Formats differ in both, so that without them apart the two would go along.
    outcome = correlation * score + math.sqrt(1 - correlation**2) * noise + 2.0 * format_index
    return run_model(
        settings,
        "mart_hook_score",
        {
            "intermediate.int_posts__comparable": {
                **_posts(account),
                "format": texts(format_index),
                "hook_score": score + 2.0 * format_index,
                "log_views_7d": outcome,
            }
        },
    )


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_hook_scores_interval_holds_the_truth_nine_times_in_ten(
    settings: Settings, correlation: float
) -> None:
    # The rank correlation of very many posts is the truth that an account's should hold.
    truth = _hook_rows(settings, correlation, np.array([40_000]), 1)[0]["correlation"]
    rows = _hook_rows(settings, correlation, np.full(ACCOUNTS, 45), 2)
    assert 0.86 <= _covered(rows, "correlation", truth) <= 0.94
    if correlation == 0.0:
        assert abs(truth) < 0.02
        assert np.mean([row["plain_correlation"] > 0.3 for row in rows]) > 0.9
        assert np.mean([row["verdict"] != "no_clear_difference" for row in rows]) <= 0.02


@pytest.mark.parametrize(("ratio", "most_alarms"), [(1.0, 0.02), (1.3, 1.0)])
def test_a_trends_interval_holds_the_truth_nine_times_in_ten(
    settings: Settings, ratio: float, most_alarms: float
) -> None:
    generator = np.random.default_rng(3)
    account = _accounts(44)
    days_ago = np.tile(8 + np.arange(44), ACCOUNTS)
    is_now = days_ago < 8 + 30
    logs = generator.standard_normal(len(account)) * 1.3 + np.where(is_now, math.log(ratio), 0.0)
    last = np.datetime64("2026-09-01", "us")
    rows = run_model(
        settings,
        "mart_trend",
        {
            "intermediate.int_posts__comparable": {
                **_posts(account),
                "local_date": last - days_ago.astype("timedelta64[D]"),
                "last_seen_date": np.full(len(account), last),
            },
            "intermediate.int_post_outcomes": {
                **_posts(account),
                "outcome": np.full(len(account), "views_7d", dtype=object),
                "value": np.exp(logs),
                "log_value": logs,
            },
            "intermediate.metric_availability": {},
        },
    )
    month = [row for row in rows if row["period"] == "30d"]
    assert {(row["n"], row["n_before"]) for row in month} == {(30, 14)}
    assert 0.86 <= _covered(month, "change", ratio) <= 0.94
    alarms = [row["verdict"] in {"up", "down"} for row in month]
    assert np.mean(alarms) <= most_alarms


@pytest.mark.parametrize(("slope", "most_alarms"), [(0.0, 0.03), (-0.4, 1.0)])
def test_the_interval_of_diminishing_returns_holds_the_truth(
    settings: Settings, slope: float, most_alarms: float
) -> None:
    generator = np.random.default_rng(4)
    weeks = 16
    account = _accounts(weeks)
    week = np.tile(np.arange(weeks), ACCOUNTS)
    posts = 1 + generator.poisson(5, len(account))
    # Weeks of few posts vary more, and every account grows.
    spread = np.sqrt(0.2**2 + 1.0 / posts)
    means = 6 + slope * np.log(posts) + 0.03 * week + spread * generator.standard_normal(len(week))
    rows = run_model(
        settings,
        "mart_cadence",
        {
            "marts.mart_cadence_weekly": {
                "account_name": texts(account),
                "platform": np.full(len(account), "tiktok", dtype=object),
                "outcome": np.full(len(account), "views_7d", dtype=object),
                "week_start": np.datetime64("2026-01-05", "us") + 7 * week.astype("timedelta64[D]"),
                "post_count": posts,
                "n": posts,
                "log_mean": means,
                "total": posts * np.exp(means),
                "is_compared": np.ones(len(account), dtype=bool),
            }
        },
    )
    assert 0.85 <= _covered(rows, "per_post_slope", slope) <= 0.95
    assert 0.85 <= _covered(rows, "per_week_slope", 1 + slope) <= 0.95
    alarms = [row["verdict"] not in {"no_clear_difference", "not_enough_data"} for row in rows]
    assert np.mean(alarms) <= most_alarms


@pytest.mark.parametrize("spread", [0.8, 1.3])
@pytest.mark.parametrize("segment_posts", [10, 30])
def test_a_lifts_interval_holds_the_truth_of_heavy_tailed_posts(
    settings: Settings, spread: float, segment_posts: int
) -> None:
    generator = np.random.default_rng(5)
    account = _accounts(90)
    is_own = np.tile(np.arange(90) < segment_posts, ACCOUNTS)
    engagement = 300 * np.exp(spread * generator.standard_normal(len(account)))
    posts = _posts(account)
    rows = run_model(
        settings,
        "int_segments__figures",
        {
            "intermediate.int_posts__comparable": {**posts, "engagement_7d": engagement},
            "intermediate.int_post_segments": {
                **posts,
                "dimension": np.full(len(account), "pillar", dtype=object),
                "segment": np.where(is_own, "own", "other").astype(object),
            },
        },
    )
    own = [row for row in rows if row["segment"] == "own"]
    assert {row["post_count"] for row in own} == {segment_posts}
    assert 0.86 <= _covered(own, "engagement_lift", 1.0) <= 0.95
