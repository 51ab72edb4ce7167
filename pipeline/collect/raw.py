"""Loading the raw schema: landed answers once each, and fresh copies of what people configured.

Each answer is loaded in a transaction of its own, so that a process killed at any moment leaves
every scrape either wholly in the tables or not at all, and the next load goes on from there.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import orjson

from pipeline.accounts import AccountConfig, load_accounts
from pipeline.clients.warehouse import writing
from pipeline.collect.drifted import is_drifted
from pipeline.collect.jsontext import clean_json
from pipeline.collect.label_tables import LabelCounts, update_labels
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Manifest,
    Source,
    manifest_files,
    read_manifest,
    rows_path,
)
from pipeline.collect.native_imports import native_rows
from pipeline.collect.raw_items import UnreadableRowsError, load_items
from pipeline.collect.raw_schema import create_raw_tables
from pipeline.collect.table_rows import insert_columns, insert_rows, table_columns
from pipeline.errors import LandingError
from pipeline.settings import Settings

_OF_ONE_SCRAPE = ("scrape_items", "rejected_items", "native_metrics")
_ROW_GROUP_SIZE = 2_048
"""DuckDB's least. Payloads take kilobytes each; whole groups are written while the load goes on."""
_MEMORY_LIMIT = "1GiB"
"""Of the database's own memory; the rest of the process takes some hundred megabytes."""


@dataclass(frozen=True)
class RawLoadReport:
    """What one load did."""

    scrapes_loaded: int
    items_loaded: int
    """Posts, posts of other authors, and profiles."""
    rejected_loaded: int
    planned_post_count: int = 0
    match_count: int = 0
    label_count: int = 0
    problems: tuple[str, ...] = ()
    """Planned posts that could not be read, one sentence each."""


def ensure_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw schema's tables where they are missing or of former columns."""
    create_raw_tables(connection)


def load_raw(settings: Settings) -> RawLoadReport:
    """Bring the raw schema up to date with landing, accounts and the state database.

    Loading the same inputs again gives the same rows.

    Raises:
        WarehouseLockedError: Another process is writing.
        ConfigurationError: An account file is not valid.
        LandingError: Landing files are missing or damaged; every other scrape was loaded first.
    """
    accounts = load_accounts(settings.accounts_dir)
    with _loading(settings) as connection:
        counts, damages = _load_scrapes(settings, connection)
        configured = _configured(settings, accounts)
        with _transaction(connection):
            for table, rows in configured.items():
                connection.execute(f"delete from raw.{table}")  # noqa: S608 - names are ours
                insert_rows(connection, table, rows)
            labelled = update_labels(settings, connection, accounts)
    _raise_first(damages)
    return RawLoadReport(
        *counts,
        planned_post_count=labelled.planned_posts,
        match_count=labelled.matches,
        label_count=labelled.labels,
        problems=labelled.problems,
    )


def load_landing(settings: Settings) -> RawLoadReport:
    """Bring only the tables of landed answers up to date. Raises as :func:`load_raw`."""
    with _loading(settings) as connection:
        counts, damages = _load_scrapes(settings, connection)
    _raise_first(damages)
    return RawLoadReport(*counts)


