"""Loading raw: every landed answer once, whole or not at all, the same rows every time."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.warehouse import writing
from pipeline.collect.imports import import_file
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
from pipeline.collect.raw import ensure_raw_tables, load_raw
from pipeline.errors import LandingError
from pipeline.settings import Settings
from tests.collect.samples import (
    instagram_profile,
    instagram_row,
    make_account,
    tiktok_row,
    write_json,
)

FIRST = datetime(2026, 10, 1, 8, tzinfo=UTC)
TABLES = (
    "scrapes", "scrape_items", "rejected_items", "native_metrics", "accounts", "account_profiles",
    "account_segments", "planned_posts", "post_matches", "post_labels",
    "state_recommendations", "state_decisions", "state_verdict_registrations", "state_feedback",
    "state_scrape_attempts", "state_model_calls", "state_predictions",
    "state_reflexion_adjustments",
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return make_account(settings)


def landed(settings: Settings, rows: list[Any], number: int = 0, **changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "platform": Platform.TIKTOK,
        "account_name": "lullabies",
        "handle": "quietnights",
        "source": Source.APIFY,
        "source_kind": SourceKind.POSTS,
        "rows": rows,
        "scraped_at": FIRST + timedelta(days=number),
        "scraped_at_source": ScrapedAtSource.RUN,
        "run_input": {"profiles": ["quietnights"]},
    }
    return land(settings, weigh(Answer(**{**values, **changes}))).manifest


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with writing(settings, "test") as connection:
        return connection.execute(sql).fetchall()


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {table: query(settings, f"from raw.{table} order by all") for table in TABLES}


def test_items_are_loaded_with_kind_id_and_payload(
    settings: Settings, account: AccountConfig
) -> None:
    rows = [
        tiktok_row(0),
        tiktok_row(1, authorMeta={"name": "x"}),
        {"error": "gone", "url": "u"},
    ]
    manifest = landed(settings, rows)
    landed(settings, [instagram_profile()], platform=Platform.INSTAGRAM)
    report = load_raw(settings)
    assert (report.scrapes_loaded, report.items_loaded, report.rejected_loaded) == (2, 3, 1)
    found = query(
        settings,
        "select item_index, item_kind, post_id, scraped_at, payload from raw.scrape_items "
        "where platform = 'tiktok' order by item_index",
    )
    assert [row[:4] for row in found] == [
        (0, "post", rows[0]["id"], FIRST),
        (1, "foreign_post", rows[1]["id"], FIRST),
    ]
    assert [json.loads(row[4]) for row in found] == rows[:2]
    assert query(settings, "select item_index, reason, payload from raw.rejected_items") == [
        (2, "error row: gone", '{"error":"gone","url":"u"}')
    ]
    assert query(settings, "select item_kind, post_id from raw.scrape_items "
                           "where platform = 'instagram'") == [("profile", None)]  # fmt: skip
    [scrape] = query(
        settings,
        "select scrape_id, handle, source, outcome, input, items_got, post_count, landing_path "
        "from raw.scrapes where platform = 'tiktok'",
    )
    assert scrape == (
        manifest.scrape_id, "quietnights", "apify", "items", '{"profiles":["quietnights"]}', 3, 1,
        f"tiktok/lullabies/{manifest.scrape_id}.jsonl.zst",
    )  # fmt: skip


def test_flattened_exports_are_loaded_nested_with_values_as_they_were(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = tmp_path / "2026-10-01.csv"
    path.write_text(
        "authorMeta/name,id,playCount,slideshowImageLinks/0/tiktokLink,text,webVideoUrl\n"
        "quietnights,7412345678901234567,3051,https://a.b/c,,x\n"
    )
    import_file(settings, account, path)
    load_raw(settings)
    [(payload,)] = query(settings, "select payload from raw.scrape_items")
    assert json.loads(payload) == {
        "authorMeta": {"name": "quietnights"},
        "id": "7412345678901234567",
        "playCount": "3051",
        "slideshowImageLinks": [{"tiktokLink": "https://a.b/c"}],
        "webVideoUrl": "x",
    }


def test_loading_again_changes_nothing(settings: Settings, account: AccountConfig) -> None:
    landed(settings, [tiktok_row(0), {"error": "gone"}])
    assert load_raw(settings).scrapes_loaded == 1
    before = everything(settings)
    again = load_raw(settings)
    assert (again.scrapes_loaded, again.items_loaded, again.rejected_loaded) == (0, 0, 0)
    assert everything(settings) == before


def test_a_fresh_warehouse_gets_the_same_rows(settings: Settings, account: AccountConfig) -> None:
    for number in range(3):
        landed(settings, [tiktok_row(one) for one in range(number + 1)], number)
        load_raw(settings)
    before = everything(settings)
    settings.database_path.unlink()
    assert load_raw(settings).scrapes_loaded == 3
    assert everything(settings) == before


def test_odd_values_are_cleaned_one_by_one(settings: Settings, account: AccountConfig) -> None:
    rows: list[Any] = [
        tiktok_row(0, text="half \ud83d and \0 and 😀"),
        tiktok_row(1, playCount=float("nan"), shareCount=float("inf")),
        tiktok_row(2, diggCount=10**40),
        tiktok_row(3, text="long " * 1_000_000),
        tiktok_row(4, text="'); drop table raw.scrapes; --"),
        None,
        ["x"],
    ]
    landed(settings, rows)
    assert load_raw(settings).items_loaded == 5
    found = query(settings, "select payload from raw.scrape_items order by item_index")
    payloads = [json.loads(payload) for (payload,) in found]
    assert payloads[0]["text"] == "half \ufffd and \0 and 😀"
    assert payloads[1]["playCount"] is payloads[1]["shareCount"] is None
    assert payloads[2]["diggCount"] == 10**40
    assert payloads[3]["text"] == rows[3]["text"]
    assert payloads[4] == rows[4]
    valid = query(settings, "select count(*) from raw.scrape_items where json_valid(payload)")
    assert valid == [(5,)]
    reasons = query(settings, "select reason from raw.rejected_items order by item_index")
    assert reasons == [("not an object but null",), ("not an object but a list",)]


def test_a_row_nested_too_deeply_is_rejected_and_the_others_are_loaded(
    settings: Settings, account: AccountConfig
) -> None:
    deep: Any = 1
    for _ in range(600):
        deep = [deep]
    landed(settings, [tiktok_row(0, extra=deep), tiktok_row(1)])
    report = load_raw(settings)
    assert report.items_loaded + report.rejected_loaded == 2
    assert report.items_loaded >= 1


def test_a_corrected_handle_makes_the_posts_own(
    settings: Settings, account: AccountConfig, tmp_path: Path
) -> None:
    path = write_json(tmp_path / "2026-10-01.json", [tiktok_row(0)])
    wrong = make_account(settings, platform_profiles={"tiktok": "quietnihgts"})
    import_file(settings, wrong, path)
    load_raw(settings)
    assert query(settings, "select item_kind from raw.scrape_items") == [("foreign_post",)]
    right = make_account(settings)
    assert import_file(settings, right, path).is_new
    assert load_raw(settings).scrapes_loaded == 1
    assert query(settings, "select item_kind from raw.scrape_items") == [("post",)]
    assert query(settings, "select count(*), any_value(handle) from raw.scrapes") == [
        (1, "quietnights")
    ]


def test_a_damaged_landing_file_is_named_and_the_others_are_loaded(
    settings: Settings, account: AccountConfig
) -> None:
    broken = landed(settings, [tiktok_row(0)], 0)
    landed(settings, [tiktok_row(1)], 1)
    rows_path(settings, broken).write_bytes(b"torn")
    with pytest.raises(LandingError, match=str(rows_path(settings, broken))):
        load_raw(settings)
    assert query(settings, "select count(*) from raw.scrape_items") == [(1,)]
    with pytest.raises(LandingError):
        load_raw(settings)


def test_accounts_and_their_words_are_copied(settings: Settings) -> None:
    make_account(
        settings,
        formats=["step_guide"],
        content_pillars=[{"name": "sleep", "keywords": ["bedtime"]}],
        cta=["save"],
        default_slide_count=6,
        niche="parenting",
    )
    make_account(settings, "other", platform_profiles={})
    load_raw(settings)
    assert query(settings, "from raw.accounts order by all") == [
        ("lullabies", "lullabies", "parenting", "America/New_York", 6),
        ("other", "other", None, "America/New_York", None),
    ]
    assert query(settings, "from raw.account_profiles order by all") == [
        ("lullabies", "instagram", "quietnights"),
        ("lullabies", "tiktok", "quietnights"),
    ]
    assert query(settings, "select dimension, segment from raw.account_segments order by 1") == [
        ("cta", "save"),
        ("format", "step_guide"),
        ("pillar", "sleep"),
    ]
    make_account(settings, formats=[])
    load_raw(settings)
    assert query(settings, "select count(*) from raw.account_segments") == [(0,)]


def test_plans_matches_and_labels_are_loaded_and_a_broken_plan_is_told(settings: Settings) -> None:
    make_account(settings, content_pillars=[{"name": "sleep", "keywords": ["bedtime"]}])
    output = settings.accounts_dir / "lullabies" / "output"
    meta = {
        "caption": "Bedtime number 0 #sleep",
        "published_at": "2024-09-09T00:05:00Z",
        "format": "step_guide",
        "hook_score": 7.5,
    }
    write_json(output / "a" / "meta.json", meta)
    (output / "b").mkdir()
    (output / "b" / "meta.json").write_text("{")
    landed(settings, [tiktok_row(0), tiktok_row(30, text="Bedtime, another one entirely")])
    report = load_raw(settings)
    assert (report.planned_post_count, report.match_count, report.label_count) == (1, 1, 5)
    [problem] = report.problems
    assert "output/b" in problem
    post_id = tiktok_row(0)["id"]
    assert query(settings, "select post_id, planned_id, score from raw.post_matches") == [
        (post_id, "a", 1.0)
    ]
    labels = "select dimension, label, label_source from raw.post_labels"
    assert query(settings, f"{labels} where post_id = '{post_id}' order by 1") == [
        ("format", "step_guide", "planned"),
        ("hook_style", "statement", "rule"),
        ("pillar", "sleep", "rule"),
    ]
    assert query(settings, "select planned_at, hook_score from raw.planned_posts") == [
        (datetime(2024, 9, 9, 0, 5, tzinfo=UTC), 7.5)
    ]


def test_the_newest_caption_decides_the_label(settings: Settings) -> None:
    make_account(settings, content_pillars=[{"name": "sleep", "keywords": ["bedtime"]}])
    landed(settings, [instagram_row(0, caption="Hello")], 1, platform=Platform.INSTAGRAM)
    landed(settings, [instagram_row(0, caption="Bedtime")], 0, platform=Platform.INSTAGRAM)
    load_raw(settings)
    labels = "select count(*) from raw.post_labels where dimension = 'pillar'"
    assert query(settings, labels) == [(0,)]


def test_tables_are_made_only_once(tmp_path: Path) -> None:
    connection = duckdb.connect()
    ensure_raw_tables(connection)
    ensure_raw_tables(connection)
    found = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw'")
    assert {name for (name,) in found.fetchall()} == set(TABLES)


LOAD = """
import sys
from pathlib import Path
from pipeline.collect.raw import load_raw
import pipeline.clients.state
import pipeline.collect.scrape_loading
from pipeline.settings import Settings
pipeline.collect.scrape_loading._ITEMS_AT_ONCE = 100  # so that a kill falls between transactions
print("ready", flush=True)
sys.stdin.readline()
load_raw(Settings(home=Path(sys.argv[1])))
"""


def test_a_load_killed_at_any_moment_leaves_whole_scrapes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "killed")
    calm = Settings(home=tmp_path / "calm")
    for one in (settings, calm):
        make_account(one)
        for number in range(40):
            rows: list[Any] = [tiktok_row(row) for row in range(40)]
            landed(one, [*rows, {"error": "gone"}], number)
    moments = random.Random(7)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", LOAD, str(settings.home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.stdin.write(b"go\n")
        child.stdin.flush()
        time.sleep(moments.uniform(0.05, 0.5))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        if not settings.database_path.exists():
            continue
        with writing(settings, "test") as connection:
            ensure_raw_tables(connection)
        torn = query(
            settings,
            "select scrape_id from (select scrape_id from raw.scrape_items "
            "union all select scrape_id from raw.rejected_items) full join raw.scrapes "
            "using (scrape_id) group by scrape_id having count(*) <> coalesce(max(items_got), -1)",
        )
        assert torn == []
    load_raw(settings)
    load_raw(calm)
    assert everything(settings) == everything(calm)
