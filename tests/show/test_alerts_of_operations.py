"""Alerts about scrapes, budgets, waiting proposals and the generator; and ``afterpost alerts``."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AlertKind
from pipeline.clients.state import writing_state
from pipeline.clients.state_model_calls import CallIntent, record_call
from pipeline.clients.state_tables import scrape_attempts
from pipeline.clock import utc_now
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Severity
from pipeline.show.alerts.watch import AlertRound, watch
from pipeline.show.cli.main import main
from tests.collect.samples import make_account, write_json
from tests.fakes.published import add_account
from tests.fakes.recommendations import add_pending

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
DAY = timedelta(days=1)
ACCOUNT = "lullabies"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    settings = Settings(home=tmp_path)
    make_account(settings, ACCOUNT)
    return settings


def attempt(
    settings: Settings, outcome: str, days_ago: float, cost: str = "0.1", now: datetime = NOW
) -> None:
    moment = now - days_ago * DAY
    row = {
        "attempt_id": f"att_{outcome}_{days_ago}", "account_name": ACCOUNT, "platform": "tiktok",
        "source_kind": "posts", "actor_id": "actor", "handle": "quietnights", "run_input": {},
        "max_charge_usd": "2", "intended_at": moment, "outcome": outcome, "cost_usd": cost,
        "finished_at": moment,
    }  # fmt: skip
    with writing_state(settings) as state:
        state.execute(scrape_attempts.insert(), [row])


def told(result: AlertRound) -> dict[AlertKind, Severity]:
    return {alert.kind: alert.severity for alert in result.open}


def test_a_home_in_which_nothing_happened_yet_has_no_alert_and_gets_no_database(
    settings: Settings,
) -> None:
    result = watch(settings, NOW)

    assert (result.open, result.problems) == ([], [])
    assert not settings.warehouse_dir.exists()


def test_one_miss_is_patience_two_are_an_alert_and_a_good_scrape_ends_it(
    settings: Settings,
) -> None:
    attempt(settings, "throttled", 3)
    assert told(watch(settings, NOW)) == {}
    attempt(settings, "throttled", 2)
    (alert,) = watch(settings, NOW).opened
    attempt(settings, "new_posts", 1)
    over = watch(settings, NOW + timedelta(minutes=15))

    assert (alert.kind, alert.severity) == (AlertKind.SCRAPE_FAILING, Severity.WARNING)
    assert alert.sentence == (
        "The last 2 scrapes of quietnights on tiktok brought nothing to rely on: throttled. Never "
        "seen yet. Nothing yet: the next scrape tries again."
    )
    assert [one.alert_id for one in over.resolved] == [alert.alert_id]


def test_what_only_a_person_can_mend_is_critical_at_once(settings: Settings) -> None:
    attempt(settings, "private", 1)

    assert told(watch(settings, NOW)) == {AlertKind.SCRAPE_FAILING: Severity.CRITICAL}


def test_a_budget_is_told_when_it_runs_out_and_again_when_it_is_spent(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    make_account(settings, ACCOUNT, scrape={"budget_usd_per_month": 10})
    attempt(settings, "new_posts", 3, cost="7.99")
    assert told(watch(settings, NOW)) == {}
    attempt(settings, "new_posts", 2, cost="0.01")
    (near,) = watch(settings, NOW).opened
    attempt(settings, "new_posts", 1, cost="3")
    spent = watch(settings, NOW)
    renewed = watch(settings, NOW + 15 * DAY)

    assert near.sentence == (
        "80 % of the scraping budget is used: $8.00 of $10.00 until 2026-12-01."
    )
    assert [one.severity for one in spent.worsened] == [Severity.CRITICAL]
    assert (len(renewed.resolved), renewed.open) == (1, [])


def test_the_budget_for_claude_counts_from_monday(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    make_account(settings, ACCOUNT, recommend={"budget_usd_per_week": 1})
    for number, days_ago in enumerate((1, 6)):
        intent = CallIntent(
            f"call_{number}", ACCOUNT, "recommendations", NOW - days_ago * DAY, "model", "0" * 64,
            Decimal("0.85"),
        )  # fmt: skip
        record_call(settings, intent, None)

    (alert,) = watch(settings, NOW).opened
    assert alert.figures["spent_usd"] == pytest.approx(0.85)
    assert alert.sentence.startswith("85 % of the Claude budget is used: $0.85 of $1.00 until")


def test_proposals_that_wait_too_long_are_told_until_they_are_decided(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    add_account(settings)
    proposal = add_pending(settings)
    early = watch(settings, proposal.created_at + 6 * DAY)
    (alert,) = watch(settings, proposal.created_at + 8 * DAY).opened
    with writing_state(settings) as state:
        state.settle_recommendation(proposal.recommendation_id, status="rejected", decided_at=NOW)
    over = watch(settings, proposal.created_at + 9 * DAY)

    assert early.open == []
    assert alert.sentence == (
        "1 recommendation waits for a decision, the oldest for 8 days: afterpost review --account "
        "sleepy."
    )
    assert len(over.resolved) == 1


def plan(settings: Settings, name: str, days_ago: float = 1, **fields: Any) -> None:
    path = write_json(settings.accounts_dir / ACCOUNT / "output" / name / "meta.json", fields)
    moment = (NOW - days_ago * DAY).timestamp()
    os.utime(path, (moment, moment))


def test_what_the_generator_reports_is_read_and_held_against_the_thresholds(
    settings: Settings,
) -> None:
    for number in range(30):
        plan(
            settings,
            f"post_{number:02d}",
            generation_status="failed" if number < 8 else "succeeded",
            generation_cost_usd=12.5 if number == 3 else 1.5,
            posting_status="failed" if number < 5 else "posted",
        )
    plan(settings, "old", 40, generation_cost_usd=99.0)

    result = watch(settings, NOW)
    sentences = {alert.kind: alert.sentence for alert in result.opened}

    assert told(result) == {
        AlertKind.POSTING_FAILURES: Severity.WARNING,
        AlertKind.GENERATION_FAILURES: Severity.CRITICAL,
        AlertKind.GENERATION_COST: Severity.WARNING,
    }
    assert sentences[AlertKind.POSTING_FAILURES] == (
        "5 of 30 postings of the last 28 days failed: 17 % (90 % interval 8 % to 30 %; 5 % are "
        "tolerated)."
    )
    assert sentences[AlertKind.GENERATION_COST] == (
        "1 of 30 posts of the last 28 days cost more than $10.00 to make; the dearest, post_03, "
        "$12.50 (median $1.50)."
    )


def test_few_failures_and_fields_of_another_kind_are_no_alert(settings: Settings) -> None:
    for number in range(9):
        plan(settings, f"few_{number}", posting_status="failed")
    plan(
        settings, "odd", generation_status=3, generation_cost_usd="99", posting_status=["failed"],
        platform=None,
    )  # fmt: skip
    plan(settings, "list")
    (settings.accounts_dir / ACCOUNT / "output" / "list" / "meta.json").write_text("[1]")
    plan(settings, "torn")
    (settings.accounts_dir / ACCOUNT / "output" / "torn" / "meta.json").write_text('{"a": ')

    assert watch(settings, NOW).open == []


def test_thresholds_are_the_accounts_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    make_account(settings, ACCOUNT, alerts={"generation_cost_usd": 20, "scrape_misses": 5})
    plan(settings, "dear", generation_cost_usd=12.5)
    for days_ago in (1, 2, 3):
        attempt(settings, "throttled", days_ago)

    assert watch(settings, NOW).open == []


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        ({"performance_drop": 2}, "alerts.performance_drop"),
        ({"muted": ["everything"]}, "alerts.muted.0"),
        ({"budget": 0.5}, "alerts.budget: is no known key"),
    ],
)
def test_a_wrong_threshold_is_one_sentence_with_its_line(
    tmp_path: Path, alerts: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"account.yaml, line \d+") as error:
        make_account(Settings(home=tmp_path), ACCOUNT, alerts=alerts)

    assert words in str(error.value)


def test_an_unreadable_account_is_told_and_the_others_are_watched(settings: Settings) -> None:
    attempt(settings, "private", 1)
    folder = settings.accounts_dir / "broken"
    folder.mkdir()
    (folder / "account.yaml").write_text("name: [", encoding="utf-8")

    result = watch(settings, NOW)

    assert len(result.opened) == 1
    assert "broken" in result.problems[0]


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str) -> tuple[int, str, str]:
        code = main(["alerts", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_alerts_are_listed_acknowledged_and_over(settings: Settings, run: Run) -> None:
    assert run("list")[:2] == (0, "No open alert.\n")
    attempt(settings, "private", 1, now=utc_now())
    code, out, _ = run("check")
    assert (code, out.splitlines()[-1]) == (0, "1 open alert.")

    (listed,) = json.loads(run("list", "--json")[1])
    assert (listed["kind"], listed["severity"], listed["acknowledged_at"]) == (
        "scrape_failing", "critical", None,
    )  # fmt: skip
    assert [event["event"] for event in listed["events"]] == ["opened"]
    code, out, _ = run(
        "ack", listed["alert_id"], "--note", "it is\x1b[31m public now", "--by", "ann"
    )
    assert (code, out.split(":")[0]) == (0, "Acknowledged")
    assert run("ack", listed["alert_id"])[1].startswith("ann has acknowledged it already, 20")

    lines = run("list")[1].splitlines()
    assert lines[0] == "critical lullabies · tiktok · scrape failing"
    assert lines[2].endswith("public now")
    assert "\x1b" not in lines[2]
    assert lines[-1] == "1 open alert, 0 not acknowledged."
    assert run("list", "--account", "nobody")[0] == 1

    attempt(settings, "new_posts", 0, now=utc_now())
    code, out, _ = run("check", "--json")
    assert [one["kind"] for one in json.loads(out)["resolved"]] == ["scrape_failing"]
    assert run("list")[1] == "No open alert.\n"
    assert ", over 20" in run("list", "--all")[1]


def test_an_unknown_alert_cannot_be_acknowledged(settings: Settings, run: Run) -> None:
    code, out, error = run("ack", "alert_x")

    assert (code, out) == (2, "")
    assert "There is no alert 'alert_x'" in error


def test_a_check_that_could_not_look_everywhere_exits_1(settings: Settings, run: Run) -> None:
    folder = settings.accounts_dir / "broken"
    folder.mkdir()
    (folder / "account.yaml").write_text("name: [", encoding="utf-8")

    code, out, error = run("check")

    assert (code, out) == (1, "0 open alerts.\n")
    assert "broken" in error
