"""What the effects of segments do where the truth is known: `make bench-truth`.

Prints each figure beside the line that it has to reach and writes ``bench/results/truth.json``. How
the worlds are made and what is counted stands with the functions of :mod:`bench.truth_figures` and
:mod:`bench.truth_age`.
"""

import argparse
import json
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from bench import truth_figures
from bench.lines import Line
from bench.truth_age import adopted_formats

RESULTS = Path(__file__).parent / "results"
SEED = 20261101
POWER_LINES = {
    ("views", 2.0, 1.3): {30: 0.5, 60: 0.85, 120: 0.99},
    ("rates", 1.3, 0.5): {30: 0.5, 60: 0.85, 120: 0.98},
}
"""Least share found by what is raised, ratio and spread, and then by posts per segment."""
CHOICES: dict[str, dict[str, Any]] = {
    "4 accounts, own part a third": {},
    "4 accounts, own part half": {"peculiar": 0.15},
    "8 accounts of 20-400 posts, own part half": {
        "peculiar": 0.15, "account_count": 8, "posts": (20, 400),
    },
    "4 accounts that share nothing": {"common": 0.001, "peculiar": 0.3},
}  # fmt: skip
"""Set-ups of choices; the first is the one that the lines are held to."""


def main() -> None:
    """Measure, print a table and write ``bench/results/truth.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=400, help="worlds of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    lines = [
        *coverage_lines(options.seed, options.worlds),
        *noise_lines(options.seed, options.worlds),
        *power_lines(options.seed, 5 * options.worlds),
        *full_run_lines(options.seed, options.worlds // 2),
        *choice_lines(options.seed, 2 * options.worlds),
        *age_lines(),
    ]
    width = max(len(line.name) for line in lines)
    for line in lines:
        print(f"{line.name:<{width}}  {line.value:8.3f}  {line.bounds:<16} {line.verdict}")
    RESULTS.mkdir(exist_ok=True)
    document = {
        "seed": options.seed,
        "worlds": options.worlds,
        "versions": {
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
        "figures": {line.name: {**asdict(line), "verdict": line.verdict or None} for line in lines},
    }
    (RESULTS / "truth.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def coverage_lines(seed: int, worlds: int) -> list[Line]:
    """Shares of 90 % intervals that hold the truth."""
    found = truth_figures.coverage(seed, worlds)
    shares = {
        "overall": found.overall,
        **{f"{band} posts": value for band, value in found.by_band.items()},
        **found.by_dimension,
        **{f"{name} luck": value for name, value in found.by_noise.items()},
        **found.by_outcome,
    }
    strong = truth_figures.coverage(seed, worlds // 4, planted_share=1.0, effect_size=0.4)
    return [
        *(Line(f"coverage: {name}", value, 0.87, 0.93) for name, value in shares.items()),
        Line("coverage of the dimension's own effect", found.own_dimension_overall, 0.87, 0.93),
        Line("coverage, all ten dimensions strong", strong.overall),
        Line("coverage of the own effect, all ten strong", strong.own_dimension_overall),
    ]


def noise_lines(seed: int, worlds: int) -> list[Line]:
    """Shares of worlds without effects in which something is found."""
    found = truth_figures.noise(seed, worlds)
    among = truth_figures.false_findings(seed, worlds // 4)
    return [
        Line("noise: worlds with any finding", found.any_finding, high=0.05),
        *(Line(f"noise: {name} luck", value) for name, value in found.by_noise.items()),
        Line("noise, by ratio of plain means: any dimension", found.source_rule_any_dimension),
        Line("noise, by ratio of plain means: formats only", found.source_rule_formats),
        Line("noise: false share of findings beside strong effects", among.false_share, high=0.05),
        Line("noise: findings per world there, true ones", among.true_per_world),
    ]


def power_lines(seed: int, worlds: int) -> list[Line]:
    """Shares of runs that find the one raised format of five, in a run that tests only it."""
    lines = []
    for (name, ratio, sigma), floors in POWER_LINES.items():
        for posts, floor in floors.items():
            found = {
                noise: truth_figures.power(
                    seed, worlds, ratio=ratio, sigma=sigma, posts_per_segment=posts, noise=noise
                )
                for noise in truth_figures.NOISES
            }
            title = f"power: ×{ratio:g} on {name}, {posts} posts"
            lines.append(Line(title, float(np.mean(list(found.values()))), low=floor))
            lines += [Line(f"{title}, {noise} luck", share) for noise, share in found.items()]
    return lines


def full_run_lines(seed: int, worlds: int) -> list[Line]:
    """The same in a run of 4 accounts, ten dimensions and seven outcomes."""
    return [
        Line(
            f"power in a full run: ×2 on views, {posts} posts",
            truth_figures.power_in_a_full_run(seed, worlds, ratio=2.0, posts_per_segment=posts),
        )
        for posts in (30, 60, 120)
    ]


def choice_lines(seed: int, worlds: int) -> list[Line]:
    """Regrets of choosing a format, as shares of other rules' regrets."""
    lines = []
    for place, (name, setup) in enumerate(CHOICES.items()):
        found = truth_figures.choice(seed, worlds, **setup)
        held = place == 0
        lines += [
            Line(f"regret, {name}: posterior (log views)", found.posterior),
            Line(
                f"regret, {name}: of account means'",
                found.against_account_means,
                high=0.6 if held else None,
            ),
            Line(
                f"regret, {name}: of raw means'",
                found.against_raw_means,
                high=0.35 if held else None,
            ),
            Line(
                f"regret, {name}: least possible, of account means'",
                found.best_possible_against_account_means,
            ),
        ]
    return lines


def age_lines() -> list[Line]:
    """Places of a format that was adopted last week; 1 is the best of five."""
    with tempfile.TemporaryDirectory() as folder:
        places = adopted_formats(Path(folder))
    lines = []
    for found in places:
        title = f"age: new format, truly {found.planted_place} of 5"
        lines += [
            Line(f"{title}: by latest means", found.place_by_latest_means, 5, 5),
            Line(
                f"{title}: at equal age",
                found.place_at_equal_age,
                found.planted_place,
                found.planted_place,
            ),
        ]
    return lines


if __name__ == "__main__":
    main()
