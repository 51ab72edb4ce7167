"""Exports are read in every form people have them, and refused in one sentence otherwise."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from pipeline.collect.export_files import read_export_file
from pipeline.collect.jsontext import clean_json, parse_json, row_line
from pipeline.collect.nesting import nested
from pipeline.errors import ImportFileError
from tests.collect.samples import tiktok_row


def flattened(value: object, separator: str, path: str = "") -> dict[str, str]:
    """A row as the console flattens it."""
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        parts: dict[str, str] = {}
        for key, below in pairs:
            parts |= flattened(below, separator, f"{path}{separator}{key}" if path else str(key))
        return parts
    return {path: json.dumps(value) if isinstance(value, bool) else str(value)}


def csv_bytes(rows: list[dict[str, str]]) -> bytes:
    columns = sorted({column for row in rows for column in row})
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([row.get(column, "") for column in columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


ROWS = [tiktok_row(0, text='line one\nline "two", ñ\u2028'), tiktok_row(1, hashtags=[])]
FORMS = {
    "nested.json": json.dumps(ROWS, indent=2).encode(),
    "lines.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode(),
    "flat.csv": csv_bytes([flattened(row, "/") for row in ROWS]),
    "overview.json": json.dumps([flattened(row, ".") for row in ROWS]).encode(),
    "overview.jsonl": b"\n".join(json.dumps(flattened(row, ".")).encode() for row in ROWS),
    "overview.csv": csv_bytes([flattened(row, ".") for row in ROWS]),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_rows(tmp_path: Path, name: str, packed: bool) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(FORMS[name]) if packed else FORMS[name])
    rows = [nested(row) for row in read_export_file(path).rows if isinstance(row, dict)]
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert [row["text"] for row in rows] == [row["text"] for row in ROWS]
    assert [row["authorMeta"]["name"] for row in rows] == ["quietnights"] * 2
    assert [str(row["videoMeta"]["duration"]) for row in rows] == ["31", "31"]


def test_the_name_of_a_file_decides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(gzip.compress(FORMS["flat.csv"]))
    assert len(read_export_file(path).rows) == 2


def test_empty_cells_are_absent_and_semicolons_separate_too(tmp_path: Path) -> None:
    path = tmp_path / "edited.csv"
    path.write_bytes("\ufeffid;text;isAd\r\n1;;FALSE\r\n\r\n2;x;\r\n".encode())
    assert read_export_file(path).rows == [{"id": "1", "isAd": "FALSE"}, {"id": "2", "text": "x"}]


def test_utf_16_with_a_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(json.dumps([{"text": "ñ"}], ensure_ascii=False).encode("utf-16"))
    assert read_export_file(path).rows == [{"text": "ñ"}]


def test_a_cell_of_a_million_characters_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f'id,text\n1,"{"x" * 1_000_000}"\n')
    [row] = read_export_file(path).rows
    assert isinstance(row, dict)
    assert len(row["text"]) == 1_000_000


def test_odd_values_survive_landing_and_are_cleaned_for_loading() -> None:
    text = '{"a":"\\ud83d","b":NaN,"c":123456789012345678901234567890,"d":"\\u0000","e":1e400}'
    line = row_line(parse_json(text))
    assert b"\n" not in line
    again = parse_json(line)
    assert again["a"] == "\ud83d"
    assert again["c"] == 123456789012345678901234567890
    cleaned = json.loads(clean_json(again))
    assert cleaned == {
        "a": "\ufffd",
        "b": None,
        "c": 123456789012345678901234567890,
        "d": "\0",
        "e": None,
    }


def test_a_number_of_ten_thousand_digits_breaks_nothing() -> None:
    assert parse_json("[" + "9" * 10_000 + "]") == ["9" * 10_000]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "web page"),
        (b"\n<html>login</html>", "web page"),
        (b"[]", "no rows"),
        (b"id,text\n", "no rows"),
        (b'[{"id": "1"}, {"id": "2', "not complete JSON"),
        (b'{"id": "1"}\n{"id": "2', "line 2"),
        (b'{"error": {"type": "record-not-found", "message": "Dataset was not found"}}',
         "Dataset was not found"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not text"),
        (bytes(range(32)) * 20, "binary"),
        (b"PK\x03\x04rest of a workbook", "Excel"),
        (gzip.compress(b'[{"id": "1"}]' * 50, mtime=0)[:-12], "cut off"),
        (b"\x1f\x8b\x08\x00broken gzip data", "gzip"),
        (b'id,text\n1,"never closed\n', "not valid CSV"),
        (b"id,text\n1,a,b\n", "3 cells under 2"),
        (b"[" * 100_000, "too deeply"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(ImportFileError) as caught:
        read_export_file(path)
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="There is no file"):
        read_export_file(tmp_path / "nothing.json")
    with pytest.raises(ImportFileError, match="is not a file"):
        read_export_file(tmp_path)


@pytest.mark.parametrize("key", ["items", "collector"])
def test_rows_wrapped_in_an_object_are_found(tmp_path: Path, key: str) -> None:
    path = tmp_path / "wrapped.json"
    path.write_text(json.dumps({"headers": {}, key: ROWS}), encoding="utf-8")
    assert read_export_file(path).rows == ROWS
