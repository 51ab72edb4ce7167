"""Loading the raw schema: landed answers once each, and fresh copies of what people configured.

Each answer is loaded in a transaction of its own, so that a process killed at any moment leaves
every scrape either wholly in the tables or not at all, and the next load goes on from there.
"""

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
from pipeline.collect.jsontext import clean_json, parse_json
from pipeline.collect.labels import label_rows
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Manifest,
    classify_row,
    manifest_files,
    read_lines,
    read_manifest,
    rows_path,
)
from pipeline.collect.matching import match_posts
from pipeline.collect.nesting import is_flat, nested
from pipeline.collect.own_posts import own_posts
from pipeline.collect.planned import read_planned_posts
from pipeline.collect.platform_interface import ItemKind
from pipeline.collect.table_rows import insert_rows, table_columns
from pipeline.errors import LandingError
from pipeline.settings import Settings

_TABLES_SQL = Path(__file__).with_name("raw_tables.sql")


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


@dataclass(frozen=True)
class _PreparedRow:
    kind: ItemKind
    post_id: str | None
    reason: str | None
    payload: str


def ensure_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw schema's tables where they are missing."""
    connection.execute("create schema if not exists raw")
    connection.execute(_TABLES_SQL.read_text(encoding="utf-8"))


def load_raw(settings: Settings) -> RawLoadReport:
    """Bring the raw schema up to date with landing, accounts and the state database.

    Loading the same inputs again gives the same rows.

    Raises:
        WarehouseLockedError: Another process is writing.
        ConfigurationError: An account file is not valid.
        LandingError: Landing files are missing or damaged; every other scrape was loaded first.
    """
    accounts = load_accounts(settings.accounts_dir)
    with writing(settings, "load raw") as connection:
        ensure_raw_tables(connection)
        # One checkpoint at the end instead of many: payloads are compressed once.
        connection.execute("set checkpoint_threshold = '256MB'")
        counts, damages = _load_scrapes(settings, connection)
        configured = _configured(settings, connection, accounts)
        with _transaction(connection):
            for table, rows in configured.tables.items():
                connection.execute(f"delete from raw.{table}")  # noqa: S608 - names are ours
                insert_rows(connection, table, rows)
    if damages:
        more = f" ({len(damages) - 1} more like it.)" if len(damages) > 1 else ""
        raise LandingError(f"{damages[0]}{more}") from damages[0]
    return RawLoadReport(
        scrapes_loaded=counts[0],
        items_loaded=counts[1],
        rejected_loaded=counts[2],
        planned_post_count=len(configured.tables["planned_posts"]),
        match_count=len(configured.tables["post_matches"]),
        label_count=len(configured.tables["post_labels"]),
        problems=configured.problems,
    )


def _load_scrapes(
    settings: Settings, connection: duckdb.DuckDBPyConnection
) -> tuple[tuple[int, int, int], list[LandingError]]:
    loaded = dict(connection.execute("select scrape_id, handle from raw.scrapes").fetchall())
    into_items, into_rejected, into_scrapes = (
        partial(insert_rows, connection, table, columns=table_columns(connection, table))
        for table in ("scrape_items", "rejected_items", "scrapes")
    )
    scrapes = items = rejected = 0
    damages: list[LandingError] = []
    for path in manifest_files(settings):
        scrape_id = path.name.removesuffix(MANIFEST_SUFFIX)
        try:
            if scrape_id in loaded and _landed_handle(path) == loaded[scrape_id]:
                continue
            manifest = read_manifest(path)
            rows = [_prepared(line, manifest) for line in read_lines(settings, manifest)]
        except LandingError as error:
            damages.append(error)
            continue
        with _transaction(connection):
            if scrape_id in loaded:  # landed again under a corrected handle
                connection.execute("delete from raw.scrapes where scrape_id = ?", [scrape_id])
                connection.execute("delete from raw.scrape_items where scrape_id = ?", [scrape_id])
                connection.execute(
                    "delete from raw.rejected_items where scrape_id = ?", [scrape_id]
                )
            items += into_items(_item_rows(manifest, rows))
            rejected += into_rejected(_rejected_rows(manifest, rows))
            into_scrapes([_scrape_row(settings, manifest)])
        scrapes += 1
    return (scrapes, items, rejected), damages


