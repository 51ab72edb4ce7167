"""What Dagster's own SQLite files say about runs, checks and schedules, read without Dagster.

Importing Dagster takes seconds, which a metrics page that is asked every quarter of a minute does
not have. The files are opened read-only, and a file that is not there means that nothing is known,
which is not the same as zero. The tests write them with Dagster itself.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

_BUSY_TIMEOUT_S = 5.0
FAILED, SUCCEEDED = "FAILURE", "SUCCESS"


@dataclass(frozen=True)
class JobRuns:
    """The runs of one job in one status."""

    job: str
    """``__ASSET_JOB`` for what somebody materialised by hand."""
    status: str
    """Dagster's word in lower case: ``success``, ``failure``, ``started``, ``queued``, …"""
    run_count: int
    finished_count: int
    """Runs whose start and end are known."""
    duration_s: float
    """Of those, in all."""
    last_ended_at: datetime | None


@dataclass(frozen=True)
class LastRun:
    """The newest run of a job."""

    job: str
    run_id: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class LatestCheck:
    """How an asset check ended the last time."""

    asset: str
    """Key parts joined by slashes."""
    check: str
    has_passed: bool
    severity: str
    """``error`` or ``warn``."""
    says: str | None = None
    """What it found, in sentences of its own; untrusted text."""


@dataclass(frozen=True)
class Automation:
    """A schedule or sensor that somebody has switched on or off."""

    name: str
    kind: str
    """``schedule`` or ``sensor``."""
    is_running: bool


@dataclass(frozen=True)
class RunHistory:
    """All that is read at one time."""

    jobs: tuple[JobRuns, ...]
    last_runs: tuple[LastRun, ...]
    """One per job."""
    checks: tuple[LatestCheck, ...]
    failed_check_count: int
    """Evaluations that failed, ever."""
    automations: tuple[Automation, ...]
    """Only those that were switched at least once; the others are as the code says."""
    heartbeats: tuple[tuple[str, datetime], ...]
    """Per daemon, when it last said that it runs."""


def read_run_history(settings: Settings) -> RunHistory | None:
    """What this home's Dagster storage holds; None when nothing was ever run.

    Raises:
        ConfigurationError: The files are there and cannot be read.
    """
    history = settings.dagster_dir / "history"
    if not (history / "runs.db").exists():
        return None
    try:
        with _open(history / "runs.db") as runs:
            jobs = tuple(_jobs(runs))
            last_runs = tuple(_last_runs(runs))
            heartbeats = tuple(_heartbeats(runs))
        checks: tuple[LatestCheck, ...] = ()
        failed_count = 0
        if (history / "runs" / "index.db").exists():
            with _open(history / "runs" / "index.db") as index:
                checks = tuple(_latest_checks(index))
                failed_count = _failed_checks(index)
        automations: tuple[Automation, ...] = ()
        schedules = settings.dagster_dir / "schedules" / "schedules.db"
        if schedules.exists():
            with _open(schedules) as connection:
                automations = tuple(_automations(connection))
    except (sqlite3.Error, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"Dagster's history in {history} cannot be read ({error}). It is made anew when the "
            "folder is removed while `make ui` is stopped; only the history of runs is lost."
        ) from error
    return RunHistory(jobs, last_runs, checks, failed_count, automations, heartbeats)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
    with closing(connection):
        yield connection


def _jobs(connection: sqlite3.Connection) -> Iterator[JobRuns]:
    rows = connection.execute(
        "select pipeline_name, lower(status), count(*), count(end_time - start_time), "
        "coalesce(sum(end_time - start_time), 0), max(end_time) "
        "from runs group by 1, 2 order by 1, 2"
    )
    for job, status, count, finished, duration_s, last in rows:
        yield JobRuns(job, status, count, finished, float(duration_s), _moment(last))


def _last_runs(connection: sqlite3.Connection) -> Iterator[LastRun]:
    # SQLite takes the other columns from the row that has the maximum.
    rows = connection.execute(
        "select pipeline_name, run_id, lower(status), start_time, end_time, max(id) "
        "from runs group by pipeline_name order by pipeline_name"
    )
    for job, run_id, status, started, ended, _ in rows:
        yield LastRun(job, run_id, status, _moment(started), _moment(ended))


def _heartbeats(connection: sqlite3.Connection) -> Iterator[tuple[str, datetime]]:
    rows: Sequence[tuple[str, str]] = connection.execute(
        "select daemon_type, timestamp from daemon_heartbeats order by daemon_type"
    ).fetchall()
    for daemon, told_at in rows:
        yield daemon.lower(), datetime.fromisoformat(told_at).replace(tzinfo=UTC)


_LATEST_CHECKS = """
select asset_key, check_name, execution_status,
    json_extract(evaluation_event, '$.dagster_event.event_specific_data.severity.__enum__'),
    json_extract(evaluation_event, '$.dagster_event.event_specific_data.description'),
    max(id)
from asset_check_executions
where execution_status in ('SUCCEEDED', 'FAILED')
group by asset_key, check_name
order by asset_key, check_name
"""


def _latest_checks(connection: sqlite3.Connection) -> Iterator[LatestCheck]:
    for asset_key, check, status, severity, says, _ in connection.execute(_LATEST_CHECKS):
        yield LatestCheck(
            asset="/".join(json.loads(asset_key)),
            check=check,
            has_passed=status == "SUCCEEDED",
            severity=str(severity or "ERROR").rpartition(".")[2].lower(),
            says=says or None,
        )


def _failed_checks(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute(
        "select count(*) from asset_check_executions where execution_status = 'FAILED'"
    ).fetchone()
    return int(count)


def _automations(connection: sqlite3.Connection) -> Iterator[Automation]:
    rows = connection.execute(
        "select instigator_type, status, instigator_body from instigators "
        "where instigator_type in ('SCHEDULE', 'SENSOR')"
    )
    found = []
    for kind, status, body in rows:
        origin: dict[str, Any] = json.loads(body)["origin"]
        name = origin.get("instigator_name") or origin.get("job_name") or "?"
        # DECLARED_IN_CODE is how what runs by default is kept.
        found.append(Automation(str(name), kind.lower(), status != "STOPPED"))
    yield from sorted(found, key=lambda one: (one.kind, one.name))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
