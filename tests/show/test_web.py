"""The web server tells metrics to whom it should, and says whether it can answer."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from pipeline.settings import Settings
from pipeline.show.web.app import create_app
from tests.show.published_copies import publish_night_owls

TOKEN = "planted-tökén"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return publish_night_owls(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def client(home: Settings) -> TestClient:
    return TestClient(create_app(home))


@pytest.fixture(scope="module")
def guarded(home: Settings) -> TestClient:
    return TestClient(create_app(home.model_copy(update={"api_token": SecretStr(TOKEN)})))


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics"])
def test_metrics_are_prometheus_text(client: TestClient, path: str):
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "afterpost_posts_ingested" in names


def test_a_reader_of_openmetrics_gets_it(client: TestClient):
    answer = client.get(
        "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"}
    )

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert len(list(open_metrics(answer.text))) > 10


def test_metrics_as_json(client: TestClient):
    told = client.get("/api/metrics", params={"format": "json"}).json()

    assert told["at"].endswith("Z")
    (posts,) = [one for one in told["metrics"] if one["name"] == "afterpost_posts_ingested_total"]
    labels = {"account": "night_owls", "platform": "tiktok"}
    assert {"labels": labels, "value": 40.0} in posts["samples"]


def test_open_alerts_as_json(client: TestClient, home: Settings):
    told = client.get("/api/metrics", params={"format": "alerts"}).json()

    assert told["alerts"] == []


def test_another_format_is_refused_with_the_ones_there_are(client: TestClient):
    answer = client.get("/api/metrics", params={"format": "xml"})

    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["query", "format"]
    assert "'json'" in detail["msg"]


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics", "/api/metrics?format=json"])
@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Basic abc", "Bearer ", b"Bearer \xff"])
def test_without_the_token_nothing_is_told(guarded: TestClient, path: str, shown: str | None):
    answer = guarded.get(path, headers={} if shown is None else {"Authorization": shown})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "afterpost_" not in answer.text
    assert TOKEN not in answer.text


def test_the_token_opens(guarded: TestClient):
    shown = {b"Authorization": f"Bearer {TOKEN}".encode()}

    assert guarded.get("/metrics", headers=shown).status_code == 200


def test_health_needs_no_token(guarded: TestClient):
    assert guarded.get("/healthz").json()["status"] == "ok"
    assert guarded.get("/readyz").json()["status"] == "ready"


def test_a_home_without_a_copy_is_not_ready_but_alive(tmp_path: Path):
    client = TestClient(create_app(Settings(home=tmp_path)))

    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "afterpost build" in answer.json()["reason"]
    assert client.get("/metrics").status_code == 200
