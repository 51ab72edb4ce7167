"""Dense, then daily, then weekly; and a look of their own for posts that left the listing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.cadence import Pace, direct_looks, is_due, pace_of, profiles_due
from pipeline.collect.landing import Answer, ScrapedAtSource, Source, SourceKind, land, weigh
from pipeline.settings import Settings
from tests.collect.samples import tiktok_row

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "pace"),
    [
        (timedelta(minutes=5), Pace.DENSE),
        (timedelta(hours=48), Pace.DENSE),
        (timedelta(hours=49), Pace.DAILY),
        (timedelta(days=14), Pace.DAILY),
        (timedelta(days=15), Pace.WEEKLY),
    ],
)
def test_the_pace_follows_the_newest_post(age: timedelta, pace: Pace) -> None:
    assert pace_of(NOW - age, NOW) is pace


def test_a_profile_without_known_posts_is_scraped_daily() -> None:
    assert pace_of(None, NOW) is Pace.DAILY


@pytest.mark.parametrize(
    ("pace", "since_last", "due"),
    [
        (Pace.DENSE, timedelta(hours=4), False),
        (Pace.DENSE, timedelta(hours=5, minutes=50), True),
        (Pace.DAILY, timedelta(hours=12), False),
        (Pace.DAILY, timedelta(hours=23, minutes=58), True),
        (Pace.WEEKLY, timedelta(days=6), False),
        (Pace.WEEKLY, timedelta(days=7), True),
    ],
)
def test_a_profile_is_due_after_its_interval_even_if_the_clock_ticks_early(
    pace: Pace, since_last: timedelta, due: bool
) -> None:
    assert is_due(pace, NOW - since_last, NOW) is due


def test_a_profile_that_was_never_scraped_is_due(tmp_path: Path) -> None:
    account = AccountConfig.model_validate({"name": "a", "platform_profiles": {"tiktok": "a"}})
    (profile,) = profiles_due(Settings(home=tmp_path), [account], NOW)

    assert (profile.is_due, profile.pace, profile.last_scraped_at) == (True, Pace.DAILY, None)


@pytest.mark.parametrize(("source", "due"), [(Source.APIFY, False), (Source.IMPORT, True)])
def test_an_import_is_no_scrape(tmp_path: Path, source: Source, due: bool) -> None:
    settings = Settings(home=tmp_path)
    row = tiktok_row(0)
    handle = row["authorMeta"]["name"]
    account = AccountConfig.model_validate({"name": "a", "platform_profiles": {"tiktok": handle}})
    answer = Answer(
        platform=Platform.TIKTOK,
        account_name="a",
        handle=handle,
        source=source,
        source_kind=SourceKind.POSTS,
        rows=[row],
        scraped_at=NOW - timedelta(hours=2),
        scraped_at_source=ScrapedAtSource.RUN,
    )
    land(settings, weigh(answer))

    (profile,) = profiles_due(settings, [account], NOW)
    assert profile.is_due is due


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Posts by age in days, when they were last seen, and what the listing says of them."""
    posts = [
        # (post_id, age now, age when last seen, listing state, misses, looks)
        ("listed", 31, 31, "listed", 0, 0),
        ("at_30", 31, 12, "outside_window", 0, 0),
        ("seen_at_30", 35, 30.5, "outside_window", 0, 0),
        ("at_60", 61, 31, "unpinned", 0, 0),
        ("let_go", 50, 12, "outside_window", 0, 0),
        ("ancient", 700, 400, "outside_window", 0, 0),
        ("young", 20, 9, "outside_window", 0, 0),
        ("suspect", 8, 3, "missing", 2, 0),
        ("missed_once", 8, 3, "missing", 1, 0),
        ("gone", 31, 3, "gone", 4, 1),
    ]
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.execute("create schema marts")
        database.execute(
            "create table marts.dim_post (account_name varchar, platform varchar, "
            "post_id varchar, post_url varchar, posted_at timestamptz)"
        )
        database.execute(
            "create table marts.fct_snapshot (account_name varchar, platform varchar, "
            "post_id varchar, age_hours double)"
        )
        database.execute(
            "create table marts.fct_post_listing (account_name varchar, platform varchar, "
            "post_id varchar, listing_state varchar, missed_listing_count bigint, "
            "direct_look_count bigint)"
        )
        for post_id, age, seen, state, misses, looks in posts:
            key = ["a", "tiktok", post_id]
            posted_at = NOW - timedelta(days=age)
            database.execute(
                "insert into marts.dim_post values (?, ?, ?, ?, ?)",
                [*key, f"https://t/{post_id}", posted_at],
            )
            database.execute(
                "insert into marts.fct_snapshot values (?, ?, ?, ?)", [*key, seen * 24]
            )
            database.execute(
                "insert into marts.fct_post_listing values (?, ?, ?, ?, ?, ?)",
                [*key, state, misses, looks],
            )
        yield database


def test_posts_are_looked_up_at_their_milestones_and_when_they_went_missing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    looks = direct_looks(connection, "a", Platform.TIKTOK, NOW)

    assert [(look.post_id, look.why) for look in looks] == [
        ("suspect", "missing from two listings"),
        ("at_30", "30 days old"),
        ("at_60", "60 days old"),
    ]
    assert looks[0].post_url == "https://t/suspect"


def test_another_profile_has_no_looks(connection: duckdb.DuckDBPyConnection) -> None:
    assert direct_looks(connection, "a", Platform.INSTAGRAM, NOW) == []
