"""Platforms' own exports: labels, cells, posts and days, and the real ones beside the project."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.warehouse import writing
from pipeline.collect.imports import time_in_name
from pipeline.collect.landing import Source, read_lines
from pipeline.collect.native_imports import NativeReport, import_native
from pipeline.collect.native_labels import metric_of
from pipeline.collect.raw import load_raw
from pipeline.errors import ImportFileError
from pipeline.settings import Settings
from tests.collect.samples import INSTAGRAM_CODE, INSTAGRAM_ID, SHARED_DATA, make_account

EXPORTED = "2026-09-01T08:00:00Z"
NATIVE = SHARED_DATA / "native_exports"
Found = dict[tuple[str | None, str | None, str], float | None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return make_account(settings)


def test_the_end_of_a_period_in_a_name_is_its_last_second() -> None:
    name = "tweet_activity_metrics_a_20181001_20181101_en.csv"
    assert time_in_name(name) == datetime(2018, 10, 31, 23, 59, 59, tzinfo=UTC)
    assert time_in_name("a_20181101_20181001.csv") is None
    assert time_in_name("a_20189901_20189902.csv") is None


def taken_in(
    settings: Settings, account: AccountConfig, path: Path, text: str, **how: Any
) -> tuple[NativeReport, Found]:
    path.write_text(text, encoding="utf-8")
    report = import_native(settings, account, path, exported_at=EXPORTED, **how)
    load_raw(settings)
    with writing(settings, "test") as connection:
        rows = connection.execute(
            "select post_id, cast(day as varchar), metric, value from raw.native_metrics "
            "where scrape_id = ?",
            [report.manifest.scrape_id],
        ).fetchall()
    assert len({row[:3] for row in rows}) == len(rows)
    return report, {row[:3]: row[3] for row in rows}


def test_x_content_in_any_order_of_columns(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    report, found = taken_in(
        settings, account, tmp_path / "content.csv",
        "Impressions,Post Link,Bookmarks,New follows,Post text,Profile visits,URL Clicks,Post id\n"
        '"1,200",https://x.com/a/status/1829844967323549997,3,1,"Hi, all",-,7,1829844967323549997\n'
        "5,https://x.com/a/status/1829844967323549998,,0,x,2,0,1.8E+18\n",
    )  # fmt: skip
    assert report.manifest.platform is Platform.X
    one, two = "1829844967323549997", "1829844967323549998"
    assert found == {
        (one, None, "impressions"): 1200.0,
        (one, None, "saves"): 3.0,
        (one, None, "follows"): 1.0,
        (one, None, "profile_visits"): None,
        (one, None, "link_clicks"): 7.0,
        (two, None, "impressions"): 5.0,
        (two, None, "saves"): None,
        (two, None, "follows"): 0.0,
        (two, None, "profile_visits"): 2.0,
        (two, None, "link_clicks"): 0.0,
    }
    assert (report.unknown_labels, report.unreadable, report.nameless_rows) == ((), {}, 0)


def test_youtube_studio_with_its_total_row_hours_and_percentages(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    report, found = taken_in(
        settings, account, tmp_path / "Table data.csv",
        "Content,Video title,Video publish time,Duration,Views,Watch time (hours),Subscribers,"
        "Average view duration,Average percentage viewed (%),Impressions,"
        "Impressions click-through rate (%),Estimated revenue (USD)\n"
        "Total,,,,500,12,3,0:01:30,40,9000,5.5,2.5\n"
        'dQw4w9WgXcQ,"A, b","Jan 5, 2026",212,500,12.5,-2,0:01:30,42.45,"9,000",5.53,2.517\n',
    )  # fmt: skip
    assert (report.manifest.platform, report.post_count) == (Platform.YOUTUBE, 1)
    assert {key[2]: value for key, value in found.items()} == {
        "views": 500.0,
        "watch_time_s": 45000.0,
        "net_follows": -2.0,
        "average_view_s": 90.0,
        "retention_rate": 0.4245,
        "impressions": 9000.0,
        "click_through_rate": 0.0553,
        "revenue_usd": 2.517,
    }


def test_meta_posts_are_named_by_their_address_not_by_another_id(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    report, found = taken_in(
        settings, account, tmp_path / "meta.csv",
        '\ufeff"Post ID","Account ID","Account username","Account name",Description,'
        '"Duration (sec)","Publish time",Permalink,"Post type","Data comment",Date,Views,Reach,'
        "Likes,Shares,Follows,Comments,Saves\n"
        f'17900000000000000,1784,quietnights,Q,"Hi",0,"07/11/2025 03:00",'
        f"https://www.instagram.com/p/{INSTAGRAM_CODE}/,IG image,,Lifetime,900,700,60,,2,4,11\n"
        "17900000000000001,1784,quietnights,Q,x,0,07/11/2025 03:00,,IG image,,Lifetime,1,1,,,,,\n",
    )  # fmt: skip
    assert (report.manifest.platform, report.nameless_rows) == (Platform.INSTAGRAM, 1)
    assert found[str(INSTAGRAM_ID), None, "reach"] == 700.0
    assert found[str(INSTAGRAM_ID), None, "saves"] == 11.0
    assert found[str(INSTAGRAM_ID), None, "shares"] is None
    assert {key[0] for key in found} == {str(INSTAGRAM_ID)}


def test_meta_days_in_several_tables_of_one_file_in_utf_16(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = tmp_path / "Reach.csv"
    path.write_text(
        'sep=,\n"Instagram reach"\n"Date","Primary"\n"2026-01-01T00:00:00","12"\n'
        '"2026-01-02T00:00:00",""\n\n"Instagram profile visits"\n"Date","Primary"\n'
        '"2026-01-01T00:00:00","3"\n',
        encoding="utf-16",
    )
    report = import_native(settings, account, path, exported_at=EXPORTED)
    assert (report.manifest.platform, report.value_count) == (Platform.INSTAGRAM, 2)
    load_raw(settings)
    with writing(settings, "test") as connection:
        rows = connection.execute(
            "select scope, cast(day as varchar), metric, value, source_label "
            "from raw.native_metrics order by all"
        ).fetchall()
    assert rows == [
        ("account", "2026-01-01", "profile_visits", 3.0, "Instagram profile visits"),
        ("account", "2026-01-01", "reach", 12.0, "Instagram reach"),
        ("account", "2026-01-02", "reach", None, "Instagram reach"),
    ]


def test_linkedin_below_its_preamble_with_organic_and_sponsored_apart(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    report, found = taken_in(
        settings, account, tmp_path / "linkedin.csv",
        "The data in this sheet shows all posts of the page,,,,,,,\n"
        "Post title,Post link,Created date,Impressions,Clicks,Click through rate (CTR),Reposts,"
        "Engagement rate\n"
        "Hello,https://www.linkedin.com/feed/update/urn:li:activity:7368575809428672513,"
        "09/02/2025,400,8,0.02,1,0.045\n\n"
        "Date,Impressions (organic),Impressions (sponsored),Impressions,Clicks (organic)\n"
        "01/31/2026,10,2,12,1\n",
    )  # fmt: skip
    assert report.manifest.platform is Platform.LINKEDIN
    post = "7368575809428672513"
    assert found[post, None, "clicks"] == 8.0
    assert found[post, None, "click_through_rate"] == 0.02
    day = {key[2]: value for key, value in found.items() if key[1] == "2026-01-31"}
    assert day == {
        "organic_impressions": 10.0,
        "promoted_impressions": 2.0,
        "impressions": 12.0,
        "organic_clicks": 1.0,
    }


def test_tiktok_content_and_overview(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    _, found = taken_in(
        settings, account, tmp_path / "Content.csv",
        "Time,Video title,Video link,Post time,Total views,Total play time,Average watch time,"
        "Watched full video,Reached audience\n"
        "August 3,x,https://www.tiktok.com/@a/video/7412345678901234567,August 1,900,"
        "1h 2m 3s,4.1s,23.5%,800\n",
    )  # fmt: skip
    assert {key[2]: value for key, value in found.items()} == {
        "views": 900.0, "watch_time_s": 3723.0, "average_view_s": 4.1,
        "completion_rate": 0.235, "reach": 800.0,
    }  # fmt: skip
    _, found = taken_in(
        settings, account, tmp_path / "Overview.csv",
        "Date,Video Views,Profile Views,Likes\nDecember 31,5,1,0\nJanuary 1,6,,1\n",
    )  # fmt: skip
    assert found["" or None, "2025-12-31", "views"] == 5.0
    assert found[None, "2026-01-01", "profile_visits"] is None


def test_an_unknown_column_keeps_its_name_and_is_told_once(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    report, found = taken_in(
        settings, account, tmp_path / "content.csv",
        "Post id,Post Link,Impressions,Rewatch Index (beta),Mood,Likes\n"
        "11,https://x.com/a/status/11,4,0.7,great,many\n"
        "12,https://x.com/a/status/12,5,,good,1\n",
    )  # fmt: skip
    assert report.unknown_labels == ("Mood", "Rewatch Index (beta)")
    assert found["11", None, "rewatch_index_beta"] == 0.7
    assert ("11", None, "mood") not in found
    assert found["11", None, "likes"] is None
    assert report.unreadable == {"Likes": 1, "Mood": 2}


def test_two_columns_never_share_a_metric(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    _, found = taken_in(
        settings, account, tmp_path / "content.csv",
        "Tweet id,Tweet permalink,impressions,Total impressions\n"
        "11,https://twitter.com/a/status/11,4,9\n",
    )  # fmt: skip
    assert found == {("11", None, "impressions"): 4.0, ("11", None, "total_impressions"): 9.0}


def test_promoted_columns_stand_beside_the_organic_ones() -> None:
    assert metric_of("promoted url clicks", Platform.X)[0].name == "promoted_link_clicks"
    assert metric_of("url clicks", Platform.X)[0].name == "link_clicks"


def test_the_export_lands_whole_and_again_changes_nothing(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    text = "Date,Video Views,Profile Views\n\n2026-01-01,5,-\n"
    first, found = taken_in(settings, account, tmp_path / "a.csv", text)
    again, same = taken_in(settings, account, tmp_path / "a.csv", text)
    assert (first.is_new, again.is_new, found == same) == (True, False, True)
    assert first.manifest.source is Source.NATIVE
    lines = [json.loads(line) for line in read_lines(settings, first.manifest)]
    assert lines == [["Date", "Video Views", "Profile Views"], [], ["2026-01-01", "5", "-"]]
    with writing(settings, "test") as connection:
        assert connection.execute(
            "select source, items_got, post_count, rejected_count from raw.scrapes"
        ).fetchall() == [("native", 3, 0, 0)]
        assert connection.execute("select count(*) from raw.scrape_items").fetchone() == (0,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("<html>", "web page"),
        ("a,b\n1,2\n", "no table"),
        ("Date,Impressions\n2026-01-01,5\n", "--platform"),
        ("Fecha,Impresiones\n2026-01-01,5\n", "English"),
        ("Tweet id,Tweet permalink,impressions\n-,-,5\n", "no number"),
        ('{"daily": [', "not complete JSON"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_one_sentence(
    settings: Settings, account: AccountConfig, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImportFileError, match=words) as caught:
        import_native(settings, account, path, exported_at=EXPORTED)
    assert str(path) in str(caught.value)
    assert not settings.landing_dir.exists()


@pytest.mark.skipif(not NATIVE.is_dir(), reason=f"the real exports are not at {NATIVE}")
def test_37_real_months_of_x_keep_every_number(settings: Settings, account: AccountConfig) -> None:
    files = sorted(NATIVE.glob("x_*/*.csv"))
    assert len(files) == 37
    expected: Found = {}
    names = {
        "impressions": "impressions", "url clicks": "link_clicks", "follows": "follows",
        "engagement rate": "engagement_rate", "promoted impressions": "promoted_impressions",
        "user profile clicks": "profile_visits", "replies": "comments",
    }  # fmt: skip
    for path in files:
        report = import_native(settings, account, path)
        assert report.manifest.platform is Platform.X
        assert (report.unknown_labels, report.unreadable, report.nameless_rows) == ((), {}, 0)
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                for label, name in names.items():
                    value = None if row[label] == "-" else float(row[label])
                    expected[row["Tweet id"], None, name] = value
    load_raw(settings)
    with writing(settings, "test") as connection:
        found = connection.execute(
            "select post_id, cast(day as varchar), metric, value from raw.native_metrics "
            "where scope = 'post'"
        ).fetchall()
    assert {row[:3]: row[3] for row in found if row[2] in names.values()} == expected
    assert len(found) == 1129 * 36
    assert len({row[0] for row in found}) == 1129


@pytest.mark.skipif(not NATIVE.is_dir(), reason=f"the real exports are not at {NATIVE}")
def test_a_real_year_of_tiktok_days_adds_up_to_its_own_totals(
    settings: Settings, account: AccountConfig
) -> None:
    [path] = NATIVE.glob("tiktok_studio_daily_*.json")
    totals = json.loads(path.read_text(encoding="utf-8"))["totals"]
    import_native(settings, account, path)
    load_raw(settings)
    with writing(settings, "test") as connection:
        sums = dict(
            connection.execute(
                "select metric, sum(value) from raw.native_metrics where scope = 'account' "
                "group by metric"
            ).fetchall()
        )
        days = connection.execute(
            "select count(distinct day), min(day), max(day) from raw.native_metrics"
        ).fetchone()
    for name in ("views", "likes", "shares", "comments"):
        assert sums[name] == totals[name]
    assert days == (365, date(2025, 4, 13), date(2026, 4, 12))


@pytest.mark.skipif(not NATIVE.is_dir(), reason=f"the real exports are not at {NATIVE}")
@pytest.mark.parametrize("name", ["ig", "reddit", "tiktok", "x"])
def test_real_series_of_account_days_come_in_with_their_platform_named(
    settings: Settings, account: AccountConfig, name: str
) -> None:
    path = SHARED_DATA / "snapshots" / f"account_daily_{name}_y0.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    platform = Platform("instagram" if name == "ig" else name)
    report = import_native(settings, account, path, platform=platform, exported_at="2026-10-01")
    assert report.day_count == len({row["date"] for row in rows})
    assert report.value_count == sum(len(row) - 1 for row in rows)
    assert "followers" in report.metrics
