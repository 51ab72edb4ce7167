"""The same marts in one plain DuckDB script: what a person would write who needs nothing else.

No raw rows are kept, nothing is checked, and only the one shape of rows is understood that
``bench.daily_listings`` writes. DuckDB runs as it comes, with a thread per core.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pipeline.accounts import Platform, load_accounts
from pipeline.settings import Settings

_SCRIPTS = [Path(__file__).with_name(f"plain_{name}.sql") for name in ("marts", "findings")]
_METRICS = ("view", "like", "comment", "share", "save")
_AGES = (24, 72, 168, 672)
_SEGMENTS = ("format", "pillar", "topic", "hook_style", "cta", "slide_count")
_DIMENSIONS = (*_SEGMENTS, "media_type", "local_weekday", "daypart")
_RATES = ("engagement", "save", "share")
_BLOCKS: Mapping[str, tuple[str, Sequence[Mapping[str, object]]]] = {
    "each": ("", [{"m": metric} for metric in _METRICS]),
    "ages": ("", [{"a": age} for age in _AGES]),
    "segments": ("", [{"d": dimension} for dimension in _SEGMENTS]),
    "curves": (" union all ", [{"c": c, "a": a} for c in ("view", "engagement") for a in _AGES]),
    "rates": (" ", [{"r": rate} for rate in _RATES]),
    "dimensions": (" union all ", [{"d": dimension} for dimension in _DIMENSIONS]),
    "windows": (" union all ", [{"w": days} for days in (7, 30, 90)]),
    "agos": (" ", [{"b": ago} for ago in (0, 1)]),
}
"""Repeated parts of the script: what joins the copies, and the values of each copy."""

MARTS = (
    "dim_account", "dim_profile", "dim_post", "fct_snapshot", "fct_profile_snapshot",
    "fct_follower_day", "fct_post_performance", "fct_post_listing", "mart_format_performance",
    "mart_pillar_performance", "mart_topic_performance", "mart_hook_style_performance",
    "mart_cta_performance", "mart_slide_count_performance", "mart_timing", "mart_growth_curves",
    "segment_effects", "post_growth", "post_projection", "mart_save_vs_share_posts",
    "mart_save_vs_share", "mart_failure_posts", "mart_failures", "mart_pareto",
    "mart_exploration", "mart_cadence_weekly", "mart_cadence", "mart_hook_score", "mart_trend",
    "mart_cross_account", "mart_platform_comparison", "fct_post_factor",
)  # fmt: skip
"""What the script makes. The project also has verdicts, feedback and the ledger of costs, of which
this world has none; and it checks what it makes, pools effects towards each other, and controls
false discoveries."""


def build_plain_marts(settings: Settings) -> int:
    """Make the marts in ``plain.duckdb`` of the home, anew; the number of snapshots."""
    path = settings.home / "plain.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        _store_accounts(connection, settings)
        folder = settings.landing_dir / Platform.TIKTOK.value
        text = "\n".join(script.read_text(encoding="utf-8") for script in _SCRIPTS)
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
        "formats varchar[], pillars varchar[], topics varchar[], ctas varchar[])"
    )
    rows = [
        (
            account.name,
            account.platform_profiles[Platform.TIKTOK],
            account.timezone,
            [one.name for one in account.formats],
            [one.name for one in account.content_pillars],
            [one.name for one in account.topics],
            [one.name for one in account.cta],
        )
        for account in load_accounts(settings.accounts_dir)
    ]
    connection.executemany("insert into accounts values (?, ?, ?, ?, ?, ?, ?)", rows)


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
