"""The local Apify answers the real client as Apify does."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Timer
from typing import Any

import pytest
from apify_client import ApifyClient
from apify_client.errors import InvalidRequestError, NotFoundError, UnauthorizedError

from pipeline.simulate.apify_server import ActorAnswer, ApifyServer, error_reply

STARTED_AT = datetime(2026, 10, 1, 8, tzinfo=UTC)


def answer(actor_id: str, run_input: dict[str, Any]) -> ActorAnswer:
    if actor_id != "clockworks/tiktok-profile-scraper":
        raise LookupError(actor_id)
    return ActorAnswer(
        items=[{"n": number} for number in range(run_input.get("count", 3))],
        started_at=STARTED_AT,
        finished_at=STARTED_AT + timedelta(seconds=42),
        status=run_input.get("status", "SUCCEEDED"),
        status_message="Finished!",
        usage_total_usd=0.0125,
    )


@pytest.fixture
def server() -> Iterator[ApifyServer]:
    with ApifyServer(answer, token="secret") as running:
        yield running


def client(server: ApifyServer, token: str | None = "secret") -> ApifyClient:
    return ApifyClient(token, api_url=server.url, api_public_url=server.url, max_retries=0)


ACTOR = "clockworks/tiktok-profile-scraper"


def test_a_run_starts_is_waited_for_and_read(server: ApifyServer) -> None:
    apify = client(server)
    run = apify.actor(ACTOR).start(
        run_input={"profiles": ["a"]}, max_items=30, max_total_charge_usd=Decimal("1.5")
    )
    assert run.status == "READY"
    over = apify.run(run.id).wait_for_finish()
    assert over is not None
    assert (over.status, over.status_message) == ("SUCCEEDED", "Finished!")
    assert over.finished_at == STARTED_AT + timedelta(seconds=42)
    assert over.usage_total_usd == 0.0125
    assert list(apify.dataset(over.default_dataset_id).iterate_items()) == [
        {"n": 0},
        {"n": 1},
        {"n": 2},
    ]
    [start] = server.starts
    assert start.run_input == {"profiles": ["a"]}
    assert start.parameters == {"maxItems": "30", "maxTotalChargeUsd": "1.5"}


def test_call_works_as_a_whole(server: ApifyServer) -> None:
    run = client(server).actor(ACTOR).call(run_input={}, logger=None)
    assert run is not None
    assert run.status == "SUCCEEDED"


def test_pages_have_offsets_limits_and_totals(server: ApifyServer) -> None:
    apify = client(server)
    run = apify.actor(ACTOR).start(run_input={"count": 25})
    page = apify.dataset(run.default_dataset_id).list_items(offset=20, limit=10)
    assert (page.total, page.offset, page.count, page.limit) == (25, 20, 5, 10)
    assert [item["n"] for item in page.items] == [20, 21, 22, 23, 24]
    everything = apify.dataset(run.default_dataset_id).iterate_items(chunk_size=7)
    assert len(list(everything)) == 25
    dataset = apify.dataset(run.default_dataset_id).get()
    assert dataset is not None
    assert dataset.item_count == 25


def test_a_large_compressed_input_arrives_whole(server: ApifyServer) -> None:
    run_input = {"profiles": [f"name{number}" for number in range(500)]}
    client(server).actor(ACTOR).start(run_input=run_input)
    assert server.starts[0].run_input == run_input


def test_the_runs_of_an_actor_are_listed_with_their_input(server: ApifyServer) -> None:
    apify = client(server)
    for count in (1, 2):
        apify.actor(ACTOR).start(run_input={"count": count})
    found = apify.actor(ACTOR).runs().list(desc=True, started_after=STARTED_AT)
    assert found.total == 2
    inputs = [
        apify.key_value_store(run.default_key_value_store_id).get_record("INPUT")
        for run in found.items
    ]
    assert sorted(record["value"]["count"] for record in inputs if record) == [1, 2]
    later = apify.actor(ACTOR).runs().list(started_after=STARTED_AT + timedelta(seconds=1))
    assert later.items == []


def test_a_run_without_end_goes_on_until_it_is_aborted(server: ApifyServer) -> None:
    apify = client(server)
    run = apify.actor(ACTOR).start(run_input={"status": "RUNNING"})
    waited = apify.run(run.id).wait_for_finish(wait_duration=timedelta(seconds=1))
    assert waited is not None
    assert waited.status == "RUNNING"
    Timer(0.1, lambda: apify.run(run.id).abort()).start()
    before = time.monotonic()
    over = apify.run(run.id).wait_for_finish(wait_duration=timedelta(seconds=20))
    assert time.monotonic() - before < 5
    assert over is not None
    assert over.status == "ABORTED"
    assert server.aborts == [run.id]


def test_unknown_things_and_wrong_tokens_are_refused_as_apify_does(server: ApifyServer) -> None:
    apify = client(server)
    with pytest.raises(NotFoundError):
        apify.actor("nobody/nothing").start(run_input={})
    assert apify.run("unknown").get() is None
    assert apify.dataset("unknown").get() is None
    with pytest.raises(UnauthorizedError) as caught:
        client(server, "wrong").actor(ACTOR).start(run_input={})
    assert caught.value.type == "user-or-token-not-found"
    with pytest.raises(UnauthorizedError) as caught:
        client(server, None).actor(ACTOR).start(run_input={})
    assert caught.value.type == "token-not-provided"


def test_an_intercept_replaces_a_reply() -> None:
    with ApifyServer(
        answer,
        intercept=lambda *_: error_reply(400, "invalid-input", "No such field"),
    ) as server:
        with pytest.raises(InvalidRequestError, match="No such field"):
            client(server).actor(ACTOR).start(run_input={})
        assert server.starts == []
