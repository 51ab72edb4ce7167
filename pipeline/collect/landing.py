"""The landing folder: every answer of every source, whole and unchanged, before anything reads it.

One answer is two files, ``<scrape_id>.jsonl.zst`` and ``<scrape_id>.manifest.json``. The manifest
is written last: rows without one are a leftover of an interrupted landing and do not count.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.accounts import ACCOUNT_NAME_PATTERN, Platform
from pipeline.atomic_files import write_atomically
from pipeline.clock import utc_text
from pipeline.collect.jsontext import row_line
from pipeline.collect.nesting import nested
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import Classified, ItemKind
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.platform_rows import handle_of, one_line
from pipeline.errors import LandingError, MirrorDamagedError
from pipeline.settings import Settings

MANIFEST_SUFFIX = ".manifest.json"
ROWS_SUFFIX = ".jsonl.zst"
_COMPRESSION_LEVEL = 6
_BLOCK_BYTES = 16 << 20
"""Larger buffers are given back to the system after each use, and taken again page by page."""


class Source(StrEnum):
    """Where an answer came from."""

    APIFY = "apify"
    IMPORT = "import"
    NATIVE = "native"
    """A platform's own analytics export, which has no rows of a scrape's kind."""
    YOUTUBE = "youtube"
    """YouTube's own Data API."""


class SourceKind(StrEnum):
    """What was asked for."""

    POSTS = "posts"
    PROFILES = "profiles"
    REELS = "reels"
    DIRECT = "direct"
    """Single posts, asked for by their addresses."""
    EXPORT = "export"


class Outcome(StrEnum):
    """What an answer holds. A source that answered nothing is not the same as no answer."""

    ITEMS = "items"
    EMPTY = "empty"
    PARTIAL = "partial"
    SCHEMA_DRIFT = "schema_drift"
    """Rows that no longer look like the source's: kept here, not loaded."""


class ScrapedAtSource(StrEnum):
    """How the time of a scrape is known."""

    RUN = "run"
    GIVEN = "given"
    FILE_NAME = "file_name"
    FILE_CONTENT = "file_content"
    FILE_TIME = "file_time"


class Manifest(BaseModel):
    """What is known about one landed answer; times in UTC."""

    model_config = ConfigDict(frozen=True)

    scrape_id: str
    platform: Platform
    account_name: str
    handle: str | None
    """The account's handle when it landed: the yardstick for own and foreign posts."""
    source: Source
    source_kind: SourceKind
    actor_id: str | None
    run_id: str | None
    run_status: str | None
    outcome: Outcome
    input: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None
    scraped_at: datetime
    scraped_at_source: ScrapedAtSource
    items_asked: int | None
    items_got: int
    post_count: int
    """Rows that are the account's own posts; the same post can be in several rows."""
    foreign_post_count: int
    profile_count: int
    rejected_count: int
    rejected_reasons: dict[str, int]
    post_ids: tuple[str, ...]
    """The own posts, each once, sorted."""
    cost_usd: Decimal | None
    is_any_author: bool
    items_sha256: str
    original_file: str | None
    run_outcome: RunOutcome | None = None
    """What the run said about the profile; None for imports."""
    status_message: str | None = None
    """The platform's words about the run."""
    drift: dict[str, list[str]] | None = None
    """How the rows differ from the source's contract; None when they do not, or for imports."""
    owner_ids: tuple[str, ...] = ()
    """The platform's ids of the profile whose own rows these are, sorted; handles change."""


