"""Taking in dataset exports that people have: the same landing as a scrape, from a file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.accounts import AccountConfig, Platform
from pipeline.clock import utc_now, utc_text
from pipeline.collect.export_files import read_export_file
from pipeline.collect.landing import (
    Answer,
    Manifest,
    ScrapedAtSource,
    Source,
    SourceKind,
    Weighed,
    land,
    manifests,
    weigh,
)
from pipeline.collect.nesting import nested
from pipeline.collect.platform_interface import Item
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.platform_rows import error_reason
from pipeline.errors import ConfigurationError, ImportFileError, UsageError
from pipeline.settings import Settings

AUTO = "auto"
_A_DAY = timedelta(days=1)
_END_OF_DAY = "23:59:59"
_WITH_ZONE = re.compile(
    r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})T(\d{2})[-:]?(\d{2})[-:]?(\d{2})(?:[.,-]\d{1,9})?Z"
)
_CONSOLE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})_(\d{2})-(\d{2})-(\d{2})(?:-\d{3})?(?!\d)")
_PERIOD = re.compile(r"(?<!\d)(20\d{6})[_-](20\d{6})(?!\d)")
_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")


@dataclass(frozen=True)
class ImportReport:
    """What one file brought."""

    manifest: Manifest
    is_new: bool

    @property
    def line(self) -> str:
        """One sentence for the command line."""
        manifest = self.manifest
        counts = [f"{_many(len(manifest.post_ids), 'post')} in {_many(manifest.post_count, 'row')}"]
        if manifest.profile_count:
            counts.append(_many(manifest.profile_count, "profile"))
        if manifest.foreign_post_count:
            counts.append(f"{_many(manifest.foreign_post_count, 'row')} of other authors")
        if manifest.rejected_count:
            reasons = "; ".join(
                f"{reason} ({count})" for reason, count in manifest.rejected_reasons.items()
            )
            counts.append(f"{_many(manifest.rejected_count, 'row')} rejected: {reasons}")
        if not (manifest.post_count or manifest.profile_count):
            counts.append(
                f"none is by {manifest.handle}: check the handle in account.yaml, or take every "
                "author's rows with --any-author"
            )
        verb = "Imported" if self.is_new else "Already imported:"
        return (
            f"{verb} {manifest.original_file} for {manifest.account_name} on "
            f"{manifest.platform.value}, scraped {utc_text(manifest.scraped_at)}: "
            f"{', '.join(counts)}"
        )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def import_file(
    settings: Settings,
    account: AccountConfig,
    path: Path,
    *,
    platform: Platform | None = None,
    scraped_at: str | None = None,
    is_any_author: bool = False,
) -> ImportReport:
    """Land one dataset export; the caller loads the raw tables afterwards.

    Args:
        settings: Where to land.
        account: Whose posts they are.
        path: The export: JSON, JSON lines or CSV, nested, flattened or Overview, plain or gzipped.
        platform: The file's platform; found out from its rows when left out.
        scraped_at: When the rows were scraped: ISO 8601 with a zone, a day, or ``auto`` for the
            time that the file holds or has in its name. Left out: the same, else the file's own.
        is_any_author: Take posts of every author as the account's own.

    Raises:
        ImportFileError: The file cannot be taken in; nothing landed.
        UsageError: ``scraped_at`` is no time.
        ConfigurationError: The account has no profile on the platform, so that no row of the
            file could be its own.
    """
    export = read_export_file(path)
    rows = export.rows
    items = [nested(row) for row in rows if isinstance(row, dict)]
    platform = _checked_platform(path, items, platform)
    handle = account.platform_profiles.get(platform)
    if handle is None and not is_any_author:
        raise ConfigurationError(
            f"Account {account.name!r} has no {platform.value} handle, so no row of {path} would "
            "be its own: add it under platform_profiles in "
            f"{settings.accounts_dir / account.name / 'account.yaml'}, or take every author's "
            "rows with --any-author."
        )
    moment, moment_source = scrape_time(path, scraped_at, export.scraped_at)
    weighed = weigh(
        Answer(
            platform=platform,
            account_name=account.name,
            handle=handle,
            source=Source.IMPORT,
            source_kind=SourceKind.EXPORT,
            rows=rows,
            scraped_at=moment,
            scraped_at_source=moment_source,
            is_any_author=is_any_author,
            is_complete=export.is_complete,
            original_file=path.name,
        )
    )
    if weighed.manifest.rejected_count == len(rows):
        reasons = "; ".join(weighed.manifest.rejected_reasons)
        raise ImportFileError(
            f"{path} has no usable row: all {len(rows)} are rejected ({reasons}). Export the "
            "dataset of a run that found something."
        )
    if moment_source is ScrapedAtSource.FILE_TIME:
        former = same_rows(settings, weighed)
        if former is not None:
            return ImportReport(former, is_new=False)
    _check_not_before_posts(path, items, platform, weighed.manifest)
    landed = land(settings, weighed)
    return ImportReport(landed.manifest, landed.is_new)


def _checked_platform(path: Path, items: Sequence[Item], asked: Platform | None) -> Platform:
    counts = {
        platform: sum(source.recognises(item) for item in items)
        for platform, source in SOURCES.items()
    }
    found = max(counts, key=lambda platform: counts[platform])
    known = " or ".join(platform.value for platform in counts)
    if not counts[found]:
        if items and all(error_reason(item) for item in items):
            raise ImportFileError(
                f"{path} has no usable row: all {len(items)} are rejected "
                f"({error_reason(items[0])}). Export the dataset of a run that found something."
            )
        raise ImportFileError(
            f"{path} is no export of a {known} actor: no row has the keys of one."
        )
    if asked is None or asked is found or counts[asked] == counts[found]:
        return asked or found
    raise ImportFileError(
        f"{path} holds rows of {found.value}, not of {asked.value}. Import it with "
        f"--platform {found.value}, or give the file that you meant."
    )


def scrape_time(
    path: Path, asked: str | None, in_file: datetime | None
) -> tuple[datetime, ScrapedAtSource]:
    """When an export was made, and how that is known.

    Args:
        path: The file, for its name and its own time.
        asked: What the person said: a time, a day, ``auto``, or nothing.
        in_file: What the file says, in UTC.

    Raises:
        ImportFileError: ``auto`` was asked for and nothing tells, or the time is still to come.
        UsageError: ``asked`` is no time.
    """
    if asked is not None and asked.strip().lower() != AUTO:
        moment, source = _given_time(asked), ScrapedAtSource.GIVEN
    elif in_file is not None:
        moment, source = in_file, ScrapedAtSource.FILE_CONTENT
    elif (from_name := time_in_name(path.name)) is not None:
        moment, source = from_name, ScrapedAtSource.FILE_NAME
    elif asked is not None:
        raise ImportFileError(
            f"The name of {path} holds no time such as 2026-05-21T210534Z, "
            "2026-05-21_21-05-34-123 or 2026-05-21: give the time of the scrape with --scraped-at."
        )
    else:
        moment = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        source = ScrapedAtSource.FILE_TIME
    if moment > utc_now() + _A_DAY:
        raise ImportFileError(
            f"{path} would have been scraped at {utc_text(moment)}, which is still to come: give "
            "the time of the scrape with --scraped-at."
        )
    return moment.replace(microsecond=0), source


def _given_time(text: str) -> datetime:
    day = _DAY.fullmatch(text.strip())
    try:
        if day:
            return datetime.fromisoformat(f"{text.strip()}T{_END_OF_DAY}+00:00")
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"--scraped-at {text!r} is no time: write 2026-05-21T21:05:34Z, 2026-05-21 or auto."
        ) from error
    if moment.tzinfo is None:
        raise UsageError(
            f"--scraped-at {text!r} has no time zone: write for example {text.strip()}Z for UTC."
        )
    return moment.astimezone(UTC)


def time_in_name(name: str) -> datetime | None:
    """The scrape time that a file's name tells, in UTC; a plain day means its last second."""
    for pattern in (_WITH_ZONE, _CONSOLE, _DAY):
        for found in pattern.finditer(name):
            parts = [int(part) for part in found.groups()]
            if len(parts) == 3:
                parts += [23, 59, 59]
            year, month, day, hour, minute, second = parts
            try:
                moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except ValueError:
                continue  # digits that only look like a time
            if year >= 2005:
                return moment
    return _end_of_period(name)


