"""What totals of profiles are expected to come to, as ``afterpost analyze`` tells it."""

import json
from datetime import date

import pytest

from pipeline.clients.warehouse import publish, reading, writing
from pipeline.learn.predict.account_growth import account_forecasts
from pipeline.learn.predict.forecast import MINIMUM_DAYS
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.show.published_copies import ACCOUNT, publish_night_owls

DAYS = 90
PLANTED = """
insert into marts.fct_follower_day by name
select
    $account as account_name, 'tiktok' as platform,
    date '2026-08-01' + day::integer as local_date,
    1000 + 20 * day as follower_count,
    timestamptz '2026-08-01 09:00Z' + day * interval 1 day as scraped_at
from range($days) as days (day)
where day not in (70, 71);
"""
TOTALS = """
insert into marts.fct_profile_snapshot by name
select
    account_name, platform, scraped_at, 'scrape' as scrape_id, 5000 as like_count_total,
    case when local_date >= date '2026-10-01' then 40 end as post_count
from marts.fct_follower_day
where account_name = $account
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    settings = publish_night_owls(home)
    with writing(settings, "test") as connection:
        connection.execute(PLANTED, {"account": ACCOUNT, "days": DAYS})
        connection.execute(TOTALS, {"account": ACCOUNT})
    publish(settings, "v2")
    return home


@pytest.fixture
def forecasts(home):
    with reading(Settings(home=home)) as connection:
        return {
            (one.metric, one.horizon_days): one for one in account_forecasts(connection, ACCOUNT)
        }


def test_steady_growth_is_carried_on_over_days_without_a_scrape(forecasts):
    now = 1000 + 20 * (DAYS - 1)
    for horizon in (7, 30):
        followers = forecasts["followers", horizon]
        assert (followers.count, followers.seen_on) == (now, date(2026, 10, 29))
        assert followers.known_days == DAYS - 2
        grown = followers.expected_count - now
        assert 7 * horizon <= grown <= 20.5 * horizon
        assert followers.expected_count_low_80 <= followers.expected_count
        assert now + 20 * horizon <= followers.expected_count_high_80


def test_what_stands_still_stays_and_what_is_known_for_too_few_days_has_no_figure(forecasts):
    assert forecasts["likes", 30].expected_count == 5000
    posts = forecasts["posts", 7]
    assert (posts.count, posts.known_days, posts.needed_days) == (40, 27, MINIMUM_DAYS)
    assert (posts.expected_count, posts.expected_count_low_80) == (None, None)


def test_growth_is_told_with_its_interval_and_with_what_is_missing(home, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(home))
    assert main(["analyze", "--account", ACCOUNT, "--focus", "growth"]) == 0
    text = capsys.readouterr().out

    assert "What the profiles' totals are expected to come to" in text
    assert "tiktok    followers  2,780  29 Oct  30 days" in text
    assert (
        "tiktok, posts in 7 and 30 days: not enough data (needs 33 more days with a scrape;"
        " so far 27)"
    ) in text


def test_a_pipe_gets_the_same_figures(home, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(home))
    assert main(["analyze", "--account", ACCOUNT, "--focus", "growth", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = json.dumps(document)

    assert '"forecasts"' in found
    assert '"seen_on": "2026-10-29"' in found


def test_a_copy_without_the_marts_has_no_forecasts(home):
    import duckdb

    assert account_forecasts(duckdb.connect(), ACCOUNT) == []
