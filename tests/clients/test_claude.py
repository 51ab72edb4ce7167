import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from pipeline.clients.claude import Answer, UnusableAnswerError, Usage, ask, cost_usd
from pipeline.errors import ConfigurationError, ModelUnavailableError, Retry
from pipeline.settings import Settings
from tests.fakes.claude_server import KEY, ClaudeServer, Scripted, error, message


class Verdict(BaseModel):
    grade: int = Field(ge=0, le=10)


def put(
    server: ClaudeServer, tmp_path: Path, *, deadline_s: float = 10.0, model: str | None = None
) -> Answer[Verdict]:
    settings = server.settings(Settings(home=tmp_path), deadline_s)
    if model:
        settings = settings.model_copy(update={"model": model})
    return ask(
        settings,
        system="Grade.",
        messages=[{"role": "user", "content": "this"}],
        answer_type=Verdict,
    )


def refused(server: ClaudeServer, tmp_path: Path, *, deadline_s: float = 10.0) -> str:
    with server, pytest.raises(ModelUnavailableError) as caught:
        put(server, tmp_path, deadline_s=deadline_s)
    assert caught.value.retry is Retry.LATER
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None or KEY not in repr(vars(caught.value.__cause__))
    return str(caught.value)


def test_an_answer_comes_validated_with_what_it_cost(tmp_path: Path):
    with ClaudeServer(message({"grade": 7}, input_tokens=1000, output_tokens=200)) as server:
        answer = put(server, tmp_path)
    assert answer.value == Verdict(grade=7)
    assert answer.usage == Usage("claude-sonnet-5-5", 1000, 200, Decimal("0.004"))


def test_the_request_puts_the_schema_and_the_cached_instructions_first(tmp_path: Path):
    with ClaudeServer(message({"grade": 7})) as server:
        put(server, tmp_path)
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["output_config"]["format"]["type"] == "json_schema"
    assert asked.body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert asked.body["system"] == [
        {"type": "text", "text": "Grade.", "cache_control": {"type": "ephemeral"}}
    ]
    assert "temperature" not in asked.body


def test_without_a_key_nothing_is_asked(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        ask(Settings(home=tmp_path), system="", messages=[], answer_type=Verdict)


def test_bounds_that_the_service_does_not_enforce_are_enforced_here(tmp_path: Path):
    assert "grade" in refused(ClaudeServer(message({"grade": 11})), tmp_path)


@pytest.mark.parametrize(
    ("scripted", "words"),
    [
        (message("", stop_reason="refusal"), "refused"),
        (message('{"grade": 7}', stop_reason="refusal"), "refused"),
        (message('{"grade":', stop_reason="max_tokens"), "cut off"),
        (message('{"grade": 7}', stop_reason="model_context_window_exceeded"), "cut off"),
        (message('{"grade": 7}', stop_reason=None), "did not end properly"),
        (message('{"grade": 7}', stop_reason="tool_use"), "did not end properly"),
        (message('{"grade":'), "not of the agreed form"),
        (message("Sure! Here you go."), "not of the agreed form"),
        (message({"note": "7"}), "not of the agreed form"),
    ],
)
def test_an_answer_that_did_not_end_well_is_refused_and_its_cost_kept(tmp_path, scripted, words):
    with ClaudeServer(scripted) as server, pytest.raises(UnusableAnswerError) as caught:
        put(server, tmp_path)
    assert words in str(caught.value)
    assert caught.value.usage.cost_usd == Decimal("0.004")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "scripted",
    [
        Scripted(body=b"<html>login</html>", headers={"content-type": "text/html"}),
        Scripted(body=b"<html>login</html>"),
        Scripted(body=b'{"type": "mess'),
        Scripted(body=b'{"hello": "world"}'),
        Scripted(body=b"[]"),
        Scripted(body=b"null"),
        Scripted(body=b'{"content": [null], "stop_reason": "end_turn", "usage": null}'),
        Scripted(body=b""),
    ],
)
def test_a_body_that_is_no_message_is_refused(tmp_path: Path, scripted: Scripted):
    refused(ClaudeServer(scripted), tmp_path)


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, "invalid_request_error", "AFTERPOST_MODEL"),
        (401, "authentication_error", "ANTHROPIC_API_KEY"),
        (402, "billing_error", "402"),
        (403, "permission_error", "ANTHROPIC_API_KEY"),
        (404, "not_found_error", "AFTERPOST_MODEL"),
        (413, "request_too_large", "413"),
    ],
)
def test_what_will_be_refused_again_is_asked_once(tmp_path: Path, status, kind, hint):
    server = ClaudeServer(error(status, kind, f"your key {KEY} is wrong"))
    words = refused(server, tmp_path)
    assert hint in words
    assert kind in words
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_a_passing_refusal_is_asked_again(tmp_path: Path, status: int, kind: str):
    passing = error(status, kind, retry_after_ms="1")
    with ClaudeServer(passing, passing, message({"grade": 1})) as server:
        assert put(server, tmp_path).value.grade == 1
    assert len(server.asked) == 3


