"""Review over HTTP: nothing but an approval changes the context file, and it can be taken back."""

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from pipeline.accounts import load_account
from pipeline.decide.context import context_path, ensure_context
from pipeline.settings import Settings
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW

PENDING = "/api/v1/recommendations/rec_000000000001"
CONTEXT = f"/api/v1/contexts/{ACCOUNT}"


@pytest.fixture
def begun(home: Settings) -> Settings:
    """The home with its first context file."""
    ensure_context(home, load_account(home.accounts_dir, ACCOUNT), NOW)
    return home


def _weight(settings: Settings) -> float:
    text = context_path(settings, ACCOUNT).read_text(encoding="utf-8")
    return float(json.loads(text)["format_weights"]["step_guide"])


def test_reading_changes_nothing(client: TestClient, snapshot: Callable[[], dict[str, bytes]]):
    before = snapshot()

    detail = client.get(PENDING).json()
    for path in ("", "/history", "/diff"):
        assert client.get(CONTEXT + path).status_code == 200

    assert snapshot() == before
    assert detail["proposed"] == "set the weight of step_guide from 1.0 to 1.4"
    assert '+    "step_guide": 1.4' in detail["context_diff"]
    assert detail["evidence"][0]["n"] == 47
    assert detail["decision"] is None


def test_an_approval_changes_the_file_once_and_is_reverted(client: TestClient, begun: Settings):
    first = client.post(f"{PENDING}/approve", json={"note": "worth a try"})
    again = client.post(f"{PENDING}/approve", json={})
    refused = client.post(f"{PENDING}/reject", json={})

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert refused.status_code == 409
    assert _weight(begun) == 1.4
    assert client.get(PENDING).json()["decision"]["note"] == "worth a try"
    assert client.get("/api/v1/recommendations", params={"status": "pending"}).json()["total"] == 0
    history = client.get(f"{CONTEXT}/history").json()
    assert [one["cause"] for one in history["items"]] == ["decision", "initial"]

    reverted = client.post(f"{CONTEXT}/revert", json={"note": "too early"})
    assert reverted.json()["decision"] == "revert"
    assert _weight(begun) == 1.0
    assert client.get(CONTEXT).json()["document"]["format_weights"]["step_guide"] == 1.0


def test_an_edit_approves_another_weight_within_bounds(client: TestClient, begun: Settings):
    refused = client.post(f"{PENDING}/edit", json={"value": 99})
    made = client.post(f"{PENDING}/edit", json={"value": 1.2, "note": "more carefully"})

    assert refused.status_code == 409
    assert made.json()["decision"] == "edited"
    assert _weight(begun) == 1.2


def test_a_rejection_leaves_the_file_alone(client: TestClient, begun: Settings):
    before = context_path(begun, ACCOUNT).read_bytes()

    made = client.post(f"{PENDING}/reject", json={"note": "no"}).json()

    assert made["decision"] == "reject"
    assert context_path(begun, ACCOUNT).read_bytes() == before


def test_verdicts_stand_with_the_recommenders_record(client: TestClient):
    told = client.get("/api/v1/verdicts", params={"account": OTHER_ACCOUNT}).json()

    assert told["items"] == []
    assert told["record"]["approval_rate"] == {
        "part": 0, "whole": 0, "rate": None, "low": None, "high": None,
    }  # fmt: skip


def test_an_unknown_version_is_said_to_be_unknown(client: TestClient, begun: Settings):
    assert client.post(f"{CONTEXT}/revert", json={"to": "ctx_nope"}).status_code == 409
    assert client.get(f"{CONTEXT}/diff", params={"old": "7"}).status_code == 409
    assert client.post(f"{CONTEXT}/revert", json={}).status_code == 409
    assert _weight(begun) == 1.0
