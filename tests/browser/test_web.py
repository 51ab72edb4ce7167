"""The web app in a browser: as a new user walks it, with the keyboard, without scripts, on a phone.

What is written down here is only what a browser can tell; the pages' contents are tested without.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clients.state_alerts import AlertChanges, alert_rows, change_alerts
from pipeline.settings import Settings
from tests.browser.conftest import PHONE, OpenedPage, Opener
from tests.browser.web_server import served
from tests.fakes.claude_server import ClaudeServer
from tests.fakes.claude_streams import streamed
from tests.fakes.dashboard_copy import HARM, HOSTILE_TEXTS
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import web_home

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REC = "rec_000000000001"
HOSTILE_POST = "tiktok:7300000000000000001"
OLD_POST = "tiktok:7300000000000000100"
_WAIT_MS = 15_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = web_home(tmp_path_factory.mktemp("pages"))
    row = {
        "alert_id": "alr_1", "account_name": ACCOUNT, "kind": "performance_drop",
        "platform": "tiktok", "subject": "tiktok", "severity": "warning",
        "sentence": f"Views fell by 40 % (n 20). <script>{HARM}</script>", "figures": {"n": 20},
        "first_seen_at": NOW, "last_seen_at": NOW, "acknowledged_at": None,
        "acknowledged_by": None, "acknowledged_note": None, "resolved_at": None,
        "quiet_until": None,
    }  # fmt: skip
    change_alerts(settings, NOW, lambda _: AlertChanges(new=[row]))
    return settings


@pytest.fixture(scope="module")
def url(home: Settings) -> Iterator[str]:
    with served(home) as address:
        yield address


def _ready(opened: OpenedPage) -> "Page":
    opened.page.wait_for_selector("html[data-charts=drawn]", timeout=_WAIT_MS)
    return opened.page


def _fine(opened: OpenedPage, url: str) -> None:
    """Nothing went wrong, nothing was asked of anybody else, nothing ran that should not."""
    # Leaving a page ends the loading of its icon.
    assert [one for one in opened.problems if "/static/icon.svg" not in one] == []
    assert [one for one in opened.requests if not one.startswith(url)] == []
    assert opened.page.evaluate("window.hacked") is None


def expect(locator: "Locator") -> Any:
    """Playwright's own waiting assertions; the pages' policy forbids those that are scripts."""
    from playwright.sync_api import expect as waiting

    return waiting(locator)


def test_from_what_works_to_a_plan_and_its_progress(browser_page: Opener, url: str):
    opened = browser_page(f"{url}/", offline=False)
    page = _ready(opened)
    page.evaluate("window.stays = true")

    page.select_option("#filters [name=platform]", "tiktok")
    page.wait_for_url("**/insights?*platform=tiktok*")
    page.select_option("#filters [name=period]", "90d")
    page.wait_for_url("**period=90d*")
    page.click("#tab-themes")
    page.wait_for_selector("#themes-title")
    page.click("#tab-top")
    page.wait_for_selector("#scores [data-drawn=yes]", timeout=_WAIT_MS)
    assert page.evaluate("window.stays") is True, "parts of the page are exchanged in place"
    assert page.get_attribute("#tab-top", "aria-current") == "page"
    page.hover("#scores [data-spec] .mark-rect path >> nth=0")
    assert "score from" in (page.text_content("#tip") or "")

    page.click(".post .title a >> nth=0")
    page.wait_for_selector("#metrics-title")
    page.click("text=Create plan")
    page.fill("[name=name]", "More of these")
    page.fill("[name=items]", "Write three\nFilm them\nPost them\nLook back")
    page.click("text=Make the plan")
    page.wait_for_selector("#progress")
    page.evaluate("window.stays = true")
    page.click(".box >> nth=0")
    page.wait_for_selector(".item.done")
    assert "25 %" in (page.text_content("#progress") or "")
    page.focus(".box >> nth=1")
    page.keyboard.press("Enter")
    expect(page.locator(".item.done")).to_have_count(2)
    expect(page.locator(".box").nth(1)).to_be_focused()
    page.click(".box >> nth=0")
    expect(page.locator(".item.done")).to_have_count(1)
    page.click(".moves button:not(:disabled) >> nth=0")
    expect(page.locator(".item-title").first).to_have_text("Film them")
    assert page.evaluate("window.stays") is True
    page.goto(f"{url}/action-plans")
    assert "25 % · 1 of 4 steps" in (page.text_content(".plan-card .progress") or "")
    _fine(opened, url)


def test_an_approval_changes_the_context_file(browser_page: Opener, url: str, home: Settings):
    path = home.accounts_dir / ACCOUNT / "performance_context.json"
    opened = browser_page(f"{url}/review", offline=False)
    page = opened.page

    page.click(".recommendation a >> nth=0")
    assert '"step_guide": 1.4' in (page.text_content(".diff") or "")
    opened.screenshot("web_recommendation_light")
    page.fill("[name=note]", f"worth a try <img src=x onerror={HARM}>")
    page.click("button[value=approve]")
    page.wait_for_selector(".notice")

    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["format_weights"]["step_guide"] == 1.4
    page.click("text=Make an action plan from it")
    page.wait_for_selector("#progress")
    assert "0 % · 0 of 4 steps" in (page.text_content("#progress") or "")
    page.goto(f"{url}/review?tab=history&account={ACCOUNT}")
    page.click("summary:has-text('Go back to version 1')")
    page.click("button:has-text('Put version 1 back')")
    page.wait_for_selector(".notice")
    assert json.loads(path.read_text(encoding="utf-8"))["format_weights"]["step_guide"] == 1.0
    _fine(opened, url)


def test_an_alert_is_acknowledged(browser_page: Opener, url: str, home: Settings):
    opened = browser_page(f"{url}/operations", offline=False)

    opened.page.fill(".alert [name=note]", "looking into it")
    opened.page.click(".alert button")
    opened.page.wait_for_selector(".notice")

    assert "looking into it" in (opened.page.text_content(".alert") or "")
    assert alert_rows(home)[0]["acknowledged_note"] == "looking into it"
    _fine(opened, url)


def test_hostile_captions_are_text(browser_page: Opener, url: str):
    opened = browser_page(f"{url}/insights/content/{HOSTILE_POST}", offline=False)
    page = _ready(opened)

    assert (page.text_content(".caption") or "").strip() == HOSTILE_TEXTS[1]
    assert HOSTILE_TEXTS[1] in (page.text_content("h1") or "")
    page.goto(f"{url}/insights/posts?limit=100")
    told = page.eval_on_selector_all("tbody th bdi", "all => all.map(one => one.textContent)")
    for text in HOSTILE_TEXTS[:2]:
        assert any(one.startswith(text[:30]) for one in told)
    page.goto(f"{url}/chat?account={ACCOUNT}&content_id={HOSTILE_POST}&purpose=diagnose")
    assert HARM in page.input_value("#prompt")
    assert page.query_selector("main script, main img") is None
    _fine(opened, url)


def test_it_works_without_scripts(browser: "Browser", url: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/insights")
    page.select_option("#filters [name=platform]", "tiktok")
    page.click("#filters button")
    assert "platform=tiktok" in page.url
    page.click("#tab-themes")
    assert page.is_visible("#themes-title")
    page.click("#pillars summary >> nth=0")
    assert page.is_visible("#pillars table >> nth=0"), "the figures of every chart are a table"
    page.goto(f"{url}/action-plans/new?account={ACCOUNT}")
    page.fill("[name=name]", "By hand")
    page.fill("[name=items]", "One\nTwo")
    page.click("text=Make the plan")
    page.click(".box >> nth=0")
    assert "50 %" in (page.text_content("#progress") or "")
    context.close()


def test_the_keyboard_reaches_everything(browser_page: Opener, url: str):
    opened = browser_page(f"{url}/insights", offline=False)
    page = _ready(opened)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus("#tab-attention")
    page.keyboard.press("Enter")
    page.wait_for_url("**tab=attention*")
    expect(page.locator("#tab-attention")).to_be_focused()
    page.focus("#filters [name=period]")
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**period=90d*")
    expect(page.locator("#filters [name=period]")).to_be_focused()
    page.go_back()
    page.wait_for_url("**period=30d*")
    _fine(opened, url)


def test_an_answer_is_shown_while_it_is_written(browser_page: Opener, home: Settings):
    said = streamed("Step guides get 1.60× the usual, ", "n 40. And 98765 followers.")
    with ClaudeServer(said) as server, served(server.settings(home)) as url:
        opened = browser_page(f"{url}/chat?account={ACCOUNT}", offline=False)
        page = opened.page
        page.fill("#ask textarea", "What works? <b>bold</b>")
        page.click("#ask button")
        page.wait_for_selector("#talk .notice.bad", timeout=_WAIT_MS)

        talk = page.text_content("#talk") or ""
        assert "What works? <b>bold</b>" in talk
        assert "Step guides get 1.60× the usual, n 40." in talk
        assert "Not found in the sources: 98765" in talk
        expect(page.locator("#conversation")).not_to_have_value("")
        assert page.get_attribute("#chat", "data-answered") == "1"
        opened.screenshot("web_chat_streamed")
        # Chromium sometimes calls a stream that was read to its end aborted.
        opened.problems[:] = [one for one in opened.problems if not one.endswith("/chat/stream")]
        _fine(opened, url)


LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"dark": True}, "phone": {"size": PHONE}}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious(browser_page: Opener, url: str, home: Settings, look: str):
    from axe_playwright_python.sync_playwright import Axe

    opened = browser_page(f"{url}/login", offline=False, **LOOKS[look])
    page = opened.page
    page.goto(f"{url}/action-plans?status=all")
    plan = page.get_attribute(".plan-card a", "href")
    pages = {
        "insights": f"/insights?period=90d&account={ACCOUNT}",
        "themes": "/insights?tab=themes&period=90d",
        "platforms": f"/insights?tab=platforms&account={ACCOUNT}",
        "post": f"/insights/content/{OLD_POST}",
        "review": "/review",
        "decided": f"/review/{REC}",
        "verdicts": "/review?tab=verdicts",
        "plans": "/action-plans?status=all",
        "plan": plan or "",
        "new_plan": "/action-plans/new",
        "chat": f"/chat?account={ACCOUNT}",
        "operations": "/operations",
    }
    found = {}
    for name, path in pages.items():
        if look != "light" and name in {"platforms", "review", "verdicts", "plans", "new_plan"}:
            continue  # made of the same parts as the others
        page.goto(url + path)
        _ready(opened)
        opened.screenshot(f"web_{name}_{look}")
        found[name] = [
            (problem["id"], problem["nodes"][0]["html"][:200])
            for problem in Axe().run(page).response["violations"]
            if problem["impact"] in {"serious", "critical"}
        ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[name].append(("wider than the screen", ""))

    assert {name: problems for name, problems in found.items() if problems} == {}
    _fine(opened, url)
