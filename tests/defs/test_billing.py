"""A backfill of scrapes costs nothing twice, unless somebody says so."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.accounts import Platform
from pipeline.clients.state_attempts import update_attempt
from pipeline.collect.platform_interface import ActorKind
from pipeline.defs.assets.landing import build_landing_asset
from pipeline.defs.billing import SCRAPE_AGAIN_TAG, is_asked_for
from pipeline.defs.conduct import Conduct
from pipeline.defs.partitions import ACCOUNTS_TAG, RANGE_END, RANGE_START, sync_accounts
from pipeline.simulate.apify_server import error_reply
from tests.collect.samples import make_account
from tests.faults.bench import POSTS, Bench, is_start, open_bench, replying

BACKFILL = {"dagster/backfill": "abcdefgh"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path, platform_profiles={"tiktok": "quietnights"}) as bench:
        for name in ("naps", "mornings"):
            make_account(bench.settings, name, platform_profiles={"tiktok": name})
        yield bench


def run_over_all(bench: Bench, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    """One run over all partitions, as Dagster starts it for a backfill."""
    asset = build_landing_asset(Platform.TIKTOK, ActorKind.POSTS, [POSTS])
    with dg.DagsterInstance.ephemeral() as instance:
        sync_accounts(instance, bench.settings)
        known = instance.get_dynamic_partitions("accounts")
        return dg.materialize(
            [asset],
            instance=instance,
            resources={
                "settings": dg.ResourceDefinition.hardcoded_resource(bench.settings),
                "conduct": dg.ResourceDefinition.hardcoded_resource(Conduct(is_patient=False)),
            },
            tags={RANGE_START: known[0], RANGE_END: known[-1], **tags},
            raise_on_error=False,
        )


def _summaries(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {
        str(event.partition): str(event.materialization.metadata["summary"].value)
        for event in result.get_asset_materialization_events()
        if "summary" in event.materialization.metadata
    }


def test_a_backfill_over_all_partitions_is_billed_once(bench: Bench):
    first = run_over_all(bench, BACKFILL)
    assert first.success
    assert len(bench.server.starts) == 3

    second = run_over_all(bench, BACKFILL)

    assert second.success
    assert len(bench.server.starts) == 3, "no second bill"
    assert len(bench.attempts()) == 3
    told = _summaries(second)
    assert set(told) == {"lullabies", "naps", "mornings"}
    for name, sentence in told.items():
        assert f"Not scraped again: {name} on tiktok was scraped 0.0 hours ago" in sentence
        assert f"{SCRAPE_AGAIN_TAG} = yes" in sentence
        assert "$0.0105" in sentence


def test_a_backfill_scrapes_who_was_left_out_before(bench: Bench):
    run_over_all(bench, BACKFILL)
    make_account(bench.settings, "newcomer", platform_profiles={"tiktok": "quietnights"})

    told = _summaries(run_over_all(bench, BACKFILL))

    assert len(bench.server.starts) == 4
    assert told["newcomer"].startswith("Scraped 3 posts for newcomer")


@pytest.mark.parametrize(
    "tags",
    [
        {},  # "Materialize" in the pages
        {ACCOUNTS_TAG: "lullabies,naps,mornings", "dagster/parent_run_id": "executed-again"},
        {ACCOUNTS_TAG: "lullabies,naps,mornings", **BACKFILL},
        {SCRAPE_AGAIN_TAG: "no"},
    ],
)
def test_no_other_run_is_billed_for_fresh_profiles_either(bench: Bench, tags: dict[str, str]):
    run_over_all(bench, BACKFILL)

    assert run_over_all(bench, tags).success
    assert len(bench.server.starts) == 3


@pytest.mark.parametrize(
    "tags",
    [{**BACKFILL, SCRAPE_AGAIN_TAG: "yes"}, {ACCOUNTS_TAG: "lullabies,naps,mornings"}],
    ids=["the tag", "a schedule or a command"],
)
def test_whoever_asks_for_it_pays_again(bench: Bench, tags: dict[str, str]):
    run_over_all(bench, BACKFILL)

    assert run_over_all(bench, tags).success
    assert len(bench.server.starts) == 6


def test_a_refusal_that_cost_nothing_does_not_keep_a_backfill_from_trying(bench: Bench):
    bench.server.intercept = replying(is_start, error_reply(402, "x", "No credit left"))
    assert not run_over_all(bench, BACKFILL).success
    bench.server.intercept = None

    assert run_over_all(bench, BACKFILL).success
    assert len(bench.server.starts) == 3


def test_a_run_whose_cost_never_became_known_counts_as_paid(bench: Bench):
    run_over_all(bench, BACKFILL)
    for attempt in bench.attempts():
        update_attempt(bench.settings, attempt["attempt_id"], {"cost_usd": None})

    run_over_all(bench, BACKFILL)

    assert len(bench.server.starts) == 3


def test_what_counts_as_asked_for():
    assert is_asked_for({ACCOUNTS_TAG: "a"})
    assert is_asked_for({SCRAPE_AGAIN_TAG: "Yes"})
    assert not is_asked_for({})
    assert not is_asked_for({ACCOUNTS_TAG: "a", "dagster/parent_run_id": "b"})
