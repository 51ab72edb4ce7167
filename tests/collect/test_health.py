"""What is said of each profile, from the ledger and the landing files alone."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.accounts import Platform
from pipeline.clients.state_attempts import update_attempt
from pipeline.clock import utc_now
from pipeline.collect.health import ProfileHealth, _telling, profile_health
from pipeline.collect.outcomes import WORDS, RunOutcome
from pipeline.errors import AfterpostError
from tests.collect.samples import make_account
from tests.faults.bench import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    profiles = {"tiktok": "quietnights"}
    with open_bench(tmp_path, has_state=False, platform_profiles=profiles) as bench:
        yield bench


def health_of(bench: Bench) -> ProfileHealth:
    (profile,) = profile_health(bench.settings, [bench.account], utc_now())
    return profile


def failing(bench: Bench, times: int) -> None:
    for _ in range(times):
        with pytest.raises(AfterpostError):
            bench.scrape()


def test_a_profile_that_was_never_scraped_says_so_and_makes_no_database(bench: Bench):
    profile = health_of(bench)
    assert (profile.outcome, profile.last_seen_at, profile.miss_count) == (None, None, 0)
    assert profile.to_do == "Scrape it, or import an export."
    assert not bench.settings.warehouse_dir.exists()


def test_a_good_run_leaves_nothing_to_do(bench: Bench):
    bench.scrape()
    profile = health_of(bench)
    assert profile.outcome is RunOutcome.NEW_POSTS
    assert profile.to_do is None
    assert profile.cost_this_month_usd == Decimal("0.0105")
    assert profile.last_seen_at is not None


def test_what_the_listing_said_is_the_news_unless_another_source_has_trouble():
    listing = {"source_kind": "posts", "actor_id": "p", "outcome": "new_posts", "intended_at": 1}
    profile = {"source_kind": "profiles", "actor_id": "q", "outcome": "no_new_posts"}

    assert _telling([listing, {**profile, "intended_at": 2}]) == listing
    troubled = {**profile, "outcome": "private", "intended_at": 0}
    assert _telling([troubled, listing]) == troubled


def test_misses_are_counted_until_a_run_can_be_relied_on(bench: Bench):
    bench.scrape()
    seen_at = health_of(bench).last_seen_at
    bench.says([{"error": "Account is private", "errorCode": "PROFILE_PRIVATE"}])
    failing(bench, 2)
    profile = health_of(bench)
    assert (profile.outcome, profile.miss_count) == (RunOutcome.PRIVATE, 2)
    assert profile.last_seen_at == seen_at
    assert profile.to_do == "Make the profile public, or remove it from account.yaml."
    assert "PROFILE_PRIVATE" in str(profile.message)
    bench.answer = {}
    bench.scrape()
    assert health_of(bench).miss_count == 0


def test_trouble_that_stays_gets_other_advice(bench: Bench):
    bench.says([], status="FAILED")
    failing(bench, 1)
    assert "tries again" in str(health_of(bench).to_do)
    failing(bench, 2)
    assert "Read the run's log" in str(health_of(bench).to_do)


def test_a_spent_budget_is_what_there_is_to_do_something_about(bench: Bench):
    bench.account = make_account(
        bench.settings,
        platform_profiles={"tiktok": "quietnights"},
        scrape={"budget_usd_per_month": 0.0105},
    )
    bench.scrape()
    profile = health_of(bench)
    assert profile.is_budget_spent
    assert "budget is spent until" in str(profile.to_do)


def test_costs_of_another_month_are_not_of_this_one(bench: Bench):
    bench.scrape()
    update_attempt(
        bench.settings,
        bench.attempts()[0]["attempt_id"],
        {"intended_at": utc_now() - timedelta(days=40)},
    )
    assert health_of(bench).cost_this_month_usd == 0


def test_every_outcome_has_words():
    assert set(WORDS) == set(RunOutcome)
    assert [one for one in RunOutcome if one.moves_baselines] == [
        RunOutcome.NEW_POSTS,
        RunOutcome.NO_NEW_POSTS,
    ]


def test_profiles_are_told_by_account_and_platform(bench: Bench):
    both = make_account(bench.settings, "both")
    platforms = [one.platform for one in profile_health(bench.settings, [both], utc_now())]
    assert platforms == [Platform.INSTAGRAM, Platform.TIKTOK]
