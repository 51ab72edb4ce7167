"""Reading dataset exports as people have them: JSON, JSON lines or CSV, each also gzipped.

Rows come out as they stand in the file; making flattened rows nested is a step of its own
(:mod:`pipeline.collect.nesting`).
"""

import csv
import io
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.collect.bundles import read_bundle
from pipeline.collect.jsontext import parse_json
from pipeline.collect.platform_rows import one_line
from pipeline.errors import ImportFileError

MAX_BYTES = 1 << 30
"""Largest export that is taken in, unpacked; a gzip bomb stops here."""
_CELL_LIMIT = 1 << 30
_GZIP = b"\x1f\x8b"
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}
_AGAIN = "Export the dataset again as JSON or CSV"


@dataclass(frozen=True)
class ExportFile:
    """The rows of one file, in order."""

    rows: list[object]
    """Objects as JSON has them, or one flat object of texts per CSV line; untrusted."""
    form: str
    """``json``, ``jsonl`` or ``csv``."""
    scraped_at: datetime | None = None
    """When the rows were scraped, where the file says so itself; in UTC."""
    is_complete: bool = True
    """False when the file shows by itself that the scrape missed something."""


def read_export_file(path: Path) -> ExportFile:
    """Read all rows of an export.

    Raises:
        ImportFileError: The file is missing, unreadable, empty, binary, a web page, an error of
            the API, cut off, or has no rows. One sentence with the file and what to do.
    """
    text = _text_of(path)
    start = text.lstrip()
    export = _json(path, text) if start[0] in "[{" else _csv(path, text)
    if not export.rows:
        raise ImportFileError(f"{path} has no rows. {_AGAIN}, from a run that found something.")
    return export


def read_export_lines(path: Path) -> list[object]:
    """All lines of an export whose first line need not be its header.

    Returns:
        For CSV every line as a list of cells, empty lines as empty lists; for JSON the objects.

    Raises:
        ImportFileError: As :func:`read_export_file`.
    """
    text = _text_of(path)
    if text.lstrip()[0] in "[{":
        try:
            document = parse_json(text)
        except (ValueError, RecursionError) as error:
            raise ImportFileError(f"{path} is not complete JSON. Download it again.") from error
        return document if isinstance(document, list) else [document]
    csv.field_size_limit(_CELL_LIMIT)
    head = text[:65536]
    delimiter = max(",;\t", key=head.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ImportFileError(f"{path} is not valid CSV ({error}). Download it again.") from error


def _text_of(path: Path) -> str:
    text = _decoded(path, _content(path))
    start = text.lstrip()
    if not start:
        raise ImportFileError(f"{path} is empty. {_AGAIN}.")
    if start.startswith("<"):
        raise ImportFileError(
            f"{path} is a web page (HTML or XML), probably a saved error or login page, not a "
            f"dataset. {_AGAIN}."
        )
    return text


_WRAPPERS = ("items", "collector")
"""Keys under which a saved answer, or the ancestor of the TikTok actor, puts its rows."""


def _content(path: Path) -> bytes:
    try:
        if not path.exists():
            raise ImportFileError(f"There is no file {path}. Check the path.")
        if not path.is_file():
            raise ImportFileError(f"{path} is not a file. Give the export file itself.")
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path)
        content = path.read_bytes()
    except OSError as error:
        raise ImportFileError(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions."
        ) from error
    if content.startswith(_GZIP):
        content = _unpacked(path, content)
    for magic, what in _ARCHIVES.items():
        if content.startswith(magic):
            raise ImportFileError(
                f"{path} is {what}. Unpack it, or export the dataset as JSON or CSV."
            )
    return content


def _unpacked(path: Path, content: bytes) -> bytes:
    parts: list[bytes] = []
    size = 0
    while content.startswith(_GZIP):  # members can follow each other
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(content, MAX_BYTES + 1 - size)
        except zlib.error as error:
            raise ImportFileError(
                f"{path} is a damaged gzip file ({error}). Download it again."
            ) from error
        size += len(part)
        if size > MAX_BYTES:
            raise _too_large(path)
        if not unpacker.eof:
            raise ImportFileError(f"{path} is a gzip file that was cut off. Download it again.")
        parts.append(part)
        content = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _too_large(path: Path) -> ImportFileError:
    return ImportFileError(
        f"{path} is larger than {MAX_BYTES >> 20:,} MB unpacked. Split the export into parts."
    )


def _decoded(path: Path, content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            # Some writers leave half of an emoji as bytes that strict UTF-8 forbids.
            text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError as error:
            raise ImportFileError(
                f"{path} is not text (byte {error.start:,} is no UTF-8), so it is no dataset "
                f"export. {_AGAIN}."
            ) from error
    head = text[:4096]
    if sum(character < " " and character not in "\t\r\n" for character in head) > len(head) // 20:
        raise ImportFileError(f"{path} is binary data, not a dataset export. {_AGAIN}.")
    return text


def _json(path: Path, text: str) -> ExportFile:
    try:
        document = parse_json(text)
    except RecursionError as error:
        raise ImportFileError(f"{path} is nested too deeply to be a dataset. {_AGAIN}.") from error
    except ValueError as error:
        if text.lstrip().startswith("{") and "\n" in text.strip():
            return _json_lines(path, text)
        line = getattr(error, "lineno", "?")
        what = getattr(error, "msg", None) or one_line(error)
        raise ImportFileError(
            f"{path} is not complete JSON (line {line}: {one_line(what)}). Download it again."
        ) from error
    if isinstance(document, list):
        return ExportFile(document, "json")
    assert isinstance(document, dict)  # the text starts with a bracket or a brace
    error_body = document.get("error")
    if isinstance(error_body, dict) and ("message" in error_body or "type" in error_body):
        words = one_line(error_body.get("message") or error_body.get("type"))
        raise ImportFileError(
            f"{path} holds an error that Apify answered instead of a dataset: {words!r}. {_AGAIN}."
        )
    bundle = read_bundle(document)
    if bundle:
        return ExportFile(bundle.rows, "json", bundle.fetched_at, bundle.is_complete)
    wrapped = next(
        (document[key] for key in _WRAPPERS if isinstance(document.get(key), list)), None
    )
    if wrapped and all(isinstance(row, dict) for row in wrapped):
        return ExportFile(wrapped, "json")
    return ExportFile([document], "jsonl")


def _json_lines(path: Path, text: str) -> ExportFile:
    rows: list[object] = []
    # Only "\n" ends a line: captions hold other characters that str.splitlines() would cut at.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(parse_json(line))
        except (ValueError, RecursionError) as error:
            what = getattr(error, "msg", None) or "nested too deeply"
            raise ImportFileError(
                f"{path}, line {number}: not a JSON object ({one_line(what)}). The file is "
                "damaged or was cut off: download it again."
            ) from error
    return ExportFile(rows, "jsonl")


def _csv(path: Path, text: str) -> ExportFile:
    csv.field_size_limit(_CELL_LIMIT)
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[object] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cells):
                continue
            if header is None:
                header = [name.strip() for name in cells]
                continue
            if any(cells[len(header) :]):
                raise ImportFileError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells under {len(header)} "
                    "column names. The file is damaged or no CSV: download it again."
                )
            # An empty cell says nothing: the column is there because another row has it.
            pairs = zip(header, cells, strict=False)
            rows.append({name: cell for name, cell in pairs if name and cell != ""})
    except csv.Error as error:
        raise ImportFileError(
            f"{path}, line {reader.line_num}: not valid CSV ({error}). The file is damaged or "
            "was cut off: download it again."
        ) from error
    return ExportFile(rows, "csv")
