"""How well the last observed count of a post is projected from the first two, on real series.

Beside the product's own projection stand the log-linear model of Szabo and Huberman, fitted on
the same training posts, and two extrapolations that need no training. Posts are split into five
parts, each projected from the other four, with several seeds.
"""

import argparse
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.projection_series import (
    SNAPSHOTS,
    TIKTOK_PATTERN,
    YOUTUBE_PATTERN,
    Task,
    task,
    tiktok_series,
    youtube_series,
)
from pipeline.measure import projection
from pipeline.measure.projection_features import Histories, on_log_log, on_log_time

RESULTS = Path(__file__).parent / "results"
FOLDS = 5
SEEDS = tuple(range(1, 6))
_CELL_POSTS = 5
"""Fewer training posts in a cell of ages give no shift of its own."""

Floats = NDArray[np.float64]


def szabo_huberman(
    training: Histories, training_counts: Floats, asked: Histories, cells_per_octave: float = 1.0
) -> Floats:
    """Counts by the log-linear model of Szabo and Huberman (2010).

    ``ln N(t) = ln N(r) + c(r, t)``, where ``c`` is the mean of what the training posts gained, from
    https://doi.org/10.1145/1787234.1787254. The paper has all posts at the same reference and
    target ages; here a cell holds ages within a factor of two (an octave) of each other, both for
    the reference and for the target. A cell with fewer than five training posts takes cells twice
    as wide, and so on up to one cell for all.

    Args:
        training: Histories of the training posts; the reference is their second observation.
        training_counts: Their counts at the target ages, shape (posts,).
        asked: What to project.
        cells_per_octave: Finer cells with more than one.

    Returns:
        Counts, shape (rows,).
    """
    gained = np.log1p(training_counts) - training.log_last
    shift = np.full(len(asked), np.nan)
    width = 1.0 / cells_per_octave
    while np.isnan(shift).any():
        known, wanted = _cells(training, width), _cells(asked, width)
        for cell in np.unique(wanted, axis=0):
            members = (known == cell).all(axis=1)
            if members.sum() >= _CELL_POSTS:
                shift[np.isnan(shift) & (wanted == cell).all(axis=1)] = gained[members].mean()
        width *= 2
        if width > 64:
            shift[np.isnan(shift)] = gained.mean()
    return np.expm1(asked.log_last + shift)


def szabo_huberman_smoothed(
    training: Histories, training_counts: Floats, asked: Histories
) -> Floats:
    """The same with a shift that varies smoothly with both ages, which favours it.

    The mean over all training posts, weighted by a Gaussian kernel of half an octave in both ages.
    """
    gained = np.log1p(training_counts) - training.log_last
    ages = [
        np.log2(np.column_stack([found.last_age_hours, found.target_age_hours]))
        for found in (training, asked)
    ]
    distance = ((ages[1][:, None, :] - ages[0][None, :, :]) ** 2).sum(axis=2)
    weights = np.exp(-distance / (2 * 0.5**2)) + 1e-12
    return np.expm1(asked.log_last + weights @ gained / weights.sum(axis=1))


def _cells(histories: Histories, width: float) -> NDArray[np.int64]:
    ages = np.column_stack([histories.last_age_hours, histories.target_age_hours])
    return np.floor(np.log2(ages) / width).astype(np.int64)


@dataclass(frozen=True)
class Split:
    """What one seed's cross-validation gave: absolute percentage errors by method, and coverage."""

    errors: Mapping[str, Floats]
    is_covered: NDArray[np.bool_]


