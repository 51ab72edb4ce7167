"""The dashboard in a browser: from a file, without a network, with texts that mean harm."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.show.dashboard.write import write_dashboard
from tests.browser.conftest import PHONE, OpenedPage, Opener
from tests.fakes.dashboard_copy import (
    HOSTILE_NAME,
    HOSTILE_SEGMENT,
    HOSTILE_TEXTS,
    publish_dashboard_copy,
)
from tests.fakes.published import ACCOUNT

POST_COUNT = 1500
_COUNT_MARKS = """places => places.map(place => [
    place.dataset.chart,
    place.querySelectorAll(
        ".mark-symbol path, .mark-rect path, .mark-line path, .mark-area path, .mark-rule line"
    ).length,
])"""
Open = Callable[..., OpenedPage]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return publish_dashboard_copy(tmp_path_factory.mktemp("dashboard"), POST_COUNT)


@pytest.fixture(scope="module")
def page_of_account(home: Settings) -> Path:
    return write_dashboard(home, ACCOUNT)


@pytest.fixture(scope="module")
def page_of_all(home: Settings) -> Path:
    return write_dashboard(home, None)


@pytest.fixture(scope="module")
def opened(browser_page: Opener, page_of_account: Path) -> Open:
    def open_dashboard(path: Path = page_of_account, **options: object) -> OpenedPage:
        shown = browser_page(path.as_uri(), **options)
        shown.page.wait_for_selector("html[data-charts=drawn]", timeout=30_000)
        return shown

    return open_dashboard


@pytest.fixture(scope="module")
def shown(opened: Open) -> OpenedPage:
    """The account's page in light colours; whoever sorts or filters begins by :func:`_afresh`."""
    return opened()


def _afresh(shown: OpenedPage) -> None:
    shown.page.evaluate(
        "document.getElementById('filters').reset();"
        "document.getElementById('count').textContent = '';"
    )
    shown.page.wait_for_function("document.getElementById('count').textContent !== ''")
    shown.page.click("#post-table th[data-key=text] button")
    shown.page.click("#post-table th[data-key=date] button")


def _texts(shown: OpenedPage, selector: str) -> list[str]:
    found: list[str] = shown.page.eval_on_selector_all(
        selector, "nodes => nodes.map(node => node.textContent)"
    )
    return found


def _column(shown: OpenedPage, key: str) -> list[str]:
    return _texts(shown, f"#post-table tbody .{key}")


def test_every_chart_has_marks_and_nothing_goes_wrong(
    opened: Open, shown: OpenedPage, page_of_all: Path
):
    for one in (shown, opened(page_of_all)):
        page = one.page
        for select in page.query_selector_all("select[data-panel]"):
            for place in reversed(range(len(select.query_selector_all("option")))):
                select.select_option(index=place)
        page.wait_for_function(
            "[...document.querySelectorAll('[data-chart]')].every(one => one.dataset.drawn)"
        )
        marks = page.eval_on_selector_all("[data-chart]", _COUNT_MARKS)

        assert len(marks) >= 8
        assert [name for name, count in marks if count < 2] == []
        assert one.problems == []
        assert len(one.requests) == 1, one.requests
        assert one.requests[0].startswith("file:")


def test_hostile_texts_are_shown_as_text(shown: OpenedPage):
    _afresh(shown)
    shown.page.select_option("#filters [name=days]", "7")

    told = _column(shown, "text")
    for text in HOSTILE_TEXTS:
        assert " ".join(text.split()) in told
    assert shown.page.evaluate("window.hacked") is None
    assert shown.page.query_selector("main script, main img, main b, main i") is None
    assert shown.page.text_content("h1") == HOSTILE_NAME
    assert HOSTILE_SEGMENT in _texts(shown, "#formats th[scope=row]")
    assert "@<i>sleepy</i>" in _texts(shown, ".handle")
    addresses = shown.page.eval_on_selector_all(".posts a", "links => links.map(one => one.href)")
    assert len(addresses) > 10
    assert [one for one in addresses if not one.startswith("https://")] == []
    shown.page.hover("#young [data-chart] .mark-symbol path >> nth=0")
    assert (shown.page.text_content("#tip") or "").startswith("post")
    assert shown.problems == []


def test_ids_stay_text(shown: OpenedPage):
    _afresh(shown)

    ids = shown.page.eval_on_selector_all(
        "#post-table tbody tr", "rows => rows.map(row => row.dataset.post)"
    )
    data = json.loads(shown.page.text_content("#posts-data") or "")
    assert ids[0] == "7300000000000000000"
    assert all(isinstance(one, str) for one in data["columns"]["id"])
    assert len(set(data["columns"]["id"])) == data["n"]


