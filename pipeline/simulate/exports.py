"""The history of a world as people have it: a folder of Apify dataset exports, one per run."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.accounts import Platform
from pipeline.simulate.seeds import stream
from pipeline.simulate.world import ScrapeKind, World

POST_ACTORS = {
    Platform.TIKTOK: "clockworks/tiktok-profile-scraper",
    Platform.INSTAGRAM: "apify/instagram-post-scraper",
}
PROFILE_ACTOR = "apify/instagram-profile-scraper"

_DAILY_DAYS = {Platform.TIKTOK: 56, Platform.INSTAGRAM: 28}
"""Last days with a scrape every day; before them every second day."""
_USUAL_LIMIT = {Platform.TIKTOK: 22, Platform.INSTAGRAM: 14}
_DEEP_LIMIT = {Platform.TIKTOK: 60, Platform.INSTAGRAM: 30}
_DEEP_EVERY = 7
"""Each so-manieth scrape asks for more posts, so that older ones have numbers too."""
_LAST_BEFORE_END = timedelta(days=2)


@dataclass(frozen=True)
class ExportFile:
    """One written export."""

    path: Path
    account_name: str
    platform: Platform


def write_exports(world: World, folder: Path) -> list[ExportFile]:
    """Write what the world's accounts would have in their downloads.

    The scrape at the world's end is not among them. Files are named as Apify's console names them
    (UTC), in one folder per account, in nested JSON, JSONL, gzip and now and then flattened CSV.

    Args:
        world: The world.
        folder: Where to; made when missing.

    Returns:
        The files, oldest scrape first.

    Raises:
        OSError: The folder is not writable.
    """
    written: list[tuple[datetime, ExportFile]] = []
    for account_name, platform in world.profiles:
        target = folder / account_name
        target.mkdir(parents=True, exist_ok=True)
        for number, at in enumerate(scrape_times(world, account_name, platform)):
            is_deep = number % _DEEP_EVERY == 0
            limit = (_DEEP_LIMIT if is_deep else _USUAL_LIMIT)[platform]
            jobs: list[tuple[ScrapeKind, str, datetime]] = [("posts", POST_ACTORS[platform], at)]
            if platform is Platform.INSTAGRAM and is_deep:
                jobs.append(("profiles", PROFILE_ACTOR, at + timedelta(seconds=41)))
            for kind, actor_id, moment in jobs:
                rows = world.scrape_rows(account_name, platform, kind, moment, limit)
                suffix, content = _encoded(rows, number if kind == "posts" else 0)
                path = target / (_file_stem(actor_id, moment) + suffix)
                path.write_bytes(content)
                written.append((moment, ExportFile(path, account_name, platform)))
    written.sort(key=lambda pair: (pair[0], str(pair[1].path)))
    return [file for _, file in written]


def scrape_times(world: World, account_name: str, platform: Platform) -> list[datetime]:
    """When a profile was scraped before the world's end, oldest first, with milliseconds."""
    posts = world.profile_posts(account_name, platform)
    if not posts:
        return []
    first = posts[0].posted_at + timedelta(days=3)
    return sorted(_times(world, account_name, platform, first))


def flattened(row: dict[str, Any]) -> dict[str, str]:
    """A row as a full CSV export has it: keys joined by '/', lists by index, all values text."""
    flat: dict[str, str] = {}
    stack: list[tuple[str, Any]] = [(key, value) for key, value in reversed(row.items())]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{key}/{name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            indexed = list(enumerate(value))
            stack += [(f"{key}/{index}", inner) for index, inner in reversed(indexed)]
        elif value is None:
            flat[key] = ""
        else:
            flat[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def _times(
    world: World, account_name: str, platform: Platform, first: datetime
) -> Iterator[datetime]:
    at, days_back = world.end - _LAST_BEFORE_END, 2
    while at >= first:
        rng = stream(world.seed, "export", account_name, platform.value, at.date().isoformat())
        yield at + timedelta(milliseconds=int(rng.integers(1, 240_000)))
        step = 1 if days_back < _DAILY_DAYS[platform] else 2
        at, days_back = at - timedelta(days=step), days_back + step


def _file_stem(actor_id: str, at: datetime) -> str:
    slug = actor_id.rpartition("/")[2]
    return f"dataset_{slug}_{at:%Y-%m-%d_%H-%M-%S}-{at.microsecond // 1000:03d}"


def _encoded(rows: Sequence[dict[str, Any]], number: int) -> tuple[str, bytes]:
    """The file of the ``number``-th export of a profile: mostly JSON, other forms in between."""
    lines = [orjson.dumps(row) for row in rows]
    as_json = b"[" + b",\n".join(lines) + b"]"
    as_jsonl = b"\n".join(lines) + b"\n"
    if number % 23 == 11:
        return ".csv", _csv(rows)
    if number % 5 == 3:
        return ".jsonl", as_jsonl
    if number % 5 == 4:
        return ".json.gz", gzip.compress(as_json, compresslevel=6, mtime=0)
    return ".json", as_json


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    flat = [flattened(row) for row in rows]
    columns = sorted({key for row in flat for key in row}, key=_column_order)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue().encode("utf-8-sig")


def _column_order(column: str) -> list[tuple[bool, int, str]]:
    """Alphabetical, with list indexes as numbers."""
    return [
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in column.split("/")
    ]
