"""Real experiments beside the repository, for :mod:`bench.experiments`."""

import math
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pipeline.learn.experiments.anytime import follow, look
from pipeline.learn.experiments.arms import binomial_arm, difference
from pipeline.learn.experiments.checks import holm, sample_ratio_p
from pipeline.learn.experiments.fixed import compare, p_value

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "experiments"
ALPHA = 0.05
_UPWORTHY, _COOKIES = "upworthy_*.parquet", "cookie_cats.csv"
_PLANNED_IMPRESSIONS = 3600.0  # what an arm got there, on average


def upworthy(rng: np.random.Generator, looks: int, rounds: int) -> dict[str, Any]:
    """All headline tests read, and their arms resampled where nothing differs."""
    files = sorted(FOLDER.glob(_UPWORTHY))
    if not files:
        return {"skipped": f"no {_UPWORTHY} in {FOLDER}"}
    started = time.monotonic()
    rows = duckdb.execute(
        'select clickability_test_id, "index", impressions, clicks, winner'
        " from read_parquet(?) order by 1, 2",
        [str(files[0])],
    ).fetchall()
    tests: dict[str, list[tuple[float, float, bool]]] = {}
    for test, _, impressions, clicks, winner in rows:
        tests.setdefault(test, []).append((float(impressions), float(clicks), bool(winner)))
    result = _read_all(tests)
    result["seconds"] = time.monotonic() - started
    result["null"] = _null(tests, rng, looks, rounds)
    return result


def _read_all(tests: dict[str, list[tuple[float, float, bool]]]) -> dict[str, Any]:
    counts = dict.fromkeys(
        ("one_arm", "winner_fixed", "winner_anytime", "flagged", "split_flagged"), 0
    )
    agree = dict.fromkeys(("called_and_flagged", "same_arm"), 0)
    smallest: dict[str, float] = {}
    apart, contrasts = 0.0, 0
    for name, arms in tests.items():
        counts["flagged"] += any(flag for *_, flag in arms)
        if len(arms) < 2:
            counts["one_arm"] += 1
            continue
        counts["split_flagged"] += sample_ratio_p([size for size, *_ in arms]) < 0.01
        pairs = np.array(list(combinations(range(len(arms)), 2)))
        size, won, flags = (np.array(column) for column in zip(*arms, strict=True))
        first, second = (binomial_arm(won[pairs[:, i]], size[pairs[:, i]]) for i in (0, 1))
        fixed = compare(first, second).p_value
        anytime = look(difference(first, second), _PLANNED_IMPRESSIONS).p_value
        contrasts += len(pairs)
        apart = max(apart, _apart(first, second, fixed))
        best = int(np.argmax(won / size))
        called = min(holm({str(i): float(p) for i, p in enumerate(fixed)}).values()) <= ALPHA
        smallest[name] = float(min(1.0, fixed.min() * len(pairs)))
        counts["winner_fixed"] += called
        counts["winner_anytime"] += bool(anytime.min() * len(pairs) <= ALPHA)
        if called and flags.any():
            agree["called_and_flagged"] += 1
            agree["same_arm"] += bool(flags[best])
    over_all = sum(adjusted <= ALPHA for adjusted in holm(smallest).values())
    return {
        "tests": len(tests),
        "contrasts": contrasts,
        **counts,
        "winner_over_all_tests": over_all,
        **agree,
        "largest_distance_from_formula": apart,
    }


def _apart(first: Any, second: Any, fixed: np.ndarray) -> float:
    """Distance from the textbook's two-proportion z, written a second time."""
    worst = 0.0
    for i, p in enumerate(fixed):
        a, m, b, n = (float(x[i]) for x in (first.events, first.size, second.events, second.size))
        pooled = (a + b) / (m + n)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n))
        z = (b / n - a / m) / spread if spread else 0.0
        worst = max(worst, abs(math.erfc(abs(z) / math.sqrt(2)) - float(p)))
    return worst


def _null(
    tests: dict[str, list[tuple[float, float, bool]]],
    rng: np.random.Generator,
    looks: int,
    rounds: int,
) -> dict[str, Any]:
    """The first two arms of each test, clicks drawn anew with one share for both."""
    pairs = np.array([[*a[:2], *b[:2]] for a, b, *_ in (t for t in tests.values() if len(t) > 1)])
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
    (_, n_30, won_30), (_, n_40, won_40) = duckdb.execute(
        "select version, count(*), count(*) filter (retention_7)"
        " from read_csv(?) group by 1 order by 1",
        [str(file)],
    ).fetchall()
    first, second = binomial_arm(won_30, n_30), binomial_arm(won_40, n_40)
    result = compare(first, second)
    anytime = look(difference(first, second), 45_000)
    return {
        "effect": float(second.mean - first.mean),
        "low": float(result.low),
        "high": float(result.high),
        "p_value_fixed": float(result.p_value),
        "p_value_anytime": float(anytime.p_value),
        "sample_ratio_p": sample_ratio_p([n_30, n_40]),
    }