def _landed_handle(path: Path) -> str | None:
    """The handle in a manifest, without checking the rest: it is asked of every scrape, always."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return read_manifest(path).handle  # says in a sentence what is wrong
    handle = document.get("handle") if isinstance(document, dict) else None
    return handle if isinstance(handle, str) else None


def _prepared(line: bytes, manifest: Manifest) -> _PreparedRow:
    """One landed line as a row: classified, nested, and readable for every JSON parser."""
    try:
        payload = line.decode("utf-8")
        row: Any = orjson.loads(line)
        # orjson refuses NaN and lone surrogates, so what it reads may stay as it is.
        if isinstance(row, dict) and is_flat(row):
            row = nested(parse_json(line))
            payload = clean_json(row)
    except ValueError:
        try:
            row = parse_json(line)
            row = nested(row) if isinstance(row, dict) else row
            payload = clean_json(row)
            row = orjson.loads(payload)
        except (ValueError, RecursionError):
            reason = "not readable as JSON, or nested too deeply"
            text = line.decode("utf-8", errors="replace")
            return _PreparedRow(ItemKind.REJECTED, None, reason, text)
    what = classify_row(row, manifest.platform, manifest.handle, manifest.is_any_author)
    return _PreparedRow(what.kind, what.post_id, what.reason, payload)


def _item_rows(manifest: Manifest, rows: list[_PreparedRow]) -> Iterator[dict[str, Any]]:
    for index, row in enumerate(rows):
        if row.kind is not ItemKind.REJECTED:
            yield {
                **_common(manifest, index),
                "item_kind": row.kind.value,
                "post_id": row.post_id,
                "payload": row.payload,
            }


def _rejected_rows(manifest: Manifest, rows: list[_PreparedRow]) -> Iterator[dict[str, Any]]:
    for index, row in enumerate(rows):
        if row.kind is ItemKind.REJECTED:
            yield {
                **_common(manifest, index),
                "reason": row.reason or "no reason",
                "payload": row.payload,
            }


def _common(manifest: Manifest, index: int) -> dict[str, Any]:
    return {
        "scrape_id": manifest.scrape_id,
        "item_index": index,
        "platform": manifest.platform.value,
        "account_name": manifest.account_name,
        "scraped_at": manifest.scraped_at,
    }


def _scrape_row(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    row = manifest.model_dump(exclude={"input", "post_ids", "rejected_reasons"})
    for key in ("platform", "source", "source_kind", "outcome", "scraped_at_source"):
        row[key] = row[key].value
    row["input"] = None if manifest.input is None else clean_json(manifest.input)
    row["landing_path"] = rows_path(settings, manifest).relative_to(settings.landing_dir).as_posix()
    return row


@dataclass(frozen=True)
class _Configured:
    """The tables that are replaced as a whole."""

    tables: Mapping[str, list[dict[str, Any]]]
    problems: tuple[str, ...]


def _configured(
    settings: Settings, connection: duckdb.DuckDBPyConnection, accounts: list[AccountConfig]
) -> _Configured:
    from pipeline.clients.state import decision_rows, recommendation_rows

    planned_rows: list[dict[str, Any]] = []
    matches: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    problems: list[str] = []
    for account in accounts:
        plans = read_planned_posts(settings, account)
        posts = own_posts(connection, account.name)
        found = match_posts(account, plans.posts, posts)
        problems.extend(plans.problems)
        planned_rows.extend(plan.row() for plan in plans.posts)
        matches.extend(match.row() for match in found)
        labels.extend(label_rows(account, plans.posts, posts, found))
    return _Configured(
        tables={
            "accounts": _account_rows(accounts),
            "account_profiles": _profile_rows(accounts),
            "account_segments": _segment_rows(accounts),
            "planned_posts": planned_rows,
            "post_matches": matches,
            "post_labels": labels,
            "state_recommendations": recommendation_rows(settings),
            "state_decisions": decision_rows(settings),
        },
        problems=tuple(problems),
    )


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
