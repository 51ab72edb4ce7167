"""Operations, feedback, submitted figures and the demo, over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from pipeline.accounts import Platform
from pipeline.clients.state_alerts import AlertChanges, change_alerts
from pipeline.collect.landing import manifests
from pipeline.collect.native_imports import native_rows
from pipeline.settings import Settings
from pipeline.show.cli.demo import MARKER
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OPERATIONS = "/api/v1/operations"
SUBMIT = "/api/v1/metrics"
INSTAGRAM_ID = "4002049102691914127"


@pytest.fixture
def alert(home: Settings) -> str:
    """An open alert."""
    row = {
        "alert_id": "alr_1",
        "account_name": ACCOUNT,
        "kind": "performance_drop",
        "platform": "tiktok",
        "subject": "tiktok",
        "severity": "warning",
        "sentence": "Views fell by 40 % (n 20).",
        "figures": {"n": 20},
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "acknowledged_note": None,
        "resolved_at": None,
        "quiet_until": None,
    }
    change_alerts(home, NOW, lambda _: AlertChanges(new=[row]))
    return "alr_1"


def test_an_alert_is_acknowledged_once(client: TestClient, alert: str):
    (told,) = client.get(f"{OPERATIONS}/alerts").json()["items"]
    first = client.post(f"{OPERATIONS}/alerts/{alert}/acknowledge", json={"note": "on it"}).json()
    again = client.post(f"{OPERATIONS}/alerts/{alert}/acknowledge", json={"note": "me too"}).json()

    assert told["acknowledged_at"] is None
    assert first["acknowledged_note"] == "on it"
    assert again == first
    assert [event["event"] for event in first["events"]] == ["acknowledged"]
    assert client.post(f"{OPERATIONS}/alerts/nope/acknowledge", json={}).status_code == 404
    other = client.get(f"{OPERATIONS}/alerts", params={"account": OTHER_ACCOUNT}).json()
    assert other["total"] == 0


def test_health_costs_and_runs_are_told(client: TestClient):
    health = client.get(f"{OPERATIONS}/health").json()["items"]
    costs = client.get(f"{OPERATIONS}/costs").json()
    runs = client.get(f"{OPERATIONS}/runs").json()

    assert {one["account_name"] for one in health} == {ACCOUNT, OTHER_ACCOUNT}
    assert all(one["budget_renews_at"].endswith("Z") for one in health)
    assert [one["cost_usd"] for one in costs["items"]] == ["0.25000000"]
    assert costs["items"][0]["unpriced_run_count"] == 1
    assert runs["has_history"] is False


def test_every_change_leaves_a_row(client: TestClient):
    client.post("/api/v1/action-plans", json={"account": ACCOUNT, "name": "x"})

    (entry,) = client.get(f"{OPERATIONS}/audit").json()["items"]

    assert (entry["action"], entry["account_name"], entry["done_by"]) == (
        "plan.create", ACCOUNT, "web",
    )  # fmt: skip


def test_feedback_counts_up_and_the_last_word_comes_first(client: TestClient):
    body = {"account": ACCOUNT, "planned_id": "2026-11-01_guide", "feedback": "reject"}

    client.post("/api/v1/feedback", json=body)
    second = client.post("/api/v1/feedback", json={**body, "feedback": "approve", "note": "ok"})
    listed = client.get("/api/v1/feedback", params={"account": ACCOUNT}).json()

    assert (second.status_code, second.json()["sequence"]) == (201, 2)
    assert [one["feedback"] for one in listed["items"]] == ["approve", "reject"]
    assert client.post("/api/v1/feedback", json={**body, "planned_id": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("platform", "post_id"), [("tiktok", "7672062462223686121"), ("instagram", INSTAGRAM_ID)]
)
def test_submitted_figures_land_as_an_export_of_the_platform(
    client: TestClient, home: Settings, platform: str, post_id: str
):
    figures = {"reach": 18200, "impressions": 20000, "retention_rate": 0.41, "watch_time_s": 9000.5}
    body = {
        "account": ACCOUNT,
        "platform": platform,
        "seen_at": "2026-11-19T09:00:00+01:00",
        "posts": [{"post_id": post_id, **figures}],
    }

    taken = client.post(SUBMIT, json=body)
    again = client.post(SUBMIT, json=body)

    assert (taken.status_code, taken.json()["value_count"]) == (202, 4)
    assert (again.json()["is_new"], again.json()["scrape_id"]) == (
        False, taken.json()["scrape_id"],
    )  # fmt: skip
    (manifest,) = manifests(home, Platform(platform), ACCOUNT)
    rows = list(native_rows(home, manifest))
    assert {row["metric"]: row["value"] for row in rows} == figures
    assert {row["post_id"] for row in rows} == {post_id}
    assert manifest.scraped_at == datetime(2026, 11, 19, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"posts": [{"post_id": "x", "reach": 1}]},
        {"posts": [{"post_id": "7672062462223686121"}]},
        {"posts": [{"post_id": "7672062462223686121", "reach": -1}]},
        {"posts": []},
        {"seen_at": "2026-11-19T09:00:00"},
        {"seen_at": "2999-11-19T09:00:00Z"},
        {"platform": "reddit"},
    ],
)
def test_figures_that_cannot_be_are_refused(
    client: TestClient, home: Settings, change: dict[str, object]
):
    body = {
        "account": ACCOUNT,
        "platform": "tiktok",
        "posts": [{"post_id": "7672062462223686121", "reach": 1}],
    }

    assert client.post(SUBMIT, json={**body, **change}).status_code == 422
    assert list(manifests(home, Platform.TIKTOK, ACCOUNT)) == []


def test_the_demo_is_made_beside_the_real_home_and_never_in_it(
    client: TestClient, home: Settings, snapshot: Callable[[], dict[str, bytes]]
):
    before = snapshot()

    enabled = client.post("/api/v1/demo/enable", json={"profile_type": "auto"}).json()
    body = {"account": enabled["account"], "count": 10, "seed": 3}
    made = client.post("/api/v1/demo/content/bulk-create", json=body).json()
    again = client.post("/api/v1/demo/content/bulk-create", json=body).json()

    assert enabled["is_served"] is False
    assert made["is_simulated"] is True
    assert made["post_count"] > 3
    assert (again["post_count"], again["new_file_count"]) == (made["post_count"], 0)
    after = snapshot()
    assert {name: after[name] for name in before} == before
    assert all(name.startswith(".demo/") for name in set(after) - set(before))
    assert (home.home / ".demo" / MARKER).is_file()


def test_a_folder_that_no_demo_made_is_left_alone(client: TestClient, home: Settings):
    (home.home / ".demo").mkdir()
    (home.home / ".demo" / "mine").write_text("x")

    answer = client.post("/api/v1/demo/enable", json={})

    assert answer.status_code >= 400
    assert [path.name for path in (home.home / ".demo").iterdir()] == ["mine"]


def test_in_a_demos_home_everything_says_that_it_is_made_up(client: TestClient, home: Settings):
    (home.home / MARKER).write_text("")

    told = client.get("/api/v1/insights/dashboard").json()

    assert told["meta"]["is_simulated"] is True
    assert client.post("/api/v1/demo/enable", json={}).json()["is_served"] is True
