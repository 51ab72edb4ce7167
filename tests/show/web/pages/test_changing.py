"""What people change over the pages, without a script in the browser."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from pipeline.clients.state_alerts import AlertChanges, alert_rows, change_alerts
from pipeline.clients.state_plans import audit_rows
from pipeline.settings import Settings
from pipeline.show.cli.demo import MARKER
from pipeline.show.web.app import create_app
from tests.fakes.dashboard_copy import HARM
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW
from tests.show.web.copies import LOOPBACK, POST
from tests.show.web.pages.html import Page

REC = "/review/rec_000000000001"
HOSTILE = f'"><script>{HARM}</script>{{{{ 7*7 }}}}'


def send(browser: TestClient, path: str, /, **fields: str) -> Page:
    """A form that was sent, and the page that it leads to."""
    answer = browser.post(path, data=fields)
    assert answer.status_code == 200, answer.text[-2500:]
    assert [one.status_code for one in answer.history] == [303], "a reload sends nothing again"
    return Page(answer.text)


def plan(browser: TestClient, **fields: str) -> str:
    """The address of a new plan."""
    made = {"account": ACCOUNT, "name": "More guides", "items": "Write\nFilm\n\nPost", **fields}
    answer = browser.post("/action-plans", data=made)
    assert answer.status_code == 200, answer.text[-2500:]
    return answer.url.path


def context_of(home: Settings) -> dict[str, object]:
    path = home.accounts_dir / ACCOUNT / "performance_context.json"
    read: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return read


def test_approving_changes_the_context_file(browser: TestClient, home: Settings):
    shown = Page(browser.get(REC).text)
    after = send(browser, f"{REC}/decide", decision="approve", note=HOSTILE)

    assert '+ "step_guide": 1.4' in re.sub(r"\s+", " ", shown.text)
    assert context_of(home)["format_weights"]["step_guide"] == 1.4  # type: ignore[index]
    assert "Approved. The context file of the account now says so." in after.text
    assert HOSTILE in after.text
    assert not [tag for tag in after.all("script") if not tag.attributes.get("src")]
    assert "Nothing waits for a decision" in Page(browser.get("/review").text).text
    assert REC in Page(browser.get("/review?tab=decided").text).links("/review/")
    rows, _ = audit_rows(home, limit=5, offset=0)
    assert rows[0]["action"] == "recommendation.approve"


def test_a_value_of_ones_own_and_the_way_back(browser: TestClient, home: Settings):
    send(browser, f"{REC}/decide", decision="edit", value="1,2", note="carefully")
    assert context_of(home)["format_weights"]["step_guide"] == 1.2  # type: ignore[index]
    history = Page(browser.get(f"/review?tab=history&account={ACCOUNT}").text)
    assert "version 2" in history.text

    after = send(browser, f"/review/contexts/{ACCOUNT}/revert", to="1", note="")

    assert "The earlier version of the context file is back." in after.text
    assert "version 3" in after.text
    assert context_of(home)["format_weights"]["step_guide"] == 1.0  # type: ignore[index]


def test_rejecting_changes_no_file(browser: TestClient, home: Settings):
    send(browser, f"{REC}/decide", decision="reject", note="no")

    assert not (home.accounts_dir / ACCOUNT / "performance_context.json").exists()
    again = browser.post(f"{REC}/decide", data={"decision": "approve"})
    assert again.status_code == 409
    assert "Not possible now" in again.text


@pytest.fixture(scope="module")
def unchanged(template: Settings) -> TestClient:
    """For forms that are refused."""
    return TestClient(create_app(template), base_url=LOOPBACK, headers={"Origin": LOOPBACK})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "edit", "value": "many"}, 422),
        ({"decision": "edit", "value": "nan"}, 422),
        ({"decision": "edit", "value": "900"}, 409),
        ({"decision": "burn"}, 422),
        ({}, 422),
    ],
)
def test_what_cannot_be_decided_is_a_readable_page(
    unchanged: TestClient, fields: dict[str, str], status: int
):
    answer = unchanged.post(f"{REC}/decide", data=fields)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Back" in answer.text


def test_a_plan_from_beginning_to_end(browser: TestClient):
    path = plan(browser, goal="See", outcome="views_7d", ratio="1.3")
    page = Page(browser.get(path).text)
    first, second, third = (
        tag.attributes["id"] for tag in page.all("li") if tag.attributes.get("id")
    )
    assert "0 % · 0 of 3 steps" in page.text

    page = send(browser, f"/action-items/{first}/complete")
    assert "33 % · 1 of 3 steps" in page.text
    page = send(browser, f"/action-items/{first}/uncomplete")
    assert "0 % · 0 of 3 steps" in page.text
    page = send(
        browser, f"/action-items/{second}", version=page.value("version"), title="Film it",
        due_date="2020-01-01", estimated_hours="2.5", notes=HOSTILE, projected_outcome="",
        actual_outcome="",
    )  # fmt: skip
    assert "overdue: 2020-01-01 · 2.5 h" in page.text.replace("\u00a0", " ")
    assert HOSTILE in page.text
    page = send(browser, f"{path}/move", version=page.value("version"), item_id=third, step="-1")
    order = [tag.attributes["id"] for tag in page.all("li") if tag.attributes.get("id")]
    assert order == [first, third, second]
    page = send(browser, f"/action-items/{second}/posts", content_id=f" {POST} ")
    assert POST in page.text
    assert "Projected views at 7 days 1.30×" in page.text
    assert "So nobody can tell yet." in page.text
    page = send(browser, f"/action-items/{second}/posts/remove", content_id=POST)
    page = send(browser, f"{path}/items", title="Look back", due_date="", estimated_hours="")
    assert "0 of 4 steps" in page.text
    page = send(browser, f"/action-items/{third}/delete", version=page.value("version"))
    assert "0 of 3 steps" in page.text
    page = send(browser, f"{path}/status", version=page.value("version"), status="completed")
    assert path in Page(browser.get("/action-plans?status=completed").text).links(path)
    assert Page(browser.get("/action-plans").text).links(path) == []
    gone = send(browser, f"{path}/delete", version=page.value("version"))
    assert "No plan is being followed." in gone.text
    assert browser.get(path).status_code == 404


def test_a_stale_edit_is_explained_and_overwrites_nothing(browser: TestClient):
    path = plan(browser)
    seen = Page(browser.get(path).text).value("version")
    send(browser, path, version=seen, name="Theirs")

    mine = browser.post(
        path, data={"version": seen, "name": "Mine"}, headers={"Referer": f"{LOOPBACK}{path}"}
    )

    assert mine.status_code == 409
    page = Page(mine.text)
    assert "Somebody was faster" in page.text
    assert "nothing was overwritten" in page.text
    assert "You wanted to store: name Mine" in page.text
    assert page.links(path) == [path]
    assert "Theirs" in browser.get(path).text


def test_plans_from_a_recommendation_and_from_a_conversation(browser: TestClient):
    made = send(
        browser, "/action-plans/from-recommendation", account=ACCOUNT,
        recommendation_id="rec_000000000001",
    )  # fmt: skip
    assert "from a recommendation" in made.text
    assert "Decide on the recommendation" in made.text
    chosen = f"{ACCOUNT} rec_000000000001"
    send(browser, "/action-plans/from-recommendation", account="nappy", recommendation_id=chosen)

    talked = send(
        browser, "/chat/plan", account=ACCOUNT, content_id=POST,
        conversation="Plan:\n- Write guides (4 h)\n- Post them",
    )  # fmt: skip
    assert "Write guides" in talked.text
    assert "4 h" in talked.text.replace("\u00a0", " ")
    nothing = browser.post("/chat/plan", data={"account": ACCOUNT, "conversation": "hm"})
    assert (nothing.status_code, "No list was found" in nothing.text) == (422, True)


def test_without_a_key_the_prompt_is_offered(browser: TestClient):
    page = browser.get(f"/chat?account={ACCOUNT}&content_id={POST}&purpose=make_more_like_this")

    assert "ANTHROPIC_API_KEY is not set" in page.text
    assert "&lt;figures&gt;" in page.text
    asked = browser.post("/chat", data={"account": ACCOUNT, "message": "<b>what</b>"})
    assert asked.status_code == 200
    assert "&lt;b&gt;what&lt;/b&gt;" in asked.text
    streamed = browser.post(
        "/chat/stream",
        json={"account": ACCOUNT, "messages": [{"role": "user", "content": "what works?"}]},
    )
    assert streamed.headers["Content-Type"].startswith("text/event-stream")
    assert "event: prompt" in streamed.text


def test_an_alert_is_acknowledged(browser: TestClient, home: Settings):
    row = {
        "alert_id": "alr_1", "account_name": ACCOUNT, "kind": "performance_drop",
        "platform": "tiktok", "subject": "tiktok", "severity": "warning", "sentence": HOSTILE,
        "figures": {"n": 20}, "first_seen_at": NOW, "last_seen_at": NOW, "acknowledged_at": None,
        "acknowledged_by": None, "acknowledged_note": None, "resolved_at": None,
        "quiet_until": None,
    }  # fmt: skip
    change_alerts(home, NOW, lambda _: AlertChanges(new=[row]))
    assert HOSTILE in Page(browser.get("/operations").text).text

    page = send(browser, "/operations/alerts/alr_1/acknowledge", note="on it")

    assert "seen by web" in page.text
    assert "on it" in page.text
    assert alert_rows(home)[0]["acknowledged_by"] == "web"
    missing = browser.post("/operations/alerts/nope/acknowledge", data={})
    assert missing.status_code == 404


def test_a_demo_says_so_on_every_page(browser: TestClient, home: Settings):
    (home.home / MARKER).touch()
    path = plan(browser)

    for one in ("/insights", f"/insights/content/{POST}", "/review", REC, path, "/action-plans",
                "/chat", "/operations", "/login", "/insights?period=1"):  # fmt: skip
        assert "Simulated." in browser.get(one).text, one


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/action-plans", {"account": ACCOUNT, "name": ""}),
        ("/action-plans", {"account": ACCOUNT, "name": "x" * 301}),
        ("/action-plans", {"account": "../../etc", "name": "x"}),
        ("/action-plans", {"account": ACCOUNT, "name": "x", "content_id": "' or 1=1"}),
        ("/action-plans", {"account": ACCOUNT, "name": "x", "outcome": "followers"}),
        ("/action-plans/from-recommendation", {"account": ACCOUNT, "recommendation_id": "rec_no"}),
        ("/action-items/item_00/complete", {}),
        ("/action-plans/plan_00", {"version": "1", "name": "x"}),
        ("/action-plans/plan_00/move", {"version": "1", "item_id": "x", "step": "9"}),
        ("/review/contexts/..%2f..%2fetc/revert", {}),
        ("/review/contexts/nobody/revert", {}),
    ],
)
def test_wrong_forms_are_pages_and_change_nothing(
    unchanged: TestClient, path: str, fields: dict[str, str]
):
    answer = unchanged.post(path, data=fields, headers={"Accept": "text/html"})

    assert answer.status_code in {404, 409, 422}
    assert answer.headers["Content-Type"].startswith("text/html")
    assert Page(unchanged.get("/action-plans?status=all").text).links("/action-plans/plan_") == []
