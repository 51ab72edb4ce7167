"""Every real file, from import to marts: no row lost, no number invented, none below zero.

The files are read here by the standard library alone and counted by rules of their own.
"""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.accounts import Platform, add_account, load_account
from pipeline.collect.imports import import_file
from pipeline.collect.landing import Manifest
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models
from pipeline.settings import Settings

DATA = Path(__file__).parents[2].parent / "shared" / "data"
BUNDLES = next(iter(sorted((DATA / "snapshots").glob("tiktok_*"))), DATA)
"""The series whose files hold several profiles each."""
METRICS = ("view", "video_view", "like", "comment", "share", "save", "repost")
Row = dict[str, Any]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real files are not at {DATA}"),
]


def _files() -> list[Path]:
    apify = [path for path in (DATA / "apify").rglob("*") if path.suffix in (".csv", ".json")]
    return sorted([*apify, *(DATA / "snapshots").glob("*_*/*.json")])


def _account_of(path: Path) -> str:
    """One account per file, and one per series of scrapes."""
    name = path.parent.name if path.parent.parent.name == "snapshots" else path.name
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60]


def _rows(path: Path) -> list[Row]:
    if path.suffix == ".csv":
        csv.field_size_limit(sys.maxsize)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    document = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(document, list):
        return document
    profiles = [document["owned"], *document["competitors"]]
    return [
        *({"profile": profile} for profile in profiles),
        *(post for profile in profiles for post in profile["recent_posts"]),
    ]


def _count(row: Row, *names: str) -> int | None:
    """The first of the names that the row has, as a count; "" and −1 are no counts."""
    for name in names:
        value: Any = row
        for key in name.split("|"):
            value = value.get(key) if isinstance(value, dict) else None
        if value not in (None, ""):
            return int(value) if int(value) >= 0 else None
    return None


def _tiktok(row: Row) -> tuple[str, dict[str, int | None]] | None:
    if "profile" in row or row.get("error"):
        return None
    address = row.get("webVideoUrl") or row.get("url") or ""
    key = row.get("id") or re.sub(r".*/(?:video|photo)/(\d+).*", r"\1", address)
    return key, {
        "view": _count(row, "playCount", "views"),
        "like": _count(row, "diggCount", "likes"),
        "comment": _count(row, "commentCount", "comments"),
        "share": _count(row, "shareCount", "shares"),
        "save": _count(row, "collectCount"),
        "repost": _count(row, "repostCount"),
    }


def _instagram(row: Row) -> tuple[str, dict[str, int | None]] | None:
    if "followersCount" in row:
        return None
    is_video = row.get("type") == "Video"
    return row.get("shortCode") or row["url"].rstrip("/").split("/")[-1], {
        "view": _count(row, "videoPlayCount") if is_video else None,
        "video_view": _count(row, "videoViewCount") if is_video else None,
        "like": _count(row, "likesCount"),
        "comment": _count(row, "commentsCount"),
        "share": _count(row, "sharesCount") if is_video else None,
    }


def _linkedin(row: Row) -> tuple[str, dict[str, int | None]]:
    return row["activity_urn"], {
        "like": _count(row, "stats|total_reactions"),
        "comment": _count(row, "stats|comments"),
        "share": _count(row, "stats|reposts"),
    }


def _x(row: Row) -> tuple[str, dict[str, int | None]]:
    return row["id"], {
        "view": _count(row, "viewCount"),
        "like": _count(row, "likeCount"),
        "comment": _count(row, "replyCount"),
        "share": (_count(row, "retweetCount") or 0) + (_count(row, "quoteCount") or 0),
        "save": _count(row, "bookmarkCount"),
        "repost": _count(row, "retweetCount"),
    }


def _youtube(row: Row) -> tuple[str, dict[str, int | None]] | None:
    # A line break without quotes cut one row of the file in two: its second half has no id.
    if not re.fullmatch(r"[\w-]{11}", row["video_id"]):
        return None
    return row["video_id"], {
        "view": _count(row, "view_count"),
        "like": _count(row, "like_count"),
        "comment": _count(row, "comment_count"),
    }


READERS: dict[str, Callable[[Row], tuple[str, dict[str, int | None]] | None]] = {
    "tiktok": _tiktok,
    "instagram": _instagram,
    "linkedin": _linkedin,
    "x": _x,
    "youtube": _youtube,
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[Path, Manifest]]:
    """All files in one home, every author's posts, and one build."""
    settings = Settings(home=tmp_path_factory.mktemp("conservation"))
    manifests = {}
    for path in _files():
        name = _account_of(path)
        if not (settings.accounts_dir / name).exists():
            add_account(settings.accounts_dir, name, timezone="Asia/Tokyo", platform_profiles={})
        account = load_account(settings.accounts_dir, name)
        manifests[path] = import_file(settings, account, path, is_any_author=True).manifest
    load_raw(settings)
    build_models(settings)
    return settings, manifests


@pytest.fixture(scope="module")
def warehouse(
    imported: tuple[Settings, dict[Path, Manifest]],
) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(imported[0].database_path), read_only=True) as connection:
        yield connection


def test_all_kinds_of_real_files_are_there() -> None:
    assert len(_files()) >= 50


