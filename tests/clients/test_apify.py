"""Runs through the real apify-client against a local Apify: paid once, bounded, in plain words."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.clients.apify import ActorRun, ApifyService
from pipeline.clock import utc_now
from pipeline.errors import (
    AfterpostError,
    ConfigurationError,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.settings import Settings
from pipeline.simulate.apify_server import (
    ActorAnswer,
    ApifyServer,
    ApiReply,
    ApiRequest,
    error_reply,
    json_reply,
)

ACTOR = "clockworks/tiktok-profile-scraper"
TOKEN = "apify_api_SECRETsecret1234"
INPUT = {"profiles": ["quietnights"], "resultsPerPage": 3}
Proceed = Callable[[], ApiReply]


def answering(**changes: Any) -> Callable[[str, dict[str, Any]], ActorAnswer]:
    def answer(actor_id: str, run_input: dict[str, Any]) -> ActorAnswer:
        now = utc_now()
        values: dict[str, Any] = {
            "items": [{"id": "1"}, {"id": "2"}],
            "started_at": now,
            "finished_at": now + timedelta(seconds=1),
            "usage_total_usd": 0.0105,
        }
        return ActorAnswer(**{**values, **changes})

    return answer


def run(url: str, *, deadline_s: float = 10.0, run_input: dict[str, Any] | None = None) -> ActorRun:
    settings = Settings(home=Path("unused"), apify_token=SecretStr(TOKEN), apify_api_base_url=url)
    return ApifyService(settings, first_retry_s=0.01).run_actor(
        ACTOR,
        run_input or INPUT,
        max_items=3,
        deadline_s=deadline_s,
        max_charge_usd=Decimal("0.5"),
    )


def is_start(request: ApiRequest) -> bool:
    return request.method == "POST" and request.path.endswith("/runs")


def is_items(request: ApiRequest) -> bool:
    return request.path.endswith("/items")


def refusal(url: str, kind: type[AfterpostError], **options: Any) -> str:
    with pytest.raises(kind) as caught:
        run(url, **options)
    message = str(caught.value)
    assert TOKEN not in message
    assert "\n" not in message
    return message


def test_a_run_gives_its_items_times_and_cost() -> None:
    moment = datetime(2026, 10, 1, 8, tzinfo=UTC)
    answer = answering(started_at=moment, finished_at=moment + timedelta(seconds=9))
    with ApifyServer(answer, token=TOKEN) as server:
        found = run(server.url)
    assert found.items == [{"id": "1"}, {"id": "2"}]
    assert found.is_complete
    assert (found.status, found.cost_usd) == ("SUCCEEDED", Decimal("0.0105"))
    assert found.finished_at == moment + timedelta(seconds=9)
    [start] = server.starts
    assert start.parameters == {"maxItems": "3", "maxTotalChargeUsd": "0.5"}


def test_a_dataset_of_many_pages_is_read_whole_and_in_order() -> None:
    with ApifyServer(answering(items=[{"n": number} for number in range(2500)])) as server:
        found = run(server.url)
    assert [item["n"] for item in found.items] == list(range(2500))


def test_a_run_that_found_nothing_is_an_answer() -> None:
    with ApifyServer(answering(items=[])) as server:
        assert run(server.url).items == []


def test_an_unknown_cost_is_none() -> None:
    with ApifyServer(answering(usage_total_usd=None)) as server:
        assert run(server.url).cost_usd is None


def test_fewer_rows_than_counted_are_told() -> None:
    with ApifyServer(answering(items_total=5)) as server:
        found = run(server.url)
    assert (len(found.items), found.items_total, found.is_complete) == (2, 5, False)


@pytest.mark.parametrize("token", [None, "", "  "])
def test_without_a_token_nothing_is_asked(token: str | None) -> None:
    settings = Settings(
        home=Path("unused"), apify_token=None if token is None else SecretStr(token)
    )
    with pytest.raises(ConfigurationError, match="APIFY_TOKEN"):
        ApifyService(settings)


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (400, "AFTERPOST_APIFY_MAX_CHARGE_USD"),
        (401, "APIFY_TOKEN"),
        (402, "plan and usage limit"),
        (403, "APIFY_TOKEN"),
        (404, "APIFY_API_BASE_URL"),
    ],
)
def test_a_refused_start_names_the_setting_and_is_asked_once(status: int, setting: str) -> None:
    words = f"Refused for {TOKEN}\n<b>really</b>"
    with ApifyServer(
        answering(), intercept=lambda *_: error_reply(status, "some-type", words)
    ) as server:
        message = refusal(server.url, ScrapeRejectedError)
        assert len(server.requests) == 1
    assert setting in message
    assert "Refused for [token]" in message
    assert str(status) in message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "rate-limit-exceeded"),
        (402, "actor-memory-limit-exceeded"),
        (400, "concurrent-runs-limit-exceeded"),
    ],
)
def test_asked_to_wait_is_unavailable_and_the_start_is_not_repeated(status: int, kind: str) -> None:
    with ApifyServer(
        answering(), intercept=lambda *_: error_reply(status, kind, "Slow down")
    ) as server:
        message = refusal(server.url, ScrapeUnavailableError)
        assert len(server.requests) == 1
    assert "Slow down" in message


def lost_reply(reply: ApiReply) -> Callable[[ApiRequest, Proceed], ApiReply]:
    """Starts are carried out, but this is what comes back."""

    def intercept(request: ApiRequest, proceed: Proceed) -> ApiReply:
        done = proceed()
        return reply if is_start(request) else done

    return intercept


LOST = {
    "connection closed": ApiReply(201, b"", cut_after=0),
    "half a body": ApiReply(201, b'{"data": {"id": "run0', {}, cut_after=12),
    "broken JSON": ApiReply(201, b'{"data": {"id"', {"Content-Type": "application/json"}),
    "HTML": ApiReply(200, b"<html>Gateway</html>", {"Content-Type": "text/html"}),
    "other JSON": json_reply(200, {"data": {"hello": 1}}),
    "a list": json_reply(200, []),
    "502": ApiReply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
    "500": error_reply(500, "internal-server-error", "Oops"),
}


@pytest.mark.parametrize("how", LOST)
def test_a_start_whose_reply_got_lost_is_adopted_and_paid_once(how: str) -> None:
    with ApifyServer(answering(), intercept=lost_reply(LOST[how])) as server:
        found = run(server.url)
        assert len(server.starts) == 1
    assert found.run_id == server.starts[0].run_id
    assert len(found.items) == 2


def test_a_run_of_another_input_is_not_adopted() -> None:
    with ApifyServer(answering()) as server:
        run(server.url, run_input={"profiles": ["somebody"]})
        server.intercept = lambda request, proceed: (  # only now does the start get lost
            ApiReply(201, b"", cut_after=0) if is_start(request) else proceed()
        )
        message = refusal(server.url, ScrapeUnavailableError)
        assert len(server.starts) == 1
    assert "no run of it has begun" in message


def test_the_newest_run_is_adopted_when_no_input_can_be_read() -> None:
    def intercept(request: ApiRequest, proceed: Proceed) -> ApiReply:
        if "key-value-stores" in request.path:
            return error_reply(404, "record-not-found", "gone")
        done = proceed()
        return ApiReply(201, b"", cut_after=0) if is_start(request) else done

    with ApifyServer(answering(), intercept=intercept) as server:
        assert run(server.url).run_id == server.starts[0].run_id


def test_an_old_run_is_not_adopted() -> None:
    answer = answering(started_at=utc_now() - timedelta(hours=1))
    with ApifyServer(answer, intercept=lost_reply(LOST["500"])) as server:
        assert "500" in refusal(server.url, ScrapeUnavailableError)


def test_nobody_listening_is_unavailable_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    before = time.monotonic()
    assert "cannot be reached" in refusal(url, ScrapeUnavailableError)
    assert time.monotonic() - before < 2


def test_an_address_that_is_none_is_refused() -> None:
    assert "APIFY_API_BASE_URL" in refusal("not an address", ScrapeRejectedError)


@pytest.mark.parametrize("status", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_a_run_without_success_is_handed_back_with_its_rows_and_words(status: str) -> None:
    answer = answering(status=status, status_message="Blocked by the site")
    with ApifyServer(answer) as server:
        found = run(server.url)
    assert (found.status, found.status_message) == (status, '"Blocked by the site"')
    assert (len(found.items), found.is_complete) == (2, False)


def test_a_run_that_does_not_end_is_aborted_at_the_deadline() -> None:
    with ApifyServer(answering(status="RUNNING")) as server:
        before = time.monotonic()
        message = refusal(server.url, ScrapeUnavailableError, deadline_s=1.0)
        assert time.monotonic() - before < 5
        assert server.aborts == [server.starts[0].run_id]
    assert "aborted" in message


SCRAPE = """
import sys
from pathlib import Path
from pydantic import SecretStr
from pipeline.clients.apify import ApifyService
from pipeline.settings import Settings
settings = Settings(home=Path("unused"), apify_token=SecretStr("t"), apify_api_base_url=sys.argv[1])
ApifyService(settings).run_actor("a/b", {}, max_items=1, deadline_s=60, max_charge_usd=1)
"""


def test_an_interrupted_scrape_aborts_its_run() -> None:
    with ApifyServer(answering(status="RUNNING")) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", SCRAPE, server.url],
            cwd=Path(__file__).parents[2],
            stderr=subprocess.DEVNULL,
        )
        while not any(request.path.startswith("/actor-runs/") for request in server.requests):
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) != 0
        assert server.aborts == [server.starts[0].run_id]


def test_reading_is_tried_again_through_an_outage() -> None:
    failures = iter(
        [
            error_reply(503, "unavailable", "Try later"),
            error_reply(429, "rate-limit-exceeded", "Slow down"),
            ApiReply(200, b"", cut_after=0),
            ApiReply(200, b"[{", {"Content-Type": "application/json"}),
        ]
    )

    def intercept(request: ApiRequest, proceed: Proceed) -> ApiReply:
        return next(failures, None) or proceed() if is_items(request) else proceed()

    with ApifyServer(answering(), intercept=intercept) as server:
        assert len(run(server.url).items) == 2


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(503, "unavailable", "Down"),
        ApiReply(200, b"<html>hello</html>", {"Content-Type": "text/html"}),
        json_reply(200, {"error": {"type": "x", "message": "Not a page"}}),
        json_reply(200, [{"id": "1"}]),  # no pagination headers
        ApiReply(200, b'[{"id": "1"}', {"Content-Type": "application/json"}),
    ],
)
def test_a_dataset_that_cannot_be_read_is_unavailable_and_named(reply: ApiReply) -> None:
    with ApifyServer(
        answering(),
        intercept=lambda request, proceed: reply if is_items(request) else proceed(),
    ) as server:
        message = refusal(server.url, ScrapeUnavailableError)
        assert f"d{server.starts[0].run_id}" in message
    assert "stays at Apify" in message


def test_an_error_that_comes_as_a_page_is_no_item() -> None:
    body = {"error": {"type": "internal", "message": "Oops"}}
    headers = {
        f"x-apify-pagination-{name}": value
        for name, value in [("total", "1"), ("offset", "0"), ("limit", "1"), ("count", "1")]
    }
    reply = json_reply(200, body, **headers, **{"x-apify-pagination-desc": "false"})
    with ApifyServer(
        answering(),
        intercept=lambda request, proceed: reply if is_items(request) else proceed(),
    ) as server:
        refusal(server.url, ScrapeUnavailableError)


def test_an_error_row_of_the_actor_is_an_item() -> None:
    row = {"error": "no_items", "errorDescription": "Empty or private data"}
    with ApifyServer(answering(items=[row])) as server:
        assert run(server.url).items == [row]
