"""What a build costs: beside a plain DuckDB script, as history grows, and at its least.

CPU seconds of this program and its children; each part runs in a process of its own, so that its
memory is its own too.

- *size*: everything from landing files to statistics, against one plain script that makes the same
  marts from the same files (``bench.plain_marts``), beyond what dbt takes over empty tables.
- *day*: one more day of scrapes after 30, 90 and 365 days of history.
- *fixed*: a whole run of few accounts without anything new, by part.
"""

import argparse
import json
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.daily_listings import SEED, Listings, land_days, write_accounts
from pipeline.settings import Settings

RESULTS = Path(__file__).parent / "results"
HISTORIES = (30, 90, 365)
POSTS = 500
"""Posts that an account has at the end of its history, however long that is."""
MOST_TIMES_PLAIN, MOST_TIMES_SHORTEST, MOST_MIB = 2.5, 1.3, 1.5 * 1024
Figures = dict[str, Any]


def cpu_s() -> float:
    """CPU seconds of this process and its finished children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def _load(settings: Settings) -> Figures:
    from pipeline.collect.raw import load_raw

    report = load_raw(settings)
    return {"scrapes": report.scrapes_loaded, "items": report.items_loaded}


def _landing(settings: Settings) -> Figures:
    from pipeline.collect.raw import load_landing

    return {"items": load_landing(settings).items_loaded}


def _models(settings: Settings) -> Figures:
    from pipeline.measure.build import build_models

    spent: dict[str, float] = {}
    last = cpu_s()

    def note(event: Mapping[str, Any]) -> None:
        nonlocal last
        now = cpu_s()
        name = event["data"]["node_info"]["unique_id"].split(".", 1)[0]
        spent[name] = spent.get(name, 0.0) + now - last
        last = now

    before = cpu_s()
    build = build_models(settings, note)
    # What comes before the first node is dbt's start; the first node's own share is small.
    return {
        "is_full_refresh": build.is_full_refresh,
        "by_kind": {name: round(one, 2) for name, one in spent.items()},
        "inside": round(cpu_s() - before, 2),
    }


def _statistics(settings: Settings) -> Figures:
    from pipeline.measure.build import build_statistics

    build_statistics(settings)
    return {}


def _publish(settings: Settings) -> Figures:
    from pipeline.measure.build import publish_build

    publish_build(settings)
    return {}


def _plain(settings: Settings) -> Figures:
    from bench.plain_marts import build_plain_marts

    return {"snapshots": build_plain_marts(settings)}


def _whole_run(settings: Settings) -> Figures:
    from pipeline.defs.runs import run_build

    run_build(settings)
    return {}


def _parts_of_a_run(settings: Settings) -> Figures:
    """Each part of a whole run after the other, in one process."""
    parts: dict[str, float] = {}
    last = 0.0

    def part_ends(name: str) -> None:
        nonlocal last
        now = cpu_s()
        parts[name] = round(now - last, 2)
        last = now

    part_ends("python and settings")
    import pipeline.defs.runs

    assert pipeline.defs.runs
    part_ends("dagster: imports and definitions")
    from pipeline.measure import dbt_runs

    dbt_runs.staged_platforms()
    import dbt.adapters.duckdb
    import dbt.cli.main

    assert dbt.cli.main
    part_ends("dbt: imports")
    _load(settings)
    part_ends("raw load and labels")
    models = _models(settings)
    part_ends("dbt: start, parse, models and tests")
    _statistics(settings)
    part_ends("statistics")
    _publish(settings)
    part_ends("publish")
    return {"parts": parts, "by_kind": models["by_kind"]}


def _parse(settings: Settings) -> Figures:
    from pipeline.measure.dbt_runs import parse_project

    parse_project(settings.dbt_workspace / "parsed")
    before = cpu_s()
    parse_project(settings.dbt_workspace / "parsed")
    return {"again": round(cpu_s() - before, 2)}


MEASURED: dict[str, Callable[[Settings], Figures]] = {
    "landing": _landing,
    "load": _load,
    "models": _models,
    "statistics": _statistics,
    "publish": _publish,
    "plain": _plain,
    "whole_run": _whole_run,
    "parts": _parts_of_a_run,
    "parse": _parse,
}


def measured(name: str, home: Path) -> Figures:
    """One part in a process of its own: CPU and wall seconds, peak memory, what it says."""
    started = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.pipeline_speed", "--measure", name,
         "--home", str(home)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result: Figures = json.loads(done.stdout.splitlines()[-1])
    result["cpu_s"] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
    result["wall_s"] = round(time.perf_counter() - started, 2)
    return result


def _measure(name: str, home: Path) -> None:
    result = MEASURED[name](Settings(home=home))
    result["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result))


def _world(account_count: int, days: int, *, listed: int = 400, posts: int = POSTS) -> Listings:
    before = int(0.55 * posts)
    return Listings(account_count, days, before, (posts - before) / days, listed)


def _generated(settings: Settings, world: Listings, days: range) -> Figures:
    before = cpu_s()
    write_accounts(settings, world)
    return {"items": land_days(settings, world, days), "cpu_s": round(cpu_s() - before, 2)}


def size_figures(folder: Path, account_count: int, days: int) -> Figures:
    """The whole way from landing files to statistics, and the plain script's."""
    settings = Settings(home=folder / "size")
    empty = Settings(home=folder / "empty")
    world = _world(account_count, days)
    figures: Figures = {"accounts": account_count, "posts": POSTS, "days": days}
    figures["generate"] = _generated(settings, world, range(days))
    _say("scrapes made", figures["generate"])
    write_accounts(empty, world)
    measured("load", empty.home)
    measured("models", empty.home)  # the first one parses the project
    for name, part, home in (
        ("plain script", "plain", settings.home),
        ("dbt build over empty tables", "models", empty.home),
        ("raw load and labels", "load", settings.home),
        ("dbt build", "models", settings.home),
        ("statistics", "statistics", settings.home),
    ):
        key = "empty" if home == empty.home else part
        figures[key] = measured(part, home)
        _say(name, figures[key])
    ours = sum(figures[part]["cpu_s"] for part in ("load", "models", "statistics"))
    figures["times_plain"] = round(
        (ours - figures["empty"]["cpu_s"]) / figures["plain"]["cpu_s"], 2
    )
    figures["peak_mib"] = max(
        figures[part]["peak_mib"] for part in ("load", "models", "statistics")
    )
    print(f"  {figures['times_plain']:.2f} times the plain script beyond the fixed cost (at most "
          f"{MOST_TIMES_PLAIN}); {figures['peak_mib']:,.0f} MiB at the most (at most "
          f"{MOST_MIB:,.0f})")  # fmt: skip
    shutil.rmtree(settings.home)
    return figures