def test_posts_profiles_and_rejected_rows_add_up_to_the_rows_of_every_file(
    imported: tuple[Settings, dict[Path, Manifest]], warehouse: duckdb.DuckDBPyConnection
) -> None:
    in_tables = {
        scrape_id: dict(zip(("post", "foreign_post", "profile", "rejected"), counts, strict=True))
        for scrape_id, *counts in warehouse.execute(
            "select scrape_id, count(*) filter (kind = 'post'), "
            "count(*) filter (kind = 'foreign_post'), count(*) filter (kind = 'profile'), "
            "count(*) filter (kind = 'rejected') from (select scrape_id, item_kind as kind "
            "from raw.scrape_items union all select scrape_id, 'rejected' from raw.rejected_items) "
            "group by scrape_id"
        ).fetchall()
    }
    for path, manifest in imported[1].items():
        rows = _rows(path)
        posts = [READERS[manifest.platform.value](row) for row in rows]
        counted = in_tables[manifest.scrape_id]
        assert sum(counted.values()) == len(rows) == manifest.items_got, path.name
        assert counted["post"] == sum(post is not None for post in posts), path.name
        assert counted == {
            "post": manifest.post_count,
            "foreign_post": manifest.foreign_post_count,
            "profile": manifest.profile_count,
            "rejected": manifest.rejected_count,
        }
    assert warehouse.execute(
        "select count(*) from raw.rejected_items where length(trim(reason)) = 0"
    ).fetchone() == (0,)


def test_every_metric_has_as_many_numbers_as_the_files_and_the_same_sum(
    imported: tuple[Settings, dict[Path, Manifest]], warehouse: duckdb.DuckDBPyConnection
) -> None:
    expected: dict[str, dict[str, list[int]]] = {}
    for path, manifest in imported[1].items():
        reader = READERS[manifest.platform.value]
        # The same post twice in one scrape is one snapshot, and its last row counts.
        newest = dict(filter(None, (reader(row) for row in _rows(path))))
        of_account = expected.setdefault(manifest.account_name, {name: [] for name in METRICS})
        for counts in newest.values():
            for name, value in counts.items():
                of_account[name] += [] if value is None else [value]
    selects = ", ".join(f"count({name}_count), sum({name}_count)" for name in METRICS)
    found = {
        account: dict(zip(METRICS, zip(sums[::2], sums[1::2], strict=True), strict=True))
        for account, *sums in warehouse.execute(
            f"select account_name, {selects} from marts.fct_snapshot group by account_name"
        ).fetchall()
    }
    as_sums = {
        account: {
            name: (len(values), sum(values) if values else None) for name, values in of.items()
        }
        for account, of in expected.items()
        if any(of.values())
    }
    assert found == as_sums


def test_no_number_in_any_mart_is_negative(warehouse: duckdb.DuckDBPyConnection) -> None:
    may_fall = {
        ("fct_follower_day", "follower_change"),
        # A file's own time may lie some hours before its newest post.
        ("fct_snapshot", "age_hours"),
        ("fct_post_performance", "age_hours"),
    }
    columns = warehouse.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and "
        "data_type in ('BIGINT', 'INTEGER', 'DOUBLE', 'HUGEINT') and column_name not like 'log_%' "
        # What can rightly lie below zero.
        "and column_name not like '%slope%' and column_name not like '%correlation%' "
        "and column_name not like 'impact%'"
    ).fetchall()
    assert len(columns) > 50
    negative = [
        (table, column)
        for table, column in columns
        if (table, column) not in may_fall
        and warehouse.execute(
            f"select count(*) from marts.{table} where {column} < 0"
        ).fetchone() != (0,)
    ]  # fmt: skip
    assert negative == []


def _falls(path_of_series: Path) -> dict[str, int]:
    """Snapshots whose count is below the post's one before, by metric; all profiles."""
    last: dict[tuple[str, str], int] = {}
    falls = dict.fromkeys(("view", "like", "comment", "share"), 0)
    for path in sorted(path_of_series.glob("*.json")):
        for post_id, counts in filter(None, (_tiktok(row) for row in _rows(path))):
            for name in falls:
                value = counts[name]
                assert value is not None
                falls[name] += value < last.get((post_id, name), value)
                last[post_id, name] = value
    return falls


def test_falling_counts_are_kept_as_observed_and_flagged(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """77 is views (3), likes (17) and comments (57) over all eight profiles, owned or not.

    Shares fall four more times, which makes 81 falls in 79 snapshots: in two of them two counts
    fall together. Of the owned profile alone there are seven.
    """
    falls = _falls(BUNDLES)
    assert falls == {"view": 3, "like": 17, "comment": 57, "share": 4}
    assert sum(falls.values()) - falls["share"] == 77
    lower = {
        name: f"coalesce({name}_count < lag({name}_count) over (partition by post_id "
        "order by scraped_at), false)"
        for name in falls
    }
    [found] = warehouse.execute(
        f"select {', '.join(f'count(*) filter ({name}_fell)' for name in falls)}, "
        f"count(*) filter (has_count_drop), "
        f"count(*) filter (has_count_drop <> ({' or '.join(f'{name}_fell' for name in falls)})) "
        f"from (select *, {', '.join(f'{sql} as {name}_fell' for name, sql in lower.items())} "
        "from marts.fct_snapshot where account_name = ?)",
        [BUNDLES.name],
    ).fetchall()
    assert found == (*falls.values(), 79, 0)


def test_a_scrape_that_missed_a_profile_is_partial(
    imported: tuple[Settings, dict[Path, Manifest]],
) -> None:
    outcomes = {
        path: manifest.outcome.value
        for path, manifest in imported[1].items()
        if path.parent == BUNDLES
    }
    expected = {
        path: "items"
        if all(row["profile"]["recent_posts"] for row in _rows(path) if "profile" in row)
        else "partial"
        for path in outcomes
    }
    assert outcomes == expected
    assert list(expected.values()).count("partial") == 18


def test_every_platform_of_the_files_is_one_that_there_is() -> None:
    assert set(READERS) <= {platform.value for platform in Platform}
