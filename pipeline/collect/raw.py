"""Loading the raw schema: landed answers once each, and fresh copies of what people configured."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.accounts import AccountConfig, load_accounts
from pipeline.clients.lake import write_raw
from pipeline.clients.warehouse import writing
from pipeline.collect.label_tables import LabelCounts, update_labels
from pipeline.collect.raw_schema import create_raw_tables
from pipeline.collect.scrape_loading import load_new_scrapes
from pipeline.collect.table_rows import insert_rows, transaction
from pipeline.errors import LandingError
from pipeline.settings import Settings, StorageTier

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
        LakeError: The storage of the tier ``cloud`` cannot be written; the warehouse is loaded.
    """
    accounts = load_accounts(settings.accounts_dir)
    with _loading(settings) as connection:
        counts, damages = load_new_scrapes(settings, connection)
        configured = _configured(settings, accounts)
        with transaction(connection):
            for table, rows in configured.items():
                connection.execute(f"delete from raw.{table}")  # noqa: S608 - names are ours
                insert_rows(connection, table, rows)
            labelled = update_labels(settings, connection, accounts)
        _share(settings, connection)
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
        counts, damages = load_new_scrapes(settings, connection)
        _share(settings, connection)
    _raise_first(damages)
    return RawLoadReport(*counts)


def _share(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """In the tier ``cloud``, bring the Parquet that Spark reads in line with the raw tables."""
    if settings.storage is StorageTier.CLOUD and settings.storage_url is not None:
        write_raw(settings.storage_url, connection)


@contextmanager
def _loading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that is set up for many wide rows, with the raw tables made."""
    with (
        tempfile.TemporaryDirectory(prefix="afterpost-") as folder,
        writing(settings, "load raw") as connection,
    ):
        # What does not fit waits on disk: a load takes no more memory the more there is to load.
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"set temp_directory = '{folder}'")
        ensure_raw_tables(connection)
        # Payloads take kilobytes each: a group is written as soon as it is full.
        connection.execute("set write_buffer_row_group_count = 1")
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
        LakeError: The storage of the tier ``cloud`` cannot be written; the warehouse has them.
    """
    accounts = load_accounts(settings.accounts_dir)
    with writing(settings, "refresh labels") as connection:
        ensure_raw_tables(connection)
        with transaction(connection):
            counts = update_labels(settings, connection, accounts)
        _share(settings, connection)
    return counts


def _configured(
    settings: Settings, accounts: list[AccountConfig]
) -> dict[str, list[dict[str, Any]]]:
    """The tables that are replaced as a whole."""
    from pipeline.clients.state import decision_rows, recommendation_rows
    from pipeline.clients.state_attempts import scrape_attempt_rows
    from pipeline.clients.state_model_calls import model_call_rows
    from pipeline.clients.state_predictions import prediction_rows, raw_adjustment_rows
    from pipeline.clients.state_verdicts import feedback_rows, registration_rows

    return {
        "accounts": _account_rows(accounts),
        "account_profiles": _profile_rows(accounts),
        "account_segments": _segment_rows(accounts),
        "state_recommendations": recommendation_rows(settings),
        "state_decisions": decision_rows(settings),
        "state_verdict_registrations": registration_rows(settings),
        "state_feedback": feedback_rows(settings),
        "state_predictions": prediction_rows(settings),
        "state_reflexion_adjustments": raw_adjustment_rows(settings),
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
