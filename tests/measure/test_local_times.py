"""Days, hours and weekdays are those of the account's clock, also where clocks jump."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.measure.dbt_runs import DBT_PROJECT
from pipeline.settings import Settings
from tests.collect.samples import make_account, tiktok_row, write_json

ZONES = {
    "new_york": "America/New_York",
    "berlin": "Europe/Berlin",
    "auckland": "Pacific/Auckland",
}

# Account, instant (UTC), and what its clock said: date, ISO weekday, hour, part of the day.
POSTS: tuple[tuple[str, str, str, int, int, str], ...] = (
    # The hour from 1 to 2 comes twice.
    ("new_york", "2025-11-02T05:30:00Z", "2025-11-02", 7, 1, "night"),
    ("new_york", "2025-11-02T06:30:00Z", "2025-11-02", 7, 1, "night"),
    ("new_york", "2026-11-01T05:30:00Z", "2026-11-01", 7, 1, "night"),
    ("new_york", "2026-11-01T06:30:00Z", "2026-11-01", 7, 1, "night"),
    # The hour from 2 to 3 never comes.
    ("new_york", "2026-03-08T06:59:59Z", "2026-03-08", 7, 1, "night"),
    ("new_york", "2026-03-08T07:00:00Z", "2026-03-08", 7, 3, "night"),
    ("new_york", "2026-03-08T07:30:00Z", "2026-03-08", 7, 3, "night"),
    # Late in the evening, when the day in UTC is the next one already.
    ("new_york", "2026-07-01T03:30:00Z", "2026-06-30", 2, 23, "late"),
    ("new_york", "2026-01-01T04:30:00Z", "2025-12-31", 3, 23, "late"),
    # Days that belong to an ISO week of another year.
    ("new_york", "2024-12-30T15:00:00Z", "2024-12-30", 1, 10, "midday"),
    ("new_york", "2021-01-01T17:00:00Z", "2021-01-01", 5, 12, "midday"),
    ("new_york", "2021-01-03T22:30:00Z", "2021-01-03", 7, 17, "afternoon"),
    ("new_york", "2021-01-04T04:59:59Z", "2021-01-03", 7, 23, "late"),
    ("new_york", "2021-01-04T05:00:00Z", "2021-01-04", 1, 0, "night"),
    ("berlin", "2025-10-26T00:30:00Z", "2025-10-26", 7, 2, "night"),
    ("berlin", "2025-10-26T01:30:00Z", "2025-10-26", 7, 2, "night"),
    ("berlin", "2026-03-29T00:59:59Z", "2026-03-29", 7, 1, "night"),
    ("berlin", "2026-03-29T01:00:00Z", "2026-03-29", 7, 3, "night"),
    ("berlin", "2025-12-31T23:30:00Z", "2026-01-01", 4, 0, "night"),
    ("berlin", "2026-07-01T21:30:00Z", "2026-07-01", 3, 23, "late"),
    ("auckland", "2026-04-04T13:30:00Z", "2026-04-05", 7, 2, "night"),
    ("auckland", "2026-04-04T14:30:00Z", "2026-04-05", 7, 2, "night"),
    ("auckland", "2025-09-27T13:59:59Z", "2025-09-28", 7, 1, "night"),
    ("auckland", "2025-09-27T14:00:00Z", "2025-09-28", 7, 3, "night"),
    ("auckland", "2026-06-30T12:30:00Z", "2026-07-01", 3, 0, "night"),
    ("auckland", "2025-12-31T10:30:00Z", "2025-12-31", 3, 23, "late"),
)

# Moments of scrapes of one account, followers, and the day on New York's clock.
FOLLOWERS: tuple[tuple[str, int, str], ...] = (
    ("2026-03-08T04:30:00Z", 100, "2026-03-07"),
    ("2026-03-08T05:10:00Z", 103, "2026-03-08"),
    ("2026-03-09T04:10:00Z", 110, "2026-03-09"),  # the day before had 23 hours
    ("2026-10-31T04:10:00Z", 200, "2026-10-31"),
    ("2026-11-01T04:10:00Z", 210, "2026-11-01"),
    ("2026-11-02T05:10:00Z", 220, "2026-11-02"),  # the day before had 25 hours
)


def _post_id(number: int) -> str:
    return str(7412345678901234567 + number)


def _row(number: int, instant: str) -> dict[str, Any]:
    return tiktok_row(
        number,
        createTimeISO=instant.replace("Z", ".000Z"),
        createTime=int(datetime.fromisoformat(instant).timestamp()),
        authorMeta={"id": "71", "name": "quietnights"},
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three accounts in three zones with the posts above, and a fourth whose followers are seen."""
    folder = tmp_path_factory.mktemp("zones")
    settings = Settings(home=folder)
    for name, zone in ZONES.items():
        account = make_account(settings, name, timezone=zone)
        rows = [_row(i, post[1]) for i, post in enumerate(POSTS) if post[0] == name]
        for moment in ("2026-11-03T08:00:00Z", "2026-11-08T08:00:00Z"):
            path = write_json(folder / f"{name}.json", rows)
            import_file(settings, account, path, scraped_at=moment)
    account = make_account(settings, "followed", timezone="America/New_York")
    for moment, count, _ in FOLLOWERS:
        row = tiktok_row(1, authorMeta={"id": "71", "name": "quietnights", "fans": count})
        path = write_json(folder / "followed.json", [row])
        import_file(settings, account, path, scraped_at=moment)
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return settings


