"""What Dagster's pages show of rows, pictures and other people's text."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb
import pytest

from pipeline.defs.assets import model_pages
from pipeline.defs.metadata import MOST_ROWS, in_markdown, markdown_table, table_of_rows
from pipeline.defs.pictures import MOST_BYTES, drawn, picture
from pipeline.settings import Settings
from pipeline.show.charts.effects import effects_chart
from pipeline.show.reports.segments import SegmentEffect, SegmentTable

HOSTILE = "<script>alert(1)</script> | [x](javascript:1) ![y](http://z) `c` _d_ \u202eabc\nnew"


def test_text_in_markdown_is_shown_letter_by_letter():
    shown = in_markdown(HOSTILE)

    assert "\\<script\\>" in shown
    assert "\\[x\\]\\(javascript\\:1\\)" in shown
    assert "\\|" in shown
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert len(in_markdown("a" * 5000)) <= 200


def test_a_table_keeps_its_shape_whatever_its_cells_say():
    lines = markdown_table(("what", "how"), [(HOSTILE, 1), ("a", None)]).split("\n")

    assert len(lines) == 4
    for line in lines:
        assert len(line.replace("\\|", "").split("|")) == 4


def test_rows_are_a_bounded_table_in_which_missing_is_not_nothing():
    rows = [{"post_id": str(n), "likes": None, "text": HOSTILE * 50} for n in range(100)]
    table = table_of_rows(rows)

    assert len(table.records) == MOST_ROWS
    assert [column.name for column in table.schema.columns] == ["post_id", "likes", "text"]
    assert table.records[0].data["likes"] == "–"
    assert len(str(table.records[0].data["text"])) == 200


def _chart(rows: int) -> Any:
    effect = SegmentEffect(
        platform="tiktok", dimension="format", segment="s", outcome="views_7d", age_hours=168, n=30,
        account_n=60, median=1.0, effect=1.5, effect_low=1.2, effect_high=1.9,
        probability_better=0.9, null_best=1.1, q_value=0.01, verdict="better",
    )  # fmt: skip
    many = tuple(
        SegmentEffect(**{**vars(effect), "segment": f"segment number {n}"}) for n in range(rows)
    )
    return effects_chart(SegmentTable("tiktok", "format", "views_7d", many))


@pytest.mark.parametrize("rows", [3, 40])
def test_a_picture_is_a_small_png_inside_the_text(rows: int):
    shown = picture(_chart(rows), "Formats of [a]")

    assert shown is not None
    text = shown.md_str
    assert text is not None
    assert len(text) <= MOST_BYTES
    words, _, data = text.partition("](data:image/png;base64,")
    assert words == "![Formats of \\[a\\]"
    assert base64.b64decode(data.rstrip(")")).startswith(b"\x89PNG")


def test_a_chart_that_fails_is_a_warning_and_nothing_more():
    told: list[Any] = []
    context: Any = SimpleNamespace(log=SimpleNamespace(warning=lambda *words: told.append(words)))

    def charts() -> Any:
        yield "good", "Good", _chart(3)
        raise ValueError("a bug")

    assert set(drawn(context, charts)) == {"good"}
    ((_, error, _),) = told
    assert error == "ValueError"


MANIFEST = {
    "metadata": {"project_name": "afterpost"},
    "sources": {},
    "nodes": {
        "test.afterpost.generic": {
            "resource_type": "test",
            "original_file_path": "models/_models.yml",
            "path": "within_0.sql",
        },
        "test.afterpost.single": {
            "resource_type": "test",
            "original_file_path": "tests/assert_it.sql",
            "path": "assert_it.sql",
        },
    },
}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    compiled = settings.dbt_workspace / "target" / "compiled" / "afterpost"
    for path, sql in {
        "models/_models.yml/within_0.sql": "select post_id, caption from marts.posts;",
        "tests/assert_it.sql": "select gone from marts.posts",
    }.items():
        (compiled / path).parent.mkdir(parents=True)
        (compiled / path).write_text(sql, encoding="utf-8")
    with duckdb.connect(str(settings.database_path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.posts as "
            "select i::varchar as post_id, $text as caption from range(50) as posts (i)",
            {"text": HOSTILE},
        )
    return settings


def test_a_failed_test_shows_its_rows_and_its_query(home: Settings):
    context: Any = SimpleNamespace(log=SimpleNamespace(warning=pytest.fail))
    results = [
        {"status": status, "node_info": {"unique_id": unique_id}}
        for unique_id, status in (
            ("test.afterpost.generic", "fail"),
            ("test.afterpost.single", "warn"),
            ("test.afterpost.passed", "pass"),
        )
    ]

    pages = model_pages.model_pages(context, home, MANIFEST, results)

    assert set(pages.of_tests) == {"test.afterpost.generic", "test.afterpost.single"}
    shown = pages.of_tests["test.afterpost.generic"]
    assert shown["rows_shown"] == MOST_ROWS
    first = shown["rows"].records[0].data
    assert first["post_id"] == "0"
    assert "\u202e" not in first["caption"]
    assert "select post_id, caption from marts.posts\n" in shown["query"].md_str
    assert "could not" in pages.of_tests["test.afterpost.single"]["rows"]
    # What the metadata is made of is what Dagster stores.
    dg.AssetCheckResult(passed=False, asset_key="a", check_name="b", metadata=shown)
    json.dumps([record.data for record in shown["rows"].records])
