"""The warehouse as it would have been at a past moment, made in another home.

"Known at a moment" means scraped by then: an answer counts when its scrape had ended, also where
its file was imported later. Decisions, labels, matches and recommendations count when they were
made by then, planned posts when the time that they carry had come. The accounts' files have no
history: formats, keywords, handles and zones are those of today.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from pipeline.accounts import AccountConfig, account_names, load_account
from pipeline.atomic_files import write_atomically
from pipeline.clock import utc_text
from pipeline.collect.landing import MANIFEST_SUFFIX, manifest_files, read_manifest, rows_path
from pipeline.collect.planned import read_planned_posts
from pipeline.collect.raw import load_raw
from pipeline.errors import UsageError
from pipeline.measure.build import Published, build_models, build_statistics, publish_build
from pipeline.measure.dbt_runs import DbtEvent
from pipeline.settings import Settings, StorageTier

MARKER = ".afterpost-as-of"
"""Only a folder that holds this file is ever emptied."""

_MADE_HERE = ("accounts", "warehouse")
_CONTEXT_FILE = "performance_context.json"
_CONTEXT_HISTORY = "context_history"
_PLANS = "output"


@dataclass(frozen=True)
class AsOfHome:
    """What was taken over into the other home."""

    settings: Settings
    """Of the other home."""
    known_at: datetime
    account_count: int
    scrape_count: int
    later_scrape_count: int
    """Scrapes that had not ended by then."""
    plan_count: int
    later_plan_count: int
    state_row_counts: dict[str, int]


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a person means.

    Args:
        text: ISO 8601 with a zone, or a day, which means its end in UTC.
        now: The current moment; a later one cannot be known.

    Raises:
        UsageError: No moment, one without a zone, or one in the future.
    """
    words = text.strip()
    advice = "write 2026-05-21T21:05:34Z, or 2026-05-21 for the end of that day in UTC"
    try:
        if len(words) == len("2026-05-21"):
            moment = datetime.fromisoformat(f"{words}T23:59:59.999999+00:00")
        else:
            moment = datetime.fromisoformat(words)
    except ValueError:
        raise UsageError(f"{text!r} is no moment: {advice}.") from None
    if moment.tzinfo is None:
        raise UsageError(f"{text!r} has no time zone: {advice}.")
    moment = moment.astimezone(UTC)
    if moment > now:
        raise UsageError(
            f"{utc_text(moment)} lies in the future: nothing is known of it yet. The newest moment "
            f"is now, {utc_text(now.replace(microsecond=0))}."
        )
    return moment


def prepare_home(settings: Settings, home: Path, known_at: datetime) -> AsOfHome:
    """Fill another home with what was known at a moment; nothing is loaded or built yet.

    Landing files are linked where the file system can, which costs no space: nobody writes into a
    landing file, they are only ever replaced as a whole.

    Args:
        settings: The home to look back from; it is only read.
        home: Where to; made when missing, and made anew when an earlier call made it.
        known_at: The moment, with its zone.

    Raises:
        UsageError: The other home is this home, lies in its data or around it, or holds something
            that was not made here.
        LandingError: A manifest is damaged.
        ConfigurationError: An account file is not valid.
    """
    home = home.expanduser().resolve()
    _refuse(settings, home)
    names = account_names(settings.accounts_dir)
    accounts = [load_account(settings.accounts_dir, name) for name in names]
    home.mkdir(parents=True, exist_ok=True)
    note = {"made_from": str(settings.home), "known_at": utc_text(known_at)}
    write_atomically(home / MARKER, orjson.dumps(note, option=orjson.OPT_INDENT_2) + b"\n")
    for name in _MADE_HERE:
        shutil.rmtree(home / name, ignore_errors=True)
    # Its own state database, whatever AFTERPOST_STATE_URL says.
    target = settings.model_copy(
        update={"home": home, "state_url": None, "storage": StorageTier.LOCAL}
    )
    scrapes, later_scrapes = _link_scrapes(settings, target, known_at)
    state_row_counts = _copy_state(settings, target, known_at)
    plans = later_plans = 0
    for account in accounts:
        kept, left_out = _copy_account(settings, target, account, known_at)
        plans, later_plans = plans + kept, later_plans + left_out
    return AsOfHome(
        settings=target,
        known_at=known_at,
        account_count=len(accounts),
        scrape_count=scrapes,
        later_scrape_count=later_scrapes,
        plan_count=plans,
        later_plan_count=later_plans,
        state_row_counts=state_row_counts,
    )


