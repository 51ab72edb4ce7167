"""Real exports import with exactly the posts that the files hold, counted here by other means."""

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import Platform
from pipeline.clients.warehouse import writing
from pipeline.collect.imports import import_file
from pipeline.collect.landing import read_lines
from pipeline.collect.raw import load_raw
from pipeline.settings import Settings
from tests.collect.samples import SHARED_DATA, make_account

pytestmark = pytest.mark.skipif(
    not SHARED_DATA.is_dir(), reason=f"the real exports are not at {SHARED_DATA}"
)

EXPORTS = sorted(
    path.relative_to(SHARED_DATA)
    for platform in ("tiktok", "instagram")
    for path in (SHARED_DATA / "apify" / platform).rglob("*")
    if path.suffix in (".json", ".jsonl", ".csv", ".gz")
)
SNAPSHOTS = sorted((SHARED_DATA / "snapshots").glob("instagram_*/*.json"))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The file's rows by the standard library alone."""
    if path.suffix == ".json":
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"))
        return rows
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def key_of(row: dict[str, Any]) -> str | None:
    """What tells a post's rows apart in a file: id, else the last part of its address."""
    if row.get("error"):
        return None
    address = row.get("webVideoUrl") or ("" if "username" in row else row.get("url")) or ""
    return row.get("id") if "username" not in row and row.get("id") else (
        re.sub(r".*/([^/]+)/?$", r"\1", address) or None
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("name", EXPORTS, ids=str)
def test_a_real_export_gives_every_post_once_and_every_other_row_a_reason(
    home: Settings, name: Path
) -> None:
    path = SHARED_DATA / name
    rows = rows_of(path)
    account = make_account(home, re.sub(r"[^a-z0-9]+", "_", path.name.lower()).strip("_")[:60])
    manifest = import_file(home, account, path, is_any_author=True).manifest
    keys = [key_of(row) for row in rows]
    profiles = sum("followersCount" in row for row in rows)
    assert manifest.platform is Platform(name.parts[1])
    assert manifest.items_got == len(rows)
    assert len(manifest.post_ids) == len({key for key in keys if key})
    assert manifest.post_count == sum(key is not None for key in keys)
    assert manifest.profile_count == profiles
    assert manifest.rejected_count == sum(bool(row.get("error")) for row in rows)
    assert manifest.rejected_reasons == dict(
        Counter(f"error row: {row['error']}" for row in rows if row.get("error"))
    )
    assert len(read_lines(home, manifest)) == len(rows)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("series"))
    handle = SNAPSHOTS[0].parent.name.removeprefix("instagram_")
    account = make_account(settings, handle, platform_profiles={"instagram": handle})
    for path in SNAPSHOTS:
        import_file(settings, account, path, scraped_at="auto")
    load_raw(settings)
    return settings


def test_a_series_of_seven_scrapes_gives_every_post_at_every_time(series: Settings) -> None:
    expected = {
        (path.name.split("Z_")[0].replace("T", " "), row["id"]): row
        for path in SNAPSHOTS
        for row in rows_of(path)
    }
    with writing(series, "test") as connection:
        found = connection.execute(
            "select strftime(scraped_at, '%Y-%m-%d %H%M%S'), post_id, payload "
            "from raw.scrape_items where item_kind = 'post'"
        ).fetchall()
    assert len(found) == 350
    assert len({post_id for _, post_id, _ in found}) == 83
    assert {(moment, post_id): json.loads(text) for moment, post_id, text in found} == expected


@pytest.mark.parametrize("form", ["flat", "overview"])
def test_full_and_overview_exports_of_one_post_meet(tmp_path: Path, form: str) -> None:
    source = SHARED_DATA / "apify" / "instagram"
    [path] = source.glob("instagram-scraper_2024-12_*_posts-copy.json")
    settings = Settings(home=tmp_path)
    account = make_account(settings)
    rows = rows_of(path)[:20]
    keys = ("caption", "likesCount", "ownerUsername", "timestamp", "url")
    copy = tmp_path / "2026-01-01.json"
    if form == "overview":
        rows = [{key: row[key] for key in keys} for row in rows]
    copy.write_text(json.dumps(rows))
    manifest = import_file(settings, account, copy, is_any_author=True).manifest
    assert set(manifest.post_ids) == {row["id"] for row in rows_of(path)[:20]}
