"""``make docs``: pages that a browser opens from the disk, and that say what the code says."""

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.show.documents import cli_page, site

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    folder.mkdir()
    (folder / "of_yesterday.html").touch()
    site.write_site(folder)
    return folder


def test_the_page_of_the_commands_is_what_the_commands_say():
    assert cli_page.PAGE.read_text(encoding="utf-8") == cli_page.cli_page(), "run `make docs`"


def test_every_command_and_option_is_on_the_page():
    page = cli_page.cli_page()

    assert "## afterpost analyze\n" in page
    assert "## afterpost context diff\n" in page
    assert "| `--focus` QUESTION | Only one question: formats, pillars, topics" in page
    assert "Example: `afterpost analyze --account dreamtimelullabies --focus formats`" in page
    assert str(Path.home()) not in page


def test_the_first_page_leads_to_all_others_and_nothing_old_stays(folder):
    first = (folder / "index.html").read_text(encoding="utf-8")

    linked = set(re.findall(r'href="([^"#]+)"', first))
    assert linked == {path.name for path in folder.iterdir()} - {"index.html"}
    assert {"metrics.html", "cli.html", "models.html"} <= linked


def test_every_link_between_pages_leads_somewhere(folder):
    for page in sorted(folder.glob("*.html")):
        if page.name == site.MODELS_PAGE:
            continue
        text = page.read_text(encoding="utf-8")
        for target, anchor in re.findall(r'href="([^":#]*)(?:#([^"]*))?"', text):
            other = folder / target if target else page
            assert other.exists(), (page.name, target)
            if anchor:
                assert f'id="{anchor}"' in other.read_text(encoding="utf-8"), (page.name, anchor)


def test_no_page_loads_anything_from_elsewhere(folder):
    for page in folder.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="(https?:[^"]*)"', text)
        assert loaded == [], page.name


def test_the_pages_of_the_models_name_what_is_made_of_them_and_no_machine(folder):
    text = (folder / site.MODELS_PAGE).read_text(encoding="utf-8")

    for name in ("exposure.afterpost.analyze", "exposure.afterpost.dashboard", "mart_pareto"):
        assert name in text
    assert "How a scrape becomes a figure" in text
    assert str(REPOSITORY) not in text
    assert "afterpost_docs_" not in text


def test_the_site_is_not_in_the_repository():
    command = ["git", "check-ignore", "--quiet", "docs/site/index.html"]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0


def test_text_of_a_document_is_never_html():
    page = site._page_of("# A <b>title</b>\n\n<script>alert(1)</script>\n")

    assert "<script>alert" not in page
    assert "<b>title" not in page
