"""A real browser: Debian's Chromium, driven by Playwright; skipped where none is installed.

``$CHROMIUM`` names another one. Playwright's own browsers are never downloaded.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARTEFACTS = Path(__file__).parent / "artefacts"
"""Screenshots for people to look at; not in the repository."""

DESKTOP = (1280, 900)
PHONE = (390, 844)

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass
class OpenedPage:
    """A page, and what went wrong in it since it was opened."""

    page: "Page"
    problems: list[str] = field(default_factory=list)
    """Console errors, uncaught exceptions, failed requests."""
    requests: list[str] = field(default_factory=list)
    """Addresses that were asked for."""

    def screenshot(self, name: str) -> Path:
        """The whole page under ``artefacts/``."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        self.page.evaluate("scrollTo(0, 0)")
        self.page.screenshot(path=path, full_page=True)
        return path


Opener = Callable[..., OpenedPage]


def chromium() -> str | None:
    """Path of the browser, or None."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One browser process for all tests of a test process."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium is installed: on Debian, apt install chromium; or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def browser_page(browser: "Browser") -> Iterator[Opener]:
    """``open(url, dark=False, size=DESKTOP, offline=True)``; each page has its own profile.

    They stay open until the module's last test, so that tests may share one.
    """
    contexts = []

    def open_page(
        url: str, *, dark: bool = False, size: tuple[int, int] = DESKTOP, offline: bool = True
    ) -> OpenedPage:
        context = browser.new_context(
            offline=offline,
            color_scheme="dark" if dark else "light",
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
        )
        contexts.append(context)
        opened = OpenedPage(context.new_page())
        page, problems = opened.page, opened.problems
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.goto(url)
        return opened

    yield open_page
    for context in contexts:
        context.close()