def cross_validated(task: Task, seed: int) -> Split:
    """Project each post from models that saw none of its numbers.

    The product's projection is fitted and asked exactly as the pipeline does it.
    """
    folds = np.random.default_rng(seed).permutation(len(task)) % FOLDS
    posts = np.arange(len(task))
    counts: dict[str, Floats] = {
        name: np.empty(len(task))
        for name in ("projection", "szabo_huberman", "szabo_huberman_smoothed")
    }
    counts["on_log_time"] = np.expm1(on_log_time(task.histories))
    counts["on_log_log"] = np.expm1(on_log_log(task.histories))
    is_covered = np.empty(len(task), dtype=np.bool_)
    for fold in range(FOLDS):
        held, kept = folds == fold, folds != fold
        training, known = task.histories.rows(kept), task.last_counts[kept]
        asked, truth = task.histories.rows(held), task.last_counts[held]
        projector = projection.fit(training, known, posts[kept], task.accounts[kept])
        found = projector.project(asked, task.accounts[held])
        counts["projection"][held] = found.expected
        is_covered[held] = (found.low <= truth) & (truth <= found.high)
        counts["szabo_huberman"][held] = szabo_huberman(training, known, asked)
        counts["szabo_huberman_smoothed"][held] = szabo_huberman_smoothed(training, known, asked)
    return Split(
        {name: np.abs(found / task.last_counts - 1) for name, found in counts.items()}, is_covered
    )


def figures(tasks: Mapping[str, Task], seeds: tuple[int, ...] = SEEDS) -> dict[str, Any]:
    """All figures of the benchmark, by series; errors are fractions, means over the seeds.

    Returns:
        For each series: posts, the median absolute percentage error of each method, by how much
        the projection's is lower (``reduction_…``: 0.45 is 45 % lower), and the share of the 80 %
        intervals that hold the truth.
    """
    found: dict[str, Any] = {}
    for name, asked in tasks.items():
        splits = [cross_validated(asked, seed) for seed in seeds]
        errors = {
            method: [float(np.median(split.errors[method])) for split in splits]
            for method in splits[0].errors
        }
        means = {method: float(np.mean(values)) for method, values in errors.items()}
        found[name] = {
            "posts": len(asked),
            "median_absolute_percentage_error": means,
            "median_absolute_percentage_error_by_seed": errors,
            **{
                f"reduction_{method}": 1 - means["projection"] / value
                for method, value in means.items()
                if method != "projection"
            },
            "coverage": float(np.mean([split.is_covered.mean() for split in splits])),
            "coverage_by_seed": [float(split.is_covered.mean()) for split in splits],
        }
    return found


def real_tasks(folder: Path = SNAPSHOTS) -> dict[str, Task]:
    """The series beneath a folder; empty where there are none.

    Args:
        folder: Holds ``youtube_*_daily.parquet`` and ``tiktok_*/*.json``.
    """
    tasks = {}
    videos = sorted(folder.glob(YOUTUBE_PATTERN))
    bundles = sorted(folder.glob(TIKTOK_PATTERN))
    if videos:
        tasks["youtube"] = task(youtube_series(videos))
    if bundles:
        tasks["tiktok"] = task(tiktok_series(bundles))
    return tasks


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Print the table and write ``bench/results/projection.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=SNAPSHOTS, help="of the series")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many")
    options = parser.parse_args(arguments)
    tasks = real_tasks(options.folder)
    if not tasks:
        print(f"Projection: no series in {options.folder}, so nothing was measured.")
        return {}
    started = time.process_time()
    seeds = tuple(range(1, options.seeds + 1))
    found = figures(tasks, seeds)
    print("Projection of the last observed count from the first two: median absolute error in %")
    for name, row in found.items():
        print(f"  {name}, {row['posts']} posts, {len(seeds)} × {FOLDS} splits by post")
        for method, error in row["median_absolute_percentage_error"].items():
            lower = "" if method == "projection" else f"   {-row[f'reduction_{method}']:+.0%}"
            print(f"    {method:<26}{100 * error:7.2f}{lower}")
        print(f"    80 % intervals hold {row['coverage']:.1%}")
    result = {
        "benchmark": "projection",
        "series": found,
        "folds": FOLDS,
        "seeds": seeds,
        "cpu_s": round(time.process_time() - started, 1),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "projection.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result


if __name__ == "__main__":
    main()