def _rows(home: Settings, query: str) -> list[tuple[Any, ...]]:
    with reading(home) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_a_post_has_the_day_weekday_and_hour_of_its_accounts_clock(home: Settings) -> None:
    found = {
        (account, post_id): rest
        for account, post_id, *rest in _rows(
            home,
            "select account_name, post_id, local_date, local_weekday, local_hour, daypart "
            "from marts.dim_post where account_name <> 'followed'",
        )
    }
    expected = {
        (account, _post_id(i)): [date.fromisoformat(day), weekday, hour, daypart]
        for i, (account, _, day, weekday, hour, daypart) in enumerate(POSTS)
    }

    assert found == expected


def test_the_expected_days_are_pythons() -> None:
    for account, instant, day, weekday, hour, _ in POSTS:
        local = datetime.fromisoformat(instant).astimezone(ZoneInfo(ZONES[account]))
        assert (local.date().isoformat(), local.isoweekday(), local.hour) == (day, weekday, hour)


@pytest.mark.slow
def test_an_hour_that_comes_twice_keeps_the_instants_apart(home: Settings) -> None:
    rows = _rows(
        home,
        "select local_posted_at, posted_at from marts.dim_post where account_name = 'new_york' "
        "and local_date = date '2026-11-01' order by posted_at",
    )

    assert [row[0] for row in rows] == [datetime(2026, 11, 1, 1, 30)] * 2  # noqa: DTZ001
    assert rows[1][1] - rows[0][1] == timedelta(hours=1)


@pytest.mark.slow
def test_the_age_at_a_scrape_is_in_real_hours_across_a_jump_of_the_clock(home: Settings) -> None:
    ((age,),) = _rows(
        home,
        "select min(age_hours) from marts.fct_snapshot where post_id = "
        f"'{_post_id(3)}' and account_name = 'new_york'",
    )

    assert age == 49.5  # from 01:30, the second one, on 1 November to 03:00 on the 3rd


@pytest.mark.slow
def test_the_timing_mart_counts_by_the_local_weekday_and_part_of_the_day(home: Settings) -> None:
    found = {
        tuple(key): n
        for *key, n in _rows(
            home,
            "select account_name, local_weekday, daypart, post_count from marts.mart_timing "
            "where account_name <> 'followed'",
        )
    }

    assert found == Counter((post[0], post[3], post[5]) for post in POSTS)


@pytest.mark.slow
def test_weekday_and_daypart_segments_are_those_of_the_local_clock(home: Settings) -> None:
    with duckdb.connect(str(home.database_path), read_only=True) as connection:
        found = connection.execute(
            "select account_name, dimension, segment, count(*) "
            "from intermediate.int_post_segments "
            "where dimension in ('weekday', 'daypart') and account_name <> 'followed' group by all"
        ).fetchall()
    expected = Counter((post[0], "weekday", str(post[3])) for post in POSTS)
    expected.update((post[0], "daypart", post[5]) for post in POSTS)

    assert {tuple(key): n for *key, n in found} == expected


@pytest.mark.slow
def test_followers_are_counted_by_local_day_and_in_real_hours(home: Settings) -> None:
    found = _rows(
        home,
        "select local_date, follower_count, hours_since_last from marts.fct_follower_day "
        "where account_name = 'followed' order by local_date",
    )

    assert [(str(day), count) for day, count, _ in found] == [
        (day, count) for _, count, day in FOLLOWERS
    ]
    hours = [gap for _, _, gap in found]
    assert hours[0] is None
    assert (hours[2], hours[4], hours[5]) == (23.0, 24.0, 25.0)


def _macro(name: str, **arguments: str) -> str:
    """The SQL that an engine's macro gives, read from its file."""
    text = (DBT_PROJECT / "macros" / "engine" / "time.sql").read_text(encoding="utf-8")
    body = re.search(rf"macro duckdb__{name}\(.*?-%}}(.*?){{%- endmacro", text, re.DOTALL)
    assert body is not None
    sql = body.group(1).strip()
    for argument, value in arguments.items():
        sql = sql.replace(f"{{{{ {argument} }}}}", value)
    return sql


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    instant=st.datetimes(
        min_value=datetime(2019, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2027, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    zone=st.sampled_from([*ZONES.values(), "Asia/Kolkata", "America/Sao_Paulo", "UTC"]),
)
def test_the_engines_clock_is_pythons(instant: datetime, zone: str) -> None:
    local_time = _macro("local_time", instant=f"timestamptz '{instant}'", zone=f"'{zone}'")
    weekday = _macro("iso_weekday", local_timestamp=local_time)
    with duckdb.connect() as connection:
        found = connection.execute(f"select {local_time}, {weekday}").fetchone()
    local = instant.astimezone(ZoneInfo(zone))

    assert found == (local.replace(tzinfo=None), local.isoweekday())
