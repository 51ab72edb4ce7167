"""How well outcomes are predicted before posting, out of time: `make bench-predict`.

Prints tables, each figure beside the line that it has to reach, and writes
``bench/results/predict.json``. What is counted stands with :mod:`bench.predict_figures` for real
posts, with :mod:`bench.predict_worlds` for simulated ones, and with
:mod:`bench.reflexion_worlds` and :mod:`bench.reflexion_loop` for what reflexion does.
"""

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from bench.lines import Line
from bench.predict_figures import (
    Comparison,
    growth,
    news_in_folds,
    news_out_of_time,
    out_of_time,
    speed,
)
from bench.predict_posts import (
    DATA,
    NEWS_FEW_COLUMNS_PATTERN,
    NEWS_PATTERN,
    coded_videos,
    followers,
    news,
    tweets,
)
from bench.predict_worlds import FEW, SETUPS, Ranked, ranked
from bench.reflexion_loop import CASES, effects
from bench.reflexion_worlds import SCRIPTS, SUNDAYS, Loops, off, served
from pipeline.accounts import Approval
from pipeline.learn.predict.scoring import explained_in_words

RESULTS = Path(__file__).parent / "results"
WEEK_HOURS = 168.0
TABLES = {
    "coded videos, views": (coded_videos, 0.025),
    "own exports, impressions": (tweets, 0.05),
}
"""How posts are read, and the least share that the served loss has to be below the baseline's."""
HORIZONS_DAYS = (7, 30)
LOOP_WORLDS = 8
TRUTH_SHARE = 0.8
"""Of the rank correlation that the planted truth has with outcomes."""


