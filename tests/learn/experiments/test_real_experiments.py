"""Real experiments that lie beside the repository: known figures, and how fast they are read."""

import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from statsmodels.stats.proportion import proportions_ztest

from pipeline.learn.experiments.arms import binomial_arm
from pipeline.learn.experiments.checks import MISMATCH, sample_ratio_p
from pipeline.learn.experiments.counts_file import CountedArm, read_counts
from pipeline.learn.experiments.fixed import compare
from pipeline.learn.experiments.imported import read_experiment
from pipeline.learn.experiments.imported_reading import Question
from pipeline.learn.experiments.registration import MetricKind

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


@pytest.fixture(scope="module")
def headlines(tmp_path_factory) -> dict[str | None, list[CountedArm]]:
    if not HEADLINES:
        pytest.skip("the real experiments are not beside the repository")
    path = tmp_path_factory.mktemp("headlines") / "headlines.parquet"
    duckdb.execute(
        'copy (select clickability_test_id as test, "index" as arm, impressions as units,'
        f" clicks as successes from read_parquet($file) order by all) to '{path}'",
        {"file": str(HEADLINES[0])},
    )
    return read_counts(path, MetricKind.PROPORTION, by="test")


def test_thousands_of_headline_tests_are_read_in_seconds(headlines):
    started = time.process_time()
    readings = [
        read_experiment(arms, Question(MetricKind.PROPORTION), name)
        for name, arms in headlines.items()
    ]
    seconds = time.process_time() - started

    assert len(readings) == 2453
    assert seconds < 20
    contrasts = [contrast for reading in readings for contrast in reading.contrasts]
    fixed = sum(contrast.p_value_fixed_adjusted <= 0.05 for contrast in contrasts)
    anytime = sum(contrast.p_value_anytime_adjusted <= 0.05 for contrast in contrasts)
    assert 0 < anytime < fixed


def test_headline_tests_agree_with_statsmodels_two_proportion_test(headlines):
    apart = []
    for arms in list(headlines.values())[::10]:
        clicks, sizes = (
            [getattr(arm, column) for arm in arms] for column in ("successes", "units")
        )
        first = binomial_arm([clicks[0]] * (len(arms) - 1), [sizes[0]] * (len(arms) - 1))
        ours = compare(first, binomial_arm(clicks[1:], sizes[1:])).p_value
        for p, won, n in zip(ours, clicks[1:], sizes[1:], strict=True):
            with np.errstate(invalid="ignore"):
                _, theirs = proportions_ztest([clicks[0], won], [sizes[0], n])
            # Without a click in either arm statsmodels divides by 0.
            apart.append(abs(p - theirs) if np.isfinite(theirs) else p - 1)

    assert len(apart) > 700
    assert max(apart) < 1e-9
