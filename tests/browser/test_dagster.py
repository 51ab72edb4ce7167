"""Dagster's own pages in a real browser: the graph, a picture, and the rows of a failed check."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.accounts import load_account
from pipeline.collect.imports import import_file
from pipeline.defs.runs import run_build
from pipeline.settings import REPOSITORY, Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.exports import write_exports
from pipeline.simulate.world import build_world
from tests.browser.conftest import Opener, chromium
from tests.collect.samples import make_account, tiktok_row

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium() is None,
        reason="no chromium is installed: on Debian, apt install chromium; or set CHROMIUM",
    ),
]

HOSTILE = "<img src=x onerror=window.hacked=1>"
_WAIT_MS = 20_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One of the demo's accounts, built; beside it one whose posts all have the same likes."""
    settings = Settings(home=tmp_path_factory.mktemp("pages"), lock_timeout_s=60)
    copy_accounts(settings.accounts_dir)
    for folder in settings.accounts_dir.iterdir():
        if folder.name != "parentplaybook":
            shutil.rmtree(folder)
    account = load_account(settings.accounts_dir, "parentplaybook")
    for export in write_exports(build_world(accounts=[account]), settings.home / "exports"):
        import_file(settings, account, export.path, platform=export.platform)
    odd = make_account(settings, "odd_one", platform_profiles={"tiktok": "quietnights"})
    path = settings.home / "same_likes.json"
    rows = [tiktok_row(number, diggCount=77, text=HOSTILE) for number in range(6)]
    path.write_text(json.dumps(rows), encoding="utf-8")
    import_file(settings, odd, path, scraped_at="2026-11-14T08:00:00Z")
    run_build(settings)
    return settings


@pytest.fixture(scope="module")
def pages(home: Settings) -> Iterator[str]:
    """Address of `dagster dev` for that home, as `make ui` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.home / "dagster.log"
    with log.open("w") as out:
        program = subprocess.Popen(
            [Path(sys.executable).with_name("dagster"), "dev", "--port", str(port)],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "AFTERPOST_HOME": str(home.home),
                "DAGSTER_HOME": str(home.dagster_dir),
                "PYTHONWARNINGS": "ignore",
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, program, log)
        yield address
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        try:
            program.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _wait_for(address: str, program: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(480):
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=2):
                return
        except OSError:
            assert program.poll() is None, log.read_text()
            time.sleep(0.25)
    pytest.fail(f"Dagster did not start: {log.read_text()}")


def test_the_graph_reads_like_the_loop(pages: str, browser_page: Opener):
    opened = browser_page(f"{pages}/asset-groups", offline=False, size=(1600, 1000))
    page = opened.page
    groups = ["collect", "measure", "learn", "decide", "show"]
    places = {}
    for group in groups:
        node = page.locator(f"//*[normalize-space(text())='{group}']").last
        node.wait_for(timeout=_WAIT_MS)
        page.wait_for_function(
            "element => element.getBoundingClientRect().x > 500",
            arg=node.element_handle(),
            timeout=_WAIT_MS,
        )
        box = node.bounding_box()
        assert box is not None
        places[group] = box["x"]
    opened.screenshot("dagster_graph")

    assert sorted(groups, key=lambda group: places[group]) == groups


def test_a_materialisation_shows_its_picture(pages: str, browser_page: Opener):
    opened = browser_page(
        f"{pages}/assets/stats/segment_effects?view=events", offline=False, size=(1600, 1000)
    )
    page = opened.page
    page.get_by_text("[Show Markdown]").first.click(timeout=_WAIT_MS)
    shown = page.locator("img[src^='data:image/png']")
    shown.wait_for(timeout=_WAIT_MS)
    opened.screenshot("dagster_picture")

    size = shown.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert min(size) > 100
    assert "against its own usual" in (shown.get_attribute("alt") or "")


def test_a_failed_check_shows_its_rows(pages: str, browser_page: Opener):
    opened = browser_page(
        f"{pages}/assets/marts/fct_snapshot?view=checks&checkDetail=like_counts_differ",
        offline=False,
        size=(1600, 1000),
    )
    page = opened.page
    row = page.locator("tr", has_text="odd_one").last  # the table stands in a cell of another
    row.wait_for(timeout=_WAIT_MS)
    opened.screenshot("dagster_failed_check")

    cells = row.locator("td").all_inner_texts()
    assert cells[:2] == ["odd_one", "tiktok"]
    assert cells[3:] == ["6", "77"]
    assert page.evaluate("window.hacked") is None
