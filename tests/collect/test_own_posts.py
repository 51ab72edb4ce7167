"""What the database tells of posts by plain keys is what the platform's own reader tells."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.accounts import Platform
from pipeline.clients.warehouse import writing
from pipeline.collect import own_posts as module
from pipeline.collect.own_posts import OwnPost, own_posts, read_new_posts
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_landing
from pipeline.settings import Settings
from tests.collect.samples import instagram_row, make_account, tiktok_row
from tests.collect.test_raw_load import landed

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "\n a \n", "\u00a0a\u00a0", "a\u3000", "\u2003a", "\u0085a", "\x1ca", "a\0b",
         "\\u", 'say "x"', "back\\slash", "tab\t", "null", '"', "é", "😀", "\ufeffa", "a\u200b",
         "half \ud83d"]
    ),
)  # fmt: skip
TIMES = st.sampled_from(
    ["2024-02-29T23:59:59.999Z", "2023-02-29T00:00:00.000Z", "2024-01-01T24:00:00Z",
     "1999-01-01T00:00:00Z", "2004-12-31T23:59:59.000Z", "2005-01-01T00:00:00.000Z",
     "2099-12-31T23:59:59.999Z", "2100-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00",
     "2024-01-01 10:00:00", "2024-01-01T00:00:60Z", "2024-01-01T10:00:00.12Z", "2024-01-01",
     "10 months ago", " 2024-01-01T00:00:00Z", "1725840000", ""]
)  # fmt: skip
VALUES = st.one_of(
    TEXTS,
    TIMES,
    st.none(),
    st.booleans(),
    st.integers(min_value=-1, max_value=2**40),
    st.just([]),
    st.just({"a": 1}),
)


def by_facts(home: Settings, platform: Platform) -> list[OwnPost]:
    with writing(home, "test") as connection:
        rows = connection.execute(
            "select post_id, payload from raw.scrape_items where item_kind = 'post' order by 1"
        ).fetchall()
    told = [(post_id, SOURCES[platform].facts(json.loads(payload))) for post_id, payload in rows]
    return [OwnPost(platform, post_id, one.posted_at, one.caption) for post_id, one in told]


def by_plain_keys(home: Settings) -> list[OwnPost]:
    with writing(home, "test") as connection:
        read_new_posts(connection)
        return own_posts(connection, "lullabies")


@pytest.mark.parametrize("platform", [Platform.TIKTOK, Platform.INSTAGRAM])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=st.lists(st.tuples(VALUES, VALUES), min_size=30, max_size=60))
def test_captions_and_times_are_the_same_whoever_reads_them(
    tmp_path_factory: pytest.TempPathFactory, platform: Platform, values: list[tuple[Any, Any]]
) -> None:
    make = tiktok_row if platform is Platform.TIKTOK else instagram_row
    caption, moment = ("text", "createTimeISO") if make is tiktok_row else ("caption", "timestamp")
    home = Settings(home=tmp_path_factory.mktemp("facts"))
    make_account(home)
    rows = [
        make(number) | {caption: text, moment: time} for number, (text, time) in enumerate(values)
    ]
    landed(home, rows, platform=platform)
    load_landing(home)
    assert by_plain_keys(home) == by_facts(home, platform)


def test_ordinary_rows_are_not_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    make_account(home)
    landed(home, [tiktok_row(number, text=f'{number}\n"said" 😀 \\') for number in range(9)])
    load_landing(home)
    monkeypatch.setattr(module, "_payloads", None)  # reading a payload would fail
    found = by_plain_keys(home)
    assert [post.caption for post in found] == [f'{number}\n"said" 😀 \\' for number in range(9)]
    assert found[0].posted_at == datetime.fromtimestamp(1_725_840_000, tz=UTC)


@pytest.mark.parametrize("days", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_newest_scrape_counts_in_whatever_order_they_are_loaded(
    tmp_path: Path, days: tuple[int, ...]
) -> None:
    home = Settings(home=tmp_path)
    make_account(home)
    for day in days:
        landed(home, [tiktok_row(0, text=f"day {day}"), tiktok_row(9 + day)], day)
        load_landing(home)
        by_plain_keys(home)
    assert by_plain_keys(home)[0].caption == "day 2"
    assert len(by_plain_keys(home)) == 4
    with writing(home, "test") as connection:
        assert own_posts(connection, "lullabies") == module._posts_in_scrapes(
            connection, "lullabies"
        )


def test_posts_far_apart_in_the_table_are_all_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEAST_GAP", 1)
    home = Settings(home=tmp_path)
    make_account(home)
    for day in range(6):
        landed(home, [tiktok_row(number) for number in range(12) if number % 5 != day], day)
    load_landing(home)
    for most in (1, 2, 3, 50):
        monkeypatch.setattr(module, "_MOST_RUNS", most)
        with writing(home, "test") as connection:
            connection.execute("insert into loading.unread_accounts values ('lullabies')")
            assert read_new_posts(connection) == {"lullabies"}
            assert own_posts(connection, "lullabies") == module._posts_in_scrapes(
                connection, "lullabies"
            )
            assert len(own_posts(connection, "lullabies")) == 12


def test_a_copy_that_remembers_no_posts_is_read_as_well(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    make_account(home)
    landed(home, [tiktok_row(0), tiktok_row(1)])
    load_landing(home)
    remembered = by_plain_keys(home)
    with writing(home, "test") as connection:
        connection.execute("drop schema loading cascade")
        assert own_posts(connection, "lullabies") == remembered
