"""Files of the published tables: whole, sorted, the same bytes for the same rows."""

import csv
from pathlib import Path

import duckdb
import pytest

from pipeline.clients.table_exports import ExportFormat, export_tables
from pipeline.clients.warehouse import publish, writing
from pipeline.errors import NothingPublishedError, QueryError
from pipeline.settings import Settings

ROWS = """
    ('1', '=cmd|'' /C calc''!A0', 1::bigint, 0.1::double, '2026-03-08 07:30Z'::timestamptz),
    ('2', '+1 for this', null, null, null),
    ('3', '-5 kilos', -5, -0.5, null),
    ('4', '@mention', 4, null, null),
    ('5', e'\\tindented', 5, null, null),
    ('6', '＝SUM(A1)', 6, null, null),
    ('7', 'plain = text, with "quotes"', 7, null, null),
    ('8', '', 8, null, null),
    ('9', null, 9, null, null)
"""


def _published(home: Path, version: str, order: str) -> Settings:
    settings = Settings(home=home)
    with writing(settings, "test") as connection:
        connection.execute(
            f"""
            create or replace table marts.dim_post as
            select * from (values {ROWS}) as rows (post_id, caption, n, rate, seen_at)
            order by {order};
            create or replace view marts.v_posts as select post_id from marts.dim_post;
            create or replace table stats.build_info as select '{version}' as build_id;
            """
        )
    publish(settings, version)
    return settings


def test_the_same_rows_give_the_same_bytes_in_whatever_order_they_lie(tmp_path: Path) -> None:
    one = _published(tmp_path / "one", "v1", "post_id")
    two = _published(tmp_path / "two", "v2", "rate desc, post_id desc")
    for kind in ExportFormat:
        files = export_tables(one, tmp_path / "a", export_format=kind)
        others = export_tables(two, tmp_path / "b", export_format=kind)
        assert [file.table for file in files] == ["marts.dim_post", "marts.v_posts"]
        assert [f.path.read_bytes() for f in files] == [f.path.read_bytes() for f in others]


def test_parquet_holds_every_value_exactly(tmp_path: Path) -> None:
    settings = _published(tmp_path, "v1", "post_id")
    (file,) = export_tables(settings, tmp_path / "out", tables=["dim_post"])

    assert file.path == tmp_path / "out" / "marts.dim_post.parquet"
    assert file.row_count == 9
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        read = connection.execute(f"select * from '{file.path}' order by post_id").fetchall()
        expected = connection.execute(
            f"select * from (values {ROWS}) as rows (post_id, caption, n, rate, seen_at) order by 1"
        ).fetchall()
    assert read == expected


def test_no_text_of_a_csv_starts_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    settings = _published(tmp_path, "v1", "post_id")
    (file,) = export_tables(
        settings, tmp_path / "out", export_format=ExportFormat.CSV, tables=["marts.dim_post"]
    )
    text = file.path.read_text(encoding="utf-8")
    rows = {row["post_id"]: row for row in csv.DictReader(text.splitlines())}

    assert {row["caption"][:1] for row in rows.values()} == {"'", "p", ""}
    assert rows["1"]["caption"] == "'=cmd|' /C calc'!A0"
    assert rows["6"]["caption"] == "'＝SUM(A1)"
    assert rows["7"]["caption"] == 'plain = text, with "quotes"'
    assert (rows["3"]["n"], rows["3"]["rate"]) == ("-5", "-0.5")
    assert rows["1"]["seen_at"] == "2026-03-08 07:30:00+00"
    assert '8,"",8,,' in text, "an empty text is not null"
    assert "9,,9,," in text


def test_an_unknown_table_is_refused_with_the_known_ones_and_writes_nothing(tmp_path: Path) -> None:
    settings = _published(tmp_path, "v1", "post_id")

    with pytest.raises(QueryError, match=r"'dim_pst'.*marts\.dim_post"):
        export_tables(settings, tmp_path / "out", tables=["dim_post", "dim_pst"])
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError):
        export_tables(Settings(home=tmp_path), tmp_path / "out")
