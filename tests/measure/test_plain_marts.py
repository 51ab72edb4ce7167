"""The yardstick of the speed benchmark makes the project's figures, so that beside them is fair."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from bench.daily_listings import Listings, land_days, write_accounts
from bench.plain_marts import build_plain_marts
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics
from pipeline.settings import Settings

_POST = ("account_name", "platform", "post_id")
_AGES = {24: "24h", 72: "72h", 168: "7d", 672: "28d"}
_METRICS = ("view", "save", "share", "engagement")


@dataclass(frozen=True)
class _Same:
    """A table of the script beside one of the project."""

    plain: str
    ours: str
    key: tuple[str, ...]
    equal: tuple[str, ...] = ()
    near: Mapping[str, str] = field(default_factory=dict)
    """Columns of both that are alike to a hundred-thousandth: the script does not round."""


_SAME = {
    "snapshots": _Same(
        "fct_snapshot",
        "marts.fct_snapshot",
        (*_POST, "scraped_at"),
        ("view_count", "like_count", "save_count", "share_count", "has_count_drop"),
    ),
    "posts and their labels": _Same(
        "dim_post",
        "marts.dim_post",
        _POST,
        ("posted_at", "local_weekday", "daypart", "slide_count", "duration_s", "format", "pillar",
         "hook_style", "snapshot_count"),
    ),
    "counts at equal age": _Same(
        "fct_post_performance",
        "marts.fct_post_performance",
        _POST,
        ("tier", "growth_shape", "follower_count_at_posting"),
        {f"{metric}_{hours}": f"{metric}_{label}"
         for metric in _METRICS for hours, label in _AGES.items()},
    ),
    "growth": _Same(
        "post_growth",
        "marts.fct_post_performance",
        _POST,
        near={name: name
              for name in ("half_life_hours", "view_share_after_7d", "view_per_hour_24h")},
    ),
    "followers by day": _Same(
        "fct_follower_day",
        "marts.fct_follower_day",
        ("account_name", "platform", "local_date"),
        ("follower_count",),
    ),
    "listings": _Same("fct_post_listing", "marts.fct_post_listing", _POST, ("listing_state",)),
    "formats": _Same(
        "mart_format_performance",
        "marts.mart_format_performance",
        ("account_name", "platform", "format"),
        ("post_count", "post_count_views_7d"),
        {"view_7d_quartiles[2]": "view_7d_median", "save_rate_7d": "save_rate_7d_pooled",
         "share_of_saves_7d": "share_of_saves_7d"},
    ),
    "saves and shares": _Same(
        "mart_save_vs_share_posts",
        "marts.mart_save_vs_share_posts",
        _POST,
        near={"save_rate_7d": "save_rate_7d", "save_rate_usual": "save_rate_7d_usual"},
    ),
    "exploration": _Same(
        "mart_exploration",
        "marts.mart_exploration",
        ("account_name", "platform", "dimension", "segment"),
        ("post_count", "recent_post_count"),
    ),
    "weeks": _Same(
        "mart_cadence_weekly",
        "marts.mart_cadence_weekly",
        ("account_name", "platform", "outcome", "week_start"),
        ("post_count", "n"),
        {"median": "median", "log_mean": "log_mean"},
    ),
    "segments of an outcome": _Same(
        "segment_effects where dimension not in ('local_weekday', 'media_type')",
        "stats.segment_effects where account_name <> '*' and n > 0 and outcome not like '%72h'"
        " and dimension in ('format', 'pillar', 'hook_style', 'slide_count', 'daypart')",
        ("account_name", "platform", "dimension", "segment", "outcome"),
        ("n",),
        {"median": "median"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The tables of both, made of the same scrapes."""
    settings = Settings(home=tmp_path_factory.mktemp("plain"))
    world = Listings(account_count=3, days=40, posts_before=30, posts_per_day=1.5, listed=60)
    write_accounts(settings, world)
    land_days(settings, world, range(world.days))
    build_plain_marts(settings)
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    connection = duckdb.connect()
    for name, path in (
        ("plain", settings.home / "plain.duckdb"),
        ("afterpost", settings.database_path),
    ):
        connection.execute(f"attach '{_quoted(path)}' as {name} (read_only)")
    return connection


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@pytest.mark.parametrize("what", list(_SAME))
def test_the_plain_script_and_the_models_have_the_same(
    both: duckdb.DuckDBPyConnection, what: str
) -> None:
    same = _SAME[what]
    unlike = " or ".join(
        [
            "plain_row.key is null or our_row.key is null",
            *(f"plain_row.row.{name} is distinct from our_row.row.{name}" for name in same.equal),
            *(
                f"(plain_row.row.{a} is null) <> (our_row.row.{b} is null) or "
                f"abs(plain_row.row.{a} - our_row.row.{b}) > 1e-5 * (1 + abs(our_row.row.{b}))"
                for a, b in same.near.items()
            ),
        ]
    )
    rows = f"select ({', '.join(same.key)}) as key, rows as row from"

    [(count, differing)] = both.execute(
        f"select count(*), list(coalesce(plain_row.key, our_row.key)) filter ({unlike}) "
        f"from ({rows} plain.{_aliased(same.plain)}) as plain_row "
        f"full join ({rows} afterpost.{_aliased(same.ours)}) as our_row using (key)"
    ).fetchall()

    assert count > 0
    assert differing is None


def _aliased(table: str) -> str:
    name, _, condition = table.partition(" ")
    return f"{name} as rows {condition}"