def test_an_overload_that_stays_ends_after_five_tries(tmp_path: Path):
    server = ClaudeServer(error(529, "overloaded_error", retry_after_ms="1"))
    assert "Gave up after 5 tries" in refused(server, tmp_path)
    assert len(server.asked) == 5


def test_a_wait_of_a_day_is_not_waited(tmp_path: Path):
    server = ClaudeServer(error(429, "rate_limit_error", retry_after="86400"))
    started = time.monotonic()
    assert "86400 s" in refused(server, tmp_path)
    assert time.monotonic() - started < 5
    assert len(server.asked) == 1


@pytest.mark.parametrize("wait", ["Fri, 20 Nov 2026 10:00:00 GMT", "nan", "-5", "inf"])
def test_a_wait_that_is_no_number_is_our_own_wait(tmp_path: Path, wait: str):
    server = ClaudeServer(error(429, "rate_limit_error", retry_after=wait), message({"grade": 1}))
    with server:
        if wait == "inf":
            with pytest.raises(ModelUnavailableError):
                put(server, tmp_path)
        else:
            assert put(server, tmp_path).value.grade == 1


@pytest.mark.parametrize("scripted", [Scripted(hang_s=30), Scripted(hang_s=30, drip=True)])
def test_a_hang_ends_at_the_deadline(tmp_path: Path, scripted: Scripted):
    server = ClaudeServer(scripted)
    started = time.monotonic()
    assert "no answer within" in refused(server, tmp_path, deadline_s=0.5)
    assert time.monotonic() - started < 5


def test_a_service_that_is_not_there_is_named(tmp_path: Path):
    settings = Settings(
        home=tmp_path,
        anthropic_api_key=SecretStr(KEY),
        anthropic_base_url="http://127.0.0.1:9",
        anthropic_deadline_s=1.0,
    )
    with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1:9"):
        ask(settings, system="", messages=[{"role": "user", "content": "x"}], answer_type=Verdict)


def test_a_body_that_breaks_off_is_refused(tmp_path: Path):
    whole = message({"grade": 7})
    refused(ClaudeServer(Scripted(body=whole.body, cut_body=True)), tmp_path, deadline_s=1.0)


def test_cache_reads_and_writes_are_priced_apart():
    assert cost_usd(
        "claude-sonnet-5-5",
        input_tokens=1_000_000,
        output_tokens=100_000,
        cache_write=1_000_000,
        cache_read=1_000_000,
    ) == Decimal("5.70")


def test_a_model_without_a_known_price_costs_none_not_zero(tmp_path: Path):
    with ClaudeServer(message({"grade": 7}, model="claude-next")) as server:
        answer = put(server, tmp_path, model="claude-next")
    assert answer.usage.cost_usd is None
    assert (answer.usage + answer.usage).cost_usd is None
    assert json.loads(answer.text) == {"grade": 7}
