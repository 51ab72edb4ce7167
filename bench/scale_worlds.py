"""Worlds of millions of snapshots as the raw tables hold them, without millions of landed rows.

A first world of 30 accounts (``bench.daily_listings``) goes the usual way: landing files, then the
raw load. A larger one has its rows several times, in the very tables that the load fills and in the
order of their days: the same posts under the names and ids that the generator gives to further
accounts. What is built from them costs what it would have cost; what was saved is hundreds of
thousands of landing files, and to load and label them.
"""

import time
from datetime import timedelta
from pathlib import Path

import duckdb

from bench.daily_listings import Listings, land_days, write_accounts
from pipeline.clients.warehouse import writing
from pipeline.collect.raw import load_raw
from pipeline.collect.raw_schema import create_raw_tables
from pipeline.settings import Settings

DAYS = 90
MORE_DAYS = 2
"""That come one by one after the first ones."""
FIRST_WORLD = Listings(account_count=30, days=DAYS, listed=400)
SNAPSHOTS_OF_FIRST = 1_000_000
"""Of all its days, about."""

_NEW_NAME = "'account' || lpad(((right(account_name, 3))::integer + $step * copy)::varchar, 3, '0')"
_NEW_POST = "(post_id::hugeint + 100000 * $step * copy)::varchar"
_OF_DAY = "scraped_at >= $first::timestamptz and scraped_at < $first::timestamptz + interval 1 day"
_SCRAPES = f"""
insert into raw.scrapes by name
select scrapes.* replace (scrape_id || '_' || copy as scrape_id, {_NEW_NAME} as account_name,
    {_NEW_NAME} as handle, scraped_at + to_seconds(7 * $step * copy) as scraped_at)
from first.raw.scrapes as scrapes, range($copies) as copies(copy) where {_OF_DAY}
order by scraped_at, scrape_id
"""
_ITEMS = f"""
insert into raw.scrape_items by name
select scrape_id || '_' || copy as scrape_id, item_index, platform, {_NEW_NAME} as account_name,
    item_kind, {_NEW_POST} as post_id, scraped_at + to_seconds(7 * $step * copy) as scraped_at,
    replace(replace(payload, post_id, {_NEW_POST}), account_name, {_NEW_NAME}) as payload
from first.raw.scrape_items as items, range($copies) as copies(copy) where {_OF_DAY}
order by copy, items.rowid
"""
_LABELS = f"""
insert into raw.post_labels by name
select labels.* replace ({_NEW_NAME} as account_name, {_NEW_POST} as post_id)
from first.raw.post_labels as labels, range($copies) as copies(copy)
where post_id in (select post_id from first.raw.scrape_items where {_OF_DAY})
    and post_id not in (select post_id from raw.post_labels)
order by all
"""
_OF_ACCOUNTS = ("accounts", "account_profiles", "account_segments")


def first_database(folder: Path) -> Path:
    """Where the first world's warehouse is."""
    return Settings(home=folder / "first").database_path


def make_first_world(folder: Path) -> dict[str, float]:
    """Land the first world and load it; what that took."""
    settings = Settings(home=folder / "first")
    write_accounts(settings, FIRST_WORLD)
    land_days(settings, FIRST_WORLD, range(DAYS + MORE_DAYS))
    started = time.process_time()
    report = load_raw(settings)
    landed = settings.landing_dir.rglob("*.jsonl.zst")
    return {
        "items": report.items_loaded,
        "load_cpu_s": round(time.process_time() - started, 2),
        "landing_bytes": sum(path.stat().st_size for path in landed),
    }


def fill_raw(settings: Settings, first: Path, copies: int) -> int:
    """Put the first world's first days into a home's raw tables, ``copies`` times.

    Returns:
        Snapshots of posts.
    """
    with writing(settings, "benchmark") as connection:
        _as_loads_do(connection)
        create_raw_tables(connection)
        connection.execute(f"attach '{first}' as first (read_only)")
        for table in _OF_ACCOUNTS:
            renamed = f"{_NEW_NAME} as account_name"
            if table == "account_profiles":
                renamed += f", {_NEW_NAME} as handle"
            connection.execute(
                f"insert into raw.{table} by name select named.* replace ({renamed}) "
                f"from first.raw.{table} as named, range($copies) as copies(copy)",
                {"copies": copies, "step": FIRST_WORLD.account_count},
            )
        connection.execute("update raw.accounts set display_name = account_name")
        for day in range(DAYS):
            _add_day(connection, day, copies)
        connection.execute("detach first")
        return _snapshots(connection)


def add_day(settings: Settings, first: Path, copies: int, day: int) -> int:
    """Put one more day into a home's raw tables; returns all snapshots of posts."""
    with writing(settings, "benchmark") as connection:
        _as_loads_do(connection)
        connection.execute(f"attach '{first}' as first (read_only)")
        _add_day(connection, day, copies)
        connection.execute("detach first")
        return _snapshots(connection)


def _as_loads_do(connection: duckdb.DuckDBPyConnection) -> None:
    """The settings of the raw load, on which the size of the tables depends."""
    connection.execute("set memory_limit = '1GiB'")
    connection.execute("set write_buffer_row_group_count = 1")
    connection.execute("set checkpoint_threshold = '256MB'")
    connection.execute("set force_compression = 'zstd'")


def _add_day(connection: duckdb.DuckDBPyConnection, day: int, copies: int) -> None:
    # The first account's listing is the day's first one.
    first = FIRST_WORLD.first_day + timedelta(days=day)
    values = {"step": FIRST_WORLD.account_count, "copies": copies, "first": first}
    for statement in (_SCRAPES, _ITEMS, _LABELS):
        connection.execute(statement, values)


def _snapshots(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute("select count(*) from raw.scrape_items").fetchall()
    return int(count)
