"""``afterpost mirror`` and ``afterpost restore``: words, figures and exit codes."""

import json
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.show.cli import mirror as commands
from pipeline.show.cli.main import main
from tests.fakes.mirrored_homes import contents, scrape, small_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = small_home(tmp_path / "home", str(tmp_path / "store"))
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    monkeypatch.setenv("AFTERPOST_STORAGE", "hybrid")
    monkeypatch.setenv("AFTERPOST_STORAGE_URL", str(settings.storage_url))
    return settings


def test_a_mirror_says_what_it_copied_and_a_restore_what_it_brought(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert main(["mirror"]) == 0
    assert " copied (" in capsys.readouterr().out
    scrape(home, day=9)
    assert main(["mirror", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["copied_count"] == 2
    assert told["pruned_count"] is None

    assert main(["restore", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["is_current"] for row in listed] == [True, False]
    assert listed[0]["generation"] == told["generation"]
    assert main(["restore", "--list"]) == 0
    assert "current" in capsys.readouterr().out

    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path / "other"))
    assert main(["restore", "--no-rebuild"]) == 0
    said = capsys.readouterr().out
    assert told["generation"] in said
    assert "Next: afterpost rebuild" in said
    assert contents(Settings(home=tmp_path / "other")) == contents(home)


def test_old_rows_are_removed_on_request_and_come_back(home: Settings, capsys) -> None:
    before = contents(home)
    assert main(["mirror", "--keep-days", "1"]) == 0
    assert "Removed the rows of 3 scrapes older than 1 day here" in capsys.readouterr().out
    assert len(contents(home)) == len(before) - 3
    assert main(["mirror", "--keep-days", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pruned_count"] == 0

    assert main(["restore", "--landing", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["restored_count"], told["comparison"]) == (3, None)
    assert contents(home) == before


def test_a_rebuild_is_compared_with_the_mirrored_tables(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from tests.fakes.mirrored_homes import publish_mart

    rebuilds = iter([1, 2])
    monkeypatch.setattr(
        "pipeline.show.cli.build_commands.rebuild_home",
        lambda settings: publish_mart(settings, next(rebuilds)),
    )
    assert main(["mirror"]) == 0
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path / "other"))
    capsys.readouterr()

    assert main(["restore"]) == 0
    assert "All 1 marts and statistics are the mirrored ones, row by row" in capsys.readouterr().out
    assert main(["restore", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["comparison"]
    assert not told["is_identical"]
    assert told["differences"] == [
        {"table": "marts.dim_post", "only_here": 1, "only_mirrored": 1}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "exit_code", "sentence"),
    [
        (["mirror", "--keep-days", "0"], 2, "--keep-days"),
        (["restore", "--list", "--landing"], 2, "--list only shows"),
        (["restore", "--generation", "../../etc"], 1, "no name of a generation"),
        (["restore", "--from", "{nothing}"], 1, "no finished mirror"),
        (["restore", "--from", "nosuch://x"], 1, "no address"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    home: Settings, tmp_path: Path, capsys, words: list[str], exit_code: int, sentence: str
) -> None:
    assert home.storage_url
    assert main([word.replace("{nothing}", str(tmp_path / "no")) for word in words]) == exit_code

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert sentence in " ".join(error.split())


def test_no_mirror_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    monkeypatch.setenv("AFTERPOST_STORAGE_URL", "")

    assert main(["mirror"]) == 1
    assert "AFTERPOST_STORAGE_URL is not set" in capsys.readouterr().err
    assert commands.mirror.__doc__
