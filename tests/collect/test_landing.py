"""Landing: whole answers on disk, each once, never half, checked when they are read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.accounts import Platform
from pipeline.collect.landing import (
    Answer,
    Manifest,
    Outcome,
    ScrapedAtSource,
    Source,
    SourceKind,
    land,
    manifest_files,
    manifests,
    read_lines,
    read_manifest,
    rows_path,
    weigh,
)
from pipeline.errors import LandingError
from pipeline.settings import Settings
from tests.collect.samples import instagram_profile, instagram_row, tiktok_row

SCRAPED_AT = datetime(2026, 10, 1, 8, 0, 5, 999, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def answer(rows: list[Any], **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "platform": Platform.TIKTOK,
        "account_name": "lullabies",
        "handle": "quietnights",
        "source": Source.APIFY,
        "source_kind": SourceKind.POSTS,
        "rows": rows,
        "scraped_at": SCRAPED_AT,
        "scraped_at_source": ScrapedAtSource.RUN,
        "cost_usd": Decimal("0.0123"),
    }
    return Answer(**{**values, **changes})


def everything(settings: Settings) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in settings.landing_dir.rglob("*") if path.is_file()
    }


def test_an_answer_lands_as_rows_and_a_manifest(settings: Settings) -> None:
    rows: list[Any] = [
        tiktok_row(0),
        tiktok_row(0),
        tiktok_row(1, authorMeta={"name": "somebody"}),
        {"error": "gone", "url": "a"},
        {"error": "gone", "url": "b"},
        "not an object",
    ]
    landed = land(settings, weigh(answer(rows)))
    manifest = landed.manifest
    assert landed.is_new
    assert manifest.scrape_id.startswith("20261001T080005Z_")
    assert (manifest.items_got, manifest.post_count, manifest.foreign_post_count) == (6, 2, 1)
    assert manifest.post_ids == (rows[0]["id"],)
    assert manifest.rejected_reasons == {"error row: gone": 2, "not an object but text": 1}
    assert manifest.outcome is Outcome.ITEMS
    folder = settings.landing_dir / "tiktok" / "lullabies"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{manifest.scrape_id}.jsonl.zst",
        f"{manifest.scrape_id}.manifest.json",
    ]
    assert [json.loads(line) for line in read_lines(settings, manifest)] == rows


def test_a_manifest_reads_back_as_it_was_written(settings: Settings) -> None:
    written = land(settings, weigh(answer([tiktok_row()], run_input={"profiles": ["q"]}))).manifest
    [path] = manifest_files(settings)
    assert read_manifest(path) == written
    document = json.loads(path.read_text())
    assert document["cost_usd"] == "0.0123"
    assert document["scraped_at"] == "2026-10-01T08:00:05Z"
    assert document["input"] == {"profiles": ["q"]}


def test_the_same_answer_twice_is_one_scrape(settings: Settings) -> None:
    first = land(settings, weigh(answer([tiktok_row()])))
    before = everything(settings)
    second = land(settings, weigh(answer([tiktok_row()])))
    assert (first.is_new, second.is_new) == (True, False)
    assert second.manifest == first.manifest
    assert everything(settings) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [tiktok_row(1)]},
        {"scraped_at": datetime(2026, 10, 1, 8, 0, 6, tzinfo=UTC)},
        {"account_name": "other"},
        {"source_kind": SourceKind.EXPORT},
        {"is_any_author": True},
    ],
)
def test_another_answer_is_another_scrape(settings: Settings, changes: dict[str, Any]) -> None:
    first = land(settings, weigh(answer([tiktok_row()])))
    values = {"rows": [tiktok_row()], **changes}
    second = land(settings, weigh(answer(**values)))
    assert second.is_new
    assert second.manifest.scrape_id != first.manifest.scrape_id


def test_an_empty_answer_is_kept_as_empty(settings: Settings) -> None:
    manifest = land(settings, weigh(answer([]))).manifest
    assert manifest.outcome is Outcome.EMPTY
    assert read_lines(settings, manifest) == []


def test_an_incomplete_answer_is_kept_as_partial(settings: Settings) -> None:
    weighed = weigh(answer([tiktok_row()], is_complete=False))
    assert weighed.manifest.outcome is Outcome.PARTIAL


def test_a_profile_is_counted_as_a_profile() -> None:
    rows = [instagram_profile(), instagram_row()]
    manifest = weigh(answer(rows, platform=Platform.INSTAGRAM)).manifest
    assert (manifest.profile_count, manifest.post_count) == (1, 1)


def test_leftovers_of_an_interrupted_landing_do_not_count(settings: Settings) -> None:
    weighed = weigh(answer([tiktok_row()]))
    path = rows_path(settings, weighed.manifest)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    (path.parent / f".{weighed.manifest.scrape_id}.manifest.json.ab12.tmp").write_bytes(b"{")
    (settings.landing_dir / "tiktok" / ".DS_Store").write_bytes(b"x")
    assert list(manifest_files(settings)) == []
    landed = land(settings, weighed)
    assert landed.is_new
    assert len(read_lines(settings, landed.manifest)) == 1


def test_rows_that_went_missing_are_landed_again(settings: Settings) -> None:
    landed = land(settings, weigh(answer([tiktok_row()])))
    rows_path(settings, landed.manifest).unlink()
    assert land(settings, weigh(answer([tiktok_row()]))).is_new
    assert len(read_lines(settings, landed.manifest)) == 1


def test_a_corrected_handle_weighs_the_same_rows_again(settings: Settings) -> None:
    wrong = land(settings, weigh(answer([tiktok_row()], handle="quietnihgts"))).manifest
    right = land(settings, weigh(answer([tiktok_row()], handle="quietnights")))
    assert (wrong.post_count, right.manifest.post_count) == (0, 1)
    assert right.is_new
    assert manifests(settings, Platform.TIKTOK, "lullabies") == [right.manifest]


def damaged(settings: Settings, manifest: Manifest, content: bytes | None) -> str:
    path = rows_path(settings, manifest)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(LandingError) as caught:
        read_lines(settings, manifest)
    assert str(path) in str(caught.value)
    assert "Restore the file" in str(caught.value)
    return str(caught.value)


def test_damaged_rows_are_named_with_the_remedy(settings: Settings) -> None:
    manifest = land(settings, weigh(answer([tiktok_row()]))).manifest
    whole = rows_path(settings, manifest).read_bytes()
    other = zstandard.ZstdCompressor().compress(b'{"id": "1"}\n')
    assert "damaged" in damaged(settings, manifest, other)
    assert "damaged" in damaged(settings, manifest, whole[:-8])
    assert "cannot be read" in damaged(settings, manifest, b"no zstandard at all")
    assert "missing" in damaged(settings, manifest, None)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"scrape_id": 1}', b"\xff\xfe"])
def test_a_damaged_manifest_is_named_with_the_remedy(settings: Settings, content: bytes) -> None:
    land(settings, weigh(answer([tiktok_row()])))
    [path] = manifest_files(settings)
    path.write_bytes(content)
    with pytest.raises(LandingError, match="Restore the file") as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_a_manifest_under_another_name_is_refused(settings: Settings) -> None:
    land(settings, weigh(answer([tiktok_row()])))
    [path] = manifest_files(settings)
    copy = path.with_name("20200101T000000Z_000000000000.manifest.json")
    copy.write_bytes(path.read_bytes())
    with pytest.raises(LandingError, match="belongs to scrape"):
        read_manifest(copy)
