"""How everything is, in a few lines: what is fine, what is worth knowing, what needs a person.

Each part is looked at by itself, so that a broken one is a line here and hides none of the others.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pipeline.accounts import AccountConfig
from pipeline.clients.run_history import (
    FAILED,
    SUCCEEDED,
    LastRun,
    RunHistory,
    read_run_history,
)
from pipeline.clients.state import reading_state, state_exists
from pipeline.clients.state_alerts import alert_rows
from pipeline.clients.warehouse import published_version, reading
from pipeline.collect.health import NOTHING_YET, ProfileHealth, profile_health
from pipeline.errors import AfterpostError, NothingPublishedError
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Severity
from pipeline.show.monitoring.runs import job_name
from pipeline.show.reports.overview import published_build

OLD = timedelta(hours=50)
"""Of a published copy: two daily runs were missed."""
_SILENT = timedelta(minutes=10)
_LEAST_FREE_BYTES = 2_000_000_000
_COPIES = 3
"""A build needs room for a copy of the warehouse and for what it sorts on disk."""
_RECENT = timedelta(days=8)
"""Older failures of runs are history."""
_KEYS = {
    "APIFY_TOKEN": "apify_token",
    "YOUTUBE_API_KEY": "youtube_api_key",
    "ANTHROPIC_API_KEY": "anthropic_api_key",
    "SLACK_BOT_TOKEN": "slack_bot_token",
    "AFTERPOST_API_TOKEN": "api_token",
}


class Level(StrEnum):
    """What a line means for a person."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    ACTION = "action"
    """Somebody has to do something."""


@dataclass(frozen=True)
class HealthItem:
    """One line."""

    name: str
    level: Level
    says: str
    to_do: str | None = None
    """Where the level is ``action``."""


@dataclass(frozen=True)
class SystemHealth:
    """All lines, and the profiles."""

    items: tuple[HealthItem, ...]
    profiles: tuple[ProfileHealth, ...]

    @property
    def needs_action(self) -> bool:
        """Whether a person has to do something; the exit code of ``afterpost health``."""
        return any(item.level is Level.ACTION for item in self.items) or any(
            map(is_for_a_person, self.profiles)
        )


def is_for_a_person(profile: ProfileHealth) -> bool:
    """Whether a profile has trouble that does not pass by itself.

    A profile that was never scraped is new, and of some outcomes the next scrape is the cure.
    """
    return (
        profile.to_do is not None
        and profile.outcome is not None
        and not profile.to_do.startswith(NOTHING_YET)
    )


def system_health(
    settings: Settings, accounts: Sequence[AccountConfig], now: datetime
) -> SystemHealth:
    """Look at everything.

    Args:
        settings: Whose home.
        accounts: Whose profiles.
        now: Ages count to it.
    """
    history: RunHistory | None = None
    profiles: tuple[ProfileHealth, ...] = ()
    items: list[HealthItem] = []

    def look(name: str, part: Callable[[], HealthItem]) -> None:
        try:
            items.append(part())
        except (AfterpostError, OSError) as error:
            items.append(HealthItem(name, Level.ACTION, "cannot be read", str(error)))

    look("published copy", lambda: _published(settings, now))
    try:
        history = read_run_history(settings)
    except AfterpostError as error:
        items.append(HealthItem("runs", Level.ACTION, "cannot be read", str(error)))
    else:
        items += [_runs(history, now), _checks(history), _schedules(history, now)]
    look("state database", lambda: _state(settings))
    look("alerts", lambda: _alerts(settings))
    look("disk", lambda: _disk(settings))
    items.append(_keys(settings))
    try:
        profiles = tuple(profile_health(settings, accounts, now))
    except AfterpostError as error:
        items.append(HealthItem("profiles", Level.ACTION, "cannot be told", str(error)))
    return SystemHealth(tuple(items), profiles)


def _published(settings: Settings, now: datetime) -> HealthItem:
    name = "published copy"
    try:
        version = published_version(settings)
        with reading(settings) as connection:
            build = published_build(connection)
    except NothingPublishedError:
        return HealthItem(name, Level.NOTE, "none yet: `afterpost build` makes the first")
    if build is None or build.built_at is None:
        return HealthItem(name, Level.NOTE, f"{version}, which says nothing about its build")
    age = now - build.built_at
    seen = "no scrape" if build.as_of is None else f"scrapes to {build.as_of:%Y-%m-%d %H:%M}Z"
    says = f"{version}, green {duration(age)} ago, {seen}"
    if age > OLD:
        return HealthItem(
            name, Level.ACTION, says, "Run `afterpost build`, or see why the daily run does not."
        )
    return HealthItem(name, Level.FINE, says)


def _runs(history: RunHistory | None, now: datetime) -> HealthItem:
    ended = [] if history is None else [run for run in history.last_runs if run.ended_at]
    if not ended:
        return HealthItem("runs", Level.NOTE, "none yet")
    ended.sort(key=lambda run: run.ended_at or now, reverse=True)
    says = "last: " + _run_words(ended[0], now)
    standing = [run for run in ended if _is_failure(run, ended, now)]
    if not standing:
        return HealthItem("runs", Level.FINE, f"{says}; no job failed last")
    others = [_run_words(run, now) for run in standing if run is not ended[0]]
    ids = ", ".join(f"{job_name(run.job)} (run {run.run_id[:8]})" for run in standing)
    return HealthItem(
        "runs",
        Level.ACTION,
        "; ".join([says, *others]),
        f"Look at what failed: {ids}; `make ui` shows why.",
    )


