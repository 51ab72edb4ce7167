"""A report as one HTML file that needs nothing else: text escaped, charts inside, made to print."""

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.show.reports.periods.document import document_of
from pipeline.show.reports.periods.report import PeriodReport
from pipeline.show.reports.slack_text import is_web_address

if TYPE_CHECKING:
    from jinja2 import Template

    from pipeline.show.reports.pictures import ReportPicture

_TEMPLATE = Path(__file__).with_name("html_page.html.j2")


def report_html(report: PeriodReport, pictures: "Sequence[ReportPicture]") -> bytes:
    """The page, in UTF-8.

    Args:
        report: What it says.
        pictures: Its charts.
    """
    text = _template().render(
        document=document_of(report),
        pictures=[
            {"words": one.words, "data": base64.b64encode(one.png).decode("ascii")}
            for one in pictures
        ],
    )
    return text.encode("utf-8", errors="replace")


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["web_address"] = is_web_address
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
