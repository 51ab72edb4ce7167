"""Real exports of LinkedIn, X and YouTube end in the marts with the file's own numbers, no others.

The files are counted here with the standard library alone.
"""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.clients.warehouse import writing
from pipeline.collect.imports import ImportReport, import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models
from pipeline.settings import Settings
from tests.collect.samples import SHARED_DATA, make_account

OTHER = SHARED_DATA / "apify" / "other"
pytestmark = pytest.mark.skipif(
    not OTHER.is_dir(), reason=f"the real exports are not at {SHARED_DATA}"
)
FILES = sorted(OTHER.glob("*")) if OTHER.is_dir() else []
ACCOUNTS = {path.name: re.sub(r"[^a-z0-9]+", "_", path.name.lower())[:60] for path in FILES}
WHOLE = re.compile(r"[0-9]+")

Number = int | None
METRICS = ("view_count", "like_count", "comment_count", "share_count", "save_count", "repost_count")


def whole(value: object) -> Number:
    return int(str(value)) if WHOLE.fullmatch(str(value)) else None


def of_linkedin(row: dict[str, Any]) -> tuple[str, tuple[Number, ...]]:
    stats = row["stats"]
    told = (stats.get(key) for key in ("total_reactions", "comments", "reposts"))
    return row["activity_urn"], (None, *map(whole, told), None, None)


def of_x(row: dict[str, Any]) -> tuple[str, tuple[Number, ...]]:
    reposts, quotes = whole(row["retweetCount"]), whole(row["quoteCount"])
    shares = None if reposts is None or quotes is None else reposts + quotes
    told = tuple(whole(row[key]) for key in ("viewCount", "likeCount", "replyCount"))
    return row["id"], (*told, shares, whole(row["bookmarkCount"]), reposts)


def of_youtube(row: dict[str, Any]) -> tuple[str, tuple[Number, ...]]:
    told = tuple(whole(row[key]) for key in ("view_count", "like_count", "comment_count"))
    return row["video_id"], (*told, None, None, None)


READERS = {"linkedin": of_linkedin, "tweet": of_x, "youtube": of_youtube}
IDS = {"linkedin": r"[0-9]{19}", "tweet": r"[0-9]{19}", "youtube": r"[A-Za-z0-9_-]{11}"}


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".json":
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"))
        return rows
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def counted(path: Path) -> list[tuple[str, tuple[Number, ...]]]:
    """Id and numbers of each row of a file that has an id of the platform's form."""
    kind = re.split(r"[-_]", path.name)[0]
    read = [READERS[kind](row) for row in rows_of(path)]
    return [(key, numbers) for key, numbers in read if re.fullmatch(IDS[kind], key or "")]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, ImportReport]]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    reports = {}
    for path in FILES:
        account = make_account(settings, ACCOUNTS[path.name])
        reports[path.name] = import_file(settings, account, path, is_any_author=True)
    load_raw(settings)
    build_models(settings)
    return settings, reports


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_row_is_a_post_or_rejected_with_a_reason(
    imported: tuple[Settings, dict[str, ImportReport]], path: Path
) -> None:
    manifest = imported[1][path.name].manifest
    posts = counted(path)
    assert set(manifest.post_ids) == {key for key, _ in posts}
    assert manifest.post_count == len(posts)
    assert manifest.post_count + manifest.rejected_count == len(rows_of(path))
    assert sum(manifest.rejected_reasons.values()) == manifest.rejected_count
    assert (manifest.profile_count, manifest.foreign_post_count) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_marts_hold_the_files_numbers_and_no_others(
    imported: tuple[Settings, dict[str, ImportReport]], path: Path
) -> None:
    expected = {(key, *numbers) for key, numbers in counted(path)}
    with writing(imported[0], "test") as connection:
        found = snapshots(connection, ACCOUNTS[path.name])
        drops = connection.execute("select count(*) from marts.fct_snapshot where has_count_drop")
        assert drops.fetchone() == (0,)
    assert found <= expected
    assert {row[0] for row in found} == {row[0] for row in expected}
    if len(expected) == len({row[0] for row in expected}):  # no post stands in the file twice
        assert found == expected
    for index, metric in enumerate(METRICS, start=1):
        told = sum(row[index] is not None for row in found)
        in_file = {row[0] for row in expected if row[index] is not None}
        assert told == len(in_file), metric
        assert all(row[index] is None or row[index] >= 0 for row in found), metric


def snapshots(connection: duckdb.DuckDBPyConnection, account: str) -> set[tuple[Any, ...]]:
    return set(
        connection.execute(
            f"select post_id, {', '.join(METRICS)} from marts.fct_snapshot where account_name = ?",
            [account],
        ).fetchall()
    )


@pytest.mark.slow
def test_every_post_of_the_files_has_a_time_where_the_file_has_one(
    imported: tuple[Settings, dict[str, ImportReport]],
) -> None:
    with writing(imported[0], "test") as connection:
        missing = connection.execute(
            "select count(*) from marts.dim_post as posts where posted_at is null "
            "and exists (select 1 from marts.fct_snapshot as one where one.post_id = posts.post_id "
            "and (one.view_count is not null or one.like_count is not null))"
        ).fetchone()
    assert missing == (0,)
