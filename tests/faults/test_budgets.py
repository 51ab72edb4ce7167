"""A budget stops scraping before it starts, and no run may charge more than is left."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.clients.state_attempts import spending_since, update_attempt
from pipeline.clock import utc_now
from pipeline.collect.attempts import month_of
from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import BudgetSpentError, ConfigurationError, Retry
from pipeline.settings import load_settings
from pipeline.simulate.apify_server import ApiReply
from tests.collect.samples import make_account
from tests.faults.bench import Bench, Expected, is_items, replying


def with_budget(bench: Bench, usd: float | int) -> None:
    bench.account = make_account(bench.settings, scrape={"budget_usd_per_month": usd})


def test_no_run_may_charge_more_than_is_left(bench: Bench):
    with_budget(bench, 0.03)
    for expected in ("0.03", "0.0195", "0.0090"):
        if Decimal(expected) < Decimal("0.01"):
            with pytest.raises(BudgetSpentError):
                bench.scrape()
            continue
        bench.scrape()
        asked = Decimal(bench.server.starts[-1].parameters["maxTotalChargeUsd"])
        assert asked == Decimal(expected)


def test_the_setting_stays_the_most_that_a_run_may_charge(bench: Bench):
    with_budget(bench, 50)
    bench.scrape()
    assert Decimal(bench.server.starts[0].parameters["maxTotalChargeUsd"]) == 2


def test_a_spent_budget_starts_nothing_and_says_when_it_goes_on(bench: Bench):
    with_budget(bench, 0.02)
    bench.scrape()
    with pytest.raises(BudgetSpentError) as caught:
        bench.scrape()
    requests = len(bench.server.starts)
    renews = month_of(bench.account, utc_now()).ends_at
    assert requests == 1
    assert "$0.01 of $0.02 this month" in str(caught.value)
    assert f"starts again on {renews:%Y-%m-%d} (America/New_York)" in str(caught.value)
    assert "budget_usd_per_month" in str(caught.value)
    assert caught.value.retry is Retry.NEVER
    assert len(bench.attempts()) == 1


def test_a_budget_of_nothing_stops_every_scrape(bench: Bench):
    with_budget(bench, 0)
    with pytest.raises(BudgetSpentError):
        bench.scrape()
    assert bench.server.starts == []


def test_what_a_run_of_unknown_cost_may_charge_is_held_back(bench: Bench):
    with_budget(bench, 2)
    bench.server.intercept = replying(is_items, ApiReply(503, b"", {}))
    bench.says([], usage_total_usd=None)
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, is_open=True))
    spending = spending_since(bench.settings, "lullabies", utc_now() - timedelta(days=1))
    assert (spending.spent_usd, spending.reserved_usd) == (Decimal(0), Decimal(2))


def test_the_month_is_that_of_the_accounts_zone(bench: Bench):
    month = month_of(bench.account, datetime(2026, 12, 1, 3, tzinfo=UTC))
    assert (month.begins_at.isoformat(), month.ends_at.isoformat()) == (
        "2026-11-01T00:00:00-04:00",
        "2026-12-01T00:00:00-05:00",
    )


def test_last_months_costs_do_not_count(bench: Bench):
    with_budget(bench, 0.02)
    bench.scrape()
    begins_at = month_of(bench.account, utc_now()).begins_at
    update_attempt(
        bench.settings,
        bench.attempts()[0]["attempt_id"],
        {"intended_at": begins_at - timedelta(seconds=1)},
    )
    bench.scrape()
    assert len(bench.server.starts) == 2


def test_the_most_rows_of_the_settings_hold_whatever_the_account_asks_for(bench: Bench):
    bench.settings = bench.settings.model_copy(update={"apify_max_items": 7})
    bench.scrape()
    (start,) = bench.server.starts
    assert (start.parameters["maxItems"], start.run_input["resultsPerPage"]) == ("7", 7)


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5"])
def test_a_number_of_rows_that_is_none_is_one_sentence(text: str):
    with pytest.raises(ConfigurationError, match=r"AFTERPOST_APIFY_MAX_ITEMS is .*set it to one"):
        load_settings({"AFTERPOST_APIFY_MAX_ITEMS": text})


def test_the_most_rows_come_from_the_environment():
    assert load_settings({"AFTERPOST_APIFY_MAX_ITEMS": "250"}).apify_max_items == 250
