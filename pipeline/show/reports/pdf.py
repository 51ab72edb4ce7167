"""A report as PDF, set by Typst. What others wrote reaches it as data and is never markup."""

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.show.reports.periods.document import document_of
from pipeline.show.reports.periods.report import PeriodReport
from pipeline.show.reports.slack_text import is_web_address

if TYPE_CHECKING:
    from pipeline.show.reports.pictures import ReportPicture

_TEMPLATE = Path(__file__).with_name("pdf.typ")


def report_pdf(report: PeriodReport, pictures: "Sequence[ReportPicture]") -> bytes:
    """The paper.

    Characters for which no font of the machine has a picture are shown as boxes; they stay in the
    text that is copied or read out.

    Args:
        report: What it says.
        pictures: Its charts.
    """
    import typst

    document = dataclasses.asdict(document_of(report))
    for part in document["parts"]:
        for row in part["rows"]:
            for cell in row:
                cell["address"] = cell["address"] if is_web_address(cell["address"]) else None
    document["pictures"] = [{"file": f"{one.name}.png", "words": one.words} for one in pictures]
    as_of = report.build.as_of if report.build else None
    with tempfile.TemporaryDirectory(prefix="afterpost-report-") as folder:
        for one in pictures:
            (Path(folder) / f"{one.name}.png").write_bytes(one.png)
        (Path(folder) / "report.typ").write_bytes(_TEMPLATE.read_bytes())
        compiled: Any = typst.Compiler(
            Path(folder) / "report.typ",
            root=Path(folder),
            sys_inputs={"document": _json(document)},
            # Nothing is fetched: without a folder of packages there is none to look for.
            package_path=Path(folder),
            package_cache_path=Path(folder),
        ).compile(format="pdf", timestamp=int(as_of.timestamp()) if as_of else 0)
    return bytes(compiled)


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\x00", "")