@contextmanager
def _loading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that is set up for many wide rows, with the raw tables made."""
    with (
        tempfile.TemporaryDirectory(prefix="afterpost-") as folder,
        writing(settings, "load raw", row_group_size=_ROW_GROUP_SIZE) as connection,
    ):
        # What does not fit waits on disk: a load takes no more memory the more there is to load.
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"set temp_directory = '{folder}'")
        ensure_raw_tables(connection)
        # One checkpoint at the end instead of many: payloads are compressed once.
        connection.execute("set checkpoint_threshold = '256MB'")
        # Trying every compression on payloads takes longer than all the rest of a load.
        connection.execute("set force_compression = 'zstd'")
        yield connection


def _raise_first(damages: list[LandingError]) -> None:
    if damages:
        more = f" ({len(damages) - 1} more like it.)" if len(damages) > 1 else ""
        raise LandingError(f"{damages[0]}{more}") from damages[0]


def refresh_labels(settings: Settings) -> LabelCounts:
    """Put plans, matches and labels into the raw schema as they stand now, and nothing else.

    What the model answered after a load reaches the tables so without another load.

    Raises:
        WarehouseLockedError: Another process is writing.
        ConfigurationError: An account file is not valid.
    """
    accounts = load_accounts(settings.accounts_dir)
    with writing(settings, "refresh labels") as connection:
        ensure_raw_tables(connection)
        with _transaction(connection):
            return update_labels(settings, connection, accounts)


def _load_scrapes(
    settings: Settings, connection: duckdb.DuckDBPyConnection
) -> tuple[tuple[int, int, int], list[LandingError]]:
    loaded = dict(connection.execute("select scrape_id, handle from raw.scrapes").fetchall())
    stamps = dict(
        connection.execute("select scrape_id, file_stamp from loading.manifests").fetchall()
    )
    columns = {table: table_columns(connection, table) for table in (*_OF_ONE_SCRAPE, "scrapes")}
    scrapes = items = rejected = 0
    damages: list[LandingError] = []
    touched: dict[str, str] = {}
    for path in manifest_files(settings):
        scrape_id = path.name.removesuffix(MANIFEST_SUFFIX)
        try:
            stamp = _stamp(path)
            if scrape_id in loaded and stamps.get(scrape_id) == stamp:
                continue
            if scrape_id in loaded and _landed_handle(path) == loaded[scrape_id]:
                touched[scrape_id] = stamp
                continue
            load = partial(
                _load_scrape,
                settings,
                connection,
                read_manifest(path),
                columns,
                stamp=stamp,
                is_loaded=scrape_id in loaded,
            )
            try:
                counts = load()
            except UnreadableRowsError:
                counts = load(is_row_by_row=True)
        except LandingError as error:
            damages.append(error)
            continue
        scrapes, items, rejected = scrapes + 1, items + counts[0], rejected + counts[1]
    _remember_stamps(connection, touched)
    return (scrapes, items, rejected), damages


def _stamp(path: Path) -> str:
    """How a file is on disk. Manifests are replaced, never written into: another one shows."""
    try:
        file = path.stat()
    except OSError:
        return ""  # reading it says in a sentence what is wrong
    return f"{file.st_mtime_ns}-{file.st_size}-{file.st_ino}"


def _remember_stamps(connection: duckdb.DuckDBPyConnection, stamps: Mapping[str, str]) -> None:
    if stamps:
        with _transaction(connection):
            connection.execute(
                "delete from loading.manifests where scrape_id in (select unnest(?::varchar[]))",
                [list(stamps)],
            )
            insert_columns(
                connection,
                "loading.manifests",
                {"scrape_id varchar": [*stamps], "file_stamp varchar": [*stamps.values()]},
            )


def _load_scrape(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    columns: Mapping[str, Mapping[str, str]],
    *,
    stamp: str,
    is_loaded: bool,
    is_row_by_row: bool = False,
) -> tuple[int, int]:
    """One scrape in one transaction; the numbers of its items and rejected rows."""
    with _transaction(connection):
        if is_loaded:  # landed again under a corrected handle
            _unload(connection, manifest, columns)
        counts = (0, 0)
        if manifest.source is Source.NATIVE:
            rows = native_rows(settings, manifest)
            insert_rows(connection, "native_metrics", rows, columns["native_metrics"])
        # Rows that break their source's contract stay in landing: half of their numbers would do
        # more harm than none.
        elif not is_drifted(settings, manifest):
            counts = load_items(
                connection, settings, manifest, columns, is_row_by_row=is_row_by_row
            )
        insert_rows(connection, "scrapes", [_scrape_row(settings, manifest)], columns["scrapes"])
        remembered = [manifest.scrape_id, stamp]
        connection.execute("insert into loading.manifests values (?, ?)", remembered)
        connection.execute("insert into loading.unread_scrapes values (?)", remembered[:1])
    return counts


def _unload(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, tables: Iterable[str]
) -> None:
    """Take a scrape's rows out; which posts are the account's own is to be found out again."""
    for table in (*(f"raw.{name}" for name in tables), "loading.manifests"):
        connection.execute(
            f"delete from {table} where scrape_id = ?",  # noqa: S608 - names are ours
            [manifest.scrape_id],
        )
    connection.execute("insert into loading.unread_accounts values (?)", [manifest.account_name])


def _landed_handle(path: Path) -> str | None:
    """The handle in a manifest, without checking the rest: it is asked of every scrape, always."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return read_manifest(path).handle  # says in a sentence what is wrong
    handle = document.get("handle") if isinstance(document, dict) else None
    return handle if isinstance(handle, str) else None


def _scrape_row(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    row = manifest.model_dump(exclude={"input", "post_ids", "rejected_reasons"})
    for key in ("platform", "source", "source_kind", "outcome", "scraped_at_source"):
        row[key] = row[key].value
    row["input"] = None if manifest.input is None else clean_json(manifest.input)
    row["run_outcome"] = None if manifest.run_outcome is None else manifest.run_outcome.value
    row["drift"] = None if manifest.drift is None else clean_json(manifest.drift)
    row["landing_path"] = rows_path(settings, manifest).relative_to(settings.landing_dir).as_posix()
    return row


def _configured(
    settings: Settings, accounts: list[AccountConfig]
) -> dict[str, list[dict[str, Any]]]:
    """The tables that are replaced as a whole."""
    from pipeline.clients.state import decision_rows, recommendation_rows
    from pipeline.clients.state_attempts import scrape_attempt_rows
    from pipeline.clients.state_model_calls import model_call_rows
    from pipeline.clients.state_verdicts import feedback_rows, registration_rows

    return {
        "accounts": _account_rows(accounts),
        "account_profiles": _profile_rows(accounts),
        "account_segments": _segment_rows(accounts),
        "state_recommendations": recommendation_rows(settings),
        "state_decisions": decision_rows(settings),
        "state_verdict_registrations": registration_rows(settings),
        "state_feedback": feedback_rows(settings),
        "state_model_calls": model_call_rows(settings),
        "state_scrape_attempts": scrape_attempt_rows(settings),
    }


def _account_rows(accounts: Iterable[AccountConfig]) -> list[dict[str, Any]]:
    return [
        {
            "account_name": account.name,
            "display_name": account.display_name or account.name,
            "niche": account.niche or None,
            "timezone": account.timezone,
            "default_slide_count": account.default_slide_count,
        }
        for account in accounts
    ]


def _profile_rows(accounts: Iterable[AccountConfig]) -> list[dict[str, Any]]:
    return [
        {"account_name": account.name, "platform": platform.value, "handle": handle}
        for account in accounts
        for platform, handle in sorted(account.platform_profiles.items())
    ]


def _segment_rows(accounts: Iterable[AccountConfig]) -> list[dict[str, Any]]:
    return [
        {"account_name": account.name, "dimension": dimension, "segment": one.name}
        for account in accounts
        for dimension, listed in (
            ("format", account.formats),
            ("pillar", account.content_pillars),
            ("topic", account.topics),
            ("cta", account.cta),
        )
        for one in listed
    ]


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end of the block, roll back when it raises."""
    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
