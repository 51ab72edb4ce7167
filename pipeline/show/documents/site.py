"""``docs/site/``: the documents and dbt's own pages as files that a browser opens by themselves.

No server and no network: the pages of the models come from a warehouse without rows that is made
for the purpose, so that they say the same wherever they are made.
"""

import html
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.settings import REPOSITORY, Settings

FOLDER = REPOSITORY / "docs" / "site"
MODELS_PAGE = "models.html"

DOCUMENTS: Mapping[str, str] = {
    "metrics.md": "What every number is made of, in which unit, and what a missing one means",
    "cli.md": "Every command with all of its options",
    "alerts.md": "Which alerts there are, what each needs, and how often they are wrong",
    "experiments.md": "How ways to make posts are compared, and how to read the result",
    "storage.md": "Where everything is kept, what that costs, and how to restore it",
    "scale.md": "When one machine is not enough, and what thousands of accounts would take",
    "runbook.md": "What to do when something goes wrong",
    "generator.md": "What a content generator reads and stores",
    "add_a_platform.md": "How to add a platform",
    "decisions.md": "Why things are as they are",
}
"""What each document is for, in the order of the first page; others come after them."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 0.9rem; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left;
  vertical-align: top; }
th { background: var(--soft); }
code { background: var(--soft); padding: 0.1em 0.3em; border-radius: 3px; }
pre { background: var(--soft); padding: 0.8rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
nav { font-size: 0.9rem; margin-bottom: 2rem; }
h2 { margin-top: 2.5rem; } h3 { margin-top: 2rem; }
a { color: light-dark(#0550ae, #79b8ff); }
"""


def write_site(folder: Path = FOLDER) -> Path:
    """Write all pages anew; what else was in the folder goes.

    Args:
        folder: Where to.

    Returns:
        The first page.

    Raises:
        BuildFailedError: A model could not be made.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    documents = sorted(
        (REPOSITORY / "docs").glob("*.md"), key=lambda path: (_place(path.name), path.name)
    )
    for document in documents:
        page = folder / document.with_suffix(".html").name
        page.write_text(_page_of(document.read_text(encoding="utf-8")), encoding="utf-8")
    _write_models_page(folder / MODELS_PAGE)
    first = folder / "index.html"
    first.write_text(_first_page(documents), encoding="utf-8")
    return first


def main(arguments: Sequence[str]) -> int:
    """Write the site, and say where. Returns the exit code."""
    first = write_site(Path(arguments[0]) if arguments else FOLDER)
    shown = first.relative_to(REPOSITORY) if first.is_relative_to(REPOSITORY) else first
    sys.stdout.write(f"Open {shown} in a browser; it needs no server and no network.\n")
    return 0


def _place(name: str) -> int:
    names = list(DOCUMENTS)
    return names.index(name) if name in names else len(names)


def _first_page(documents: Sequence[Path]) -> str:
    items = [
        f'<li><a href="{path.with_suffix(".html").name}">{_title(path)}</a>: '
        f"{html.escape(DOCUMENTS.get(path.name, ''))}</li>"
        for path in documents
    ]
    items.append(
        f'<li><a href="{MODELS_PAGE}">Models and lineage</a>: '
        "every table and column with its SQL and its tests, from what it is made, and which "
        "context files, dashboards, reports and metrics are made of it</li>"
    )
    listed = "\n".join(items)
    return _document("afterpost", f"<h1>afterpost</h1>\n<ul>\n{listed}\n</ul>")


def _title(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return html.escape(found[1] if found else path.stem)


def _page_of(markdown: str) -> str:
    """A document as a page; links to other documents lead to their pages."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    without_comments = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL)
    body = renderer.render(without_comments)
    body = re.sub(r'href="([\w./-]*?)\.md(#[^"]*)?"', r'href="\1.html\2"', body)
    body = re.sub(r"<h([23])>(.*?)</h\1>", _with_anchor, body)
    found = re.search(r"<h1>(.*?)</h1>", body)
    title = re.sub(r"<[^>]+>", "", found[1]) if found else "afterpost"
    return _document(title, f'<nav><a href="index.html">All pages</a></nav>\n{body}')


def _with_anchor(match: re.Match[str]) -> str:
    """A heading that a link can lead to, by the name that GitHub gives it."""
    text = re.sub(r"<[^>]+>", "", match[2])
    name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
    return f'<h{match[1]} id="{html.escape(name)}">{match[2]}</h{match[1]}>'


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n"
        "</html>\n"
    )


def _write_models_page(target: Path) -> None:
    """The models' pages in one file, of a warehouse that has every table and no row."""
    from pipeline.clients.warehouse import writing
    from pipeline.collect.raw import load_raw
    from pipeline.measure.dbt_runs import write_model_pages
    from pipeline.measure.statistics_tables import prepare_statistics_tables

    with tempfile.TemporaryDirectory(prefix="afterpost_docs_") as home:
        settings = Settings(home=Path(home))
        load_raw(settings)
        with writing(settings, "docs") as connection:
            prepare_statistics_tables(connection)
        page = write_model_pages(settings).read_text(encoding="utf-8")
    # The folders of the machine that made it say nothing to a reader.
    page = page.replace(home, "home").replace(str(REPOSITORY), "afterpost")
    target.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
