"""How fast raw rows get into the lake, how many bytes they take, and what a write costs after that.

Posts of some accounts are scraped every day for a year; their payloads are small and grow from
scrape to scrape, as counts do; they are far more alike than real ones, so the bytes are a lower
bound. The warehouse is a file, the lake a folder of the same disk. Written once from nothing, then
without news, after the first day of a new month (which merges the month before), after one more
day, and after the warehouse was made anew, when every row is compared.
"""

import argparse
import json
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipeline.clients.lake import LakeWrite, write_raw
from pipeline.collect.raw_schema import create_raw_tables

RESULTS = Path(__file__).parent / "results"
POSTS = 50
"""In one scrape."""
PLATFORMS = ("tiktok", "instagram")
DAYS = 365

_SCRAPES = """
insert into raw.scrapes by name
select
    'scrape_' || lpad(day::varchar, 5, '0') || '_' || platform || '_' || account as scrape_id,
    platform, 'account_' || account as account_name, 'handle_' || account as handle,
    'apify' as source, 'posts' as source_kind, 'items' as outcome,
    '{"resultsPerPage": 50}' as input,
    timestamptz '2025-10-01 06:00:00+00' + to_days(day::integer) + to_minutes(account)
        as scraped_at,
    'run' as scraped_at_source, $posts as items_asked, $posts as items_got, $posts as post_count,
    0 as foreign_post_count, 0 as profile_count, 0 as rejected_count, 0.05 as cost_usd,
    false as is_any_author, md5(day || platform || account) as items_sha256,
    'landing/' || platform || '/' || account || '/' || day as landing_path
from
    range($first, $first + $days) as days(day), range($accounts) as accounts(account),
    unnest($platforms) as platforms(platform)
order by all
"""
_ITEMS = """
insert into raw.scrape_items
select
    scrape_id, post as item_index, platform, account_name, 'post' as item_kind,
    account_name || '_' || post as post_id, scraped_at,
    '{"id":"' || account_name || '_' || post || '","text":"' || md5(account_name || post)
    || ' bedtime with a slow walk along the harbour #sleep","createTime":' || (1725840000 + post)
    || ',"playCount":' || (1000 + post * 37 + day * (100 + post)) || ',"diggCount":'
    || (10 + day * (3 + post % 7)) || ',"commentCount":' || (day // 3 + post) || ',"shareCount":'
    || (day // 9 + post % 5) || ',"collectCount":' || (day // 5) || '}'
from
    (select *, date_diff('day', timestamptz '2025-10-01 00:00:00+00', scraped_at) as day
     from raw.scrapes) as scrapes,
    range($posts) as posts(post)
where scrapes.day >= $first
"""


def scraped(connection: duckdb.DuckDBPyConnection, accounts: int, first: int, days: int) -> None:
    """Scrapes and items of some days."""
    values = {"first": first, "posts": POSTS}
    connection.execute(
        _SCRAPES, {**values, "days": days, "accounts": accounts, "platforms": list(PLATFORMS)}
    )
    connection.execute(_ITEMS, values)


def measured(work: Callable[[], LakeWrite]) -> dict[str, float]:
    """One write with its time."""
    started, began = time.perf_counter(), time.process_time()
    written = work()
    return {
        "seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - began, 3),
        "rows": written.rows,
        "files_written": written.files_written,
        "files_removed": written.files_removed,
    }


def main() -> None:
    """Measure, print a table and write ``bench/results/lake.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="snapshots of posts")
    parser.add_argument("--url", help="another lake than a temporary folder; it is written to")
    asked = parser.parse_args()
    accounts = max(1, round(asked.rows / (DAYS * POSTS * len(PLATFORMS))))
    folder = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    url = asked.url or str(folder / "lake")
    try:
        with duckdb.connect(str(folder / "afterpost.duckdb")) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute("set memory_limit = '1GiB'")
            connection.execute(f"set temp_directory = '{folder}'")
            create_raw_tables(connection)
            scraped(connection, accounts, 0, DAYS)
            connection.execute("checkpoint")
            [(payloads,)] = connection.execute(
                "select sum(strlen(payload)) / count(*) from raw.scrape_items"
            ).fetchall()
            runs = {"from nothing": measured(lambda: write_raw(url, connection))}
            runs["without news"] = measured(lambda: write_raw(url, connection))
            scraped(connection, accounts, DAYS, 1)
            runs["a new month's first day"] = measured(lambda: write_raw(url, connection))
            scraped(connection, accounts, DAYS + 1, 1)
            runs["one more day"] = measured(lambda: write_raw(url, connection))
            connection.execute("delete from loading.lake")
            runs["every row compared"] = measured(lambda: write_raw(url, connection))
            [(rows,)] = connection.execute("select count(*) from raw.scrape_items").fetchall()
            notes = (
                json.loads((Path(url) / "raw/_manifest.json").read_bytes()) if not asked.url else {}
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    size = sum(file[5] for file in notes.get("files", []) if file[0] == "scrape_items")
    figures = {
        "snapshots": rows,
        "bytes_per_payload": round(payloads),
        "bytes_per_snapshot": round(size / rows, 1) if size else None,
        "snapshots_per_second": round(rows / runs["from nothing"]["seconds"]),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "versions": {"duckdb": duckdb.__version__, "python": platform.python_version()},
        "runs": runs,
    }
    print(f"{'':26}{'rows':>12}{'files':>8}{'gone':>8}{'seconds':>10}{'CPU s':>10}")
    for name, one in runs.items():
        print(
            f"{name:26}{one['rows']:>12,.0f}{one['files_written']:>8,.0f}"
            f"{one['files_removed']:>8,.0f}{one['seconds']:>10.2f}{one['cpu_seconds']:>10.2f}"
        )
    print(
        f"{figures['snapshots_per_second']:,} snapshots/s from nothing, "
        f"{figures['bytes_per_snapshot']} bytes each in the lake (payload "
        f"{figures['bytes_per_payload']} bytes), peak {figures['peak_mib']:,} MiB"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "lake.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
