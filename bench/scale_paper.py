"""What 10,000, 100,000 and 1,000,000 accounts would take, from what was measured with fewer.

The measured figures stand in ``bench/scale_measured.json``, which ``--adopt`` makes of the results
of ``bench.scale`` and ``bench.scale_limits``; all else is a constant here. ``--write`` puts the
tables into ``docs/scale.md``, and a test compares them.
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.scale_rates import MEASURED, SCRAPES_NAMED, Figures, Rates, rates, read_measured

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "scale.md"

SIZES = (10_000, 100_000, 1_000_000)
"""Accounts."""
PROFILES_PER_ACCOUNT = 2
"""TikTok and Instagram."""
POSTS_PER_LISTING = 30
"""The default limit of a profile."""
SCRAPES_PER_DAY = 1
POSTS_PER_PROFILE_AND_DAY = 1
DAYS = 365
USD_PER_1000_ITEMS = 2.50
"""Stated for TikTok's profile actor, from this much on; Instagram's posts are taken to cost as
much."""
ACCOUNTS_PER_RUN = 50
OTHER_RUNS_PER_DAY = 96 + 24 + 4 + 9
"""Looks for alerts, experiments, predictions; builds, reports, dashboards and the like."""
SCRAPE_S = 40
"""That a scrape of one profile takes, nearly all of it waiting: taken, not measured."""
STATE_ROWS_PER_SCRAPE = 1
"""The attempt in the ledger."""
STATE_ROWS_PER_ACCOUNT_AND_WEEK = 3
"""Recommendations, each with what came of it: taken, not measured."""
COPIES_KEPT = 5
"""Published copies."""
RECOMMENDED_PARTITIONS = 100_000
"""Per asset, by Dagster's own documents."""
SCHEDULE_DEADLINE_S = 60
"""What Dagster gives a schedule to say what is to run, unless it is told otherwise."""
MARKS = "<!-- {0} by python -m bench.scale_paper --write -->\n"
_END = "<!-- end -->\n"


def measured_table(measured: Figures) -> str:
    """What was measured on each engine, by size."""
    rows = []
    for millions, world in measured["scale"]["worlds"].items():
        for engine, name in (("duckdb", "DuckDB"), ("spark", "Spark")):
            rows.append([millions, f"{world['accounts']:,}", name, *_engine_cells(world, engine)])
    return _table(
        ["snapshots, million", "accounts", "engine", "from nothing: wall s", "CPU s",
         "peak memory, MiB", "one more day: wall s", "CPU s", "peak memory, MiB", "on disk, MB"],
        rows,
    )  # fmt: skip


def _engine_cells(world: Figures, engine: str) -> list[str]:
    found = world.get(engine)
    if found is None:
        return ["not measured", *[""] * 6]
    cells: list[str] = []
    for part in ("full", "day"):
        one = found.get(part)
        if one is None:
            cells += ["not measured", "", ""]
        elif "not_measured" in one:
            used = f"over {one['cpu_s']:,.0f}" if one.get("cpu_s") else ""
            cells += [f"not measured: {one['not_measured']}", used, ""]
        else:
            cells += [f"{one[key]:,.0f}" for key in ("wall_s", "cpu_s", "peak_mib")]
    sizes = found.get("bytes", {})
    names = {"warehouse": "", "lake_raw": "raw ", "lake_models": "models "}
    cells.append(
        ", ".join(f"{names[key]}{size / 1e6:,.0f}" for key, size in sizes.items() if key in names)
    )
    return cells


def rates_table(found: Rates) -> str:
    """The rates that the extrapolation rests on."""
    per_million, fixed = found.full_cpu_s_per_million, found.full_fixed_cpu_s
    named = {
        "a real item as landed (mean of TikTok and Instagram)": _bytes(found.landing_bytes),
        "the same in the raw table": _bytes(found.raw_bytes),
        "a snapshot in all models together": _bytes(found.model_bytes),
        "a manifest": _bytes(found.manifest_bytes),
        "raw load": f"{_short(found.load_items_per_cpu_s)} items per CPU s",
        **{
            f"{engine}, from nothing": f"{_short(fixed[engine.lower()])} CPU s and "
            f"{_short(per_million[engine.lower()])} per million snapshots"
            for engine in ("DuckDB", "Spark")
            if engine.lower() in fixed
        },
        "DuckDB, one more day": f"{_short(found.day_fixed_cpu_s)} CPU s and "
        f"{_short(found.day_cpu_s_per_1000_posts)} per 1,000 posts that are known",
        f"the same with more than {SCRAPES_NAMED} new scrapes": "beyond that "
        f"{_short(found.day_cpu_s_per_million)} per million of all snapshots",
        "statistics": f"{_short(found.statistics_cpu_s_per_1000_accounts)} CPU s per 1,000 "
        "accounts",
        "a build run in Dagster with nothing new": f"{_short(found.run_fixed_s)} CPU s and "
        f"{_short(1000 * found.run_account_s)} ms per account",
        "history of such a run": f"{_bytes(found.run_fixed_bytes)} and "
        f"{_bytes(found.run_account_bytes)} per account",
        "an account file, read": f"{_short(1000 * found.account_file_s)} ms",
        "a manifest, read": f"{_short(1000 * found.manifest_s)} ms",
        "a dashboard": f"{_short(found.dashboard_s)} CPU s",
    }
    rows = [[name, value] for name, value in named.items()]
    return _table(["", "measured"], rows)


