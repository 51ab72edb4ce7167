"""The same marts in one plain DuckDB script: what a person would write who needs nothing else.

No raw rows are kept, nothing is checked, and only the one shape of rows is understood that
``bench.daily_listings`` writes.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pipeline.accounts import Platform, load_accounts
from pipeline.settings import Settings

_SCRIPT = Path(__file__).with_name("plain_marts.sql")
_METRICS = ("view", "like", "comment", "share", "save")
_AGES = (24, 72, 168, 672)
_SEGMENTS = ("format", "pillar", "hook_style", "slide_count")
_BLOCKS: Mapping[str, tuple[str, Sequence[Mapping[str, object]]]] = {
    "each": ("", [{"m": metric} for metric in _METRICS]),
    "ages": ("", [{"a": age} for age in _AGES]),
    "segments": ("", [{"d": dimension} for dimension in _SEGMENTS]),
    "curves": (" union all ", [{"c": c, "a": a} for c in ("view", "engagement") for a in _AGES]),
}
"""Repeated parts of the script: what joins the copies, and the values of each copy."""

MARTS = (
    "dim_account", "dim_profile", "dim_post", "fct_snapshot", "fct_profile_snapshot",
    "fct_follower_day", "fct_post_performance", "fct_post_listing", "mart_format_performance",
    "mart_pillar_performance", "mart_hook_style_performance", "mart_slide_count_performance",
    "mart_timing", "mart_growth_curves",
)  # fmt: skip
"""What the script makes. The project makes all of these and more."""


def build_plain_marts(settings: Settings) -> int:
    """Make the marts in ``plain.duckdb`` of the home, anew; the number of snapshots."""
    path = settings.home / "plain.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        _store_accounts(connection, settings)
        folder = settings.landing_dir / Platform.TIKTOK.value
        text = _SCRIPT.read_text(encoding="utf-8")
        text = text.replace("{rows}", f"{folder}/*/*.jsonl.zst")
        text = text.replace("{manifests}", f"{folder}/*/*.manifest.json")
        for statement in duckdb.extract_statements(_unrolled(text)):
            connection.execute(statement)
        made = {
            name
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
        }
        if missing := set(MARTS) - made:
            raise LookupError(f"The plain script does not make {sorted(missing)}.")
        [(count,)] = connection.execute("select count(*) from fct_snapshot").fetchall()
    return int(count)


def _store_accounts(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    connection.execute(
        "create table accounts (account_name varchar, handle varchar, timezone varchar, "
        "formats varchar[], pillars varchar[])"
    )
    rows = [
        (
            account.name,
            account.platform_profiles[Platform.TIKTOK],
            account.timezone,
            [one.name for one in account.formats],
            [one.name for one in account.content_pillars],
        )
        for account in load_accounts(settings.accounts_dir)
    ]
    connection.executemany("insert into accounts values (?, ?, ?, ?, ?)", rows)


def _unrolled(text: str) -> str:
    """The script with each ``{name: part}`` written once per value of :data:`_BLOCKS`."""
    for name, (joint, values) in _BLOCKS.items():
        pattern = re.compile(r"\{" + name + r": ((?:[^{}]|\{\w\})*)\}")
        text = pattern.sub(lambda found: joint.join(_filled(found[1], one) for one in values), text)  # noqa: B023
    return text


def _filled(part: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        part = part.replace("{" + name + "}", str(value))
    return part
