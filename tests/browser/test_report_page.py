"""A report's page in a browser: nothing runs, nothing is fetched, everybody can read it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.show.reports.deliver import deliver_report
from tests.browser.conftest import DESKTOP, PHONE, OpenedPage
from tests.fakes.reported_world import NOW, Reported, publish_world

CAPTION = "<script>document.title = 'run'</script> <img src=x onerror=alert(1)> مرحبا 👨‍👩‍👧‍👦"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    accounts = [Reported("rising", ratio=3.0, caption=CAPTION), Reported("quiet")]
    settings = publish_world(tmp_path_factory.mktemp("home"), accounts)
    path = deliver_report(settings, "weekly", account=None, to="html", now=NOW).path
    assert isinstance(path, Path)
    return path.as_uri()


@pytest.mark.parametrize(
    ("look", "dark", "size"),
    [("light", False, DESKTOP), ("dark", True, DESKTOP), ("phone", False, PHONE)],
)
def test_the_page_is_readable_by_everybody_and_quiet(
    browser_page: Callable[..., OpenedPage],
    address: str,
    look: str,
    dark: bool,
    size: tuple[int, int],
):
    from axe_playwright_python.sync_playwright import Axe

    opened = browser_page(address, dark=dark, size=size)
    opened.screenshot(f"report_{look}")

    found = Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    assert opened.problems == []
    assert {request.split(":")[0] for request in opened.requests} <= {"file", "data"}
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_captions_are_text_and_pictures_have_marks(
    browser_page: Callable[..., OpenedPage], address: str
):
    page = browser_page(address).page

    assert page.title() == "Weekly report: all 2 accounts"
    assert "<script>document.title" in page.inner_text("body")
    assert page.locator("script, img[src='x']").count() == 0
    widths = page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert widths
    assert min(widths) > 600


def test_it_prints_on_paper(browser_page: Callable[..., OpenedPage], address: str):
    page = browser_page(address).page

    paper = page.pdf(format="A4")

    assert paper.startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
