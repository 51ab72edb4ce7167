"""Questions about several accounts in one batch: whatever comes back, everybody is worded once."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients.state import reading_state
from pipeline.clients.state_model_calls import model_call_rows
from pipeline.learn.recommend import WeeklyRun, model_batch, recommend, recommend_all
from pipeline.settings import Settings
from tests.fakes.claude_batches import Batching
from tests.fakes.claude_server import ClaudeServer, Scripted, error, message
from tests.fakes.model_replies import Reply, about_the_first, told
from tests.fakes.published import Effect, add_account, publish

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NAMES = ("sleepy", "drowsy", "dreamy")
GOOD = about_the_first()


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("batches") / "home"
    settings = Settings(home=home, lock_timeout_s=20)
    for name in NAMES:
        add_account(settings, name=name)
    publish(
        settings,
        [replace(Effect(effect=1.4, n=40 + i), account_name=name) for i, name in enumerate(NAMES)],
    )
    return home


@pytest.fixture
def settings(published_home: Path, tmp_path: Path) -> Settings:
    """A home with three accounts that have something to say, and batches switched on."""
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    return Settings(home=home, lock_timeout_s=20, anthropic_batches=True)


def rows_of(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    with reading_state(settings) as state:
        return {name: state.recommendations(name) for name in NAMES}


def posted(server: ClaudeServer) -> list[str]:
    return [asked.path.partition("?")[0] for asked in server.asked if asked.method == "POST"]


def run(settings: Settings, server: ClaudeServer, *, batch_deadline_s: float = 20.0) -> WeeklyRun:
    asking = server.settings(settings).model_copy(
        update={"anthropic_batch_deadline_s": batch_deadline_s}
    )
    return recommend_all(asking, NAMES, now=NOW)


def test_accounts_are_asked_about_in_one_batch_at_half_the_price(settings: Settings):
    with ClaudeServer(GOOD, batching=Batching(looks_until_end=3)) as server:
        done = run(settings, server)
    assert posted(server) == ["/v1/messages/batches"]
    (batch,) = server.batching.batches.values()
    assert batch.looks >= 3
    assert len(batch.requests) == 3
    system = batch.requests[0]["params"]["system"]
    assert system[0]["cache_control"] == {"type": "ephemeral"}
    assert done.errors == {}
    for name, rows in rows_of(settings).items():
        (row,) = rows
        assert (row["writer"], row["writer_reason"]) == ("claude", None)
        assert row["figures"]["n"] == 40 + NAMES.index(name)
        assert Decimal(row["cost_usd"]) == Decimal("0.002")
    calls = model_call_rows(settings)
    assert {call["batch_id"] for call in calls} == {"msgbatch_01"}
    assert {call["outcome"] for call in calls} == {"answered"}
    assert sum(Decimal(call["cost_usd"]) for call in calls) == Decimal("0.006")


def test_one_account_is_asked_about_by_itself(settings: Settings):
    with ClaudeServer(GOOD) as server:
        recommend(server.settings(settings), "sleepy", now=NOW)
    assert posted(server) == ["/v1/messages"]


def test_without_the_setting_each_account_is_asked_about_by_itself(settings: Settings):
    single = settings.model_copy(update={"anthropic_batches": False})
    with ClaudeServer(GOOD) as server:
        run(single, server)
    assert posted(server) == ["/v1/messages"] * 3


@pytest.mark.parametrize(
    ("fate", "reason", "cost"),
    [
        ("errored", "could not answer this (invalid_request_error: no such thing)", "0"),
        ("expired", "The batch expired", "0"),
        ("canceled", "The batch was cancelled", "0"),
        ("missing", "no result for this question", None),
    ],
)
def test_what_has_no_answer_is_worded_by_the_rules(
    settings: Settings, fate: str, reason: str, cost: str | None
):
    with ClaudeServer(GOOD, batching=Batching(fates={1: fate})) as server:
        done = run(settings, server)
    rows = rows_of(settings)
    assert [rows[name][0]["writer"] for name in NAMES] == ["claude", "rules", "claude"]
    assert reason in rows["drowsy"][0]["writer_reason"]
    assert reason in (done.reports["drowsy"].reason or "")
    (call,) = [call for call in model_call_rows(settings) if call["account_name"] == "drowsy"]
    assert (call["cost_usd"] and Decimal(call["cost_usd"])) == (cost and Decimal(cost))
    assert posted(server) == ["/v1/messages/batches"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (message("", stop_reason="refusal"), "refused to answer"),
        (message('{"items": [', stop_reason="max_tokens"), "cut off"),
        (message("Here you are."), "not of the agreed form"),
        (Scripted(body=b'{"hello": "world"}'), "did not answer as the Messages API does"),
    ],
)
def test_an_unusable_answer_in_a_batch_is_worded_by_the_rules(
    settings: Settings, reply: Scripted, reason: str
):
    with ClaudeServer(reply) as server:
        run(settings, server)
    for rows in rows_of(settings).values():
        assert rows[0]["writer"] == "rules"
        assert reason in rows[0]["writer_reason"]
    assert posted(server) == ["/v1/messages/batches"]


def test_a_rejected_answer_of_a_batch_is_asked_again_by_itself(settings: Settings):
    bad = about_the_first(insight_template="99 % of {segment}")
    with ClaudeServer(bad, bad, bad, GOOD) as server:
        run(settings, server)
    assert posted(server) == ["/v1/messages/batches", *["/v1/messages"] * 3]
    for rows in rows_of(settings).values():
        assert rows[0]["writer"] == "claude"
        # Half the price for the first answer, the whole for the second.
        assert Decimal(rows[0]["cost_usd"]) == Decimal("0.006")


@pytest.mark.parametrize(
    ("refusal", "reason", "tries"),
    [
        (error(400, "invalid_request_error"), "400", 1),
        (error(401, "authentication_error"), "401", 1),
        (error(500, "api_error"), "500", 1),
        (error(529, "overloaded_error", retry_after_ms="1"), "529", 5),
        (replace(message({}), cut_body=True), "may be billed", 1),
        (Scripted(body=b"<html>"), "did not answer as the Messages API does", 1),
        (Scripted(body=b"{}"), "no id in the body", 1),
    ],
)
def test_a_batch_that_cannot_be_started_is_not_started_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, refusal: Scripted, reason: str, tries: int
):
    server = ClaudeServer(GOOD)
    monkeypatch.setattr(server, "_batches", lambda *_: refusal)
    with server:
        run(settings, server)
    assert posted(server) == ["/v1/messages/batches"] * tries
    for rows in rows_of(settings).values():
        assert rows[0]["writer"] == "rules"
        assert reason in rows[0]["writer_reason"]


def test_a_batch_that_does_not_end_is_stopped_and_its_answers_are_used(settings: Settings):
    batching = Batching(looks_until_end=10**6, fates={0: "succeeded"})
    with ClaudeServer(GOOD, batching=batching) as server:
        run(settings, server, batch_deadline_s=0.05)
    assert posted(server) == ["/v1/messages/batches", "/v1/messages/batches/msgbatch_01/cancel"]
    rows = rows_of(settings)
    assert [rows[name][0]["writer"] for name in NAMES] == ["claude", "rules", "rules"]
    assert "was cancelled before" in rows["dreamy"][0]["writer_reason"]


def test_a_batch_that_cannot_be_stopped_is_left_and_what_it_cost_found_out_later(
    settings: Settings,
):
    batching = Batching(looks_until_end=10**6, ends_when_cancelled=False)
    with ClaudeServer(GOOD, batching=batching) as server:
        run(settings, server, batch_deadline_s=0.05)
        assert {row["outcome"] for row in model_call_rows(settings)} == {"lost"}
        assert {row["cost_usd"] for row in model_call_rows(settings)} == {None}
        written = rows_of(settings)
        assert "did not end within 0.05 s" in written["sleepy"][0]["writer_reason"]
        batching.looks_until_end = 1
        batching.fates = dict.fromkeys(range(3), "succeeded")
        later = server.settings(settings)
        # Another week: there is something to say again, so the service is spoken to again.
        _reject_all(settings)
        publish(settings, [replace(Effect(segment="scripts"), account_name="sleepy")])
        recommend(later, "sleepy", now=NOW + timedelta(days=7))
    calls = {row["call_id"]: row for row in model_call_rows(settings)}
    from_batch = [row for row in calls.values() if row["batch_id"]]
    assert len(from_batch) == 3
    assert {Decimal(row["cost_usd"]) for row in from_batch} == {Decimal("0.002")}
    # Its late answers were not used: they were worded by the rules long ago.
    assert posted(server).count("/v1/messages") == 1


def _reject_all(settings: Settings) -> None:
    from pipeline.clients.state import writing_state

    with writing_state(settings) as state:
        for row in state.recommendations():
            state.settle_recommendation(row["recommendation_id"], status="rejected", decided_at=NOW)


class Killed(BaseException):
    """What a process does not survive."""


def _dies(*_: object) -> None:
    raise Killed


def test_a_killed_process_leaves_a_batch_that_the_next_one_takes_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    with ClaudeServer(GOOD, batching=Batching(looks_until_end=2)) as server:
        with monkeypatch.context() as patch:
            patch.setattr(model_batch, "_wait", _dies)
            with pytest.raises(Killed):
                run(settings, server)
        assert {row["batch_id"] for row in model_call_rows(settings)} == {"msgbatch_01"}
        assert not any(rows_of(settings).values())

        done = run(settings, server)

    assert posted(server) == ["/v1/messages/batches"]  # one, paid once
    assert {report.writer.value for report in done.reports.values()} == {"claude"}
    assert [len(rows) for rows in rows_of(settings).values()] == [1, 1, 1]
    assert {row["outcome"] for row in model_call_rows(settings)} == {"answered"}


def test_a_run_about_one_account_takes_up_its_part_of_a_batch(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    with ClaudeServer(GOOD) as server:
        with monkeypatch.context() as patch:
            patch.setattr(model_batch, "_wait", _dies)
            with pytest.raises(Killed):
                run(settings, server)
        single = server.settings(settings).model_copy(update={"anthropic_batches": False})
        report = recommend(single, "drowsy", now=NOW)
    assert (report.writer.value, report.written) == ("claude", 1)
    assert posted(server) == ["/v1/messages/batches"]


def test_an_answer_that_does_not_fit_newer_findings_is_asked_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    with ClaudeServer(GOOD) as server:
        with monkeypatch.context() as patch:
            patch.setattr(model_batch, "_wait", _dies)
            with pytest.raises(Killed):
                run(settings, server)
        stale: Callable[[dict[str, Any]], Scripted] = GOOD
        server.script = (stale, stale, stale, GOOD)
        publish(settings, [replace(Effect(segment="scripts"), account_name=name) for name in NAMES])
        run(settings, server)
    assert posted(server) == ["/v1/messages/batches", *["/v1/messages"] * 3]
    for rows in rows_of(settings).values():
        assert [row["target"] for row in rows] == ["format:scripts"]
        assert rows[0]["writer"] == "claude"


def test_results_that_are_no_results_are_worded_by_the_rules(settings: Settings):
    with ClaudeServer(GOOD, batching=Batching(results_body=b"<html>login</html>")) as server:
        run(settings, server)
    for rows in rows_of(settings).values():
        assert rows[0]["writer"] == "rules"
        assert "did not answer as the Messages API does" in rows[0]["writer_reason"]


def test_an_account_over_its_budget_is_left_out_of_the_batch(settings: Settings):
    path = settings.accounts_dir / "drowsy" / "account.yaml"
    path.write_text(f"{path.read_text()}recommend: {{budget_usd_per_week: 0.001}}\n")
    with ClaudeServer(GOOD) as server:
        run(settings, server)
    (batch,) = server.batching.batches.values()
    assert len(batch.requests) == 2
    rows = rows_of(settings)
    assert [rows[name][0]["writer"] for name in NAMES] == ["claude", "rules", "claude"]
    assert "budget" in rows["drowsy"][0]["writer_reason"]
    assert "drowsy" not in {row["account_name"] for row in model_call_rows(settings)}


def test_an_account_whose_file_is_broken_does_not_stop_the_others(settings: Settings):
    (settings.accounts_dir / "drowsy" / "account.yaml").write_text("name: [")
    with ClaudeServer(GOOD) as server:
        done = run(settings, server)
    assert list(done.errors) == ["drowsy"]
    assert {name: report.written for name, report in done.reports.items()} == {
        "sleepy": 1,
        "dreamy": 1,
    }


def test_the_accounts_are_told_apart_in_the_results(settings: Settings):
    seen: list[str] = []

    def reply(request: dict[str, Any]) -> Scripted:
        seen.append(told(request)[0]["placeholders"]["n"])
        answer: Reply = about_the_first()
        return answer(request)

    with ClaudeServer(reply) as server:
        run(settings, server)
    assert sorted(seen) == ["40", "41", "42"]
    for name, rows in rows_of(settings).items():
        assert f"{40 + NAMES.index(name)} posts" in rows[0]["insight"]
