"""``afterpost accounts``."""

import json

import pytest

from pipeline.accounts import Platform
from pipeline.show.cli.main import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return tmp_path


def test_an_added_account_is_listed(home, capsys):
    added = main(
        ["accounts", "add", "night_owls", "--instagram", "@night.owls", "--timezone", "Asia/Tokyo"]
    )
    capsys.readouterr()
    listed = main(["accounts", "list", "--json"])

    assert (added, listed) == (0, 0)
    (account,) = json.loads(capsys.readouterr().out)
    assert account["platform_profiles"] == {"instagram": "night.owls"}
    assert account["timezone"] == "Asia/Tokyo"


def test_the_table_names_handles_and_zone(home, capsys):
    main(["accounts", "add", "night_owls", "--tiktok", "nightowls"])
    capsys.readouterr()

    assert main(["accounts", "list"]) == 0

    shown = capsys.readouterr().out
    assert "tiktok nightowls" in shown
    assert "UTC" in shown


def test_every_platform_has_an_option_and_any_can_be_given_as_a_pair(home, capsys):
    for platform in Platform:
        words = ["accounts", "add", "x", "--help"]
        assert main(words) == 0
        assert f"--{platform.value}" in capsys.readouterr().out
    pairs = ["--youtube", "@Night.Owls", "--profile", "linkedin=company/owls", "--profile", "x=@ow"]
    assert main(["accounts", "add", "night_owls", *pairs]) == 0
    capsys.readouterr()

    main(["accounts", "list", "--json"])

    (account,) = json.loads(capsys.readouterr().out)
    assert account["platform_profiles"] == {
        "youtube": "Night.Owls",
        "linkedin": "company/owls",
        "x": "ow",
    }


@pytest.mark.parametrize("words", [["nothing"], ["friendster=me"], ["x="], ["x=one", "--x", "two"]])
def test_a_pair_that_is_none_is_wrong_usage(home, capsys, words):
    assert main(["accounts", "add", "x", "--profile", *words]) == 2

    assert capsys.readouterr().err.startswith("error: ")
    assert not (home / "accounts").exists()


@pytest.mark.parametrize(
    "words", [["x", "--timezone", "Mars/Olympus"], ["Not A Name"], ["x", "--tiktok", "a b"]]
)
def test_a_wrong_account_is_not_added(home, capsys, words):
    assert main(["accounts", "add", *words]) == 1

    assert capsys.readouterr().err.startswith("error: ")
    assert not (home / "accounts").exists()


def test_an_account_is_not_added_twice(home, capsys):
    main(["accounts", "add", "night_owls", "--tiktok", "first"])

    assert main(["accounts", "add", "night_owls", "--tiktok", "second"]) == 1

    assert "exists already" in capsys.readouterr().err
    assert "first" in (home / "accounts" / "night_owls" / "account.yaml").read_text()


def test_the_check_tells_every_file_and_fails_for_a_wrong_one(home, capsys):
    main(["accounts", "add", "good", "--tiktok", "good"])
    (home / "accounts" / "bad").mkdir()
    (home / "accounts" / "bad" / "account.yaml").write_text("name: bad\ntimezone: Nowhere\n")
    (home / "accounts" / "draft").mkdir()
    capsys.readouterr()

    assert main(["accounts", "check"]) == 1

    captured = capsys.readouterr()
    assert "ok good: tiktok good" in captured.out
    assert "skipped draft" in captured.out
    assert "line 2: timezone" in captured.err
    assert captured.err.count("\n") == 1
