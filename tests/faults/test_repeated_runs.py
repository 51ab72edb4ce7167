"""A run that Dagster repeats by itself, while the first lives on or after it, pays nothing twice.

A worker that only lost its connection goes on with its run, and another begins to repeat it.
"""

from pathlib import Path

from tests.faults.bench import Bench
from tests.faults.repeated_runs import (
    assert_paid_once,
    both_end,
    only_run,
    repetition_of,
    run_in_the_middle,
    told,
)
from tests.faults.run_in_a_process import start_run


def test_a_run_that_is_repeated_while_it_lives_is_paid_once(bench: Bench, tmp_path: Path):
    first, second = both_end(bench, bench.settings, tmp_path / "dagster")
    assert_paid_once(bench, first, second)


def test_a_run_that_is_repeated_after_its_death_is_taken_up(bench: Bench, tmp_path: Path):
    dagster_home = tmp_path / "dagster"
    with run_in_the_middle(bench, dagster_home) as (first, _):
        first.kill()
        first.wait()
        second = told(
            start_run(bench.settings, dagster_home, repetition_of(only_run(dagster_home)))
        )
    assert second["success"]
    assert second["summaries"]["lullabies"].startswith("Scraped 3 posts")
    assert len(bench.server.starts) == 1
    (attempt,) = bench.attempts()
    assert attempt["run_id"] == bench.server.starts[0].run_id
    assert attempt["outcome"] == "new_posts"
