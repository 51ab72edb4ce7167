"""What showing costs: a dashboard of many posts, and the report over many accounts.

- *dashboard*: ``afterpost dashboard`` of one account with 5,000 posts, as a person calls it, and
  the page's table sorted by each column in a browser where one is installed.
- *analyze*: ``afterpost analyze --all`` over 100 accounts with 500 posts each.

Each stands beside a bare DuckDB script that reads every value of the same tables of the same copy.
The worlds are scraped, built and published as always. Wall seconds, the median of some repeats.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.daily_listings import SEED, Listings, land_days, write_accounts
from bench.pipeline_speed import measured
from pipeline.settings import Settings

RESULTS = Path(__file__).parent / "results"
MOST_DASHBOARD_S, MOST_SORT_MS, MOST_ANALYZE_S, MOST_BYTES = 5.0, 200.0, 2.0, 3_000_000
DAYS = 30
Figures = dict[str, Any]

_OF_DASHBOARD = (
    "marts.dim_account", "marts.dim_post", "marts.dim_profile", "marts.fct_post_performance",
    "marts.fct_snapshot", "marts.mart_growth_curves", "marts.mart_save_vs_share_posts",
    "marts.mart_timing", "marts.mart_trend", "marts.mart_verdicts", "stats.post_projection",
    "stats.segment_effects", "intermediate.int_post_outcomes",
)  # fmt: skip
_OF_ANALYZE = (
    "marts.dim_profile", "marts.fct_post_performance", "marts.fct_snapshot",
    "marts.mart_cross_account", "stats.segment_effects",
)  # fmt: skip
_BARE = """
import sys
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    for table in sys.argv[2:]:
        connection.execute(f"select count(columns(*)) from {table}").fetchall()
"""
_SORT = """() => [...document.querySelectorAll("#post-table th button")].map((button) => {
    const before = performance.now();
    button.click();
    document.body.getBoundingClientRect();
    return [button.textContent, performance.now() - before];
})"""


def main() -> None:
    """Measure, print and write ``bench/results/show_speed.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=5000, help="posts of the dashboard")
    parser.add_argument("--accounts", type=int, default=100, help="accounts of the report")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("dashboard", "analyze"), action="append")
    asked = parser.parse_args()
    wanted = asked.only or ["dashboard", "analyze"]
    names = ("duckdb", "altair", "vl-convert-python")
    figures: Figures = {
        "seed": SEED,
        "repeats": asked.repeats,
        "versions": {"python": platform.python_version()} | {one: version(one) for one in names},
    }
    folder = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    try:
        if "dashboard" in wanted:
            print(f"A dashboard of {asked.posts:,} posts")
            figures["dashboard"] = _dashboard(folder, asked.posts, asked.repeats)
        if "analyze" in wanted:
            print(f"analyze --all over {asked.accounts} accounts, 500 posts each")
            figures["analyze"] = _analyze(folder, asked.accounts, asked.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "show_speed.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _dashboard(folder: Path, posts: int, repeats: int) -> Figures:
    each_day = 5
    world = Listings(1, DAYS, posts - each_day * DAYS, each_day, posts)
    settings = _built(Settings(home=folder / "dashboard"), world)
    command = ["dashboard", "--account", world.account_names[0], "--json"]
    first = _afterpost_s(settings, command)  # bundles the Vega runtime
    spent = [_afterpost_s(settings, command) for _ in range(repeats)]
    path = settings.warehouse_dir / "dashboards" / f"{world.account_names[0]}.html"
    figures = _beside_bare(settings, spent, _OF_DASHBOARD, repeats)
    figures |= {"posts": posts, "first_s": round(first, 2), "bytes": path.stat().st_size}
    print(f"  written in {figures['wall_s']:.2f} s, the first time {first:.2f} s (at most "
          f"{MOST_DASHBOARD_S:.0f}); bare read {figures['bare_s']:.2f} s; "
          f"{figures['bytes'] / 1e6:.2f} MB (at most {MOST_BYTES / 1e6:.0f})")  # fmt: skip
    sorts = _sorts_ms(path)
    if sorts is None:
        print("  sorting was not measured: no chromium is installed")
    else:
        slowest = max(sorts, key=lambda name: sorts[name])
        print(f"  sorted in the browser in {statistics.median(sorts.values()):.0f} ms, by "
              f"{slowest} in {sorts[slowest]:.0f} ms (at most {MOST_SORT_MS:.0f})")  # fmt: skip
    return figures | {"sort_ms": sorts}


def _analyze(folder: Path, accounts: int, repeats: int) -> Figures:
    each_day = 7.5
    world = Listings(accounts, DAYS, int(500 - each_day * DAYS), each_day, 400)
    settings = _built(Settings(home=folder / "analyze"), world)
    spent = [_afterpost_s(settings, ["analyze", "--all"]) for _ in range(repeats)]
    figures = _beside_bare(settings, spent, _OF_ANALYZE, repeats)
    print(f"  answered in {figures['wall_s']:.2f} s (at most {MOST_ANALYZE_S:.0f}); bare read "
          f"{figures['bare_s']:.2f} s")  # fmt: skip
    return figures | {"accounts": accounts}


def _built(settings: Settings, world: Listings) -> Settings:
    write_accounts(settings, world)
    items = land_days(settings, world, range(world.days))
    cost = sum(
        measured(part, settings.home)["cpu_s"]
        for part in ("load", "models", "statistics", "publish")
    )
    print(f"  {items:,} snapshots loaded, built and published for {cost:.0f} CPU s", flush=True)
    return settings


def _beside_bare(
    settings: Settings, spent: Sequence[float], tables: Sequence[str], repeats: int
) -> Figures:
    from pipeline.clients.warehouse import published_database

    copy = published_database(settings)
    bare = [_wall_s([sys.executable, "-c", _BARE, str(copy), *tables]) for _ in range(repeats)]
    return {
        "wall_s": round(statistics.median(spent), 2),
        "bare_s": round(statistics.median(bare), 2),
    }


def _afterpost_s(settings: Settings, words: Sequence[str]) -> float:
    program = [sys.executable, "-m", "pipeline.show.cli.main", *words]
    return _wall_s(program, {"AFTERPOST_HOME": str(settings.home)})


def _wall_s(command: Sequence[str], variables: dict[str, str] | None = None) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **(variables or {})}
    )
    return time.perf_counter() - started


def _sorts_ms(path: Path) -> dict[str, float] | None:
    """Milliseconds until the table stands sorted, by column; None without a browser."""
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if browser_path is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-charts=drawn]", timeout=60_000)
        found = page.evaluate(_SORT)
        browser.close()
    return {name: round(spent, 1) for name, spent in found}


if __name__ == "__main__":
    main()