@dataclass(frozen=True)
class Answer:
    """One answer of one source for one profile, not yet on disk. Times carry their zone."""

    platform: Platform
    account_name: str
    handle: str | None
    source: Source
    source_kind: SourceKind
    rows: Sequence[object]
    scraped_at: datetime
    scraped_at_source: ScrapedAtSource
    is_any_author: bool = False
    is_complete: bool = True
    """False when the source counted more rows than could be read."""
    items_asked: int | None = None
    actor_id: str | None = None
    run_id: str | None = None
    run_status: str | None = None
    run_input: dict[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cost_usd: Decimal | None = None
    original_file: str | None = None


@dataclass(frozen=True)
class Landed:
    """An answer on disk. ``is_new`` is False when the very same answer had landed before."""

    manifest: Manifest
    is_new: bool


@dataclass(frozen=True)
class Weighed:
    """An answer ready to land: its rows as bytes, each row's kind counted."""

    manifest: Manifest
    lines: bytes


def classify_row(
    row: object, platform: Platform, handle: str | None, is_any_author: bool
) -> Classified:
    """What one row of a landed answer is, in whatever encoding it came."""
    if not isinstance(row, dict):
        return Classified(ItemKind.REJECTED, reason=f"not an object but {_kind_of(row)}")
    return SOURCES[platform].classify(nested(row), handle, is_any_author)


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a number"


def weigh(answer: Answer) -> Weighed:
    """Hash and count an answer without writing anything."""
    scraped_at = answer.scraped_at.astimezone(UTC).replace(microsecond=0)
    lines = b"".join(row_line(row) + b"\n" for row in answer.rows)
    items_sha256 = hashlib.sha256(lines).hexdigest()
    kinds: Counter[ItemKind] = Counter()
    reasons: Counter[str] = Counter()
    post_ids: set[str] = set()
    for row in () if answer.source is Source.NATIVE else answer.rows:
        what = classify_row(row, answer.platform, answer.handle, answer.is_any_author)
        kinds[what.kind] += 1
        if what.kind is ItemKind.REJECTED:
            reasons[what.reason or "no reason"] += 1
        elif what.kind is ItemKind.POST and what.post_id:
            post_ids.add(what.post_id)
    outcome = Outcome.ITEMS if answer.rows else Outcome.EMPTY
    manifest = Manifest(
        scrape_id=_scrape_id(answer, scraped_at, items_sha256),
        platform=answer.platform,
        account_name=answer.account_name,
        handle=answer.handle,
        source=answer.source,
        source_kind=answer.source_kind,
        actor_id=answer.actor_id,
        run_id=answer.run_id,
        run_status=answer.run_status,
        outcome=outcome if answer.is_complete else Outcome.PARTIAL,
        input=answer.run_input,
        started_at=answer.started_at,
        finished_at=answer.finished_at,
        scraped_at=scraped_at,
        scraped_at_source=answer.scraped_at_source,
        items_asked=answer.items_asked,
        items_got=len(answer.rows),
        post_count=kinds[ItemKind.POST],
        foreign_post_count=kinds[ItemKind.FOREIGN_POST],
        profile_count=kinds[ItemKind.PROFILE],
        rejected_count=kinds[ItemKind.REJECTED],
        rejected_reasons=dict(sorted(reasons.items())),
        post_ids=tuple(sorted(post_ids)),
        cost_usd=answer.cost_usd,
        is_any_author=answer.is_any_author,
        items_sha256=items_sha256,
        original_file=answer.original_file,
    )
    return Weighed(manifest, lines)


def _scrape_id(answer: Answer, scraped_at: datetime, items_sha256: str) -> str:
    identity = [
        answer.platform.value,
        answer.account_name,
        answer.source_kind.value,
        utc_text(scraped_at),
        answer.is_any_author,
        items_sha256,
    ]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    return f"{scraped_at:%Y%m%dT%H%M%SZ}_{digest[:12]}"


def land(settings: Settings, weighed: Weighed) -> Landed:
    """Put an answer on disk, rows first, manifest last.

    The same answer landed again changes nothing. It is taken again when its rows have gone
    missing or when the account's handle was corrected in between, since the handle decides which
    posts are the account's own.

    Raises:
        LandingError: The disk did not take it; the folder then holds no half answer.
    """
    manifest = weighed.manifest
    rows_file = rows_path(settings, manifest)
    manifest_file = rows_file.with_name(manifest.scrape_id + MANIFEST_SUFFIX)
    if manifest_file.exists() and rows_file.exists():
        former = read_manifest(manifest_file)
        if handle_of(former.handle) == handle_of(manifest.handle):
            return Landed(former, is_new=False)
    compressed = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress(weighed.lines)
    try:
        write_atomically(rows_file, compressed)
        write_atomically(manifest_file, manifest.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise LandingError(
            f"{rows_file} cannot be written: {error.strerror or error}. Make room or fix the "
            "folder's permissions, then run the same command again."
        ) from error
    return Landed(manifest, is_new=True)


def rows_path(settings: Settings, manifest: Manifest) -> Path:
    """Where an answer's rows are."""
    folder = settings.landing_dir / manifest.platform.value / manifest.account_name
    return folder / f"{manifest.scrape_id}{ROWS_SUFFIX}"


def manifest_files(
    settings: Settings, platform: Platform | None = None, account_name: str | None = None
) -> Iterator[Path]:
    """Manifest files in order of account and time, oldest first; everything else is ignored."""
    platforms = [platform] if platform else list(Platform)
    for one in platforms:
        folder = settings.landing_dir / one.value
        accounts = [folder / account_name] if account_name else sorted(folder.glob("*"))
        for account in accounts:
            if account.is_dir() and ACCOUNT_NAME_PATTERN.fullmatch(account.name):
                # Years of daily scrapes are many files: nothing but their names is looked at.
                names = [
                    name
                    for name in os.listdir(account)  # noqa: PTH208
                    if name.endswith(MANIFEST_SUFFIX) and not name.startswith(".")
                ]
                yield from (account / name for name in sorted(names))


def manifests(settings: Settings, platform: Platform, account_name: str) -> list[Manifest]:
    """The landed answers of one account on one platform, oldest first.

    Raises:
        LandingError: A manifest is damaged.
    """
    return [read_manifest(path) for path in manifest_files(settings, platform, account_name)]


def read_manifest(path: Path) -> Manifest:
    """One manifest.

    Raises:
        LandingError: The file is missing, damaged, or of another scrape.
    """
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is no valid manifest"
        raise LandingError(f"The landing file {path} cannot be used: {words}. {_REMEDY}") from error
    if path.name != manifest.scrape_id + MANIFEST_SUFFIX:
        raise LandingError(
            f"The landing file {path} belongs to scrape {one_line(manifest.scrape_id)}. {_REMEDY}"
        )
    return manifest


def read_lines(settings: Settings, manifest: Manifest) -> list[bytes]:
    """The rows of a landed answer as lines of JSON, exactly as they were landed.

    Raises:
        LandingError: The file is missing or does not match the manifest's hash.
    """
    return b"".join(read_blocks(settings, manifest)).split(b"\n")[:-1]


def read_blocks(settings: Settings, manifest: Manifest) -> Iterator[bytes]:
    """The rows of a landed answer in blocks of whole lines, some megabytes each, in order.

    Raises:
        LandingError: The file is missing, or does not match the manifest's hash, which only shows
            at the end: what came before must not be kept then.
    """
    path = rows_path(settings, manifest)
    digest = hashlib.sha256()
    begun: list[bytes] = []
    try:
        with (
            _open_rows(settings, path) as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
        ):
            while part := reader.read(_BLOCK_BYTES):
                digest.update(part)
                end = part.rfind(b"\n") + 1
                if end:
                    yield b"".join([*begun, part[:end]])
                    begun = []
                if end < len(part):
                    begun.append(part[end:])
    except FileNotFoundError as error:
        raise LandingError(f"The landing file {path} is missing. {_REMEDY}") from error
    except (OSError, zstandard.ZstdError) as error:
        raise LandingError(
            f"The landing file {path} cannot be read ({one_line(error)}). {_REMEDY}"
        ) from error
    if begun or digest.hexdigest() != manifest.items_sha256:
        raise LandingError(
            f"The landing file {path} is damaged: its content does not match the hash in its "
            f"manifest. {_REMEDY}"
        )


def _open_rows(settings: Settings, path: Path) -> IO[bytes]:
    """The rows' file: here, or in the mirror where it was pruned here."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        if settings.storage_url is None:
            raise
    # fsspec takes a while to import, and nobody needs it whose rows are here.
    from pipeline.clients.mirror_fetching import open_landing_file

    try:
        mirrored = open_landing_file(settings, path)
    except MirrorDamagedError as error:
        raise LandingError(str(error)) from error
    if mirrored is None:
        raise FileNotFoundError(path)
    return mirrored


_REMEDY = (
    "Restore the file (`afterpost restore --landing`, or a backup), import the original export "
    "again, or move the file and its manifest away to go on without that scrape."
)