def build_home(prepared: AsOfHome, on_event: Callable[[DbtEvent], None] | None = None) -> Published:
    """Load, build and publish the other home, by the very steps that build the real one.

    Context files and the language model are left alone: nothing new is decided about the past.

    Raises:
        BuildFailedError: A model or a test failed.
        LandingError: Landing files are missing or damaged.
    """
    load_raw(prepared.settings)
    build_models(prepared.settings, on_event)
    build_statistics(prepared.settings)
    return publish_build(prepared.settings)


def _refuse(settings: Settings, home: Path) -> None:
    real = settings.home.resolve()
    if home == real:
        raise UsageError(
            f"{home} is the home itself: name another folder, the past is built beside the present."
        )
    data = [real / name for name in _MADE_HERE]
    if any(home == folder or folder in home.parents for folder in data) or home in real.parents:
        raise UsageError(f"{home} lies in or around the data of {real}: name another folder.")
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is no folder: name another one.")
    if home.is_dir() and any(home.iterdir()) and not (home / MARKER).is_file():
        raise UsageError(
            f"{home} is not empty and was not made by `afterpost build --as-of`, so nothing in it "
            "is touched: name an empty or a new folder."
        )


def _link_scrapes(settings: Settings, target: Settings, known_at: datetime) -> tuple[int, int]:
    """Numbers of scrapes that were taken over and that are later."""
    kept = later = 0
    for path in manifest_files(settings):
        manifest = read_manifest(path)
        ended_at = max(manifest.scraped_at, manifest.finished_at or manifest.scraped_at)
        if ended_at > known_at:
            later += 1
            continue
        rows = rows_path(target, manifest)
        rows.parent.mkdir(parents=True, exist_ok=True)
        original = rows_path(settings, manifest)
        if original.exists():  # a missing one is told by the load, as in the real home
            _link(original, rows)
        _link(path, rows.with_name(manifest.scrape_id + MANIFEST_SUFFIX))
        kept += 1
    return kept, later


def _copy_state(settings: Settings, target: Settings, known_at: datetime) -> dict[str, int]:
    # Imports SQLAlchemy, which nobody who only parses a moment should wait for.
    from pipeline.clients.state_as_of import copy_state_as_of

    return copy_state_as_of(settings, target, known_at)


def _copy_account(
    settings: Settings, target: Settings, account: AccountConfig, known_at: datetime
) -> tuple[int, int]:
    """Copy one account's folder; the numbers of its plans that are in it and that are later."""
    source = settings.accounts_dir / account.name
    folder = target.accounts_dir / account.name
    plans = read_planned_posts(settings, account).posts
    moments = {
        plan.planned_id: _made_at(source / _PLANS / plan.planned_id, account, plan.planned_at)
        for plan in plans
    }
    later = {name for name, moment in moments.items() if moment is not None and moment > known_at}
    context = _context_as_of(settings, target, account.name)

    def not_taken(parent: str, names: list[str]) -> set[str]:
        if Path(parent) == source:
            own = {_CONTEXT_HISTORY, *(() if context is None else (_CONTEXT_FILE,))}
            return own & set(names)
        return later & set(names) if Path(parent) == source / _PLANS else set()

    # Copies, since people edit these files where they are.
    shutil.copytree(source, folder, ignore=not_taken)
    if context:
        write_atomically(folder / _CONTEXT_FILE, context)
    return len(moments) - len(later), len(later)


def _made_at(folder: Path, account: AccountConfig, planned_at: datetime | None) -> datetime | None:
    """When a plan was made; where it does not say, the time that it is planned for."""
    try:
        meta = orjson.loads((folder / "meta.json").read_bytes())
        moment = datetime.fromisoformat(meta["created_at"].strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=account.zone)).astimezone(UTC)
    except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError):
        return planned_at


def _context_as_of(settings: Settings, target: Settings, account_name: str) -> bytes | None:
    """The newest version of the context file by then, empty when there was none yet.

    None when the state database has never had a version: then the file is taken as it is.
    """
    from pipeline.clients.state import reading_state, state_exists

    if not state_exists(settings):
        return None
    with reading_state(settings) as state:
        if state.latest_context(account_name) is None:
            return None
    with reading_state(target) as state:
        version = state.latest_context(account_name)
    return bytes(version["content"]) if version else b""


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(source, target)