def main() -> None:
    """Measure, print and write ``bench/results/predict.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real posts")
    parser.add_argument("--skip-speed", action="store_true")
    options = parser.parse_args()
    comparisons: dict[str, Comparison] = {}
    lines: list[Line] = []
    for name, (read, least) in TABLES.items():
        for lag_hours in (0.0, WEEK_HOURS):
            posts = read(options.data, lag_hours)
            if posts is None:
                print(f"{name}: no files in {options.data}, so nothing was measured.")
                break
            known = "known a week later" if lag_hours else "known at once"
            found = comparisons[f"{name}, {known}"] = out_of_time(posts)
            _print_table(f"{name}, outcomes {known}", found)
            lines += _comparison_lines(f"{name}, {known}", found, None if lag_hours else least)
    lines += [*_news_lines(options.data), *_growth_lines(options.data), *_world_lines()]
    lines += _reflexion_lines()
    if not options.skip_speed:
        lines += _speed_lines()
    width = max((len(line.name) for line in lines), default=0)
    for line in lines:
        error = "" if line.error is None else f"± {line.error:.4f}"
        print(
            f"{line.name:<{width}}  {line.value:9.4f} {error:<8}  {line.bounds:<14} {line.verdict}"
        )
    _write(comparisons, lines)


def _comparison_lines(name: str, found: Comparison, least: float | None) -> list[Line]:
    """The lines of one table; outcomes that are known late are held to the softer ones only."""
    return [
        Line(f"{name}: served, below the baseline", found.below_baseline["served"], least),
        Line(
            f"{name}: served, worse than the baseline", -found.below_baseline["served"], high=0.01
        ),
        Line(f"{name}: 80 % intervals hold", found.scores["served"].coverage, 0.77, 0.83),
        Line(f"{name}: spread within accounts explained", found.scores["served"].explained_share),
        Line(f"{name}: worst account of 30 posts or more, loss above", found.worst_account),
    ]


def _print_table(title: str, found: Comparison) -> None:
    print(f"{title}: {found.training_posts} posts learned, {found.posts} scored,"
          f" {found.accounts} accounts")  # fmt: skip
    print(f"  {'':<26}  loss    below  80 % hold  explained  rank r  within 25 %")
    for name, row in found.scores.items():
        below = 100 * found.below_baseline[name]
        print(
            f"  {name:<26} {row.pinball_loss:.4f} {below:6.1f} %   {100 * row.coverage:5.1f} %"
            f"    {100 * row.explained_share:5.1f} %   {row.rank_correlation:5.2f}"
            f"   {100 * row.close_share:5.1f} %"
        )
    error = 100 * found.served_standard_error
    print(f"  served: ± {error:.1f} points (standard error); {found.model_share:.0%} by the model;")
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in found.weights.items())
    print(f"  weights: {weights}")
    print(f"  {explained_in_words(found.scores['served'].explained_share)}\n")


def _news_lines(folder: Path) -> list[Line]:
    lines = []
    ordered = news(folder, NEWS_PATTERN)
    if ordered is not None:
        found = news_out_of_time(ordered)
        lines.append(Line("news, all columns, later 30 %: AUC", found.auc, 0.725))
        lines.append(Line("news, all columns, later 30 %: Brier", float(found.brier or 0)))
    few = news(folder, NEWS_FEW_COLUMNS_PATTERN)
    if few is not None:
        lines.append(Line("news, 15 columns, 5 folds: AUC", news_in_folds(few).auc, 0.664))
    return lines


def _growth_lines(folder: Path) -> list[Line]:
    lines: list[Line] = []
    series = followers(folder)
    for horizon in HORIZONS_DAYS:
        found = {name: growth(counts, horizon) for name, counts in series.items()}
        for name, row in found.items():
            title = f"followers {name}, {horizon} days"
            # The next float below 1: no better than no change is not enough.
            lines += [
                Line(f"{title}: scaled error", row.scaled_error, high=float(np.nextafter(1, 0))),
                Line(f"{title}: scaled by the days before", row.hyndman_scaled_error),
                Line(f"{title}: 80 % intervals hold", row.coverage),
            ]
        if found:
            held = float(np.mean([row.coverage for row in found.values()]))
            lines.append(Line(f"followers, {horizon} days: 80 % intervals hold", held, 0.75, 0.9))
    return lines


def _world_lines() -> list[Line]:
    """What is reached where the truth is known, held to a part of what the truth itself reaches."""
    lines = []
    for setup in SETUPS:
        found = ranked(setup)
        _print_worlds(setup.name, found)
        shares = [
            ("planted rank, of the truth's", found.planted_share, TRUTH_SHARE),
            ("outcome rank, of the truth's", found.outcome_share, None),
        ]
        if setup.accounts > 1:
            shares += [
                ("within accounts, planted", found.own_planted_share, TRUTH_SHARE),
                ("within accounts, outcome", found.own_outcome_share, None),
            ]
        lines += [
            Line(f"simulated, {setup.name}: {what}", share.value, low, error=share.error)
            for what, share, low in shares
        ]
    for setup in FEW:
        found = ranked(setup)
        _print_worlds(setup.name, found)
        more, below = found.planted - found.baseline_planted, found.below_baseline
        lines += [
            Line(f"simulated, {setup.name}: planted rank, above the baseline's", more, 0),
            Line(f"simulated, {setup.name}: below the baseline", below.value, 0, error=below.error),
        ]
    return lines


def _print_worlds(name: str, found: Ranked) -> None:
    print(f"simulated, {name}: rank correlations with")
    print(f"  {'':<16}  planted  outcomes  (the truth's)  of the truth's: planted  outcomes")
    for where, planted, outcome, truth, of_planted, of_outcome in (
        ("all accounts", found.planted, found.outcome, found.ceiling, found.planted_share,
         found.outcome_share),
        ("within accounts", found.own_planted, found.own_outcome, found.own_ceiling,
         found.own_planted_share, found.own_outcome_share),
    ):  # fmt: skip
        print(
            f"  {where:<16}  {planted:7.2f}  {outcome:8.2f}  {truth:13.2f}"
            f"  {of_planted.value:16.2f} ± {of_planted.error:.2f}"
            f"  {of_outcome.value:.2f} ± {of_outcome.error:.2f}"
        )
    below = found.below_baseline
    print(
        f"  loss below the baseline's: {100 * below.value:.1f} ± {100 * below.error:.1f} %;"
        f" 80 % hold: {100 * found.coverage:.1f} %\n"
    )


def _reflexion_lines() -> list[Line]:
    """Losses of 26 weeks with reflexion, less those without it, as shares of the latter."""

    def told(name: str, found: Loops, most: float) -> list[Line]:
        title = f"reflexion, 26 weeks, {name}"
        return [
            Line(f"{title}: loss above that without", found.ratio - 1, None, most, found.error),
            Line(f"{title}: corrections", found.corrections),
        ]

    return [
        *told("predictions off for two kinds of posts", off({SUNDAYS: -0.7, SCRIPTS: 0.7}, 60), 0),
        *told("predictions that are right", off(None, 60), 0.003),
        *told("what models served", served(12), 0.003),
        *_loop_lines(),
    ]


def _loop_lines() -> list[Line]:
    """Reflexion in the loop of :mod:`bench.loop_worlds`; off by default where it does not help."""
    lines = []
    for policy, found in effects(CASES[0], LOOP_WORLDS).items():
        is_sure = found.loss_change + 2 * found.loss_change_error < 0
        does = "lowers the loss" if is_sure else "does not lower the loss beyond chance"
        print(f"reflexion, 26 weeks of the loop, {policy.value}: {does}.")
        name = f"reflexion, 26 weeks of the loop, {policy.value}: loss above that without"
        lines.append(Line(name, found.loss_change, error=found.loss_change_error))
    default = "apply" if Approval().reflexion else "do not apply"
    print(f"reflexion: policies {default} corrections by default.\n")
    return lines


def _speed_lines() -> list[Line]:
    found = speed()
    return [
        Line("training on 10,000 posts, seconds", found.training_s, high=30.0),
        Line("a prediction, milliseconds", found.prediction_ms, high=50.0),
        Line("the slowest of fifteen, milliseconds", found.prediction_slowest_ms),
    ]


def _write(comparisons: dict[str, Comparison], lines: list[Line]) -> None:
    document: dict[str, Any] = {
        "benchmark": "predict",
        "figures": {line.name: {**asdict(line), "verdict": line.verdict or None} for line in lines},
        "tables": {name: asdict(found) for name, found in comparisons.items()},
        "versions": {
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "predict.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
