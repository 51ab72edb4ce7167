"""Two living processes at one profile: a run, and the one that repeats it too early."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.clients.state_attempts import attempts_since
from pipeline.defs.partitions import ACCOUNTS_TAG
from pipeline.settings import Settings
from tests.faults.bench import Bench, is_wait
from tests.faults.run_in_a_process import start_run
from tests.faults.test_killed_scrapes import Stopped

NAME = "lullabies"
ASKED_FOR = {"dagster/partition": NAME, ACCOUNTS_TAG: NAME}


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a process printed at its end."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    document: dict[str, Any] = json.loads(output)
    return document


def only_run(dagster_home: Path) -> str:
    """Id of the one run that an instance knows."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        (run,) = instance.get_runs()
        return run.run_id


def repetition_of(run_id: str) -> dict[str, str]:
    """The tags that Dagster gives to a run that it repeats by itself."""
    return {
        **ASKED_FOR,
        "dagster/root_run_id": run_id,
        "dagster/parent_run_id": run_id,
        "dagster/retry_number": "1",
    }


@contextmanager
def run_in_the_middle(
    bench: Bench, dagster_home: Path
) -> Iterator[tuple["subprocess.Popen[str]", Stopped]]:
    """A run whose scrape is paid for, while its end is waited for."""
    dagster_home.mkdir()
    (dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    stopped = Stopped(is_wait, is_carried_out=True)
    bench.server.intercept = stopped
    first = start_run(bench.settings, dagster_home, ASKED_FOR)
    try:
        assert stopped.is_reached.wait(60)
        bench.server.intercept = None
        yield first, stopped
    finally:
        stopped.let_go()
        first.kill()
        first.wait()


def both_end(
    bench: Bench, repeating: Settings, dagster_home: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Repeat a run that lives on; what the two say.

    Args:
        bench: Its server, and the home of the first.
        repeating: Home and state database of the repetition.
        dagster_home: Not there yet.
    """
    with run_in_the_middle(bench, dagster_home) as (first, stopped):
        second = start_run(repeating, dagster_home, repetition_of(only_run(dagster_home)))
        _wait_for_its_step(dagster_home)
        assert second.poll() is None
        assert len(bench.server.starts) == 1
        stopped.let_go()
        return told(first), told(second)


def _wait_for_its_step(dagster_home: Path) -> None:
    """Wait until both runs have begun to scrape, and a little longer: the second wants its turn."""
    deadline = time.monotonic() + 60
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        while time.monotonic() < deadline:
            begun = [
                run
                for run in instance.get_runs()
                if instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
            ]
            if len(begun) == 2:
                break
            time.sleep(0.2)
    assert len(begun) == 2
    time.sleep(1)


def assert_paid_once(bench: Bench, first: dict[str, Any], second: dict[str, Any]) -> None:
    """One payment, one row in the ledger, and a repetition that says why it did nothing."""
    assert first["success"]
    assert first["summaries"][NAME].startswith("Scraped 3 posts")
    assert second["success"]
    assert "was scraped" in second["summaries"][NAME]
    assert len(bench.server.starts) == 1
    (attempt,) = attempts_since(bench.settings)
    assert attempt["outcome"] == "new_posts"