def day_figures(folder: Path, account_count: int, repeats: int) -> Figures:
    """One more day of scrapes after histories of several lengths."""
    figures: Figures = {"accounts": account_count, "posts": POSTS, "by_days": {}}
    for days in HISTORIES:
        settings = Settings(home=folder / f"after_{days}")
        world = _world(account_count, days)
        made = _generated(settings, world, range(days))
        for part in ("load", "models", "statistics"):
            measured(part, settings.home)
        runs = []
        for number in range(repeats):
            land_days(settings, world, [days + number])
            run = {part: measured(part, settings.home)["cpu_s"]
                   for part in ("load", "models", "statistics")}  # fmt: skip
            runs.append(run | {"cpu_s": round(sum(run.values()), 2)})
        median = sorted(runs, key=lambda one: one["cpu_s"])[len(runs) // 2]
        figures["by_days"][days] = median | {"snapshots_before": made["items"]}
        print(f"  after {days:>3} days ({made['items']:>9,} snapshots) "
              f"{median['cpu_s']:7.2f} CPU s: load {median['load']:.2f}, "
              f"dbt {median['models']:.2f}, statistics {median['statistics']:.2f}")  # fmt: skip
        shutil.rmtree(settings.home)
    costs = [one["cpu_s"] for one in figures["by_days"].values()]
    figures["longest_to_shortest"] = round(max(costs) / min(costs), 2)
    print(f"  the dearest is {figures['longest_to_shortest']:.2f} times the cheapest (at most "
          f"{MOST_TIMES_SHORTEST})")  # fmt: skip
    return figures


def fixed_figures(folder: Path, repeats: int) -> Figures:
    """A run of four accounts with 200 posts each and nothing new, by part."""
    settings = Settings(home=folder / "fixed")
    world = _world(4, 30, listed=200, posts=200)
    _generated(settings, world, range(world.days))
    measured("whole_run", settings.home)
    runs = [measured("parts", settings.home) for _ in range(repeats)]
    whole = statistics.median(measured("whole_run", settings.home)["cpu_s"] for _ in range(repeats))
    parts = {name: round(statistics.median(run["parts"][name] for run in runs), 2)
             for name in runs[0]["parts"]}  # fmt: skip
    parse = measured("parse", settings.home)["again"]
    kinds = {name: round(statistics.median(run["by_kind"][name] for run in runs), 2)
             for name in runs[0]["by_kind"]}  # fmt: skip
    parts["dagster: the run itself"] = round(whole - sum(parts.values()), 2)
    for name, cost in sorted(parts.items(), key=lambda pair: -pair[1]):
        print(f"  {name:40}{cost:8.2f} CPU s")
    print(f"    of dbt: parse with nothing changed {parse:.2f}; "
          + ", ".join(f"{name}s {cost:.2f}" for name, cost in kinds.items()))  # fmt: skip
    print(f"  {'the whole run':40}{whole:8.2f} CPU s")
    return {"whole": whole, "parts": parts, "parse_unchanged": parse, "dbt_by_kind": kinds}


def _say(name: str, figures: Figures) -> None:
    memory = f"{figures['peak_mib']:>8,} MiB" if "peak_mib" in figures else ""
    print(f"  {name:40}{figures['cpu_s']:8.2f} CPU s{memory}", flush=True)


def main() -> None:
    """Measure, print and write ``bench/results/pipeline_speed.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100, help="accounts of the size part")
    parser.add_argument("--days", type=int, default=90, help="days of the size part")
    parser.add_argument("--day-accounts", type=int, default=20, help="accounts of the day part")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("size", "day", "fixed"), action="append")
    parser.add_argument("--measure", choices=sorted(MEASURED), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        _measure(asked.measure, asked.home)
        return
    wanted = asked.only or ["size", "day", "fixed"]
    figures: Figures = {
        "seed": SEED,
        "repeats": asked.repeats,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("duckdb", "dbt-core", "dbt-duckdb", "dagster")},
    }
    folder = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    try:
        if "size" in wanted:
            print(f"{asked.accounts} accounts, {POSTS} posts each, {asked.days} days")
            figures["size"] = size_figures(folder, asked.accounts, asked.days)
        if "day" in wanted:
            print(f"One more day of scrapes, {asked.day_accounts} accounts, {POSTS} posts each")
            figures["day"] = day_figures(folder, asked.day_accounts, asked.repeats)
        if "fixed" in wanted:
            print("A whole run of 4 accounts, 200 posts each, with nothing new")
            figures["fixed"] = fixed_figures(folder, asked.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    (RESULTS / "pipeline_speed.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