def test_posts_sort_by_every_column_and_missing_ones_come_last(shown: OpenedPage):
    _afresh(shown)
    seen = {}
    for key in ("views", "views7", "rate", "score", "date", "text", "platform", "category"):
        head = shown.page.locator(f"#post-table th[data-key={key}]")
        if key != "date":
            head.locator("button").click()
        seen[key] = head.get_attribute("aria-sort")
        if key == "views":
            falling = [int(text.replace(",", "")) for text in _column(shown, "views")]
            assert falling == sorted(falling, reverse=True)
            assert falling[0] == 8770
            head.locator("button").press("Enter")
            rising = [int(text.replace(",", "")) for text in _column(shown, "views")]
            assert rising == sorted(rising)
            assert rising[0] == 1000
            while not shown.page.is_disabled("#pages [data-step='1']"):
                shown.page.click("#pages [data-step='1']")
            assert {text[0] for text in _column(shown, "views")} == {"–"}
        if key == "date":
            head.locator("button").click()
            assert _column(shown, "date") == sorted(_column(shown, "date"), reverse=True)
    assert seen["views"] == "descending"
    assert seen["platform"] == "ascending"
    assert "not published by the platform" in _texts(shown, ".posts .hear") or _column(
        shown, "category"
    )


def test_posts_filter_by_each_choice_and_by_words(shown: OpenedPage):
    _afresh(shown)
    page = shown.page

    def count() -> int:
        return int((page.text_content("#count") or "").split()[0].replace(",", ""))

    everything = count()
    page.select_option("#filters [name=platform]", label="Instagram")
    instagram = count()
    assert 0 < instagram < everything
    assert set(_column(shown, "platform")) == {"Instagram"}
    page.select_option("#filters [name=category]", label="overperforming")
    assert 0 < count() < instagram
    assert set(_column(shown, "category")) == {"overperforming"}
    page.click("#filters [type=reset]")
    page.wait_for_function(
        "count => document.getElementById('count').textContent.startsWith(count)",
        arg=f"{everything:,}",
    )
    page.select_option("#filters [name=format]", label="habit_list")
    assert set(_column(shown, "format")) == {"habit_list"}
    page.select_option("#filters [name=pillar]", label="picky_eating")
    assert set(_column(shown, "pillar")) == {"picky_eating"}
    page.click("#filters [type=reset]")
    page.fill("#filters [name=text]", "מרחבא STEP שלום")
    assert count_words(page.text_content("#count")) == "No post fits."
    page.fill("#filters [name=text]", "שלום")
    assert count() == 1
    page.fill("#filters [name=text]", "step 12")
    assert 1 <= count() < everything
    assert all("step" in text.lower() and "12" in text for text in _column(shown, "text"))


def count_words(text: str | None) -> str:
    return (text or "").split(" Clear")[0]


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_serious(opened: Open, shown: OpenedPage, page_of_all: Path, look: str):
    from axe_playwright_python.sync_playwright import Axe

    one = {
        "light": lambda: shown,
        "dark": lambda: opened(page_of_all, dark=True),
        "phone": lambda: opened(size=PHONE),
    }[look]()
    one.screenshot(f"dashboard_{look}")
    found = Axe().run(one.page).response["violations"]

    assert [
        (problem["id"], problem["nodes"][0]["html"][:200])
        for problem in found
        if problem["impact"] in {"serious", "critical"}
    ] == []
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.problems == []


def test_the_theme_button_and_the_keyboard_work(shown: OpenedPage):
    page = shown.page
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    first = page.evaluate(
        "document.querySelector('a, button, input, select, [tabindex]').className"
    )
    assert first == "skip"
    page.focus("#theme")
    page.keyboard.press("Enter")
    assert page.text_content("#theme") == "Theme: light"
    page.keyboard.press("Enter")
    assert page.text_content("#theme") == "Theme: dark"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_thousands_of_posts_sort_in_a_blink(shown: OpenedPage):
    _afresh(shown)
    started = time.perf_counter()
    spent = shown.page.evaluate(
        """() => ["views", "text", "score", "platform"].map((key) => {
            const button = document.querySelector(`#post-table th[data-key=${key}] button`);
            const before = performance.now();
            button.click();
            document.body.getBoundingClientRect();
            return performance.now() - before;
        })"""
    )

    assert max(spent) < 400, (spent, time.perf_counter() - started)
