"""``/ml``: what posts will reach, said before they are out, and what came of it."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.clients.state_plans import audit_rows
from pipeline.clients.state_predictions import stored_predictions
from pipeline.clock import utc_now
from pipeline.settings import Settings
from pipeline.show.web.app import create_app
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import LOOPBACK, POST, TOKEN
from tests.show.web.predictions import OTHER, PLAN

PREDICT = "/api/v1/ml/predict"


@pytest.fixture(scope="module")
def asking(predicted: Settings) -> TestClient:
    return TestClient(create_app(predicted), base_url=LOOPBACK)


def test_a_prediction_has_the_documented_shape_and_its_figures_agree(asking: TestClient):
    body = {
        "account": ACCOUNT,
        "category": "sleep_routines",
        "platform": "tiktok",
        "hashtags": ["sleep"],
        "postingTime": (utc_now() + timedelta(days=1)).isoformat(),
        "audioId": "7001",
        "format": "step_guide",
        "caption": "Step 1: the quiet routine that made evenings easier",
    }

    said = asking.post(PREDICT, json=body).json()

    assert said["target"] == "engagement_rate_7d"
    assert said["predictedEngagement"] == pytest.approx(100 * said["expected"])
    assert 0 < said["confidence"] < 100
    assert set(said["factors"][0]) == {"feature", "impact", "description"}
    assert said["interval"]["low"] < said["expected"] < said["interval"]["high"]
    assert said["model"]["version"]
    assert "explains" in said["note"]
    assert set(said["targets"]) == {"views_7d", "engagement_rate_7d"}
    same = said["targets"]["engagement_rate_7d"]
    assert {name: said[name] for name in same} == same


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hook": st.text(max_size=60),
            "caption": st.text(max_size=300),
            "hashtags": st.lists(st.text(max_size=20), max_size=5),
            "postingTime": st.datetimes(
                min_value=datetime.fromisoformat("2027-01-01"),
                max_value=datetime.fromisoformat("2100-12-31"),
            ).map(datetime.isoformat),
            "slides": st.integers(1, 35),
            "duration_s": st.floats(0.001, 86_400),
            "audioId": st.text(max_size=20),
            "category": st.sampled_from(["sleep_routines", "picky_eating"]),
            "format": st.sampled_from(["step_guide", "scripts"]),
        },
    )
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_a_post_is_like_it_has_an_answer_in_order(asking: TestClient, body: Any):
    answer = asking.post(PREDICT, json={"account": ACCOUNT, **body})

    assert answer.status_code == 200, answer.text
    for said in answer.json()["targets"].values():
        assert 0 <= said["interval"]["low"] <= said["expected"] <= said["interval"]["high"]


def test_asked_twice_on_a_day_it_is_kept_and_noted_once(client: TestClient, home: Settings):
    body = {"account": ACCOUNT, "category": "picky_eating"}

    first, second = (client.post(PREDICT, json={**body, "conceptId": PLAN}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["is_new"]
    assert not second.json()["is_new"]
    assert len(stored_predictions(home)) == 2
    made = audit_rows(home, limit=50, offset=0)[0]
    assert [(row["action"], row["account_name"]) for row in made] == [("prediction.make", ACCOUNT)]


def test_a_concept_is_the_planned_post_unless_something_else_is_said_of_it(client: TestClient):
    as_planned = client.post(PREDICT, json={"account": ACCOUNT, "conceptId": PLAN}).json()
    other = {"account": ACCOUNT, "conceptId": PLAN, "category": "picky_eating"}

    assert as_planned["planned_id"] == PLAN
    assert client.post(PREDICT, json=other).json()["planned_id"] is None


def test_a_time_without_a_zone_is_on_the_accounts_clock(client: TestClient):
    body = {"account": ACCOUNT, "postingTime": "2030-01-10T08:00:00"}

    # New York's, which is five hours behind in winter.
    assert client.post(PREDICT, json=body).json()["planned_at"] == "2030-01-10T13:00:00Z"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"category": "nope"}, 422, "sleepy has no pillar 'nope' in its account.yaml: choose from"),
        ({"platform": "x"}, 422, "sleepy does not post on 'x': choose from"),
        ({"postingTime": "2020-01-01T00:00:00Z"}, 422, "is over: a prediction is made before"),
        ({"postingTime": "9999-12-31T23:59:59-23:00"}, 422, "its year is to lie between"),
        ({"conceptId": "no_such"}, 404, "sleepy has no planned post 'no_such'."),
        ({"account": "nobody"}, 404, "There is no account 'nobody'."),
        ({"viral": True}, 422, "Extra inputs are not permitted"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_kept(
    client: TestClient, home: Settings, body: dict[str, Any], status: int, words: str
):
    answer = client.post(PREDICT, json={"account": ACCOUNT, **body})

    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert stored_predictions(home) == []


def test_training_starts_nothing_and_says_what_does_it(client: TestClient, home: Settings):
    answer = client.post("/api/v1/ml/train")

    assert answer.status_code == 409
    assert answer.json()["code"] == "not_here"
    assert "train_predictions" in answer.json()["message"]
    assert not (home.home / "warehouse" / "models").exists()


def test_planned_posts_are_told_with_what_was_said_of_them(asking: TestClient):
    page = asking.get("/api/v1/ml/planned").json()
    own = asking.get("/api/v1/ml/planned", params={"account": ACCOUNT}).json()

    # The one with a day comes first.
    assert [(one["account"], one["planned_id"]) for one in page["items"]] == [
        (OTHER, "next"), (ACCOUNT, PLAN),
    ]  # fmt: skip
    assert page["items"][0]["prediction"] is None
    assert page["items"][1]["prediction"]["predictedEngagement"] > 0
    assert own["items"] == page["items"][1:]


def test_of_a_post_that_is_out_it_is_told_what_was_said_and_what_came(asking: TestClient):
    told = asking.get(f"/api/v1/ml/posts/{POST}", params={"account": ACCOUNT}).json()
    other = asking.get("/api/v1/ml/posts/tiktok:7300000000000000101").json()

    assert told["prediction"]["post_id"] == POST.partition(":")[2]
    assert not told["is_before"]
    assert told["scores"]["views_7d"]["outcome"] == 1234
    assert "engagement_rate_7d" not in told["scores"]
    assert other["prediction"] is None


def test_skill_is_that_of_the_mart_with_the_models_that_serve(asking: TestClient):
    told = asking.get("/api/v1/ml/skill").json()

    assert [(one["target"], one["n"], one["pinball_ratio"]) for one in told["items"]] == [
        ("views_7d", 60, 0.9), ("engagement_rate_7d", 58, 0.9),
    ]  # fmt: skip
    assert "better than the account's own quantiles" in told["items"][0]["description"]
    assert {one["target"] for one in told["models"]} == {"views_7d", "engagement_rate_7d"}
    assert all(ACCOUNT in one["explained_shares"] for one in told["models"])
    assert asking.get("/api/v1/ml/skill", params={"account": OTHER}).json()["items"] == []


def test_a_token_of_one_account_sees_and_asks_nothing_of_another(
    predicted: Settings, tmp_path: Path
):
    tokens = tmp_path / "tokens.yaml"
    digest = hashlib.sha256(b"other-token").hexdigest()
    tokens.write_text(f"tokens: [{{name: ann, sha256: {digest}, accounts: [{OTHER}]}}]")
    settings = predicted.model_copy(update={"api_token": SecretStr(TOKEN), "token_file": tokens})
    guarded = TestClient(create_app(settings), base_url=LOOPBACK)
    headers = {"Authorization": "Bearer other-token"}

    planned = guarded.get("/api/v1/ml/planned", headers=headers).json()
    skill = guarded.get("/api/v1/ml/skill", headers=headers).json()

    assert {one["account"] for one in planned["items"]} == {OTHER}
    assert skill["items"] == []
    assert {name for one in skill["models"] for name in one["explained_shares"]} <= {OTHER}
    assert {name for one in skill["models"] for name in one["serves"]} <= {OTHER}
    for answer in (
        guarded.post(PREDICT, json={"account": ACCOUNT}, headers=headers),
        guarded.get("/api/v1/ml/skill", params={"account": ACCOUNT}, headers=headers),
    ):
        assert answer.status_code == 403
    assert guarded.get(f"/api/v1/ml/posts/{POST}", headers=headers).status_code == 404
    assert guarded.post(PREDICT, json={"account": OTHER}).status_code == 401
