"""Who may look and change: tokens, sessions, and pages of other sites."""

import hashlib
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from pydantic import SecretStr
from typer.testing import CliRunner

from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.show.cli.main import app
from pipeline.show.web.app import create_app
from pipeline.show.web.pages.session import COOKIE, own_path
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT, add_account
from tests.show.web.copies import LOOPBACK, TOKEN


def _browser(settings: Settings) -> TestClient:
    return TestClient(
        create_app(settings), base_url=LOOPBACK, headers={"Origin": LOOPBACK},
        follow_redirects=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def asking_server(template: Settings) -> TestClient:
    """A server that asks for a token."""
    return _browser(template.model_copy(update={"api_token": SecretStr(TOKEN)}))


@pytest.fixture
def asking(asking_server: TestClient) -> TestClient:
    """It, and nobody is logged in."""
    asking_server.cookies.clear()
    return asking_server


def test_the_token_opens_the_pages(asking: TestClient):
    sent = asking.get("/insights?period=90d")
    assert (sent.status_code, sent.headers["Location"]) == (
        303, "/login?next=%2Finsights%3Fperiod%3D90d",
    )  # fmt: skip
    for path in ("/review", "/action-plans", "/chat", "/operations", "/insights/content/tiktok:1"):
        assert asking.get(path).status_code == 303

    opened = asking.post("/login", data={"token": TOKEN, "next": "/insights?period=90d"})

    cookie = opened.headers["Set-Cookie"]
    assert opened.headers["Location"] == "/insights?period=90d"
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert asking.get("/insights").status_code == 200
    asking.post("/logout")
    assert asking.get("/insights").status_code == 303


def test_a_cookie_is_worth_nothing_after_the_logout(asking: TestClient):
    asking.post("/login", data={"token": TOKEN})
    stolen = asking.cookies[COOKIE]
    asking.post("/logout")
    asking.cookies.set(COOKIE, stolen)

    assert asking.get("/insights").status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "\u0000"])
def test_another_token_opens_nothing(asking: TestClient, token: str):
    answer = asking.post("/login", data={"token": token})

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "That is not the token." in answer.text


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "ä", "' or '1'='1"])
def test_another_cookie_opens_nothing(asking: TestClient, cookie: str):
    sent = asking.get("/insights", headers={b"Cookie": f"{COOKIE}={cookie}".encode()})

    assert sent.status_code == 303


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:1",
     "/a\r\nSet-Cookie: x=1", ""],
)  # fmt: skip
def test_the_login_leads_nowhere_else(asking: TestClient, wanted: str):
    answer = asking.post("/login", data={"token": TOKEN, "next": wanted})

    assert answer.headers["Location"] == "/"
    assert own_path("/insights?a=b") == "/insights?a=b"


def test_a_token_for_some_accounts_sees_no_other(home: Settings, tmp_path: Path):
    path = home.home / "tokens.yaml"
    entry = {"name": "ann", "sha256": hashlib.sha256(b"anns").hexdigest(),
             "accounts": [OTHER_ACCOUNT]}  # fmt: skip
    path.write_text(yaml.safe_dump({"tokens": [entry]}), encoding="utf-8")
    browser = _browser(home.model_copy(update={"token_file": path}))
    assert browser.get("/review").status_code == 303
    assert browser.post("/login", data={"token": "anns"}).status_code == 303

    listed = browser.get("/insights").text
    assert OTHER_ACCOUNT in listed
    assert f'<option value="{ACCOUNT}"' not in listed
    assert "rec_000000000001" not in browser.get("/review").text
    assert browser.get(f"/insights?account={ACCOUNT}").status_code == 403
    assert browser.get("/review/rec_000000000001").status_code == 404
    assert browser.get("/insights/content/tiktok:7300000000000000100").status_code == 404
    made = browser.post("/action-plans", data={"account": ACCOUNT, "name": "x"})
    assert made.status_code == 403
    assert "Changes over the web" not in browser.get("/operations").text

    path.write_text("tokens: []", encoding="utf-8")
    assert browser.get("/review").status_code == 303, "a token that is taken out opens nothing"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:81"},
        {"Origin": LOOPBACK, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_another_page_is_refused(
    template: Settings, looking: TestClient, headers: dict[str, str]
):
    for path in ("/action-plans", "/review/rec_000000000001/decide", "/login", "/logout"):
        fields = {"account": ACCOUNT, "name": "x", "decision": "approve"}
        assert looking.post(path, data=fields, headers=headers).status_code == 403
    assert not (template.accounts_dir / ACCOUNT / "performance_context.json").exists()


def test_without_a_token_only_this_machine_is_answered(looking: TestClient):
    for path in ("/insights", "/review", "/chat"):
        assert looking.get(path, headers={"Host": "afterpost.example"}).status_code == 403


def test_a_body_that_is_too_large_is_refused(asking: TestClient):
    asking.post("/login", data={"token": TOKEN})
    answer = asking.post("/chat/plan", data={"account": ACCOUNT, "conversation": "x" * 300_000})

    assert answer.status_code == 413


def test_without_a_token_it_listens_to_this_machine_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: pytest.fail("it listens"))

    ended = CliRunner().invoke(app, ["web", "--host", "0.0.0.0"])

    assert isinstance(ended.exception, UsageError)
    assert "AFTERPOST_API_TOKEN" in str(ended.exception)


def test_an_account_that_was_never_built_has_a_page(home: Settings):
    add_account(home, name="brand_new")

    for tab in ("top", "themes", "platforms"):
        answer = _browser(home).get(f"/insights?account=brand_new&tab={tab}")
        assert answer.status_code == 200
