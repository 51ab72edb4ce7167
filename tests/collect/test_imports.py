"""Imports: the right platform, account and time, or one sentence and nothing landed."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.imports import import_file, time_in_name
from pipeline.collect.landing import ScrapedAtSource, manifest_files
from pipeline.errors import AfterpostError, ConfigurationError, ImportFileError, UsageError
from pipeline.settings import Settings
from tests.collect.samples import (
    instagram_profile,
    instagram_row,
    make_account,
    tiktok_row,
    write_json,
)

DAY = "2026-10-01"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return make_account(settings)


def test_a_file_is_imported_for_the_platform_of_its_rows(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    rows = [tiktok_row(0), tiktok_row(1), tiktok_row(2, authorMeta={"name": "x"}), {"error": "e"}]
    path = write_json(tmp_path / f"posts_{DAY}.json", rows)
    report = import_file(settings, account, path)
    assert report.is_new
    assert report.manifest.platform is Platform.TIKTOK
    assert report.manifest.original_file == path.name
    assert report.line == (
        f"Imported posts_{DAY}.json for lullabies on tiktok, scraped 2026-10-01T23:59:59Z: "
        "2 posts in 2 rows, 1 row of other authors, 1 row rejected: error row: e (1)"
    )
    again = import_file(settings, account, path)
    assert not again.is_new
    assert again.line.startswith("Already imported: ")


def test_any_author_makes_every_post_the_accounts_own(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(
        tmp_path / f"{DAY}.json", [tiktok_row(n, authorMeta={"name": f"a{n}"}) for n in range(3)]
    )
    report = import_file(settings, account, path)
    assert report.manifest.post_count == 0
    assert "none is by quietnights" in report.line
    assert import_file(settings, account, path, is_any_author=True).manifest.post_count == 3


def test_a_profile_export_lands_as_a_profile(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / f"{DAY}.json", [instagram_profile()])
    manifest = import_file(settings, account, path).manifest
    assert (manifest.profile_count, manifest.post_count) == (1, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-05-21T210534Z_bcaa8c3f9f.json", datetime(2026, 5, 21, 21, 5, 34, tzinfo=UTC)),
        ("x_20260521T210534Z_1.jsonl.gz", datetime(2026, 5, 21, 21, 5, 34, tzinfo=UTC)),
        (
            "dataset_tiktok-scraper_2026-05-21_21-05-34-123.json",
            datetime(2026, 5, 21, 21, 5, 34, tzinfo=UTC),
        ),
        ("posts-2026-05-21.csv", datetime(2026, 5, 21, 23, 59, 59, tzinfo=UTC)),
        ("posts_2026-13-41.csv", None),
        ("posts_2026-05.csv", None),
        ("7412345678901234567.json", None),
        ("export.json", None),
    ],
)
def test_the_time_of_a_scrape_is_read_from_the_file_name(
    name: str, expected: datetime | None
) -> None:
    assert time_in_name(name) == expected


def test_a_given_time_wins_over_the_name(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / f"{DAY}.json", [tiktok_row()])
    manifest = import_file(settings, account, path, scraped_at="2026-09-30T10:00:00+02:00").manifest
    assert manifest.scraped_at == datetime(2026, 9, 30, 8, tzinfo=UTC)
    assert manifest.scraped_at_source is ScrapedAtSource.GIVEN
    by_day = import_file(settings, account, path, scraped_at="2026-09-30").manifest
    assert by_day.scraped_at == datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)


def test_without_a_time_the_files_own_is_taken_and_a_copy_is_no_new_scrape(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "posts.json", [tiktok_row()])
    os.utime(path, (1_760_000_000, 1_760_000_000))
    first = import_file(settings, account, path)
    assert first.manifest.scraped_at == datetime.fromtimestamp(1_760_000_000, tz=UTC)
    assert first.manifest.scraped_at_source is ScrapedAtSource.FILE_TIME
    os.utime(path, (1_770_000_000, 1_770_000_000))
    second = import_file(settings, account, path)
    assert (second.is_new, second.manifest) == (False, first.manifest)


def refused(
    settings: Settings, account: AccountConfig, path: Path, **options: object
) -> AfterpostError:
    with pytest.raises(AfterpostError) as caught:
        import_file(settings, account, path, **options)  # type: ignore[arg-type]
    assert list(manifest_files(settings)) == []
    assert not settings.landing_dir.exists()
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_of_another_platform_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / f"{DAY}.json", [instagram_row()])
    error = refused(settings, account, path, platform=Platform.TIKTOK)
    assert isinstance(error, ImportFileError)
    assert "holds rows of instagram, not of tiktok" in str(error)


def test_a_file_of_no_known_platform_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / f"{DAY}.json", [{"colour": "blue", "text": "hello"}])
    assert "is no export of a" in str(refused(settings, account, path))


@pytest.mark.parametrize(
    "rows",
    [
        [{"error": "no_items", "errorDescription": "Empty or private data"}],
        [{"error": "no_items", "errorDescription": "Empty or private data",
          "inputUrl": "https://www.instagram.com/quietnights"}],
    ],
)  # fmt: skip
def test_a_file_of_error_rows_only_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    error = refused(settings, account, write_json(tmp_path / f"{DAY}.json", rows))
    assert isinstance(error, ImportFileError)
    assert "no_items: Empty or private data" in str(error)


def test_an_account_without_a_handle_needs_any_author(settings: Settings, tmp_path: Path) -> None:
    account = make_account(settings, platform_profiles={})
    path = write_json(tmp_path / f"{DAY}.json", [tiktok_row()])
    error = refused(settings, account, path)
    assert isinstance(error, ConfigurationError)
    assert "platform_profiles" in str(error)
    assert import_file(settings, account, path, is_any_author=True).manifest.post_count == 1


def test_auto_without_a_time_in_the_name_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    error = refused(
        settings, account, write_json(tmp_path / "posts.json", [tiktok_row()]), scraped_at="auto"
    )
    assert isinstance(error, ImportFileError)
    assert "--scraped-at" in str(error)


@pytest.mark.parametrize("text", ["yesterday", "2026-09-30T10:00:00", "2026-99-30"])
def test_a_time_that_is_none_or_has_no_zone_is_wrong_usage(
    settings: Settings, account: AccountConfig, tmp_path: Path, text: str
) -> None:
    path = write_json(tmp_path / "posts.json", [tiktok_row()])
    error = refused(settings, account, path, scraped_at=text)
    assert isinstance(error, UsageError)


def test_a_post_younger_than_its_scrape_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "posts_2024-09-01.json", [tiktok_row()])
    error = refused(settings, account, path)
    assert isinstance(error, ImportFileError)
    assert "2024-09-09" in str(error)
    assert import_file(settings, account, path, scraped_at="2024-09-09").is_new


def test_a_scrape_that_is_still_to_come_is_refused(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "posts_2199-01-01.json", [tiktok_row()])
    assert "still to come" in str(refused(settings, account, path))


def test_an_unreadable_file_lands_nothing(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = tmp_path / "saved.json"
    path.write_text("<html><body>Sign in</body></html>")
    assert "web page" in str(refused(settings, account, path))


def test_odd_rows_do_not_break_a_file(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = tmp_path / f"odd_{DAY}.json"
    rows = [tiktok_row(0, text="half \ud83d"), tiktok_row(1, playCount=float("nan")), 7, None]
    path.write_text(json.dumps(rows))
    manifest = import_file(settings, account, path).manifest
    assert (manifest.post_count, manifest.rejected_count) == (2, 2)
