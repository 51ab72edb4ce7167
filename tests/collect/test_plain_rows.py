"""What the database tells of a row by its signs is what reading the row in full tells."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.accounts import Platform
from pipeline.clients.warehouse import writing
from pipeline.collect import raw_items
from pipeline.collect.landing import (
    Answer,
    Manifest,
    ScrapedAtSource,
    Source,
    SourceKind,
    land,
    read_blocks,
    read_lines,
    rows_path,
    weigh,
)
from pipeline.collect.raw import load_landing, load_raw
from pipeline.errors import LandingError
from pipeline.settings import Settings
from tests.collect.samples import instagram_row, make_account, tiktok_row
from tests.collect.test_raw_load import FIRST

ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-2, max_value=2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            "NaN",
            "quietnights",
            "@QuietNights",
            " quietnights",
            "QUIETNIGHTS",
            "İstanbul",
            "-1",
            "7412345678901234567",
            "07",
            "1e3",
            "videos",
            "reposts",
            "half \ud83d",
            "a\\u0041",
            "\0",
            "\x01",
            "12.3K",
            "true",
            'say "x"',
        ]
    ),
    st.just([]),
    st.just({}),
    st.just([{"username": "quietnights"}]),
    st.just({"name": "quietnights"}),
)
KEYS = st.sampled_from(
    [
        "id",
        "authorMeta",
        "playCount",
        "diggCount",
        "error",
        "errorCode",
        "errorDescription",
        "noResults",
        "fromProfileSection",
        "webVideoUrl",
        "text",
        "authorMeta.name",
        "videoMeta/duration",
        "a.b",
        "x/y",
        "ownerUsername",
        "likesCount",
        "commentsCount",
        "username",
        "coauthorProducers",
        "commentUrl",
        "postUrl",
        "followersCount",
        "new_key",
        "createTimeISO",
        "é",
    ]
)


def landed(home: Settings, rows: list[Any], platform: Platform, **changes: Any) -> Manifest:
    answer = Answer(
        platform=platform,
        account_name="lullabies",
        handle="QuietNights",
        source=Source.IMPORT,
        source_kind=SourceKind.EXPORT,
        rows=rows,
        scraped_at=FIRST,
        scraped_at_source=ScrapedAtSource.GIVEN,
        **changes,
    )
    return land(home, weigh(answer)).manifest


def tables(home: Settings) -> list[list[tuple[Any, ...]]]:
    with writing(home, "test") as connection:
        return [
            connection.execute(f"from raw.{table} order by all").fetchall()
            for table in ("scrape_items", "rejected_items", "scrapes")
        ]


def loaded_both_ways(
    folder: Path, rows: list[Any], platform: Platform, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> list[list[list[tuple[Any, ...]]]]:
    both = []
    for name, few_rows in (("by_signs", 0), ("row_by_row", 10**9)):
        home = Settings(home=folder / name)
        make_account(home)
        landed(home, rows, platform, **how)
        monkeypatch.setattr(raw_items, "_FEW_ROWS", few_rows)
        load_landing(home)
        both.append(tables(home))
    return both


@pytest.mark.parametrize("platform", [Platform.TIKTOK, Platform.INSTAGRAM])
@pytest.mark.parametrize("is_any_author", [False, True])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(st.dictionaries(KEYS, ODD_VALUES, max_size=4), min_size=20, max_size=60))
def test_both_ways_give_the_same_rows_whatever_the_rows_hold(
    tmp_path_factory: pytest.TempPathFactory,
    platform: Platform,
    is_any_author: bool,
    changes: list[dict[str, Any]],
) -> None:
    make = tiktok_row if platform is Platform.TIKTOK else instagram_row
    rows = [make(number) | change for number, change in enumerate(changes)]
    with pytest.MonkeyPatch.context() as patch:
        by_signs, row_by_row = loaded_both_ways(
            tmp_path_factory.mktemp("both"), rows, platform, patch, is_any_author=is_any_author
        )
    assert by_signs == row_by_row


def test_ordinary_rows_are_kept_letter_for_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_items, "_prepared", None)  # reading a row in full would fail
    home = Settings(home=tmp_path)
    make_account(home)
    rows = [
        tiktok_row(number, text="ein\u2028Satz 😀 \x7f", odd=[1.0, 1e5, 10**40, None])
        for number in range(300)
    ]
    rows[7]["authorMeta"] = {"name": "somebody"}
    manifest = landed(home, rows, Platform.TIKTOK)
    report = load_landing(home)
    assert (report.items_loaded, report.rejected_loaded) == (300, 0)
    items, rejected, _ = tables(home)
    assert rejected == []
    assert [line.decode() for line in read_lines(home, manifest)] == [item[7] for item in items]
    assert [item[1] for item in items] == list(range(300))
    assert [item[5] for item in items] == [row["id"] for row in rows]
    assert [item[4] for item in items].count("foreign_post") == 1
    assert items[7][4] == "foreign_post"


def test_one_unreadable_row_of_many_costs_no_other_row(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    make_account(home)
    rows: list[Any] = [tiktok_row(number) for number in range(400)]
    rows[3]["text"] = "half \ud83d"
    rows[5]["playCount"] = float("nan")
    rows[9] = ["no", "object"]
    rows[11] = {"error": "gone"}
    landed(home, rows, Platform.TIKTOK)
    report = load_raw(home)
    assert (report.items_loaded, report.rejected_loaded) == (398, 2)
    items, rejected, _ = tables(home)
    payloads = {item[1]: json.loads(item[7]) for item in items}
    assert payloads[3]["text"] == "half \ufffd"
    assert payloads[5]["playCount"] is None
    assert [row[1] for row in rejected] == [9, 11]


def test_bytes_that_are_no_json_reject_their_row_only(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    make_account(home)
    manifest = landed(home, [tiktok_row(number) for number in range(300)], Platform.TIKTOK)
    path = rows_path(home, manifest)
    lines = read_lines(home, manifest)
    lines[4], lines[8] = b'{"id": "cut', b'{"id": "\xff"}'
    text = b"\n".join(lines) + b"\n"
    path.write_bytes(zstandard.ZstdCompressor().compress(text))
    document = path.with_name(f"{manifest.scrape_id}.manifest.json")
    hashed = hashlib.sha256(text).hexdigest()
    document.write_text(
        manifest.model_copy(update={"items_sha256": hashed}).model_dump_json(), encoding="utf-8"
    )
    report = load_landing(home)
    assert (report.items_loaded, report.rejected_loaded) == (298, 2)


def test_a_large_answer_comes_in_blocks_of_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.collect.landing._BLOCK_BYTES", 5_000)
    home = Settings(home=tmp_path)
    make_account(home)
    rows = [tiktok_row(number, text="x" * (number * 997 % 20_000)) for number in range(60)]
    manifest = landed(home, rows, Platform.TIKTOK)
    blocks = list(read_blocks(home, manifest))
    assert len(blocks) > 10
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks).splitlines() == read_lines(home, manifest)
    monkeypatch.setattr(raw_items, "_FEW_ROWS", 0)
    assert load_landing(home).items_loaded == 60
    assert [item[1] for item in tables(home)[0]] == list(range(60))


def test_a_file_that_is_damaged_at_its_end_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.collect.landing._BLOCK_BYTES", 50_000)
    home = Settings(home=tmp_path)
    make_account(home)
    manifest = landed(home, [tiktok_row(number) for number in range(1_000)], Platform.TIKTOK)
    path = rows_path(home, manifest)
    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(LandingError, match="damaged"):
        load_landing(home)
    assert tables(home) == [[], [], []]
    path.write_bytes(packed)
    assert load_landing(home).items_loaded == 1_000
