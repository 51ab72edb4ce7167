"""What one thing costs, from the figures of ``bench.scale`` and ``bench.scale_limits``.

They stand in ``bench/scale_measured.json``, which ``python -m bench.scale_paper --adopt`` makes of
the newest results.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "scale_measured.json"
POSTS_OF_BENCH_ACCOUNT = 500
SCRAPES_NAMED = 500
"""In a condition on new scrapes (macros/scrapes_read.sql); more are joined, and no part skipped."""
Figures = dict[str, Any]


def read_measured() -> Figures:
    """The figures that the tables are made of."""
    found: Figures = json.loads(MEASURED.read_bytes())
    return found


@dataclass(frozen=True)
class Rates:
    """What one thing costs, from the measured figures."""

    full_cpu_s_per_million: dict[str, float]
    """Of snapshots, by engine: what each further million adds to a build from nothing. An engine
    that was measured at one size only is not in it."""
    full_fixed_cpu_s: dict[str, float]
    day_cpu_s_per_1000_posts: float
    """Of DuckDB, for a build with one more day."""
    day_fixed_cpu_s: float
    day_cpu_s_per_million: float
    """Of all snapshots, more, where so many scrapes are new that all parts of raw are read."""
    statistics_cpu_s_per_1000_accounts: float
    statistics_mib_per_1000_accounts: float
    looks_s_per_million: float
    """For one profile, per million snapshots of all profiles."""
    load_items_per_cpu_s: float
    landing_bytes: float
    """Of a real item, as files, without its part of a manifest."""
    raw_bytes: float
    """Of a real item in the raw table."""
    model_bytes: float
    """Of a snapshot in all tables that are made of it."""
    manifest_bytes: float
    manifest_s: float
    account_file_s: float
    run_fixed_bytes: float
    """Of a run's history."""
    run_account_bytes: float
    run_fixed_s: float
    run_account_s: float
    dashboard_s: float


def rates(measured: Figures) -> Rates:
    """The rates that all tables are made of."""
    worlds, limits = measured["scale"]["worlds"], measured["limits"]
    first = measured["scale"]["first"]
    full: dict[str, tuple[float, float]] = {}
    for engine in ("duckdb", "spark"):
        points = [
            (world[engine]["snapshots"] / 1e6, world[engine]["full"]["cpu_s"])
            for world in worlds.values()
            if is_measured(world, engine)
        ]
        if len(points) > 1:
            full[engine] = _line(points)
    duckdb = [world for world in worlds.values() if "day" in world.get("duckdb", {})]
    day_slope, day_fixed = _line([_day(world) for world in duckdb if not _is_much_new(world)])
    of_much_new = [
        (world["duckdb"]["day"]["cpu_s"] - day_fixed - day_slope * _day(world)[0])
        / (world["duckdb"]["snapshots"] / 1e6)
        for world in duckdb
        if _is_much_new(world)
    ]
    statistics, _ = _line(
        [(world["accounts"] / 1000, world["duckdb"]["statistics"]["cpu_s"]) for world in duckdb]
    )
    memory, _ = _line(
        [(world["accounts"] / 1000, world["duckdb"]["statistics"]["peak_mib"]) for world in duckdb]
    )
    looks, _ = _line(
        [(world["duckdb"]["snapshots"] / 1e6, world["duckdb"]["looks"]["cpu_s_per_profile"])
         for world in duckdb]
    )  # fmt: skip
    largest = duckdb[-1]["duckdb"]
    landing = sum(one["landing_bytes"] for one in limits["rows"].values()) / len(limits["rows"])
    runs = {int(count): one for count, one in limits["runs"].items() if count.isdigit()}
    history, history_fixed = _line([(n, one["history_bytes"]) for n, one in runs.items()])
    run_s, run_fixed_s = _line([(n, one["cpu_s"]) for n, one in runs.items()])
    simulated_raw = largest["bytes_before"] / largest["snapshots"]
    return Rates(
        full_cpu_s_per_million={engine: line[0] for engine, line in full.items()},
        full_fixed_cpu_s={engine: line[1] for engine, line in full.items()},
        day_cpu_s_per_1000_posts=day_slope,
        day_fixed_cpu_s=day_fixed,
        day_cpu_s_per_million=max(0.0, *of_much_new) if of_much_new else 0.0,
        statistics_cpu_s_per_1000_accounts=statistics,
        statistics_mib_per_1000_accounts=memory,
        looks_s_per_million=looks,
        load_items_per_cpu_s=first["items"] / first["load_cpu_s"],
        landing_bytes=landing,
        raw_bytes=landing * simulated_raw / (first["landing_bytes"] / first["items"]),
        model_bytes=(largest["bytes"]["warehouse"] - largest["bytes_before"])
        / largest["snapshots"],
        manifest_bytes=limits["accounts"]["manifest_bytes"],
        manifest_s=limits["accounts"]["manifest_ms"] / 1000,
        account_file_s=limits["accounts"]["account_file_ms"] / 1000,
        run_fixed_bytes=history_fixed,
        run_account_bytes=history,
        run_fixed_s=run_fixed_s,
        run_account_s=run_s,
        dashboard_s=limits["runs"]["pages"]["dashboard_cpu_s"],
    )


def _day(world: Figures) -> tuple[float, float]:
    """Thousands of posts, and CPU seconds of a build with one more day."""
    posts = POSTS_OF_BENCH_ACCOUNT * world["accounts"]
    return posts / 1000, world["duckdb"]["day"]["cpu_s"]


def _is_much_new(world: Figures) -> bool:
    """Whether a day has more scrapes than a model's SQL names one by one."""
    return int(world["accounts"]) > SCRAPES_NAMED


def is_measured(world: Figures, engine: str) -> bool:
    """Whether a build from nothing came to its end."""
    return engine in world and "not_measured" not in world[engine]["full"]


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and start of the line through the first and the last point."""
    (first_x, first_y), (last_x, last_y) = points[0], points[-1]
    if first_x == last_x:
        return last_y / last_x, 0.0
    slope = (last_y - first_y) / (last_x - first_x)
    return slope, max(0.0, first_y - slope * first_x)
