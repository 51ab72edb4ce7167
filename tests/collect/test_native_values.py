"""Cells of platforms' own exports: numbers, durations, days and posts as they are written there."""

from datetime import date

import pytest

from pipeline.accounts import Platform
from pipeline.collect.native_values import (
    UnreadableCellError,
    read_days,
    read_number,
    read_post_id,
)
from tests.collect.samples import INSTAGRAM_CODE, INSTAGRAM_ID


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("", None), ("-", None), ("–", None), ("N/A", None), (None, None), ("0", 0.0),
        ("0.0", 0.0), ("1938.0", 1938.0), ("1,234", 1234.0), ("1,234,567.5", 1234567.5),
        ("7.358351729212656E-4", 7.358351729212656e-4), ("12.3K", 12300.0), ("1.2M", 1.2e6),
        ("8.2%", 0.082), ("0.4 %", 0.004), ("$1,234.50", 1234.5), ("US$3.1", 3.1),
        ("0:01:23", 83.0), ("1:02:03", 3723.0), ("1:23", 83.0), ("0:04.5", 4.5),
        ("1m 23s", 83.0), ("1h 2m 3s", 3723.0), ("45s", 45.0), ("-3", -3.0), (17, 17.0),
    ],
)  # fmt: skip
def test_a_cell_is_its_number_or_nothing(cell: object, value: float | None) -> None:
    assert read_number(cell) == (pytest.approx(value) if value is not None else None)


@pytest.mark.parametrize("cell", ["1,5", "1,23,456", "about 5", "12 videos", "2026-01-01", True])
def test_what_is_no_number_in_english_is_not_guessed(cell: object) -> None:
    with pytest.raises(UnreadableCellError):
        read_number(cell)


def test_days_without_a_year_end_at_the_export() -> None:
    days = read_days(["December 30", "February 29", "January 2"], date(2025, 1, 5))
    assert days == [date(2023, 12, 30), date(2024, 2, 29), date(2025, 1, 2)]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2026-03-04"], date(2026, 3, 4)),
        (["2026-03-04T00:00:00"], date(2026, 3, 4)),
        (["20260304"], date(2026, 3, 4)),
        (["Mar 4, 2026"], date(2026, 3, 4)),
        (["Wed, Mar 4, 2026"], date(2026, 3, 4)),
        (["3/4/2026"], date(2026, 3, 4)),
        (["3/4/2026", "25/4/2026"], date(2026, 4, 3)),
        (["4 March 2026"], date(2026, 3, 4)),
        (["31/31/2026"], None),
        (["Lifetime"], None),
    ],
)
def test_days_are_read_as_exports_write_them(cells: list[str], first: date | None) -> None:
    assert read_days(cells, date(2026, 9, 1))[0] == first


@pytest.mark.parametrize(
    ("platform", "cell", "post_id"),
    [
        ("x", "812369747765362688", "812369747765362688"),
        ("x", "https://twitter.com/a/status/812369747765362688", "812369747765362688"),
        ("x", "8.12E+17", None),
        ("tiktok", "https://www.tiktok.com/@a/photo/7412345678901234567", "7412345678901234567"),
        ("instagram", f"https://www.instagram.com/p/{INSTAGRAM_CODE}/", str(INSTAGRAM_ID)),
        ("instagram", f"https://www.instagram.com/a/reel/{INSTAGRAM_CODE}", str(INSTAGRAM_ID)),
        ("instagram", "17900000000000000", None),
        ("youtube", "dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("linkedin", "https://www.linkedin.com/feed/update/urn:li:activity:7368575809428672513",
         "7368575809428672513"),
        ("linkedin", "https://www.linkedin.com/feed/update/urn:li:share:7368575809428672513", None),
    ],
)  # fmt: skip
def test_a_post_is_named_as_scrapes_name_it(platform: str, cell: str, post_id: str | None) -> None:
    assert read_post_id(Platform(platform), cell) == post_id
