"""Runs whose process is gone.

A run that was killed stays "started" for ever, and with one run at a time the next would wait for
it. Each run therefore notes its process, and whoever starts next ends the runs of dead ones.
"""

import os
import platform

import dagster as dg

PROCESS_TAG = "afterpost/process"

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
"""A run in one of these states is not over."""


def this_process() -> str:
    """Host and process id, as runs are tagged with them."""
    return f"{platform.node()}:{os.getpid()}"


def is_gone(process: str) -> bool:
    """Whether a process of this host has ended; of other hosts nothing is known."""
    host, _, pid = process.rpartition(":")
    if host != platform.node() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _is_inherited(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process is the one of the run that this one repeats.

    Dagster copies the tags, so that a repetition which nobody has begun yet names a dead process.
    """
    former = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return former is not None and former.tags.get(PROCESS_TAG) == run.tags[PROCESS_TAG]


def end_ghost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process has ended without saying so.

    Returns:
        Ids of the runs ended.
    """
    unfinished = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    )
    ended = []
    for run in unfinished:
        process = run.tags.get(PROCESS_TAG)
        if process and is_gone(process) and not _is_inherited(instance, run):
            instance.report_run_failed(run, f"The run's process ({process}) is gone.")
            ended.append(run.run_id)
    return ended