@dataclass(frozen=True)
class _Agency:
    """What a number of accounts takes in a day and, where nothing else is said, after a year."""

    found: Rates
    accounts: int

    @property
    def scrapes(self) -> float:
        return self.accounts * PROFILES_PER_ACCOUNT * SCRAPES_PER_DAY

    @property
    def snapshots(self) -> float:
        return self.scrapes * POSTS_PER_LISTING

    @property
    def snapshots_of_a_year(self) -> float:
        return DAYS * self.snapshots

    @property
    def posts(self) -> float:
        return self.accounts * PROFILES_PER_ACCOUNT * POSTS_PER_PROFILE_AND_DAY * DAYS

    @property
    def landed(self) -> float:
        """Bytes a day."""
        return self.snapshots * self.found.landing_bytes + self.scrapes * self.found.manifest_bytes

    @property
    def raw(self) -> float:
        """Bytes a day."""
        return self.snapshots * self.found.raw_bytes

    @property
    def models(self) -> float:
        """Bytes."""
        return self.snapshots_of_a_year * self.found.model_bytes

    @property
    def warehouse(self) -> float:
        """Bytes."""
        return DAYS * self.raw + self.models

    @property
    def usd(self) -> float:
        """A day."""
        return self.snapshots / 1000 * USD_PER_1000_ITEMS

    @property
    def runs(self) -> float:
        return self.accounts * SCRAPES_PER_DAY / ACCOUNTS_PER_RUN + OTHER_RUNS_PER_DAY

    @property
    def history(self) -> float:
        """Bytes a day: each account is in one scrape and one build, other runs are short."""
        of_accounts = 2 * self.accounts * self.found.run_account_bytes
        return self.runs * self.found.run_fixed_bytes + of_accounts

    @property
    def state_rows(self) -> float:
        weekly = self.accounts * STATE_ROWS_PER_ACCOUNT_AND_WEEK
        return self.scrapes * STATE_ROWS_PER_SCRAPE + weekly / 7

    @property
    def day_s(self) -> float:
        found = self.found
        of_posts = self.posts * found.day_cpu_s_per_1000_posts / 1000
        of_raw = self.snapshots_of_a_year * found.day_cpu_s_per_million / 1e6
        return found.day_fixed_cpu_s + of_posts + of_raw

    def full_s(self, engine: str) -> float | None:
        """None for an engine that was measured at one size only."""
        if engine not in self.found.full_fixed_cpu_s:
            return None
        per_snapshot = self.found.full_cpu_s_per_million[engine] / 1e6
        return self.found.full_fixed_cpu_s[engine] + self.snapshots_of_a_year * per_snapshot

    @property
    def statistics_s(self) -> float:
        return self.accounts / 1000 * self.found.statistics_cpu_s_per_1000_accounts


_PAPER: tuple[tuple[str, Callable[[_Agency], str]], ...] = (
    ("profiles", lambda one: _short(one.accounts * PROFILES_PER_ACCOUNT)),
    ("snapshots a day", lambda one: _short(one.snapshots)),
    ("snapshots a year", lambda one: _short(one.snapshots_of_a_year)),
    ("posts known after a year", lambda one: _short(one.posts)),
    ("scrapes a day, each 2 landing files", lambda one: _short(one.scrapes)),
    ("landing a day", lambda one: _bytes(one.landed)),
    ("landing a year", lambda one: _bytes(DAYS * one.landed)),
    ("landing files a year", lambda one: _short(2 * DAYS * one.scrapes)),
    ("raw a day, in the warehouse", lambda one: _bytes(one.raw)),
    ("raw a year, in the warehouse", lambda one: _bytes(DAYS * one.raw)),
    ("scrapes, USD a day", lambda one: f"{one.usd:,.0f}"),
    ("scrapes, USD a year", lambda one: f"{DAYS * one.usd:,.0f}"),
    ("processes that scrape all day", lambda one: _short(one.scrapes * SCRAPE_S / 86_400)),
    ("Dagster runs a day", lambda one: _short(one.runs)),
    ("Dagster partitions of an asset", lambda one: _short(one.accounts)),
    ("Dagster history a day", lambda one: _bytes(one.history)),
    ("state rows a day", lambda one: _short(one.state_rows)),
    ("raw load of a day, CPU",
     lambda one: _seconds(one.snapshots / one.found.load_items_per_cpu_s)),
    ("DuckDB, one more day after a year, CPU", lambda one: _seconds(one.day_s)),
    ("DuckDB, from nothing after a year, CPU", lambda one: _seconds(one.full_s("duckdb"))),
    ("Spark, from nothing after a year, CPU", lambda one: _seconds(one.full_s("spark"))),
    ("the same on 100 cores, were it shared evenly",
     lambda one: _seconds(one.full_s("spark"), cores=100)),
    ("statistics, CPU", lambda one: _seconds(one.statistics_s)),
    ("models that DuckDB reads back after a year", lambda one: _bytes(one.models)),
    ("warehouse after a year, a published copy too", lambda one: _bytes(one.warehouse)),
    ("all published copies", lambda one: _bytes(COPIES_KEPT * one.warehouse)),
)  # fmt: skip


