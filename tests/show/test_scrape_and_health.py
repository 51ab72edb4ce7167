"""``afterpost scrape`` as it runs, and ``afterpost health`` after it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.show.cli.main import main
from pipeline.simulate.apify_server import error_reply
from tests.collect.samples import make_account
from tests.faults.bench import TOKEN, Bench, is_start, open_bench, replying


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with open_bench(tmp_path, platform_profiles={"tiktok": "quietnights"}) as bench:
        monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
        monkeypatch.setenv("APIFY_TOKEN", TOKEN)
        monkeypatch.setenv("APIFY_API_BASE_URL", bench.server.url)
        yield bench


def test_a_scrape_says_a_line_per_profile(bench: Bench, capsys: pytest.CaptureFixture[str]):
    make_account(bench.settings, "naps", platform_profiles={"tiktok": "quietnights"})

    assert main(["scrape", "--all"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Scraped 3 posts for lullabies on tiktok, 3 new",
        "Scraped 3 posts for naps on tiktok, 3 new",
        "Next: afterpost build",
    ]


def test_one_profiles_trouble_is_told_and_is_exit_1(
    bench: Bench, capsys: pytest.CaptureFixture[str]
):
    make_account(bench.settings, "naps", platform_profiles={"tiktok": "napping"})
    bench.server.intercept = lambda request, proceed: (
        error_reply(400, "invalid-input", "No such field")
        if is_start(request) and b"napping" in request.body
        else proceed()
    )

    assert main(["scrape", "--all"]) == 1

    captured = capsys.readouterr()
    assert "Scraped 3 posts for lullabies on tiktok, 3 new" in captured.out
    assert "Not scraped: naps on tiktok (posts)" in captured.out
    assert captured.err.count("error: ") == 1
    assert "No such field" in captured.err


def test_when_nothing_can_be_scraped_the_reason_is_told_once(
    bench: Bench, capsys: pytest.CaptureFixture[str]
):
    bench.server.intercept = replying(is_start, error_reply(401, "x", "Bad token"))

    assert main(["scrape", "--account", "lullabies"]) == 1

    captured = capsys.readouterr()
    assert captured.err.count("Bad token") == 1
    assert TOKEN not in captured.out + captured.err


def test_health_says_what_the_last_run_said_and_what_to_do(
    bench: Bench, capsys: pytest.CaptureFixture[str]
):
    bench.account = make_account(
        bench.settings,
        platform_profiles={"tiktok": "quietnights"},
        scrape={"budget_usd_per_month": 5},
    )
    bench.scrape()

    assert main(["health"]) == 0
    shown = capsys.readouterr().out
    assert "new posts" in shown
    assert "$0.01 of $5.00" in " ".join(shown.split())
    assert "Nothing to do." in shown
    assert max(map(len, shown.splitlines())) <= 80

    bench.says([{"error": "Profile does not exist", "errorCode": "NOT_FOUND"}])
    assert main(["scrape", "--account", "lullabies"]) == 1
    capsys.readouterr()
    assert main(["health", "--account", "lullabies"]) == 1
    shown = capsys.readouterr().out
    assert "lullabies on tiktok: Check the handle in account.yaml" in shown
    assert "Profile does not exist" in shown


def test_health_as_json_holds_the_figures(bench: Bench, capsys: pytest.CaptureFixture[str]):
    bench.scrape()

    assert main(["health", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["needs_action"] is False
    (profile,) = told["profiles"]
    assert profile["outcome"] == "new_posts"
    assert (profile["cost_this_month_usd"], profile["budget_usd_per_month"]) == (0.0105, None)
    assert profile["to_do"] is None


def test_health_without_profiles_says_where_they_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    main(["accounts", "add", "quiet"])
    capsys.readouterr()

    assert main(["health"]) == 0

    assert "add handles to its account.yaml" in capsys.readouterr().out
