"""Experiments over HTTP: planned without a trace, frozen when registered, decided on once."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.clients.state_experiments import event_rows, experiment_row, experiment_rows
from pipeline.clients.state_plans import audit_rows
from pipeline.clock import utc_now
from pipeline.learn.experiments.planning_for_account import plan_experiment
from pipeline.learn.experiments.reading_stored import analyze_test_results, read_stored
from pipeline.learn.experiments.registration import load
from pipeline.settings import Settings
from pipeline.show.web.api.experiment_bodies import ExperimentBody
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import VERSION, api_client
from tests.show.web.experiments import (
    CAME_OF_IT,
    CONCLUDED,
    HOSTILE_QUESTION,
    OTHERS,
    PROPOSED,
    RUNNING,
    change_registration,
)

EXPERIMENTS = "/api/v1/experiments"
BODY: dict[str, Any] = {
    "account": ACCOUNT,
    "question": "Do guides get more saves?",
    "arms": [
        {"name": "as always", "choices": {"slide_count": "5"}},
        {"name": "long", "choices": {"slide_count": "9"}, "instructions": "Tell more."},
    ],
    "metric": "engagement_rate",
    "smallest_useful_ratio": 1.3,
    "guards": [{"metric": "views", "smallest_allowed_ratio": 0.8}],
}


def _count(home: Settings) -> tuple[int, int]:
    return len(experiment_rows(home)), audit_rows(home, limit=1, offset=0)[1]


def test_the_list_says_how_far_each_is_and_what_it_says(reader: TestClient):
    told = reader.get(EXPERIMENTS).json()
    by_id = {one["id"]: one for one in told["items"]}

    assert told["total"] == len(by_id) == 4
    assert {id_: one["status"] for id_, one in by_id.items()} == {
        PROPOSED: "proposed", RUNNING: "running", CONCLUDED: "concluded", OTHERS: "registered",
    }  # fmt: skip
    assert by_id[PROPOSED]["design"]["question"] == HOSTILE_QUESTION
    assert by_id[PROPOSED]["progress"] is None
    assert by_id[RUNNING]["progress"] == pytest.approx(12 / 60)
    assert by_id[RUNNING]["verdict"] is None
    assert by_id[CONCLUDED]["verdict"] == "winner"
    assert by_id[CONCLUDED]["recommendation_id"] == CAME_OF_IT


def test_the_list_is_filtered_and_comes_in_pages(reader: TestClient):
    def ids(**asked: Any) -> list[str]:
        told = reader.get(EXPERIMENTS, params=asked).json()
        assert told["total"] >= len(told["items"])
        return [one["id"] for one in told["items"]]

    every = ids()
    assert ids(account=OTHER_ACCOUNT) == [OTHERS]
    assert ids(status="running") == [RUNNING]
    assert ids(status="rejected") == []
    assert ids(limit=2) + ids(limit=2, offset=2) == every
    assert ids(offset=9) == []


def test_one_experiment_is_what_its_reading_says(reader: TestClient, template: Settings):
    told = reader.get(f"{EXPERIMENTS}/{RUNNING}").json()
    stored = read_stored(template, RUNNING, utc_now())

    assert stored.reading is not None
    reading = stored.reading.to_json()
    for name in ("verdict", "because", "winner", "progress", "notes", "faults", "arms", "guards"):
        assert told["reading"][name] == reading[name], name
    (contrast,) = told["reading"]["contrasts"]
    assert contrast["looks"] == [
        {**look, "known_at": look["known_at"]} for look in reading["looks"][0]["looks"]
    ]
    assert contrast["ratio"] == reading["contrasts"][0]["ratio"] > 1
    assert [look["n"] for look in contrast["looks"]] == sorted(
        look["n"] for look in contrast["looks"]
    )
    assert told["design"]["sha256"] == stored.row["registration_sha256"]
    assert [event["event"] for event in told["events"]] == ["registered", "started"]
    assert told["meta"]["warehouse_version"] == VERSION
    assert reader.get(f"{EXPERIMENTS}/exp_{0:012x}").status_code == 404


def test_results_are_those_of_the_function(reader: TestClient, template: Settings):
    told = reader.get(f"{EXPERIMENTS}/{CONCLUDED}/results").json()
    made = analyze_test_results(template, CONCLUDED, utc_now())

    assert set(told) == set(made)
    assert told["verdict"] == "winner"


def test_a_plan_says_posts_and_weeks_and_stores_nothing(client: TestClient, home: Settings):
    before = _count(home)

    told = client.post(f"{EXPERIMENTS}/plan", json=BODY).json()

    planned = plan_experiment(home, ExperimentBody.model_validate(BODY).request())
    assert told["posts_per_arm"] == planned.plan.per_arm > 1
    assert told["posts_in_all"] == 2 * told["posts_per_arm"]
    assert told["weeks"] == pytest.approx(planned.plan.weeks, abs=0.06)
    assert told["longest_weeks"] > told["weeks"]
    assert told["sentences"] == list(planned.sentences)
    assert told["platform"] == "tiktok"
    assert told["metric"] == "engagement_rate_7d"
    assert _count(home) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arms": BODY["arms"][:1]}, "at least two arms"),
        ({"metric": "followers"}, "There is no metric"),
        ({"platform": "youtube"}, "has no profile on youtube"),
        ({"smallest_useful_ratio": 0.9}, "must be more than 1"),
        ({"guards": [{"metric": "engagement_rate_7d"}]}, "already"),
        ({"arms": [{"name": "a"}, {"name": "b"}]}, "alike"),
    ],
)
def test_a_bad_design_is_refused_with_sentences(
    reader: TestClient, change: dict[str, Any], words: str
):
    for path in ("", "/plan"):
        answer = reader.post(EXPERIMENTS + path, json={**BODY, **change})

        assert answer.status_code == 422
        told = answer.json()
        assert told["code"] == "refused_design"
        assert words in told["message"]
        assert any(words in one["msg"] for one in told["detail"])
        assert {one["type"] for one in told["detail"]} == {"refused_design"}


def test_all_that_speaks_against_a_design_is_said_at_once(reader: TestClient):
    body = {**BODY, "arms": BODY["arms"][:1], "metric": "followers", "platform": "tiktok"}

    told = reader.post(f"{EXPERIMENTS}/plan", json=body).json()

    assert len(told["detail"]) >= 2


def test_a_registration_is_frozen_and_not_made_twice(client: TestClient, home: Settings):
    size = client.post(f"{EXPERIMENTS}/plan", json=BODY).json()["posts_per_arm"]
    before = _count(home)

    other = client.post(EXPERIMENTS, json={**BODY, "posts_per_arm": size + 1})
    assert (other.status_code, _count(home)) == (409, before)
    assert "plan it again" in other.json()["message"]
    made = client.post(EXPERIMENTS, json={**BODY, "posts_per_arm": size})
    again = client.post(EXPERIMENTS, json={**BODY, "posts_per_arm": size})

    told = made.json()
    assert made.status_code == 201
    assert made.headers["location"] == f"{EXPERIMENTS}/{told['id']}"
    row = experiment_row(home, told["id"])
    assert row is not None
    assert load(row).planned_per_arm == size == told["design"]["planned_per_arm"]
    assert told["design"]["sha256"] == row["registration_sha256"]
    assert (told["status"], told["created_by"]) == ("registered", "web")
    assert again.status_code == 422
    assert told["id"] in again.json()["message"]
    assert _count(home) == (before[0] + 1, before[1] + 1)
    entry = audit_rows(home, limit=1, offset=0)[0][0]
    assert (entry["action"], entry["target"]) == ("experiment.register", told["id"])


def test_a_decision_is_made_once(client: TestClient, home: Settings):
    url = f"{EXPERIMENTS}/{PROPOSED}"
    before = _count(home)[1]

    stale = client.post(f"{url}/approve", json={"version": 7})
    first = client.post(f"{url}/approve", json={"version": 1, "note": "worth a try"})
    again = client.post(f"{url}/approve", json={"version": 1})
    late = client.post(f"{url}/reject", json={})
    stopped = client.post(f"{url}/stop", json={"version": first.json()["version"]})
    twice = client.post(f"{url}/stop", json={"version": first.json()["version"]})

    assert stale.status_code == 409
    assert "since version 7" in stale.json()["message"]
    assert first.json()["status"] == "registered"
    assert first.json() == again.json()
    assert late.status_code == 409
    assert "only one that is proposed" in late.json()["message"]
    assert (stopped.json()["status"], stopped.json()) == ("stopped", twice.json())
    assert _count(home)[1] == before + 2
    events = {row["event"]: row for row in event_rows(home, PROPOSED)}
    assert events["approved"]["details"] == {"note": "worth a try"}
    assert events["stopped"]["done_by"] == "web"


def test_an_approval_waits_for_one_that_is_in_its_way(client: TestClient, home: Settings):
    arms = [{"name": "a", "choices": {"format": "step_guide"}},
            {"name": "b", "choices": {"format": "scripts"}}]  # fmt: skip
    client.post(EXPERIMENTS, json={**BODY, "arms": arms})

    refused = client.post(f"{EXPERIMENTS}/{PROPOSED}/approve", json={})

    assert refused.status_code == 409
    assert "wait for its end or stop it" in refused.json()["message"]
    row = experiment_row(home, PROPOSED)
    assert row is not None
    assert row["status"] == "proposed"


def test_a_rejected_proposal_stays_rejected(client: TestClient):
    made = client.post(f"{EXPERIMENTS}/{PROPOSED}/reject", json={"note": "not now"}).json()

    assert (made["status"], made["because"]) == ("rejected", "not now")
    assert client.post(f"{EXPERIMENTS}/{PROPOSED}/approve", json={}).status_code == 409


def test_variations_become_an_experiment(client: TestClient, home: Settings):
    client.post(f"{EXPERIMENTS}/{RUNNING}/stop", json={})
    body = {
        "account": ACCOUNT,
        "variations": [
            {"content": "Three sounds that calm a baby.", "hashtags": ["sleep"]},
            {"content": "Which sound calms your baby?", "hashtags": ["sleep", "baby", "night"]},
        ],
    }

    made = client.post(f"{EXPERIMENTS}/content-variations", json=body)
    alike = client.post(
        f"{EXPERIMENTS}/content-variations",
        json={**body, "variations": [body["variations"][0]] * 2},
    )

    assert made.status_code == 201
    assert made.json()["origin"] == "variations"
    assert made.headers["location"].endswith(made.json()["id"])
    assert len(made.json()["design"]["arms"]) == 2
    assert alike.status_code == 422
    assert "the same" in alike.json()["message"]


def test_a_changed_registration_is_told_as_such(client: TestClient, home: Settings):
    change_registration(home, RUNNING, smallest_useful_ratio=1.01)

    listed = client.get(EXPERIMENTS, params={"status": "running"})
    told = client.get(f"{EXPERIMENTS}/{RUNNING}").json()

    assert listed.status_code == 200
    assert told["design"] is None
    assert "was changed after it was frozen" in told["fault"]
    assert told["reading"] is None


def test_before_anything_is_published_experiments_are_listed(client: TestClient, home: Settings):
    (home.published_dir / "current").unlink()

    assert client.get(EXPERIMENTS).json()["total"] == 4
    told = client.get(f"{EXPERIMENTS}/{RUNNING}").json()
    assert (told["reading"], told["meta"]) == (None, None)
    assert client.post(f"{EXPERIMENTS}/plan", json=BODY).json()["code"] == "nothing_published"


def test_what_is_not_ones_own_is_not_there(home: Settings):
    from hashlib import sha256

    path = home.home / "tokens.yaml"
    digest = sha256(b"ann's").hexdigest()
    path.write_text(f"tokens: [{{name: ann, sha256: {digest}, accounts: [{OTHER_ACCOUNT}]}}]")
    client = api_client(home.model_copy(update={"token_file": path}))
    client.headers["Authorization"] = "Bearer ann's"

    assert [one["id"] for one in client.get(EXPERIMENTS).json()["items"]] == [OTHERS]
    assert client.get(EXPERIMENTS, params={"account": ACCOUNT}).status_code == 403
    for method, path_ in (
        ("GET", RUNNING), ("GET", f"{RUNNING}/results"), ("POST", f"{PROPOSED}/approve"),
        ("POST", f"{PROPOSED}/reject"), ("POST", f"{RUNNING}/stop"),
    ):  # fmt: skip
        answer = client.request(method, f"{EXPERIMENTS}/{path_}", json={})
        assert answer.status_code == 404, path_
    for name in ("", "/plan"):
        assert client.post(EXPERIMENTS + name, json=BODY).status_code == 403
    assert len(experiment_rows(home)) == 4