_BUILDING = {"build", "daily", "single_posts"}
"""Jobs that end with a published copy: a later good one of them makes a failed one history."""


def _is_failure(run: LastRun, ended: Sequence[LastRun], now: datetime) -> bool:
    """Whether a job's last run failed, and nothing since then has made up for it."""
    if run.status != FAILED.lower() or run.ended_at is None or now - run.ended_at > _RECENT:
        return False
    return not (
        run.job in _BUILDING
        and any(
            other.job in _BUILDING
            and other.status == SUCCEEDED.lower()
            and other.ended_at is not None
            and other.ended_at > run.ended_at
            for other in ended
        )
    )


def _run_words(run: LastRun, now: datetime) -> str:
    words = {SUCCEEDED.lower(): "succeeded", FAILED.lower(): "failed"}.get(run.status, run.status)
    ago = "" if run.ended_at is None else f" {duration(now - run.ended_at)} ago"
    return f"{job_name(run.job)} {words}{ago}"


def _checks(history: RunHistory | None) -> HealthItem:
    if history is None or not history.checks:
        return HealthItem("data checks", Level.NOTE, "none yet")
    failed = [check for check in history.checks if not check.has_passed]
    errors = [check for check in failed if check.severity != "warn"]
    passed = len(history.checks) - len(failed)
    says = f"{passed} pass"
    if failed:
        says += f", {len(failed)} fail: {_joined(check.check for check in failed)}"
        said = [check.says for check in failed if check.says]
        says += f". {_joined(said)}" if said else ""
    if errors:
        to_do = (
            f"Open {errors[0].asset} in `make ui`: the failed check shows the rows. Nothing is "
            "published until it passes."
        )
        return HealthItem("data checks", Level.ACTION, says, to_do)
    return HealthItem("data checks", Level.NOTE if failed else Level.FINE, says)


def _schedules(history: RunHistory | None, now: datetime) -> HealthItem:
    name = "schedules"
    schedules = () if history is None else history.automations
    running = [one.name for one in schedules if one.kind == "schedule" and one.is_running]
    beats = {} if history is None else dict(history.heartbeats)
    seen_at = beats.get("scheduler")
    is_alive = seen_at is not None and now - seen_at <= _SILENT
    seen = "never ran" if seen_at is None else f"was seen {duration(now - seen_at)} ago"
    if not running:
        return HealthItem(
            name, Level.NOTE, "none is on, so nothing runs by itself: switch them on in `make ui`"
        )
    says = f"{_joined(running)}; the daemon {'runs' if is_alive else seen}"
    if is_alive:
        return HealthItem(name, Level.FINE, says)
    return HealthItem(
        name, Level.ACTION, says, "Start `make ui`: schedules run only while it does."
    )


def _state(settings: Settings) -> HealthItem:
    name = "state database"
    if not state_exists(settings):
        return HealthItem(name, Level.NOTE, "none yet: the first scrape or decision makes it")
    with reading_state(settings):
        pass
    return HealthItem(name, Level.FINE, "can be read")


def _alerts(settings: Settings) -> HealthItem:
    rows = [row for row in alert_rows(settings, only_open=True) if row["acknowledged_at"] is None]
    if not rows:
        return HealthItem("alerts", Level.FINE, "none is open")
    severities = list(reversed(Severity))
    counts = [(s, sum(row["severity"] == s.value for row in rows)) for s in severities]
    says = ", ".join(f"{count} {severity.value}" for severity, count in counts if count) + " open"
    if all(row["severity"] == Severity.INFO.value for row in rows):
        return HealthItem("alerts", Level.NOTE, f"{says}: `afterpost alerts list`")
    return HealthItem(
        "alerts", Level.ACTION, says, "`afterpost alerts list`, then `afterpost alerts ack ID`."
    )


def _disk(settings: Settings) -> HealthItem:
    folder = settings.warehouse_dir if settings.warehouse_dir.exists() else settings.home
    free = shutil.disk_usage(folder).free
    path = settings.database_path
    warehouse = path.stat().st_size if path.exists() else 0
    used = (
        f"warehouse {size(warehouse)}, copies {size(_folder(settings.published_dir))}, "
        f"landing {size(_folder(settings.landing_dir))}; {size(free)} free"
    )
    if free < max(_LEAST_FREE_BYTES, _COPIES * warehouse):
        return HealthItem(
            "disk", Level.ACTION, used, "Free some space: a build needs room for a whole copy."
        )
    return HealthItem("disk", Level.FINE, used)


def _keys(settings: Settings) -> HealthItem:
    """Whether keys are set; never what they are."""
    told = [
        f"{name} {'yes' if getattr(settings, field) is not None else 'no'}"
        for name, field in _KEYS.items()
    ]
    return HealthItem("keys", Level.FINE, ", ".join(told))


def _folder(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(parent) / file).stat().st_size
            except OSError:
                continue  # removed meanwhile
    return total


def _joined(words: Iterable[str], most: int = 3) -> str:
    found = list(words)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def duration(span: timedelta) -> str:
    """A time span in its largest sensible unit."""
    minutes = max(span.total_seconds(), 0) / 60
    for limit, divisor, unit in ((120, 1, "minutes"), (2880, 60, "hours")):
        if minutes < limit:
            return f"{minutes / divisor:.0f} {unit}"
    return f"{minutes / 1440:.0f} days"


def size(count: int) -> str:
    """Bytes for a person."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
