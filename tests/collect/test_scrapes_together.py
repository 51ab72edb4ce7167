"""Answers that are loaded in one transaction give the rows that each gives alone."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import Platform
from pipeline.collect import raw_items, scrape_loading
from pipeline.collect.landing import (
    Answer,
    Manifest,
    ScrapedAtSource,
    Source,
    SourceKind,
    land,
    rows_path,
    weigh,
)
from pipeline.collect.raw import RawLoadReport, load_landing
from pipeline.errors import LandingError
from pipeline.settings import Settings
from tests.collect.samples import instagram_row, make_account, tiktok_row
from tests.collect.test_plain_rows import tables
from tests.collect.test_raw_load import FIRST


def landed(home: Settings, number: int, rows: list[Any], **changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "platform": Platform.TIKTOK,
        "account_name": "lullabies",
        "handle": "QuietNights",
        "source": Source.IMPORT,
        "source_kind": SourceKind.EXPORT,
        "rows": rows,
        "scraped_at": FIRST + timedelta(hours=number),
        "scraped_at_source": ScrapedAtSource.GIVEN,
    }
    return land(home, weigh(Answer(**{**values, **changes}))).manifest


def land_all(home: Settings) -> list[Manifest]:
    """Answers of several accounts, handles and sizes, with every kind of row among them."""
    make_account(home)

    def some(count: int, make: Callable[..., Any] = tiktok_row, **changes: Any) -> list[Any]:
        return [make(number, **changes) for number in range(count)]

    odd = [{"error": "gone"}, ["no", "object"], tiktok_row(3, text="half \ud83d"), tiktok_row(4)]
    return [
        landed(home, 0, some(7)),
        landed(home, 1, [*some(3), *odd]),
        landed(home, 2, []),
        landed(home, 3, some(5), account_name="others", handle="somebody"),
        landed(home, 4, some(5), account_name="others", handle="somebody", is_any_author=True),
        landed(home, 5, some(5), account_name="others", handle=None),
        landed(home, 6, some(40, text="x" * 900)),
        landed(home, 7, some(6, instagram_row), platform=Platform.INSTAGRAM),
        landed(home, 8, [*some(2), {"authorMeta/name": "quietnights", "id": "7", "text": "flat"}]),
    ]


def load_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: int, few_rows: int
) -> tuple[RawLoadReport, list[list[tuple[Any, ...]]]]:
    home = Settings(home=folder)
    land_all(home)
    monkeypatch.setattr(scrape_loading, "_ITEMS_AT_ONCE", at_once)
    monkeypatch.setattr(raw_items, "_FEW_ROWS", few_rows)
    return load_landing(home), tables(home)


@pytest.mark.parametrize("block_bytes", [64 << 20, 4_000])
@pytest.mark.parametrize("few_rows", [0, 10**9])
def test_together_or_alone_the_rows_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_rows: int, block_bytes: int
) -> None:
    monkeypatch.setattr(raw_items, "_BLOCK_BYTES", block_bytes)
    alone = load_of(tmp_path / "alone", monkeypatch, at_once=0, few_rows=10**9)
    together = load_of(tmp_path / "together", monkeypatch, at_once=10**6, few_rows=few_rows)
    assert together == alone
    report, [items, rejected, _] = together
    assert report.scrapes_loaded == 9
    assert report.items_loaded == len(items) == 76
    assert report.rejected_loaded == len(rejected) == 2
    kinds = [row[4] for row in items]
    assert (kinds.count("foreign_post"), kinds.count("post")) == (10, 66)


def test_a_damaged_answer_costs_none_of_those_beside_it(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    broken = land_all(home)[6]
    path = rows_path(home, broken)
    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LandingError, match=broken.scrape_id):
        load_landing(home)
    items, rejected, _ = tables(home)
    assert (len(items), len(rejected)) == (36, 2)
    assert broken.scrape_id not in {row[0] for row in items}
    path.write_bytes(packed)
    assert load_landing(home).items_loaded == 40
