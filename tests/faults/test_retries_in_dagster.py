"""What Dagster does with an error: tries again, gives up, or tells the person in front."""

from pathlib import Path

import dagster as dg
import pytest

from pipeline.accounts import Platform
from pipeline.collect.platform_interface import ActorKind
from pipeline.collect.retries import MOST_RETRIES, decide_retry, stops_the_others
from pipeline.collect.scrape_round import ProfileProgress
from pipeline.defs.assets.landing import build_landing_asset
from pipeline.defs.conduct import Conduct
from pipeline.defs.partitions import ACCOUNTS_TAG, sync_accounts
from pipeline.defs.runs import RunFailedError, run_scrape
from pipeline.errors import (
    BudgetSpentError,
    RepeatPointlessError,
    ScrapeFailedError,
    ScrapeRejectedError,
    ScrapeUnavailableError,
)
from pipeline.simulate.apify_server import error_reply
from tests.collect.samples import make_account
from tests.faults.bench import POSTS, TOKEN, Bench, is_start, replying

DOWN = error_reply(429, "rate-limit-exceeded", "Slow down, please")


def materialize(bench: Bench, conduct: Conduct, *names: str) -> dg.ExecuteInProcessResult:
    """Run the real asset for accounts, as a schedule's run would."""
    asset = build_landing_asset(Platform.TIKTOK, ActorKind.POSTS, [POSTS])
    with dg.DagsterInstance.ephemeral() as instance:
        sync_accounts(instance, bench.settings)
        known = instance.get_dynamic_partitions("accounts")
        return dg.materialize(
            [asset],
            instance=instance,
            resources={
                "settings": dg.ResourceDefinition.hardcoded_resource(bench.settings),
                "conduct": dg.ResourceDefinition.hardcoded_resource(conduct),
            },
            tags={
                "dagster/asset_partition_range_start": known[0],
                "dagster/asset_partition_range_end": known[-1],
                ACCOUNTS_TAG: ",".join(names),
            },
            raise_on_error=False,
        )


def _failure(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """The failure's sentence, and the retry decision in its metadata."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return str(told.description), str(told.metadata["retry"].value)


def test_an_outage_is_waited_out_by_a_run_of_a_schedule(bench: Bench):
    left = [DOWN, DOWN]
    bench.server.intercept = lambda request, proceed: (
        left.pop() if is_start(request) and left else proceed()
    )
    result = materialize(bench, Conduct(first_wait_s=0.01), "lullabies")
    assert result.success
    assert sum(event.is_step_up_for_retry for event in result.all_events) == 2
    assert len(bench.server.starts) == 1


def test_an_outage_that_stays_fails_with_the_platforms_words(bench: Bench):
    bench.server.intercept = replying(is_start, DOWN)
    result = materialize(bench, Conduct(first_wait_s=0.001), "lullabies")
    assert not result.success
    assert sum(is_start(request) for request in bench.server.requests) == 1 + MOST_RETRIES
    sentence, retry = _failure(result)
    assert "Slow down, please" in sentence
    assert retry == "later"


def test_a_refusal_is_not_tried_again_and_the_other_accounts_are_not_asked(bench: Bench):
    make_account(bench.settings, "naps")
    bench.server.intercept = replying(is_start, error_reply(402, "x", "No credit left"))
    result = materialize(bench, Conduct(first_wait_s=0.001), "lullabies", "naps")
    assert sum(is_start(request) for request in bench.server.requests) == 1
    sentence, retry = _failure(result)
    assert "No credit left" in sentence
    assert retry == "never"
    assert TOKEN not in str(result.all_events)


def test_one_accounts_outage_is_no_reason_to_scrape_the_others_again(bench: Bench):
    make_account(bench.settings, "naps", platform_profiles={"tiktok": "napping"})
    bench.server.intercept = lambda request, proceed: (
        DOWN if is_start(request) and b"napping" in request.body else proceed()
    )
    result = materialize(bench, Conduct(first_wait_s=0.001), "lullabies", "naps")
    assert result.success
    assert sum(is_start(request) for request in bench.server.requests) == 2
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "Slow down, please" in str(check.metadata["naps"].value)


def test_a_person_in_front_is_told_at_once(bench: Bench, tmp_path: Path):
    bench.server.intercept = replying(is_start, DOWN)
    told: list[ProfileProgress] = []
    with pytest.raises(RunFailedError, match="Slow down, please"):
        run_scrape(bench.settings, ["lullabies"], [Platform.TIKTOK], told.append)
    assert sum(is_start(request) for request in bench.server.requests) == 1
    assert [(one.account_name, one.is_over) for one in told] == [
        ("lullabies", False),
        ("lullabies", True),
    ]


@pytest.mark.parametrize(
    ("errors", "is_worth_it"),
    [
        ([ScrapeUnavailableError("a")], True),
        ([ScrapeUnavailableError("a"), ScrapeFailedError("b")], True),
        ([ScrapeUnavailableError("a"), ScrapeRejectedError("b")], False),
        ([RepeatPointlessError("a")], False),
        ([BudgetSpentError("a")], False),
        ([], False),
    ],
    ids=["outage", "outages", "one needs a person", "private", "budget", "nothing"],
)
def test_only_what_can_pass_by_itself_is_tried_again(errors: list, is_worth_it: bool):
    assert decide_retry(errors, 0).is_worth_it is is_worth_it


def test_waits_grow_and_end():
    waits = [decide_retry([ScrapeUnavailableError("a")], number) for number in range(4)]
    assert [one.wait_s for one in waits] == [60.0, 240.0, 960.0, 0.0]
    assert not waits[3].is_worth_it


@pytest.mark.parametrize(("status", "stops"), [(400, False), (401, True), (402, True), (403, True)])
def test_a_refusal_of_the_token_or_the_credit_stops_the_others(status: int, stops: bool):
    error = ScrapeRejectedError("a")
    error.status = status
    assert stops_the_others(error) is stops
