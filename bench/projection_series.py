"""Real series of counts for the projection's benchmark: files of two kinds, found by pattern."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.collect.bundles import is_bundled, read_bundle, unbundled
from pipeline.collect.platform_rows import read_time
from pipeline.measure.projection_features import Histories

SNAPSHOTS = Path(__file__).parents[2] / "shared" / "data" / "snapshots"
YOUTUBE_PATTERN = "youtube_*_daily.parquet"
TIKTOK_PATTERN = "tiktok_*/*.json"
MINIMUM_GAP_HOURS = 6.0


@dataclass(frozen=True)
class Observation:
    """One post's counts at one moment; engagement is the sum of its published terms."""

    age_hours: float
    view_count: int
    engagement_count: int | None


Series = dict[tuple[str, str], list[Observation]]
"""Observations by (account, post), in any order."""


@dataclass(frozen=True)
class Task:
    """Project the last observed count of each post from the first two; shape (posts,) each."""

    histories: Histories
    last_counts: NDArray[np.float64]
    accounts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.last_counts)


def youtube_series(files: Iterable[Path]) -> Series:
    """Videos of daily trending lists; all columns of the files are text."""
    series: Series = {}
    for file in files:
        rows = duckdb.execute(
            """
            select
                channel_id, video_id,
                (epoch(fetched_at::timestamptz) - epoch(published_at::timestamptz)) / 3600,
                try_cast(views as bigint),
                try_cast(likes as bigint) + try_cast(comments as bigint)
            from read_parquet(?)
            where try_cast(views as bigint) is not null
            order by all
            """,
            [str(file)],
        ).fetchall()
        for channel, video, age, views, engagement in rows:
            series.setdefault((channel, video), []).append(Observation(age, views, engagement))
    return series


def tiktok_series(files: Iterable[Path]) -> Series:
    """Posts of bundled scrapes, read as an import reads them."""
    series: Series = {}
    for file in files:
        bundle = read_bundle(json.loads(file.read_text(encoding="utf-8")))
        if bundle is None or bundle.fetched_at is None:
            continue
        for part in bundle.rows:
            row = unbundled(part) if isinstance(part, Mapping) and is_bundled(part) else {}
            posted_at = read_time(row.get("createTimeISO"))
            views = row.get("playCount")
            if posted_at is None or not isinstance(views, int) or "id" not in row:
                continue
            age = (bundle.fetched_at - posted_at).total_seconds() / 3600
            key = (str(row["authorMeta"]["name"]), str(row["id"]))
            series.setdefault(key, []).append(Observation(age, views, _engagement(row)))
    return series


def _engagement(row: Mapping[str, Any]) -> int | None:
    terms = [row.get(name) for name in ("diggCount", "commentCount", "shareCount")]
    return sum(terms) if all(isinstance(term, int) for term in terms) else None


def task(series: Series) -> Task:
    """The posts with three observations or more that are at least six hours apart."""
    rows, last_counts, accounts = [], [], []
    codes = {account: code for code, account in enumerate(sorted({key[0] for key in series}))}
    for account, post in sorted(series):
        kept = _apart(series[account, post])
        if len(kept) < 3:
            continue
        first, second, last = kept[0], kept[1], kept[-1]
        rows.append(
            [
                first.age_hours, first.view_count, _or_nan(first.engagement_count),
                second.age_hours, second.view_count, _or_nan(second.engagement_count),
                last.age_hours,
            ]
        )  # fmt: skip
        last_counts.append(float(last.view_count))
        accounts.append(codes[account])
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 7).T
    return Task(Histories(*columns), np.array(last_counts), np.array(accounts, dtype=np.int64))


def _apart(observations: list[Observation]) -> list[Observation]:
    kept: list[Observation] = []
    for found in sorted(observations, key=lambda seen: (seen.age_hours, seen.view_count)):
        if found.age_hours > 0 and (
            not kept or found.age_hours - kept[-1].age_hours >= MINIMUM_GAP_HOURS
        ):
            kept.append(found)
    return kept


def _or_nan(count: int | None) -> float:
    return np.nan if count is None else float(count)
