"""Taking in platforms' own analytics exports, which know what no scrape can see."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.accounts import AccountConfig, Platform
from pipeline.collect.export_files import read_export_lines
from pipeline.collect.imports import same_rows, scrape_time
from pipeline.collect.landing import (
    Answer,
    Manifest,
    ScrapedAtSource,
    Source,
    SourceKind,
    land,
    read_lines,
    weigh,
)
from pipeline.collect.native_exports import (
    NativeReading,
    Scope,
    platform_of,
    read_tables,
    tables_of,
)
from pipeline.collect.native_labels import platform_signs
from pipeline.collect.native_values import read_days
from pipeline.errors import ImportFileError
from pipeline.settings import Settings

_A_DAY = timedelta(days=1)
_TIME_KEYS = ("updated_at", "exported_at", "generated_at")


@dataclass(frozen=True)
class NativeReport:
    """What one native export brought."""

    manifest: Manifest
    is_new: bool
    value_count: int
    """Numbers; cells without one do not count."""
    post_count: int
    day_count: int
    metrics: tuple[str, ...]
    unknown_labels: tuple[str, ...]
    """Columns that keep their own names."""
    unreadable: dict[str, int]
    """Cells that hold no number, by column."""
    nameless_rows: int
    """Rows that name neither a post nor a day."""


def import_native(
    settings: Settings,
    account: AccountConfig,
    path: Path,
    *,
    platform: Platform | None = None,
    exported_at: str | None = None,
) -> NativeReport:
    """Land one export of TikTok Studio, Meta, YouTube Studio, X or LinkedIn analytics.

    The caller loads the raw tables afterwards.

    Args:
        settings: Where to land.
        account: Whose numbers they are.
        path: CSV or JSON, English labels, in whatever order; an Excel sheet saved as CSV.
        platform: Whose export it is; found out from labels and addresses when left out.
        exported_at: When it was made: ISO 8601 with a zone, a day, or ``auto``. Left out: what
            the file or its name says, else the file's own time.

    Raises:
        ImportFileError: The file is no such export; nothing landed.
        UsageError: ``exported_at`` is no time.
    """
    lines = read_export_lines(path)
    tables = tables_of(lines)
    found = platform or platform_of(tables)
    known = ", ".join(one.value for one in platform_signs())
    if not tables or found is None:
        raise ImportFileError(
            f"{path} is no analytics export that can be told apart: it needs a column for the post "
            f"or the date and English labels. Say whose it is with --platform ({known})."
            if tables
            else f"{path} has no table with a column for the post (its id or address) or the date. "
            "Export it in English, and save an Excel sheet as CSV."
        )
    moment, moment_source = scrape_time(path, exported_at, _time_in(lines))
    reading = read_tables(tables, found, (moment + _A_DAY).date())
    if not any(one.value is not None for one in reading.metrics):
        raise ImportFileError(
            f"{path} has no number of any post or day of {found.value}: check --platform, and that "
            "the export names the posts by address or id."
        )
    weighed = weigh(
        Answer(
            platform=found,
            account_name=account.name,
            handle=account.platform_profiles.get(found),
            source=Source.NATIVE,
            source_kind=SourceKind.EXPORT,
            rows=lines,
            scraped_at=moment,
            scraped_at_source=moment_source,
            original_file=path.name,
        )
    )
    if moment_source is ScrapedAtSource.FILE_TIME:
        former = same_rows(settings, weighed)
        if former is not None:
            return _report(former, reading, is_new=False)
    landed = land(settings, weighed)
    return _report(landed.manifest, reading, is_new=landed.is_new)


def _report(manifest: Manifest, reading: NativeReading, *, is_new: bool) -> NativeReport:
    told = [one for one in reading.metrics if one.value is not None]
    return NativeReport(
        manifest=manifest,
        is_new=is_new,
        value_count=len(told),
        post_count=len({one.post_id for one in told if one.scope is Scope.POST}),
        day_count=len({one.day for one in told if one.scope is Scope.ACCOUNT}),
        metrics=tuple(sorted({one.metric.name for one in told})),
        unknown_labels=tuple(sorted(reading.unknown_labels)),
        unreadable=dict(sorted(reading.unreadable.items())),
        nameless_rows=reading.nameless_rows,
    )


def _time_in(lines: list[object]) -> datetime | None:
    """When the export was made by its own words."""
    first = lines[0] if lines else None
    if isinstance(first, dict):
        for key in _TIME_KEYS:
            day = read_days([str(first.get(key, ""))], date.max)[0]
            if day is not None:
                return _end_of(day)
    return None


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)


def native_rows(settings: Settings, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Rows of ``raw.native_metrics`` of one landed export.

    Raises:
        LandingError: Its rows are missing or damaged.
    """
    lines = [orjson.loads(line) for line in read_lines(settings, manifest)]
    newest = (manifest.scraped_at + _A_DAY).date()
    for one in read_tables(tables_of(lines), manifest.platform, newest).metrics:
        yield {
            "account_name": manifest.account_name,
            "platform": manifest.platform.value,
            "scope": one.scope.value,
            "post_id": one.post_id,
            "day": one.day.isoformat() if one.day else None,
            "metric": one.metric.name,
            "value": one.value,
            "unit": one.metric.unit.value,
            "source_label": one.source_label,
            "exported_at": manifest.scraped_at,
            "scrape_id": manifest.scrape_id,
        }