def paper_table(found: Rates) -> str:
    """Rows, bytes, money, runs and seconds by number of accounts."""
    agencies = [_Agency(found, size) for size in SIZES]
    return _table(
        ["accounts", *(f"{size:,}" for size in SIZES)],
        [[name, *map(value, agencies)] for name, value in _PAPER],
    )


def _looks_s(found: Rates, accounts: int) -> float:
    agency = _Agency(found, accounts)
    per_profile = found.looks_s_per_million * agency.snapshots_of_a_year / 1e6
    return accounts * PROFILES_PER_ACCOUNT * per_profile


def limits_table(found: Rates) -> str:
    """What besides rows grows with the accounts, and how much of it there may be."""

    def manifests(accounts: int) -> float:
        return accounts * PROFILES_PER_ACCOUNT * SCRAPES_PER_DAY * DAYS

    lines: list[tuple[str, Callable[[int], str], str]] = [
        ("`load_accounts`: every account file, at each schedule, load and command",
         lambda n: _seconds(n * found.account_file_s), f"{SCHEDULE_DEADLINE_S} s for a schedule"),
        ("`profiles_due`: every manifest of a year, at each schedule that scrapes",
         lambda n: _seconds(manifests(n) * found.manifest_s),
         f"{SCHEDULE_DEADLINE_S} s for a schedule"),
        ("`direct_looks`: all snapshots read once per profile, in a schedule, after a year",
         lambda n: _seconds(_looks_s(found, n)), f"{SCHEDULE_DEADLINE_S} s for a schedule"),
        ("statistics: all segments in memory at once, with what DuckDB keeps",
         lambda n: _bytes(n / 1000 * found.statistics_mib_per_1000_accounts * 2**20),
         "the machine's memory"),
        ("partitions of an asset", lambda n: f"{n:,}",
         f"{RECOMMENDED_PARTITIONS:,} (Dagster's advice)"),
        ("folders in `accounts/` and in `landing/<platform>/`", lambda n: f"{n:,}",
         "none of its own"),
        ("files in all landing folders after a year", lambda n: _short(2 * manifests(n)),
         "inodes of the disk"),
        ("dashboards written one after the other each day",
         lambda n: _seconds(n * found.dashboard_s), "a day"),
        ("accounts' part of one build run", lambda n: _seconds(n * found.run_account_s), "a day"),
    ]  # fmt: skip
    return _table(
        ["part", *(f"{size:,}" for size in SIZES), "limit"],
        [[name, *(value(size) for size in SIZES), limit] for name, value, limit in lines],
    )


def tables(measured: Figures) -> dict[str, str]:
    """All tables by the name that marks their place in the page."""
    found = rates(measured)
    return {
        "measured": measured_table(measured),
        "rates": rates_table(found),
        "paper": paper_table(found),
        "limits": limits_table(found),
    }


def with_tables(page: str, made: dict[str, str]) -> str:
    """The page with each table between its marks."""
    for name, table in made.items():
        start = re.escape(MARKS.format(name))
        page, count = re.subn(
            f"({start}).*?({re.escape(_END)})",
            lambda found, table=table: f"{found[1]}{table}{found[2]}",  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
        if count != 1:
            raise SystemExit(f"error: {PAGE.name} has no place for the table {name!r}.")
    return page


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(number: float) -> str:
    """A number with three digits that count."""
    if number >= 1e9:
        return f"{number / 1e9:,.3g} billion"
    if number >= 1e6:
        return f"{number / 1e6:,.3g} million"
    if number >= 1000:
        return f"{round(number, 2 - len(str(int(number))) + 1):,.0f}"
    return f"{number:.3g}"


def _bytes(number: float) -> str:
    for size, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g} B"


def _seconds(number: float | None, cores: int = 1) -> str:
    if number is None:
        return "not extrapolated"
    number /= cores
    for size, unit in ((86_400.0 * 2, "days"), (3600.0, "h"), (60.0, "min")):
        if number >= size:
            return f"{number / (86_400.0 if unit == 'days' else size):.3g} {unit}"
    return f"{number:.2g} s"


def main() -> None:
    """Print the tables; with ``--write`` put them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adopt", action="store_true", help="take the newest results")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    asked = parser.parse_args()
    if asked.adopt:
        taken = {
            "scale": json.loads((RESULTS / "scale.json").read_bytes()),
            "limits": json.loads((RESULTS / "scale_limits.json").read_bytes()),
        }
        MEASURED.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")
    made = tables(read_measured())
    if asked.write:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    for name, table in made.items():
        print(f"{name}\n\n{table}")


if __name__ == "__main__":
    main()
