"""How often alerts are wrong and right on a fixed seed; `make bench-alerts` shows more."""

import pytest

from bench import alerts as bench
from pipeline.simulate.quiet_accounts import QuietAccount, draw_accounts

SEED = 20261120
DAYS = 90


@pytest.fixture(scope="module")
def accounts() -> list[QuietAccount]:
    return draw_accounts(50, days=DAYS, seed=SEED)


def test_quiet_accounts_have_an_alert_in_one_week_of_fifty_at_most(
    accounts: list[QuietAccount],
) -> None:
    found = bench.quiet(accounts, DAYS)

    assert found.account_weeks > 600
    assert found.share <= bench.MOST_QUIET
    # The rules are not simply silent.
    assert sum(found.opened.values()) > 0


def test_after_a_record_there_is_no_more_talk_of_falls_than_otherwise(
    accounts: list[QuietAccount],
) -> None:
    assert bench.after_records(accounts, SEED).share <= bench.MOST_QUIET


def test_falls_are_told_within_two_scrapes_after_as_many_posts_as_were_promised(
    accounts: list[QuietAccount],
) -> None:
    found = bench.falls(accounts, bench.DEFINED_FALL, SEED)

    assert found.planted > 30
    assert found.share >= bench.FEWEST_CAUGHT
    assert found.intervals_right / found.caught >= 0.8


def test_breakouts_are_told_within_two_scrapes_after_they_were_posted(
    accounts: list[QuietAccount],
) -> None:
    by_tail = bench.breakouts(accounts, bench.DEFINED_BREAKOUT, SEED)

    for found in by_tail.values():
        assert found.planted > 20
        assert found.share >= bench.FEWEST_CAUGHT
