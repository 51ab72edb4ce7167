"""``afterpost import`` and ``scrape``, and what ``rebuild`` does when it cannot finish."""

import json
from datetime import UTC, datetime

import pytest

from pipeline.clients.warehouse import publish, reading, writing
from pipeline.settings import Settings
from pipeline.show.cli.main import main

EXPORT_NAME = "dataset_tiktok-profile-scraper_2026-05-21_21-05-34-123.json"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    main(["accounts", "add", "night_owls", "--tiktok", "nightowls"])
    return tmp_path


def _post(number: int, handle: str = "nightowls") -> dict:
    """A post in the TikTok actor's shape."""
    post_id = str((int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) + number << 32) + number)
    return {
        "id": post_id,
        "text": "five ways to fall asleep",
        "createTimeISO": "2026-05-01T00:00:00.000Z",
        "authorMeta": {"id": "77", "name": handle, "fans": 1200},
        "webVideoUrl": f"https://www.tiktok.com/@{handle}/video/{post_id}",
        "isSlideshow": False,
        "videoMeta": {"duration": 12},
        "playCount": 100 * number,
        "diggCount": 10 * number,
        "commentCount": 1,
        "shareCount": 1,
        "collectCount": 1,
    }


@pytest.fixture
def export(home):
    path = home / EXPORT_NAME
    rows = [_post(1), _post(2), _post(3, "someone.else"), {"error": "Post not found"}]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def _import(*words: object) -> int:
    return main(["import", *map(str, words), "--account", "night_owls"])


def test_an_import_says_what_was_in_the_file(export, capsys):
    assert _import(export) == 0

    line, total = capsys.readouterr().out.splitlines()[-2:]
    assert line.startswith(
        f"{EXPORT_NAME}: tiktok, 4 rows; 2 posts; 1 of other authors; 1 rejected"
    )
    assert "scraped 2026-05-21 21:05Z (from the file name)" in line
    assert total.startswith("Loaded 1 new scrape(s)")


def test_the_same_file_again_is_known(export, capsys):
    _import(export)
    capsys.readouterr()

    assert _import(export) == 0

    shown = capsys.readouterr().out
    assert "already imported" in shown
    assert "Loaded 0 new scrape(s)" in shown


def test_json_holds_the_figures_of_each_file(export, capsys):
    capsys.readouterr()

    assert _import(export, "--json") == 0

    (result,) = json.loads(capsys.readouterr().out)
    assert result["is_new"] is True
    assert result["scraped_at"].startswith("2026-05-21T21:05:34")
    assert result["scraped_at_source"] == "file_name"
    assert {key: value for key, value in result.items() if key.endswith("_count")} == {
        "row_count": 4,
        "distinct_post_count": 2,
        "post_count": 2,
        "foreign_post_count": 1,
        "profile_count": 0,
        "rejected_count": 1,
    }


def test_a_bad_file_does_not_stop_the_others(export, home, capsys):
    page = home / "page.json"
    page.write_text("<!doctype html><title>Sign in</title>", encoding="utf-8")
    empty = home / "empty.json"
    empty.touch()

    assert _import(page, empty, home / "missing.json", export) == 1

    captured = capsys.readouterr()
    assert captured.err.count("error: ") == captured.err.count("\n") == 3
    assert "Loaded 1 new scrape(s)" in captured.out


def test_only_bad_files_leave_nothing_behind(home, capsys):
    page = home / "page.json"
    page.write_text("<!doctype html>", encoding="utf-8")

    assert _import(page) == 1

    landing = home / "warehouse" / "landing"
    assert not [path for path in landing.rglob("*") if path.is_file()]
    assert not (home / "warehouse" / "afterpost.duckdb").exists()


@pytest.mark.parametrize("words", [["--platform", "myspace"]])
def test_an_unknown_platform_is_wrong_usage(export, capsys, words):
    assert _import(export, *words) == 2


def test_scraping_without_a_token_says_which_variable(home, capsys):
    assert main(["scrape", "--account", "night_owls"]) == 1

    assert "APIFY_TOKEN is not set" in capsys.readouterr().err
    assert not (home / "warehouse").exists()


def test_a_rebuild_that_fails_puts_the_former_warehouse_back(home, capsys):
    settings = Settings(home=home)
    with writing(settings, "test") as connection:
        connection.execute("create table marts.kept as select 42 as answer")
    publish(settings, "v1")
    before = settings.database_path.read_bytes()
    # Without an account there is nothing to build.
    (home / "accounts" / "night_owls" / "account.yaml").unlink()

    assert main(["rebuild"]) == 1

    assert settings.database_path.read_bytes() == before
    assert not list(settings.warehouse_dir.glob("before_rebuild_*"))
    with reading(settings) as connection:
        assert connection.execute("select answer from marts.kept").fetchall() == [(42,)]


def test_a_native_export_says_what_it_told_and_what_was_not_understood(home, capsys):
    path = home / "Content.csv"
    path.write_text(
        "Video link,Total views,Reached audience,Rewatch index\n"
        "https://www.tiktok.com/@nightowls/video/7412345678901234567,900,800,0.5\n,1,1,1\n",
        encoding="utf-8",
    )

    assert _import(path, "--native", "--scraped-at", "2026-05-21") == 0
    line, total = capsys.readouterr().out.splitlines()[-2:]
    assert line == (
        "Content.csv: tiktok, 3 values of 3 metrics; 1 posts; 1 rows without a post's id or a date "
        "left out; kept under their own names: Rewatch index; exported 2026-05-21 23:59Z (as given)"
    )
    assert total.startswith("Loaded 1 new scrape(s)")

    assert _import(path, "--native", "--scraped-at", "2026-05-21", "--json") == 0
    [result] = json.loads(capsys.readouterr().out)
    assert (result["is_new"], result["value_count"]) == (False, 3)
    assert result["metrics"] == ["reach", "rewatch_index", "views"]


def test_native_and_any_author_do_not_go_together(export, capsys):
    assert _import(export, "--native", "--any-author") == 2
    assert "leave it out with --native" in capsys.readouterr().err


def test_a_scraped_file_is_no_native_export(export, capsys):
    assert _import(export, "--native") == 1
    assert str(export) in capsys.readouterr().err
