"""Metrics of Dagster's run storage."""

from collections.abc import Iterator
from datetime import datetime

from pipeline.clients.run_history import (
    FAILED,
    SUCCEEDED,
    JobRuns,
    LatestCheck,
    RunHistory,
    read_run_history,
)
from pipeline.settings import Settings
from pipeline.show.monitoring.samples import Sample, sample

_BY_HAND = "by_hand"
"""What Dagster runs when somebody materialises assets in its pages has no name of its own."""


def job_name(job: str) -> str:
    """A job's name for a person."""
    return _BY_HAND if job.startswith("__") else job


def run_samples(
    settings: Settings,
    now: datetime,  # noqa: ARG001 (every source is asked the same way)
) -> list[Sample] | None:
    """What Dagster's storage says; None when nothing was ever run."""
    history = read_run_history(settings)
    if history is None:
        return None
    return [*_runs(history.jobs), *_last(history), *_checks(history), *_automation(history)]


def _runs(jobs: tuple[JobRuns, ...]) -> Iterator[Sample]:
    known = {
        (job_name(one.job), status.lower()): 0 for one in jobs for status in (SUCCEEDED, FAILED)
    }
    durations: dict[str, tuple[float, int]] = {}
    succeeded: dict[str, datetime] = {}
    for one in jobs:
        job = job_name(one.job)
        known[job, one.status] = known.get((job, one.status), 0) + one.run_count
        seconds, count = durations.get(job, (0.0, 0))
        durations[job] = (seconds + one.duration_s, count + one.finished_count)
        if one.status == SUCCEEDED.lower() and one.last_ended_at is not None:
            succeeded[job] = max(one.last_ended_at, succeeded.get(job, one.last_ended_at))
    for labels, count in known.items():
        yield from sample("runs_total", count, *labels)
    for job, (seconds, count) in durations.items():
        yield Sample("afterpost_run_duration_seconds", seconds, (job,), count)
    for job, moment in succeeded.items():
        yield from sample("run_last_success_timestamp_seconds", moment, job)


def _last(history: RunHistory) -> Iterator[Sample]:
    for run in history.last_runs:
        if run.ended_at is not None:
            yield from sample("run_last_failed", run.status == FAILED.lower(), job_name(run.job))


def _checks(history: RunHistory) -> Iterator[Sample]:
    if not history.checks:
        return
    counts = {(severity, status): 0 for severity in ("error", "warn") for status in (True, False)}
    for check in history.checks:
        counts[_place(check)] += 1
    for (severity, has_passed), count in counts.items():
        yield from sample("checks", count, severity, "passed" if has_passed else "failed")
    yield from sample("check_failures_total", history.failed_check_count)


def _place(check: LatestCheck) -> tuple[str, bool]:
    return (check.severity if check.severity == "warn" else "error", check.has_passed)


def _automation(history: RunHistory) -> Iterator[Sample]:
    running = sum(one.is_running for one in history.automations if one.kind == "schedule")
    yield from sample("schedules_running", running)
    for daemon, moment in history.heartbeats:
        yield from sample("daemon_heartbeat_timestamp_seconds", moment, daemon)
