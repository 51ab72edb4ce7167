"""How a run can end, with rows and without, and one that does not end."""

import time

import pytest

from pipeline.collect.landing import Outcome, manifest_files, read_manifest
from pipeline.collect.outcomes import RunOutcome
from pipeline.errors import Retry
from tests.collect.samples import tiktok_row
from tests.faults.bench import Bench, Expected, posts

WITHOUT_SUCCESS = ("FAILED", "TIMED-OUT", "ABORTED")


@pytest.mark.parametrize("status", WITHOUT_SUCCESS)
def test_a_run_without_success_and_without_rows_lands_nothing(bench: Bench, status: str):
    bench.says([], status=status, status_message="The proxy\nwas blocked")
    bench.check(
        Expected(
            RunOutcome.FAILED,
            Retry.LATER,
            words=(status, "The proxy was blocked", "Nothing was stored"),
            cost_usd="0.0105",
        )
    )


@pytest.mark.parametrize("status", WITHOUT_SUCCESS)
def test_the_rows_of_a_run_without_success_are_kept_as_a_part(bench: Bench, status: str):
    bench.says(posts(2), status=status, status_message="Out of time")
    bench.check(Expected(RunOutcome.PARTIAL, words=(status, "Out of time"), scrapes=1, items=2))
    (manifest,) = [read_manifest(path) for path in manifest_files(bench.settings)]
    assert manifest.outcome is Outcome.PARTIAL
    assert manifest.run_status == status


@pytest.mark.parametrize("status", WITHOUT_SUCCESS)
def test_error_rows_of_a_run_without_success_land_nothing(bench: Bench, status: str):
    bench.says([{"error": "Oops"}], status=status)
    bench.check(Expected(RunOutcome.FAILED, Retry.LATER, words=(status, "Oops")))


def test_a_run_that_succeeds_with_nothing_is_empty_and_moves_nothing(bench: Bench):
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    bench.says([])
    bench.check(Expected(RunOutcome.EMPTY, words=("no posts to show",), scrapes=1, items=3))
    bench.says(posts(4))
    assert bench.scrape().new_post_count == 1


def test_a_run_that_was_blocked_inside_is_no_empty_profile(bench: Bench):
    bench.says([], status_message="Finished! Total 4 requests: 0 succeeded, 4 failed.")
    bench.check(Expected(RunOutcome.THROTTLED, Retry.LATER, words=("blocked", "4 failed")))


def test_a_run_that_does_not_end_is_aborted_at_the_deadline(bench: Bench):
    bench.set_deadline(1.0)
    bench.says([], status="RUNNING")
    before = time.monotonic()
    bench.check(Expected(RunOutcome.UNAVAILABLE, Retry.LATER, words=("aborted", "1 s")))
    assert time.monotonic() - before < 6
    assert bench.server.aborts == [bench.server.starts[0].run_id]
    assert bench.attempts()[0]["run_status"] == "ABORTED"


def test_known_posts_alone_are_no_new_posts(bench: Bench):
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    time.sleep(1.1)  # a scrape is named by its second
    bench.check(Expected(RunOutcome.NO_NEW_POSTS, words=("0 new",), scrapes=1, items=6))


def test_posts_first_seen_in_a_part_are_new_when_the_whole_list_comes(bench: Bench):
    bench.says(posts(2), status="TIMED-OUT")
    report = bench.scrape()
    assert (report.outcome, report.new_post_count) == (RunOutcome.PARTIAL, 0)
    bench.says(posts(3))
    assert bench.scrape().new_post_count == 3


def test_a_pinned_post_is_not_new(bench: Bench):
    bench.says([tiktok_row(9, isPinned=True), *posts(2)])
    assert bench.scrape().new_post_count == 2


def test_an_unknown_cost_is_held_against_the_budget_and_not_made_zero(bench: Bench):
    bench.says(posts(), usage_total_usd=None)
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    assert bench.attempts()[0]["cost_usd"] is None
