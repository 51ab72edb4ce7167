"""A report as a page, as paper and as a table: whole by itself, and safe whatever captions say."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from pipeline.clients.warehouse import reading
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.reports.csv_file import COLUMNS, report_csv
from pipeline.show.reports.deliver import Outcome, deliver_report
from pipeline.show.reports.html_page import report_html
from pipeline.show.reports.pdf import report_pdf
from pipeline.show.reports.periods.calendar import PeriodKind, period_of
from pipeline.show.reports.periods.report import PeriodReport, period_report
from pipeline.show.reports.pictures import ReportPicture, report_pictures
from tests.fakes.reported_world import MONDAY, NOW, Reported, publish_world

HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert(1)</script> \"><img src=x onerror=alert(2)> {{ 7 * 7 }} "
    '#panic("typst") $x^2$ [*bold*] مرحبا بالعالم 👨‍👩‍👧‍👦 子守唄 \u202eesrever \x07'
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    account = Reported(
        "sleepy",
        display_name='Sleepy <b>&" {{ x }}',
        caption=HOSTILE,
        post_url="javascript:alert(3)",
        ratio=3.0,
    )
    return publish_world(
        tmp_path_factory.mktemp("home"), [account, Reported("other", platforms=("x", "youtube"))]
    )


@pytest.fixture(scope="module")
def made(settings) -> tuple[PeriodReport, list[ReportPicture]]:
    with reading(settings) as connection:
        week = period_of(PeriodKind.WEEKLY, MONDAY)
        report = period_report(settings, connection, week, "sleepy")
        return report, report_pictures(connection, report)


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(made):
    page = Page(report_html(*made).decode())

    assert not {"script", "iframe", "link", "object", "b"} & set(page.tags)
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    text = report_html(*made).decode()
    assert "default-src 'none'" in text
    assert "@media print" in text
    assert not re.search(r"url\(|@import", text)


def test_captions_stand_on_the_page_as_they_were_written(made):
    page = Page(report_html(*made).decode())
    shown = " ".join(" ".join(page.words).split())

    assert "<script>alert(1)</script>" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "مرحبا بالعالم" in shown
    assert "\u202e" not in shown
    assert 'Weekly report: Sleepy <b>&" {{ x }}' in shown


def test_every_picture_of_the_page_has_its_words(made):
    _, pictures = made
    text = report_html(*made).decode()

    assert pictures[0].name == "movement"
    assert text.count("<img ") == len(pictures) == text.count('alt="')
    assert "Reach against the days before, as ratios." in text


def test_web_addresses_lead_somewhere(settings):
    with reading(settings) as connection:
        week = period_of(PeriodKind.WEEKLY, MONDAY)
        report = period_report(settings, connection, week, "other")
    page = Page(report_html(report, []).decode())

    assert set(page.addresses) == {"https://www.tiktok.com/@sleepy/video/1"}


def test_the_paper_is_set_whatever_captions_hold(made):
    report, pictures = made
    paper = report_pdf(report, pictures)

    assert paper.startswith(b"%PDF-")
    assert paper.rstrip().endswith(b"%%EOF")
    assert b"javascript:" not in paper
    assert len(paper) > 20_000


def test_the_same_report_gives_the_same_bytes(made):
    report, pictures = made

    assert report_pdf(report, pictures) == report_pdf(report, pictures)
    assert report_html(report, pictures) == report_html(report, pictures)
    assert report_csv(report) == report_csv(report)


def test_no_cell_of_the_table_is_a_formula_and_numbers_stay_numbers(made):
    report, _ = made
    content = report_csv(report)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))

    assert tuple(rows[0]) == COLUMNS
    texts = [value for row in rows for value in row.values() if value]
    assert not [text for text in texts if re.match(r"[=+@\t\r＝＋－＠]", text)]
    assert not [text for text in texts if text.startswith("-") and not _is_number(text)]
    top = next(row for row in rows if row["part"] == "top")
    assert top["text"].startswith("'=cmd|")
    (reach,) = [row for row in rows if row["part"] == "movement" and row["figure"] == "views"]
    assert float(reach["ratio_low"]) < 3 < float(reach["ratio_high"])
    assert (reach["n"], reach["former_n"], reach["age_hours"]) == ("14", "14", "72")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("form", ["html", "pdf", "csv"])
def test_a_file_is_written_in_its_place_and_again_over_itself(settings, form):
    for _ in range(2):
        delivery = deliver_report(settings, "weekly", account=None, to=form, now=NOW)

    assert delivery.outcome is Outcome.WRITTEN
    assert delivery.path == settings.warehouse_dir / "reports" / "weekly" / f"2026-W20_all.{form}"
    assert delivery.path.stat().st_size > 500
    assert [path.name for path in delivery.path.parent.iterdir() if path.name[0] == "."] == []


def test_the_command_names_the_file(settings, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))

    words = ["report", "monthly", "-a", "sleepy", "--to", "csv", "--period-end", "2026-05-02"]
    monkeypatch.setattr("pipeline.clock.utc_now", lambda: NOW.replace(month=6))
    assert main(words) == 0

    assert "reports/monthly/2026-05_sleepy.csv." in capsys.readouterr().out