def _end_of_period(name: str) -> datetime | None:
    """The last second before the second day of ``20180101_20180201``, as X names its exports."""
    for found in _PERIOD.finditer(name):
        try:
            first, end = (datetime.strptime(f"{day}Z", "%Y%m%d%z") for day in found.groups())
        except ValueError:
            continue  # digits that only look like days
        if first < end:
            return end - timedelta(seconds=1)
    return None


def same_rows(settings: Settings, weighed: Weighed) -> Manifest | None:
    """A former import of the same rows: a copied file has a new time, but is no new scrape."""
    new = weighed.manifest
    for former in manifests(settings, new.platform, new.account_name):
        if (
            former.source is new.source
            and former.items_sha256 == new.items_sha256
            and former.is_any_author == new.is_any_author
            and former.handle == new.handle
        ):
            return former
    return None


def _check_not_before_posts(
    path: Path, items: Sequence[Item], platform: Platform, manifest: Manifest
) -> None:
    times = [SOURCES[platform].facts(item).posted_at for item in items if not error_reason(item)]
    newest = max((moment for moment in times if moment is not None), default=None)
    if newest is not None and newest > manifest.scraped_at + _A_DAY:
        how = {
            ScrapedAtSource.GIVEN: "--scraped-at",
            ScrapedAtSource.FILE_NAME: "the file's name",
            ScrapedAtSource.FILE_CONTENT: "the file itself",
        }.get(manifest.scraped_at_source, "the file's own time")
        raise ImportFileError(
            f"{path} holds a post of {utc_text(newest)}, but {how} says that it was scraped "
            f"earlier, at {utc_text(manifest.scraped_at)}: give the time of the scrape with "
            "--scraped-at."
        )
