"""What must not work over HTTP, case by case: nothing happens, and nothing is given away."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pydantic import SecretStr

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, load_settings
from pipeline.show.web.api.guards import MAX_BODY_BYTES
from pipeline.show.web.app import create_app
from tests.fakes.dashboard_copy import HARM, OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import LOOPBACK, POST, TOKEN

PLANS = "/api/v1/action-plans"
CONTENT = "/api/v1/insights/content"
DASHBOARD = "/api/v1/insights/dashboard"
RECOMMENDATION = "/api/v1/recommendations/rec_000000000001"
PLAN = {"account": ACCOUNT, "name": "x"}
SQL = "' or 1=1; drop table marts.fct_post_performance; --"
BEARER: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}".encode()}


@dataclass(frozen=True)
class Case:
    """One request and what it must be answered with."""

    name: str
    method: str
    path: str
    status: int
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    """Of the answer's error; None for anything."""


def _get(name: str, path: str, status: int, **params: Any) -> Case:
    return Case(name, "GET", path, status, params=params)


def _post(name: str, body: Any, status: int = 422, path: str = PLANS, **headers: Any) -> Case:
    return Case(name, "POST", path, status, json=body, headers=headers)


JSON = {"content-type": "application/json"}
CASES = [
    # SQL in filters
    _get("sql in the account", DASHBOARD, 404, account=SQL[:60]),
    _get("sql in the platform", DASHBOARD, 422, platform_filter=SQL),
    _get("sql in the period", DASHBOARD, 422, time_period="30d' or 1=1"),
    _get("sql in the theme finds nothing", CONTENT, 200, theme=SQL),
    _get("sql in the format finds nothing", CONTENT, 200, format=SQL),
    _get("sql in the category", CONTENT, 422, performance_category=SQL),
    _get("sql in the order", CONTENT, 422, order="score; drop table x"),
    _get("sql in the limit", CONTENT, 422, limit="1; drop table x"),
    _get("sql in an id", f"{CONTENT}/tiktok:1'%20or%201=1", 422),
    _get("a separator in an id", f"{CONTENT}/tiktok:1%1ftiktok", 422),
    # paths
    _get("path in the account", DASHBOARD, 404, account="../../etc"),
    _get("absolute path in the account", DASHBOARD, 404, account="/etc/passwd"),
    _get("nul in the account", DASHBOARD, 404, account="sleepy\0"),
    _get("path in a context's account", "/api/v1/contexts/..%2f..%2fetc", 404),
    _get("dots as a context's account", "/api/v1/contexts/%2e%2e", 404),
    _get("path in an id", f"{CONTENT}/..%2f..%2fetc%2fpasswd", 404),
    _get("encoded dots in an id", f"{CONTENT}/tiktok:%2e%2e%2fx", 404),
    _post(
        "path as a planned post",
        {"account": ACCOUNT, "planned_id": "../../account.yaml", "feedback": "approve"},
        404,
        "/api/v1/feedback",
    ),
    _post("path as a niche", {"niche": "../../x"}, 422, "/api/v1/demo/enable"),
    _post(
        "a real account for made-up posts",
        {"account": ACCOUNT},
        422,
        "/api/v1/demo/content/bulk-create",
    ),
    _post(
        "made-up posts without a demo",
        {"account": "demo_x"},
        409,
        "/api/v1/demo/content/bulk-create",
    ),
    # pages of other sites
    _post("another origin", PLAN, 403, Origin="https://evil.example"),
    _post("no origin's origin", PLAN, 403, Origin="null"),
    _post("the same host on another port", PLAN, 403, Origin="http://127.0.0.1:9"),
    _post("the same host without encryption", PLAN, 403, Origin="https://127.0.0.1"),
    _post("another site by its own words", PLAN, 403, **{"Sec-Fetch-Site": "cross-site"}),
    Case("a form of another site", "POST", PLANS, 422, content=b"account=sleepy&name=x",
         headers={"content-type": "application/x-www-form-urlencoded"}),
    Case("text that is json", "POST", PLANS, 422, content=b'{"account":"sleepy","name":"x"}',
         headers={"content-type": "text/plain"}),
    _get("a change by get", f"{RECOMMENDATION}/approve", 405),
    # names that somebody points here
    Case("a foreign host", "GET", DASHBOARD, 403, headers={"Host": "evil.example"}),
    Case("a foreign host with our name in it", "POST", PLANS, 403, json=PLAN,
         headers={"Host": "127.0.0.1.evil.example"}),
    Case("no host at all", "GET", DASHBOARD, 403, headers={"Host": ""}),
    # sizes and numbers
    Case("a body that is too large", "POST", PLANS, 413, content=b" " * (MAX_BODY_BYTES + 1),
         headers=JSON),
    Case("a length that is no number", "POST", PLANS, 400, content=b"{}",
         headers={**JSON, "Content-Length": "-1"}),
    _get("a page that is too large", CONTENT, 422, limit=100_000),
    _get("an offset beyond all numbers", CONTENT, 422, offset=10**30),
    Case("a number that is none", "POST", PLANS, 422, headers=JSON,
         content=b'{"account":"sleepy","name":"x","projected":{"outcome":"views_7d","ratio":1e999}}'),
    Case("a bare nan", "POST", PLANS, 422, headers=JSON,
         content=b'{"account":"sleepy","name":"x","items":[{"title":"x","estimated_hours":NaN}]}'),
    Case("half a surrogate", "POST", PLANS, 422, headers=JSON,
         content=b'{"account":"sleepy","name":"\\ud800"}'),
    Case("a nest", "POST", PLANS, 400, content=b"[" * 50_000, headers=JSON),
    _post("too many items", {**PLAN, "items": [{"title": "x"}] * 101}),
    _post("fields that nobody knows", {**PLAN, "version": 9, "created_by": "root"}),
    # addresses are never fetched and never followed
    _post("an address as a post", {**PLAN, "content_id": "http://169.254.169.254/latest"}),
    _post("a file as a post", {**PLAN, "content_id": "file:///etc/passwd"}),
    Case("a redirect to elsewhere", "GET", "//evil.example/%2e%2e", 404),
    _get("a next page that is an address", DASHBOARD, 200, next="https://evil.example"),
    # ids of others
    _get("an id that nobody has", f"{PLANS}/plan_ffffffffffffffff", 404),
    _get("an id of another form", f"{PLANS}/1", 422),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_does_not_work(template: Settings, reader: TestClient, case: Case):
    before = _changes(template)

    answer = reader.request(
        case.method,
        case.path,
        params=case.params or None,
        json=case.json,
        content=case.content,
        headers=case.headers,
        follow_redirects=False,
    )

    assert answer.status_code == case.status, answer.text
    assert _changes(template) == before
    assert "location" not in answer.headers
    if case.status >= 400:
        assert set(answer.json()) == {"code", "message", "detail"}
        told = answer.text.lower()
        assert "traceback" not in told
        assert str(template.home).lower() not in told
    elif case.path == CONTENT:
        assert answer.json()["total"] == 0


def _changes(settings: Settings) -> tuple[int, int]:
    """What a change would have left behind."""
    from pipeline.clients.state_plans import audit_rows
    from pipeline.decide.plans.planning import list_plans

    return audit_rows(settings, limit=1)[1], list_plans(settings)[1]


TOKENS = {
    "none": {},
    "another scheme": {"Authorization": f"Basic {TOKEN}".encode()},
    "a wrong one": {"Authorization": "Bearer wrong"},
    "a part of it": {"Authorization": f"Bearer {TOKEN[:-1]}".encode()},
    "with something behind it": {"Authorization": f"Bearer {TOKEN}x".encode()},
    "an empty one": {"Authorization": "Bearer "},
    "in the address": {},
}


@pytest.mark.parametrize("headers", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", DASHBOARD), ("POST", PLANS), ("POST", f"{RECOMMENDATION}/approve")],
)
def test_without_the_token_nothing_is_told_or_done(
    guarded: TestClient, headers: dict[str, Any], method: str, path: str
):
    params = {"token": TOKEN, "access_token": TOKEN}

    answer = guarded.request(method, path, params=params, json=PLAN, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"


def test_every_route_of_the_api_asks_for_the_token(guarded: TestClient):
    document = guarded.get("/openapi.json").json()
    asked = [
        (method, path)
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1")
        for method in methods
    ]

    assert len(asked) > 35
    for method, path in asked:
        answer = guarded.request(method, path.replace("{", "").replace("}", ""))
        assert answer.status_code == 401, (method, path)


def test_with_the_token_it_answers_under_any_name_but_not_to_other_sites(home: Settings):
    settings = home.model_copy(update={"api_token": SecretStr(TOKEN)})
    client = TestClient(create_app(settings), base_url=LOOPBACK)
    named: dict[str, Any] = {**BEARER, "Host": "stats.example"}

    assert client.get(DASHBOARD, headers=named).status_code == 200
    assert client.post(PLANS, json=PLAN, headers=BEARER).status_code == 201
    foreign: dict[str, Any] = {**BEARER, "Origin": "https://evil.example"}
    assert client.post(PLANS, json=PLAN, headers=foreign).status_code == 403
    own: dict[str, Any] = {**named, "Origin": "http://stats.example"}
    assert client.post(PLANS, json=PLAN, headers=own).status_code == 201


ANN = "ann's own token"


@pytest.fixture
def shared(home: Settings) -> TestClient:
    """A server with a token for everything, and Ann's for one account."""
    path = home.home / "tokens.yaml"
    digest = hashlib.sha256(ANN.encode()).hexdigest()
    path.write_text(f"tokens: [{{name: ann, sha256: {digest}, accounts: [{OTHER_ACCOUNT}]}}]")
    settings = home.model_copy(update={"api_token": SecretStr(TOKEN), "token_file": path})
    return TestClient(create_app(settings), base_url=LOOPBACK)


def test_a_token_for_one_account_opens_nothing_of_another(shared: TestClient):
    plan = shared.post(PLANS, json={**PLAN, "items": [{"title": "x"}]}, headers=BEARER).json()
    shared.headers["Authorization"] = f"Bearer {ANN}"
    foreign = [
        shared.get(DASHBOARD, params={"account": ACCOUNT}),
        shared.get(f"{CONTENT}/{POST}"),
        shared.post(PLANS, json=PLAN),
        shared.get(f"{PLANS}/{plan['id']}"),
        shared.patch(f"{PLANS}/{plan['id']}", json={"version": 1, "name": "y"}),
        shared.delete(f"{PLANS}/{plan['id']}"),
        shared.patch(f"/api/v1/action-items/{plan['items'][0]['id']}/complete"),
        shared.get(RECOMMENDATION),
        shared.post(f"{RECOMMENDATION}/approve", json={}),
        shared.get(f"/api/v1/contexts/{ACCOUNT}"),
        shared.post(f"/api/v1/contexts/{ACCOUNT}/revert", json={}),
        shared.get("/api/v1/chat/context", params={"account": ACCOUNT}),
        shared.get("/api/v1/operations/audit"),
        shared.post("/api/v1/demo/enable", json={}),
    ]

    assert {answer.status_code for answer in foreign} <= {403, 404}
    told = shared.get(DASHBOARD, params={"time_period": "90d"}).json()
    assert told["meta"]["accounts"] == [OTHER_ACCOUNT]
    assert {one["account"] for one in shared.get(CONTENT).json()["items"]} == {OTHER_ACCOUNT}
    for path in (PLANS, "/api/v1/recommendations", "/api/v1/operations/alerts"):
        assert shared.get(path).json()["total"] == 0
    costs = shared.get("/api/v1/operations/costs").json()
    assert costs["items"] == []
    made = shared.post(PLANS, json={"account": OTHER_ACCOUNT, "name": "mine"})
    assert (made.status_code, made.json()["created_by"]) == (201, "ann")


@pytest.mark.parametrize("text", ["tokens: [{name: x, sha256: short}]", "{", "tokens: 1", ""])
def test_a_broken_token_file_opens_nothing(shared: TestClient, home: Settings, text: str):
    (home.home / "tokens.yaml").write_text(text)

    answer = shared.get(DASHBOARD, headers={"Authorization": f"Bearer {ANN}"})

    assert answer.status_code == 503
    assert "AFTERPOST_TOKEN_FILE" in answer.json()["message"]


def test_further_tokens_need_the_one_that_opens_the_pages():
    with pytest.raises(ConfigurationError, match="AFTERPOST_API_TOKEN"):
        load_settings({"AFTERPOST_TOKEN_FILE": "tokens.yaml"})


def test_texts_of_people_stay_texts(client: TestClient):
    hostile = f"</script><script>{HARM}</script>\u2028=cmd|' /C calc'!A0"
    body = {**PLAN, "name": hostile, "notes": hostile, "items": [{"title": hostile}]}

    made = client.post(PLANS, json=body)
    read = client.get(f"{PLANS}/{made.json()['id']}")

    assert made.status_code == 201
    for answer in (made, read):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["notes"].startswith("</script>")


def test_no_header_can_be_made_up(client: TestClient):
    body = {**PLAN, "name": "x\r\nSet-Cookie: a=b"}

    made = client.post(PLANS, json=body)
    posted = client.get(f"{CONTENT}/{POST}%0d%0aSet-Cookie:%20a=b")

    assert made.json()["name"] == "x Set-Cookie: a=b"
    assert "set-cookie" not in made.headers
    assert posted.status_code == 422
    assert "set-cookie" not in posted.headers


def test_a_file_of_the_home_stays_where_it_is(
    client: TestClient, snapshot: Callable[[], dict[str, bytes]]
):
    before = snapshot()

    for case in CASES:
        client.request(case.method, case.path, params=case.params, json=case.json,
                       content=case.content, headers=case.headers)  # fmt: skip

    assert snapshot() == before


@pytest.fixture
def served(home: Settings, monkeypatch: pytest.MonkeyPatch):
    """A server on a port of its own, which is patient for half a second."""
    monkeypatch.setattr("pipeline.show.web.api.guards.BODY_DEADLINE_S", 0.5)
    settings = home.model_copy(update={"api_token": SecretStr("t")})
    config = uvicorn.Config(create_app(settings), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


HEAD = "POST /api/v1/action-plans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
RAW = {
    "a body that drips": (
        f"{HEAD}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{",
        "408",
    ),
    "a body that never ends": (
        f"{HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + ("ffff\r\n" + " " * 0xFFFF + "\r\n") * 6,
        "413",
    ),
    "two lengths": (f"{HEAD}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}", "400"),
    "a header in a header": ("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", "400"),
}


@pytest.mark.parametrize("name", RAW)
def test_slow_and_broken_requests_end(served: int, name: str):
    sent, status = RAW[name]

    with socket.create_connection(("127.0.0.1", served), timeout=10) as connection:
        connection.sendall(sent.encode())
        answer = connection.recv(65536).decode()

    assert answer.startswith(f"HTTP/1.1 {status}")
    assert LOOPBACK not in answer
