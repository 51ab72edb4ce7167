"""A real account, scraped seven times: every number in the marts is the file's."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import add_account, load_account
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from tests.end_to_end.fingerprints import mart_fingerprints

SERIES = Path(__file__).parents[2].parent / "shared" / "data" / "snapshots"
FILES = sorted(SERIES.glob("instagram_*/*.json"))
NAME = FILES[0].parent.name.removeprefix("instagram_") if FILES else ""

pytestmark = pytest.mark.skipif(not FILES, reason="the real series is not beside the repository")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with the seven files imported and built."""
    settings = Settings(home=tmp_path_factory.mktemp("series"))
    add_account(
        settings.accounts_dir,
        NAME,
        timezone="America/New_York",
        platform_profiles={"instagram": NAME},
    )
    account = load_account(settings.accounts_dir, NAME)
    for file in FILES:
        import_file(settings, account, file, scraped_at="auto")
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return settings


def _file_rows() -> list[tuple[datetime, dict[str, Any]]]:
    rows = []
    for file in FILES:
        moment = datetime.strptime(file.name.split("_")[0], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        rows += [(moment, row) for row in json.loads(file.read_text(encoding="utf-8"))]
    return rows


def test_every_post_and_snapshot_of_the_files_is_there(home: Settings) -> None:
    with reading(home) as connection:
        counts = Counter(
            post
            for (post,) in connection.execute("select post_id from marts.fct_snapshot").fetchall()
        )
    expected = Counter(row["id"] for _, row in _file_rows())

    assert counts == expected
    assert (len(counts), sum(counts.values())) == (83, 350)
    assert sum(n == 7 for n in counts.values()) == 22


def test_every_count_is_the_files_and_null_where_the_file_has_none(home: Settings) -> None:
    with reading(home) as connection:
        stored = {
            (post, scraped_at): counts
            for post, scraped_at, *counts in connection.execute(
                "select post_id, scraped_at, like_count, comment_count, view_count, "
                "video_view_count from marts.fct_snapshot"
            ).fetchall()
        }
    for moment, row in _file_rows():
        assert stored[row["id"], moment] == [
            row["likesCount"],
            row["commentsCount"],
            row.get("videoPlayCount"),
            row.get("videoViewCount"),
        ]


def test_carousels_have_as_many_slides_as_children(home: Settings) -> None:
    with reading(home) as connection:
        slides = dict(
            connection.execute(
                "select post_id, slide_count from marts.dim_post where media_type = 'carousel'"
            ).fetchall()
        )
    expected = {
        row["id"]: len(row["childPosts"]) for _, row in _file_rows() if row["type"] == "Sidecar"
    }

    assert slides == expected


def test_importing_and_building_again_changes_no_mart(home: Settings) -> None:
    before = mart_fingerprints(home.database_path)
    account = load_account(home.accounts_dir, NAME)
    again = [import_file(home, account, file, scraped_at="auto") for file in FILES]
    report = load_raw(home)
    build_models(home)
    build_statistics(home)

    assert not any(report.is_new for report in again)
    assert report.scrapes_loaded == 0
    assert mart_fingerprints(home.database_path) == before
