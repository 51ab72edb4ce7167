"""Experiments that are looked at a hundred times: `make bench-experiments`.

Simulated experiments of each metric type (:mod:`bench.experiment_worlds`) are read at 100 looks up
to the latest end. Prints each figure beside its line and writes ``bench/results/experiments.json``.

What is counted:

- false winners: experiments without an effect in which any look calls one; naive: the fixed-sample
  p-value at the same looks.
- power at the plan: the fixed-sample analysis at the planned size, planned for 80 %.
- power at any time, mean size: experiments with the planned effect that end with a winner by the
  latest end, and units per arm until they end over the planned ones; also for half as much again.
- worst size: that of the latest end, at which the power at any time is.
- coverage: the fixed interval at the planned size; the confidence sequence at all looks at once;
  of the difference and of the ratio.

A figure is missed when it lies beyond its line by more than two standard errors of the simulation.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.experiment_files import cookie_cats, upworthy
from bench.experiment_worlds import LOOKS, World, worlds
from pipeline.learn.experiments.anytime import LONGEST, TUNING, follow, look
from pipeline.learn.experiments.arms import difference
from pipeline.learn.experiments.fixed import compare, p_value

RESULTS = Path(__file__).parent / "results"
SEED = 20261120
EXPERIMENTS, CHUNK = 10_000, 1000
_READ_ONCE = 6
"""Times as many experiments are read once, at the planned end: they are cheap, and their coverage
must be known well."""
PROCESSES = 2
ALPHA = 0.05
LINES = {
    "false_winners": (0.0, 0.03),
    "naive_false_winners": (0.0, 1.0),
    "power_fixed": (0.77, 0.83),
    "power_anytime": (0.80, 1.0),
    "worst_size": (0.0, LONGEST),
    "mean_size": (0.0, 1.05),
    "mean_size_larger": (0.0, 0.65),
    "coverage_fixed": (0.95, 0.98),
    "coverage_fixed_ratio": (0.95, 0.98),
    "coverage_anytime": (0.95, 1.0),
    "coverage_anytime_ratio": (0.95, 1.0),
}
"""What each figure has to lie between."""

_LARGER = 1.5
_SIZE_SPREAD = 0.5
"""Standard deviation of the size at which an experiment ends, over the planned one."""


def false_winners(world: World, rng: np.random.Generator, many: int) -> dict[str, float]:
    """Experiments without an effect."""
    arms = [world.arm(rng, 0.0, many, world.looks) for _ in range(2)]
    seen = difference(*arms)
    return {
        "false_winners": _share(follow(look(seen, world.planned)).p_value[:, -1] <= ALPHA),
        "naive_false_winners": _share((p_value(seen) <= ALPHA).any(axis=1)),
    }


def with_effect(world: World, rng: np.random.Generator, many: int) -> dict[str, float]:
    """Experiments with the planned effect: power, size and coverage."""
    usual = world.arm(rng, 0.0, many, world.looks)
    tried = world.arm(rng, world.effect, many, world.looks)
    anytime = look(difference(usual, tried), world.planned)
    ratio = world.log_ratio(world.effect)
    result = _ends(anytime.p_value, world, "")
    low, high, log_low, log_high = (
        getattr(anytime, end) for end in ("low", "high", "log_ratio_low", "log_ratio_high")
    )
    inside = (low <= world.effect) & (world.effect <= high)
    # A look without a ratio says nothing about it.
    inside_ratio = ~((log_low > ratio) | (log_high < ratio))
    result["coverage_anytime"] = _share(inside.all(axis=1))
    result["coverage_anytime_ratio"] = _share(inside_ratio.all(axis=1))
    result["worst_size"] = float(world.looks[-1] / world.planned)
    return result


def at_the_planned_end(world: World, rng: np.random.Generator, many: int) -> dict[str, float]:
    """Experiments with the planned effect, read once."""
    end, ratio = np.array([world.planned]), world.log_ratio(world.effect)
    fixed = compare(*(world.arm(rng, shift, many, end) for shift in (0.0, world.effect)))
    result = {"power_fixed": _share(fixed.p_value <= ALPHA)}
    result["coverage_fixed"] = _share((fixed.low <= world.effect) & (world.effect <= fixed.high))
    result["coverage_fixed_ratio"] = _share(
        (fixed.log_ratio_low <= ratio) & (ratio <= fixed.log_ratio_high)
    )
    return result


def with_larger_effect(world: World, rng: np.random.Generator, many: int) -> dict[str, float]:
    """Experiments whose effect is half as large again as planned."""
    usual = world.arm(rng, 0.0, many, world.looks)
    tried = world.arm(rng, world.effect * _LARGER, many, world.looks)
    return _ends(look(difference(usual, tried), world.planned).p_value, world, "_larger")


def _ends(p_values: np.ndarray, world: World, suffix: str) -> dict[str, float]:
    called = p_values <= ALPHA
    won = called.any(axis=1)
    size = np.where(won, world.looks[called.argmax(axis=1)], world.looks[-1])
    return {
        f"power_anytime{suffix}": _share(won),
        f"mean_size{suffix}": float(size.mean() / world.planned),
    }


def _share(flags: np.ndarray) -> float:
    return float(np.mean(flags))


def _missed(figures: dict[str, float], n: int) -> list[str]:
    """Figures beyond their line by more than two standard errors of the simulation."""
    missed = []
    for key, (low, high) in LINES.items():
        value = figures[key]
        spread = _SIZE_SPREAD if "size" in key else (value * (1 - value)) ** 0.5
        drawn = n * _READ_ONCE if "fixed" in key else n
        noise = 0.0 if key == "worst_size" else 2 * spread / drawn**0.5
        if value < low - noise or value > high + noise:
            missed.append(key)
    return missed


def _world(index: int, many: int, seed: int) -> dict[str, Any]:
    """All figures of one metric type."""
    world, rng = worlds()[index], np.random.default_rng([seed, index])
    chunks = [
        {
            **false_winners(world, rng, CHUNK),
            **with_effect(world, rng, CHUNK),
            **with_larger_effect(world, rng, CHUNK),
            **at_the_planned_end(world, rng, CHUNK * _READ_ONCE),
        }
        for _ in range(max(1, many // CHUNK))
    ]
    means = {key: float(np.mean([chunk[key] for chunk in chunks])) for key in chunks[0]}
    return {
        "world": world.name,
        "planned": world.planned,
        "looks": len(world.looks),
        **means,
        "missed": _missed(means, len(chunks) * CHUNK),
    }


def run(many: int, seed: int) -> dict[str, Any]:
    """All figures."""
    rng = np.random.default_rng(seed)
    # Read while nothing else runs, because it is timed.
    headlines = upworthy(rng, LOOKS, rounds=4)
    one = partial(_world, many=many, seed=seed)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(one, range(len(worlds()))))
    return {
        "seed": seed,
        "experiments": max(1, many // CHUNK) * CHUNK,
        "tuning": TUNING,
        "longest": LONGEST,
        "versions": {name: version(name) for name in ("numpy", "scipy", "tea-tasting")},
        "worlds": rows,
        "upworthy": headlines,
        "cookie_cats": cookie_cats(),
    }


def _show(result: dict[str, Any]) -> None:
    print(f"{result['experiments']} experiments of each kind, seed {result['seed']}")
    for row in result["worlds"]:
        print(f"\n{row['world']}: {row['planned']} per arm planned, {row['looks']} looks")
        for key, (low, high) in LINES.items():
            missed = "missed" if key in row["missed"] else ""
            print(f"  {key:<24} {row[key]:7.4f}   {low:.2f} to {high:.2f}  {missed}")
    for name in ("upworthy", "cookie_cats"):
        print(f"\n{name}")
        for key, value in result[name].items():
            print(f"  {key:<32} {value}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=EXPERIMENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    started = time.monotonic()
    result = run(given.experiments, given.seed)
    result["seconds"] = time.monotonic() - started
    _show(result)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "experiments.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
