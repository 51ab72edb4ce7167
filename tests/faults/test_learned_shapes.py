"""Answers that an older program did not understand and today's does."""

from dataclasses import replace

from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.raw import load_raw
from tests.faults.bench import POSTS, Bench


def test_rows_of_a_shape_that_was_learned_since_are_taken_in(bench: Bench):
    required = POSTS.contract.required | {"keyOfAFormerShape"}
    older = replace(POSTS, contract=replace(POSTS.contract, required=required))
    report = bench.scrape(older)
    assert report.outcome is RunOutcome.SCHEMA_DRIFT
    load_raw(bench.settings)
    assert bench.raw() == {
        "scrapes": 1,
        "scrape_items": 3,
        "rejected_items": 0,
        "state_scrape_attempts": 1,
    }
