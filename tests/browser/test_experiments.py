"""Experiments in a browser: planned, registered and decided on, also without scripts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pipeline.clients.state_experiments import experiment_rows
from pipeline.settings import Settings
from tests.browser.conftest import DESKTOP, Opener
from tests.browser.web_server import served
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import web_home
from tests.show.web.experiments import CONCLUDED, HOSTILE_QUESTION, PROPOSED, RUNNING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NARROW = (360, 780)
_WAIT_MS = 15_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return web_home(tmp_path_factory.mktemp("experiments"))


@pytest.fixture(scope="module")
def url(home: Settings) -> Iterator[str]:
    with served(home) as address:
        yield address


@pytest.mark.parametrize(
    ("look", "size", "dark"),
    [("light", DESKTOP, False), ("dark", DESKTOP, True), ("phone", NARROW, False)],
)
def test_axe_finds_nothing_serious(
    browser_page: Opener, url: str, look: str, size: tuple[int, int], dark: bool
):
    from axe_playwright_python.sync_playwright import Axe

    opened = browser_page(f"{url}/experiments", offline=False, size=size, dark=dark)
    page = opened.page
    found = {}
    for name, path in {
        "list": "", "won": f"/{CONCLUDED}", "running": f"/{RUNNING}", "proposed": f"/{PROPOSED}",
        "new": "/new",
    }.items():  # fmt: skip
        page.goto(f"{url}/experiments{path}")
        page.wait_for_selector("html[data-charts=drawn]", timeout=_WAIT_MS)
        opened.screenshot(f"web_experiments_{name}_{look}")
        found[name] = [
            (problem["id"], problem["nodes"][0]["html"][:200])
            for problem in Axe().run(page).response["violations"]
            if problem["impact"] in {"serious", "critical"}
        ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[name].append(("wider than the screen", ""))

    assert {name: problems for name, problems in found.items() if problems} == {}
    assert [one for one in opened.problems if "/static/icon.svg" not in one] == []
    assert page.evaluate("window.hacked") is None


def test_the_chart_tells_a_look_and_what_it_is_held_against(browser_page: Opener, url: str):
    opened = browser_page(f"{url}/experiments/{CONCLUDED}", offline=False)
    page = opened.page
    page.wait_for_selector("[data-drawn=yes]", timeout=_WAIT_MS)

    drawn = page.text_content("[data-drawn=yes]") or ""
    for words in ("no difference", "smallest useful 1.20×", "planned end"):
        assert words in drawn
    page.hover("[data-drawn=yes] .mark-rule line >> nth=-1", force=True)
    assert "always-valid interval" in (page.text_content("#tip") or "")


def test_a_question_becomes_an_experiment_without_scripts(
    browser: "Browser", url: str, home: Settings
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/experiments")
    page.click("text=Plan an experiment")
    page.select_option("[name=account]", ACCOUNT)
    page.fill("[name=question]", "Do longer guides <b>work</b>?")
    page.select_option("[name=dimension]", "slide_count")
    for place, (name, segment) in enumerate((("as always", "5"), ("long", "9"))):
        page.fill(f"[name=arm_name] >> nth={place}", name)
        page.fill(f"[name=arm_segment] >> nth={place}", segment)
    page.click("text=How long would it take?")
    assert "posts per arm" in (page.text_content("#planned") or "")
    assert page.input_value("#plan [name=question]") == "Do longer guides <b>work</b>?"
    page.click("button:has-text('Register it')")
    assert "Registered." in (page.text_content(".notice") or "")
    assert "Do longer guides <b>work</b>?" in (page.text_content("h1") or "")
    page.click("summary:has-text('Stop the experiment')")
    page.click("button:has-text('Stop it')")
    assert "Stopped." in (page.text_content(".notice") or "")

    page.goto(f"{url}/experiments/{PROPOSED}")
    assert (page.text_content("h1") or "").strip() == HOSTILE_QUESTION
    page.click("button:has-text('Approve')")
    assert "Approved." in (page.text_content(".notice") or "")
    statuses = {row["experiment_id"]: row["status"] for row in experiment_rows(home)}
    assert statuses[PROPOSED] == "registered"
    assert sorted(statuses.values()) == [
        "concluded", "registered", "registered", "running", "stopped",
    ]  # fmt: skip
    context.close()
