"""Real experiments that lie beside the repository: known figures, and how fast they are read."""

import time
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipeline.learn.experiments.anytime import look
from pipeline.learn.experiments.arms import binomial_arm, difference
from pipeline.learn.experiments.checks import MISMATCH, sample_ratio_p
from pipeline.learn.experiments.fixed import compare

FOLDER = Path(__file__).parents[3].parent / "shared" / "data" / "experiments"
COOKIES = sorted(FOLDER.glob("cookie*.csv"))
HEADLINES = sorted(FOLDER.glob("upworthy*.parquet"))


@pytest.mark.skipif(not COOKIES, reason="the real experiments are not beside the repository")
def test_cookie_cats_has_its_known_difference_and_its_unequal_arms():
    rows = duckdb.execute(
        "select count(*), count(*) filter (retention_7) from read_csv(?)"
        " group by version order by version",
        [str(COOKIES[0])],
    ).fetchall()
    first, second = (binomial_arm(won, n) for n, won in rows)

    result = compare(first, second)

    assert float(second.mean - first.mean) == pytest.approx(-0.0082, abs=5e-5)
    assert float(result.p_value) == pytest.approx(0.00155, abs=1e-5)
    assert sample_ratio_p([n for n, _ in rows]) == pytest.approx(0.009, abs=5e-4)
    assert sample_ratio_p([n for n, _ in rows]) < MISMATCH


@pytest.mark.skipif(not HEADLINES, reason="the real experiments are not beside the repository")
def test_thousands_of_headline_tests_are_read_in_seconds():
    rows = duckdb.execute(
        "select list(impressions), list(clicks) from read_parquet(?) group by clickability_test_id",
        [str(HEADLINES[0])],
    ).fetchall()
    started = time.process_time()
    fixed, anytime = 0, 0
    for sizes, won in rows:
        pairs = np.array(list(combinations(range(len(sizes)), 2)))
        size, clicks = np.array(sizes, float), np.array(won, float)
        arms = [binomial_arm(clicks[pairs[:, i]], size[pairs[:, i]]) for i in (0, 1)]
        fixed += bool(compare(*arms).p_value.min() * len(pairs) <= 0.05)
        anytime += bool(look(difference(*arms), 3600).p_value.min() * len(pairs) <= 0.05)

    assert time.process_time() - started < 20
    assert len(rows) > 2000
    assert 0 < anytime < fixed
