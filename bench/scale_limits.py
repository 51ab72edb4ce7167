"""What an account, a scrape and a run cost besides rows: what breaks first where there are many.

Each part does what the program does, on a number of things that a machine can hold, and gives the
cost of one. ``bench.scale_paper`` extrapolates from them.
"""

import argparse
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import yaml
import zstandard

from bench.daily_listings import Listings, land_days, write_accounts
from pipeline.settings import Settings

RESULTS = Path(__file__).parent / "results" / "scale_limits.json"
REAL_EXPORTS = Path(__file__).parents[2] / "shared" / "data" / "apify"
Figures = dict[str, Any]


def cpu_of(work: Callable[[], Any]) -> float:
    """CPU seconds of something in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def account_figures(folder: Path) -> Figures:
    """Account files, and the manifests that a schedule reads to know who is due."""
    from pipeline.accounts import account_names, load_accounts
    from pipeline.clock import utc_now
    from pipeline.collect.cadence import profiles_due

    settings = Settings(home=folder / "accounts")
    world = Listings(100, 20, 30, 0.5, 30)
    write_accounts(settings, world)
    land_days(settings, world, range(world.days))
    reading_s = cpu_of(lambda: load_accounts(settings.accounts_dir))
    accounts = load_accounts(settings.accounts_dir)
    due_s = cpu_of(lambda: profiles_due(settings, accounts, utc_now()))
    listing_s = cpu_of(lambda: account_names(settings.accounts_dir))
    manifests = list(settings.landing_dir.rglob("*.manifest.json"))
    return {
        "account_file_ms": 1000 * reading_s / world.account_count,
        "account_folder_ms": 1000 * listing_s / world.account_count,
        "manifest_ms": 1000 * due_s / len(manifests),
        "manifest_bytes": sum(path.stat().st_size for path in manifests) / len(manifests),
        "posts_in_manifest": world.listed,
    }


def partition_figures(folder: Path, counts: tuple[int, ...]) -> Figures:
    """Dynamic partitions in Dagster's SQLite, as the sensor of account folders keeps them."""
    from pipeline.defs.event_log import open_dagster_instance
    from pipeline.defs.partitions import partition_range_tags
    from pipeline.settings import REPOSITORY

    figures: Figures = {}
    for count in counts:
        home = folder / f"partitions_{count}"
        home.mkdir()
        shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
        names = [f"account{number:07d}" for number in range(count)]
        with open_dagster_instance(home) as instance:
            adding = time.perf_counter()
            instance.add_dynamic_partitions("accounts", names)
            added = time.perf_counter()
            instance.get_dynamic_partitions("accounts")
            read = time.perf_counter()
            partition_range_tags(instance, names)
            figures[str(count)] = {
                "add_s": added - adding,
                "list_s": read - added,
                "range_tags_s": time.perf_counter() - read,
                "tag_bytes": len(",".join(names)),
            }
    return figures


def run_figures(folder: Path) -> Figures:
    """A whole build run of few and of more accounts with nothing new: its time and its history."""
    from pipeline.defs.runs import run_build

    figures: Figures = {}
    for count in (4, 104):
        settings = Settings(home=folder / f"run_{count}")
        world = Listings(count, 2, 10, 1, 10)
        write_accounts(settings, world)
        land_days(settings, world, range(world.days))
        run_build(settings)
        before = _size(settings.dagster_dir)
        seconds = cpu_of(lambda settings=settings: run_build(settings))  # type: ignore[misc]
        figures[str(count)] = {
            "cpu_s": seconds,
            "history_bytes": _size(settings.dagster_dir) - before,
        }
        if count == 104:
            figures["pages"] = _page_figures(settings, world.account_names[:5])
    return figures


def _page_figures(settings: Settings, names: list[str]) -> Figures:
    from pipeline.show.dashboard.write import write_dashboard

    paths: list[Path] = []
    seconds = cpu_of(lambda: paths.extend(write_dashboard(settings, name) for name in names))
    return {
        "dashboard_cpu_s": seconds / len(names),
        "dashboard_bytes": sum(path.stat().st_size for path in paths) / len(paths),
    }


def row_figures(_: Path) -> Figures:
    """Bytes of a real item, as JSON and as it is landed."""
    figures: Figures = {}
    for name, pattern in (("tiktok", "tiktok/*fitness.masked.json"), ("instagram", "instagram/*")):
        rows = [row for path in sorted(REAL_EXPORTS.glob(pattern)) for row in _full_rows(path)]
        if not rows:
            continue
        lines = [orjson.dumps(row) for row in rows]
        packed = zstandard.ZstdCompressor(level=3).compress(b"\n".join(lines))
        figures[name] = {
            "items": len(rows),
            "json_bytes": sum(map(len, lines)) / len(rows),
            "landing_bytes": len(packed) / len(rows),
        }
    return figures


def _full_rows(path: Path) -> list[Mapping[str, Any]]:
    """Rows of an export that has all keys; the console's overview has a few of them."""
    if path.suffix != ".json":
        return []
    rows = orjson.loads(path.read_bytes())
    return [
        row
        for row in rows
        if isinstance(row.get("authorMeta") or row.get("childPosts"), (dict, list))
    ]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


PARTS: dict[str, Callable[[Path], Figures]] = {
    "accounts": account_figures,
    "partitions": lambda folder: partition_figures(folder, (1_000, 10_000)),
    "runs": run_figures,
    "rows": row_figures,
}


def _keep(name: str, found: Figures) -> None:
    """Add to what was measured before."""
    figures: Figures = json.loads(RESULTS.read_bytes()) if RESULTS.exists() else {}
    figures[name] = found
    figures["versions"] = {"python": platform.python_version()} | {
        package: version(package) for package in ("duckdb", "dagster")
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, print and write ``bench/results/scale_limits.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    asked = parser.parse_args()
    for name in asked.only or PARTS:
        folder = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
        try:
            found = PARTS[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(yaml.safe_dump({name: found}), flush=True)
        if found:  # without the real exports there are none, and the former figures stay
            _keep(name, found)


if __name__ == "__main__":
    main()
