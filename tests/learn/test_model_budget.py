"""What the model may cost an account in a week, and what the ledger says that it cost."""

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.clients.state import reading_state
from pipeline.clients.state_model_calls import (
    Budget,
    CallIntent,
    CallOutcome,
    model_call_rows,
    record_call,
    settle_call,
    spent_usd,
)
from pipeline.clients.warehouse import writing
from pipeline.collect.raw import load_raw
from pipeline.errors import ConfigurationError
from pipeline.learn.recommend import RecommendReport, model_writer, recommend
from pipeline.settings import Settings, load_settings
from tests.fakes.claude_server import ClaudeServer, message
from tests.fakes.model_replies import about_the_first
from tests.fakes.published import ACCOUNT, Effect, publish

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
MONDAY = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)  # midnight in New York


def limit(settings: Settings, usd: str) -> None:
    path = settings.accounts_dir / ACCOUNT / "account.yaml"
    path.write_text(f"{path.read_text()}recommend: {{budget_usd_per_week: {usd}}}\n")


def run(
    settings: Settings, *replies: Any, now: datetime = NOW, model: str | None = None
) -> tuple[RecommendReport, ClaudeServer]:
    with ClaudeServer(*(replies or (about_the_first(),))) as server:
        asking = server.settings(settings)
        if model:
            asking = asking.model_copy(update={"model": model})
        return recommend(asking, ACCOUNT, now=now), server


def spend(settings: Settings, usd: str, at: datetime) -> None:
    intent = CallIntent(
        f"call_{at:%m%d%H%M}", ACCOUNT, model_writer.PURPOSE, at, "m", "0" * 64, Decimal(usd)
    )
    assert record_call(settings, intent, None)


def test_a_budget_that_is_spent_leaves_the_week_to_the_rules(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    limit(settings, "0.5")
    spend(settings, "0.4999", NOW - timedelta(days=1))
    report, server = run(settings)
    assert server.asked == []
    assert report.reason == (
        "The week's budget for the model does not cover another question: $0.4999 of $0.5000 is "
        "spent or held back (recommend.budget_usd_per_week in account.yaml)."
    )
    (row,) = rows(settings)
    assert (row["writer"], row["writer_reason"]) == ("rules", report.reason)
    assert (row["model"], row["cost_usd"], row["input_tokens"]) == (None, None, None)


def rows(settings: Settings) -> list[dict[str, Any]]:
    with reading_state(settings) as state:
        return state.recommendations(ACCOUNT)


def test_the_week_begins_on_monday_in_the_accounts_zone(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    limit(settings, "0.5")
    spend(settings, "0.5", MONDAY - timedelta(minutes=1))
    report, _ = run(settings)
    assert report.writer.value == "claude"
    spent = spent_usd(settings, ACCOUNT, model_writer.PURPOSE, MONDAY)
    assert spent == Decimal("0.004")


def test_an_answer_may_be_only_as_long_as_the_budget_pays_for(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    limit(settings, "0.08")
    _, server = run(settings)
    (asked,) = server.asked
    size = len(json.dumps(asked.body, ensure_ascii=False).encode())
    most = Decimal(size) / 2 * Decimal("2.5") + asked.body["max_tokens"] * Decimal(10)
    assert most / 1_000_000 < Decimal("0.08")
    assert 1_000 <= asked.body["max_tokens"] < 16_000


def test_a_second_question_that_is_not_covered_is_not_asked(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    limit(settings, "0.08")
    bad = about_the_first(insight_template="99 % more")

    def reply(request: dict[str, Any]) -> Any:
        body = json.loads(bad(request).body)
        text = body["content"][0]["text"]
        return message(text, output_tokens=7000)

    report, server = run(settings, reply)
    assert len(server.asked) == 1
    assert "rejected" in (report.reason or "")
    assert "does not cover another question" in (report.reason or "")


def test_a_model_without_a_price_is_not_asked_within_a_budget(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    limit(settings, "5")
    report, server = run(settings, model="claude-next")
    assert server.asked == []
    assert report.reason == (
        "The price of claude-next is not known, so recommend.budget_usd_per_week in account.yaml "
        "cannot be kept."
    )


def test_questions_at_the_same_time_do_not_spend_the_budget_twice(settings: Settings):
    granted: list[bool] = []

    def ask(number: int) -> None:
        intent = CallIntent(
            f"call_{number}", ACCOUNT, "recommendations", NOW, "m", "0" * 64, Decimal("0.1")
        )
        granted.append(record_call(settings, intent, Budget(Decimal("0.35"), MONDAY)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False] * 9 + [True] * 3


def test_what_may_yet_be_charged_counts_until_it_is_known(settings: Settings):
    spend(settings, "0.2", NOW)
    (call,) = model_call_rows(settings)
    assert spent_usd(settings, ACCOUNT, "recommendations", MONDAY) == Decimal("0.2")
    settle_call(settings, call["call_id"], CallOutcome.LOST, answered_at=NOW, lost_count=1)
    assert spent_usd(settings, ACCOUNT, "recommendations", MONDAY) == Decimal("0.2")
    settle_call(settings, call["call_id"], CallOutcome.REFUSED, answered_at=NOW)
    assert spent_usd(settings, ACCOUNT, "recommendations", MONDAY) == Decimal(0)


def test_costs_and_tokens_reach_the_raw_tables(settings: Settings):
    publish(settings, [Effect(effect=1.4, n=47)])
    run(settings, message({"items": []}))
    run(settings, about_the_first(insight_template="99 % more"), about_the_first())
    load_raw(settings)
    with writing(settings, "test") as connection:
        calls = connection.execute(
            "select purpose, outcome, cost_usd, input_tokens, output_tokens, "
            "reserved_usd > cost_usd "
            "from raw.state_model_calls where account_name = ? order by asked_at, cost_usd",
            [ACCOUNT],
        ).fetchall()
        (written,) = connection.execute(
            "select writer, model, input_tokens, output_tokens, cost_usd, writer_reason "
            "from raw.state_recommendations"
        ).fetchall()
    # An answer that led to nothing was paid for too.
    assert calls == [("recommendations", "answered", Decimal("0.004"), 1000, 200, True)] * 3
    assert written == ("claude", "claude-sonnet-5-5", 2000, 400, Decimal("0.008"), None)


def test_the_switch_for_batches_is_read_from_the_environment(tmp_path):
    home = {"AFTERPOST_HOME": str(tmp_path)}
    assert not load_settings(home).anthropic_batches
    assert load_settings({**home, "AFTERPOST_ANTHROPIC_BATCHES": "1"}).anthropic_batches
    assert not load_settings({**home, "AFTERPOST_ANTHROPIC_BATCHES": "no"}).anthropic_batches
    with pytest.raises(ConfigurationError, match="AFTERPOST_ANTHROPIC_BATCHES"):
        load_settings({**home, "AFTERPOST_ANTHROPIC_BATCHES": "maybe"})
