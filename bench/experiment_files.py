"""Real experiments beside the repository, for :mod:`bench.experiments`."""

import tempfile
import time
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from statsmodels.stats.proportion import proportions_ztest

from pipeline.learn.experiments.anytime import follow, look
from pipeline.learn.experiments.arms import binomial_arm, difference
from pipeline.learn.experiments.checks import holm
from pipeline.learn.experiments.counts_file import CountedArm, Experiments, read_counts
from pipeline.learn.experiments.fixed import p_value
from pipeline.learn.experiments.imported import read_experiment
from pipeline.learn.experiments.imported_reading import ImportedExperiment, Question
from pipeline.learn.experiments.registration import MetricKind

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "experiments"
ALPHA = 0.05
_UPWORTHY, _COOKIES = "upworthy_*.parquet", "cookie_cats.csv"
_PLANNED_IMPRESSIONS = 3600.0  # what an arm got there, on average

_HEADLINES_SQL = """
copy (
    select clickability_test_id as test, "index" as arm, impressions as units, clicks as successes
    from read_parquet($file) order by test, arm
) to '{to}'
"""
_COOKIES_SQL = """
copy (
    select version as arm, count(*) as units, count(*) filter (retention_7) as successes
    from read_csv($file) group by version order by version
) to '{to}'
"""


def upworthy(rng: np.random.Generator, looks: int, rounds: int) -> dict[str, Any]:
    """All headline tests read, and their arms resampled where nothing differs."""
    files = sorted(FOLDER.glob(_UPWORTHY))
    if not files:
        return {"skipped": f"no {_UPWORTHY} in {FOLDER}"}
    question = Question(MetricKind.PROPORTION, planned=_PLANNED_IMPRESSIONS)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "headlines.parquet"
        duckdb.execute(_HEADLINES_SQL.format(to=converted), {"file": str(files[0])})
        started = time.monotonic()
        tests = read_counts(converted, MetricKind.PROPORTION, by="test")
        readings = [read_experiment(arms, question, name) for name, arms in tests.items()]
        seconds = time.monotonic() - started
    flagged = {
        str(test): str(arm)
        for test, arm in duckdb.execute(
            'select clickability_test_id, "index" from read_parquet($file) where winner',
            {"file": str(files[0])},
        ).fetchall()
    }
    return {
        "tests": len(readings),
        "seconds": seconds,
        "contrasts_with_the_first_arm": sum(len(reading.contrasts) for reading in readings),
        "largest_distance_from_statsmodels": _apart(readings, tests),
        "split_flagged": sum((reading.sample_ratio_p or 1) < 0.01 for reading in readings),
        **_called(tests, flagged),
        "null": _null(tests, rng, looks, rounds),
    }


def _apart(readings: list[ImportedExperiment], tests: Experiments) -> float:
    """Largest distance of p-values from statsmodels' two-proportion test."""
    worst = 0.0
    for reading in readings:
        arms = {arm.name: (arm.successes or 0, arm.units) for arm in tests[reading.experiment]}
        for contrast in reading.contrasts:
            won, sizes = zip(arms[contrast.usual], arms[contrast.tried], strict=True)
            if 0 < sum(won) < sum(sizes):
                _, theirs = proportions_ztest(won, sizes)
                worst = max(worst, abs(contrast.p_value_fixed - float(theirs)))
    return worst


def _called(tests: Experiments, flagged: dict[str, str]) -> dict[str, Any]:
    """Tests in which some arm differs from another, over all pairs, and the file's own winners."""
    counts: Counter[str] = Counter(flagged=len(flagged))
    smallest: dict[str, float] = {}
    for name, arms in tests.items():
        pairs = np.array(list(combinations(range(len(arms)), 2)))
        size, won = _counts(arms)
        seen = difference(*(binomial_arm(won[pairs[:, i]], size[pairs[:, i]]) for i in (0, 1)))
        least = min(1.0, len(pairs) * float(p_value(seen).min()))  # Holm's smallest is Bonferroni's
        always = float(look(seen, _PLANNED_IMPRESSIONS, alpha=ALPHA / len(pairs)).p_value.min())
        smallest[str(name)] = least
        called = least <= ALPHA
        best = arms[int(np.argmax(won / size))].name
        counts["called_fixed"] += called
        counts["called_anytime"] += min(1.0, len(pairs) * always) <= ALPHA
        if str(name) in flagged:
            counts["called_and_flagged"] += called
            counts["called_and_flagged_same_arm"] += called and flagged[str(name)] == best
            counts["flagged_and_best"] += flagged[str(name)] == best
    over_all = sum(adjusted <= ALPHA for adjusted in holm(smallest).values())
    return {**dict(counts), "called_fixed_over_all_tests": over_all}


def _counts(arms: list[CountedArm]) -> tuple[np.ndarray, np.ndarray]:
    size, won = zip(*((arm.units, arm.successes) for arm in arms), strict=True)
    return np.array(size, float), np.array(won, float)


def _null(tests: Experiments, rng: np.random.Generator, looks: int, rounds: int) -> dict[str, Any]:
    """The first two arms of each test, clicks drawn anew with one share for both."""
    pairs = np.array([np.column_stack(_counts(arms[:2])).ravel() for arms in tests.values()])
    share = (pairs[:, 1] + pairs[:, 3]) / (pairs[:, 0] + pairs[:, 2])
    when = np.arange(1, looks + 1) / looks
    sizes = [np.ceil(pairs[:, [column]] * when) for column in (0, 2)]
    steps = [np.diff(size, axis=1, prepend=0).astype(int) for size in sizes]
    false, naive, n = 0, 0, 0
    for _ in range(rounds):
        first, second = (
            binomial_arm(rng.binomial(step, share[:, None]).cumsum(axis=1), size)
            for step, size in zip(steps, sizes, strict=True)
        )
        seen = difference(first, second)
        false += int((follow(look(seen, _PLANNED_IMPRESSIONS)).p_value[:, -1] <= ALPHA).sum())
        naive += int((p_value(seen) <= ALPHA).any(axis=1).sum())
        n += len(pairs)
    return {"experiments": n, "false_winners": false / n, "naive_false_winners": naive / n}


def cookie_cats() -> dict[str, Any]:
    """Retention after seven days, and whether the arms are of equal size."""
    file = FOLDER / _COOKIES
    if not file.exists():
        return {"skipped": f"no {_COOKIES} in {FOLDER}"}
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "counts.csv"
        duckdb.execute(_COOKIES_SQL.format(to=converted), {"file": str(file)})
        arms = read_counts(converted, MetricKind.PROPORTION)[None]
    found = read_experiment(arms, Question(MetricKind.PROPORTION, planned=45_000))
    (contrast,) = found.contrasts
    return {
        "effect": contrast.effect,
        "low": contrast.effect_low_fixed,
        "high": contrast.effect_high_fixed,
        "p_value_fixed": contrast.p_value_fixed,
        "p_value_anytime": contrast.p_value_anytime,
        "sample_ratio_p": found.sample_ratio_p,
        "verdict": found.verdict.value,
    }
