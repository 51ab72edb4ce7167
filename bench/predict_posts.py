"""Real posts with outcomes, as tables that predictions are learned from; and simulated ones."""

import ast
import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.learn.predict.posts import Posts
from pipeline.learn.predict.text_features import (
    CLOCK_FEATURES,
    TEXT_FEATURES,
    clock_features,
    hashtags,
    text_features,
)

DATA = Path(__file__).parents[2] / "shared" / "data"
CODED_PATTERN = "popularity/tiktok_*content_coded*.csv"
CODED_UNTIL = "2023-07-01"
"""Views and shares of these files are broken from some day after this one."""
TWEETS_PATTERN = "native_exports/x_*/*.csv"
NEWS_PATTERN = "popularity/OnlineNewsPopularity_*rows_61cols.csv"
NEWS_FEW_COLUMNS_PATTERN = "popularity/OnlineNewsPopularity_*15cols.csv"
FOLLOWERS_PATTERN = "snapshots/account_daily_*.json"
FOLLOWER_KEYS = ("followers_count", "follower_count", "subscribers")
DAYPART_HOURS = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Row:
    account: str
    posted_at: datetime
    outcome: float
    segments: tuple[str, ...]
    numbers: tuple[float, ...]


def coded_videos(folder: Path, lag_hours: float) -> Posts | None:
    """Videos that people coded for format, topic and calls, with views; None without files.

    Args:
        folder: Holds ``popularity``.
        lag_hours: After the posting, when a video's views are taken to be known.
    """
    files = [str(file) for file in sorted(folder.glob(CODED_PATTERN))]
    if not files:
        return None
    found = duckdb.execute(
        """
        select * from read_csv(?, union_by_name = true)
        where M3_create_time < ?::timestamp
        qualify 1 = row_number() over (
            partition by M1_video_id order by V1_coder desc, M4_like_count
        )
        order by M3_create_time, M1_video_id
        """,
        [files, CODED_UNTIL],
    ).df()
    kinds = ("V5_", "V6_", "V10_", "V12_", "V18_")
    signs = ("V7", "V8", "V9", "V13_", "V14_", "V15_", "V16_", "V17_")
    dimensions = [name for name in found.columns if name.startswith(kinds)]
    numbers = [name for name in found.columns if name.startswith(signs)]
    rows = []
    for row in found.to_dict("records"):
        posted_at = row["M3_create_time"].to_pydatetime()
        topic = row["V11_general_topic"] if isinstance(row["V11_general_topic"], str) else None
        rows.append(
            _Row(
                account=row["V3_news_outlet"],
                posted_at=posted_at,
                outcome=float(row["M5_view_count"]),
                segments=(*(_code(row[name]) for name in dimensions), *_moment(posted_at)),
                numbers=(
                    *(float(row[name]) for name in numbers),
                    float(len(ast.literal_eval(row["M8_hashtags"]))),
                    *text_features(topic),
                    *clock_features(posted_at.hour, posted_at.isoweekday()),
                ),
            )
        )
    return _posts(
        rows,
        (*dimensions, "daypart", "weekday"),
        (*numbers, "hashtag_count", *TEXT_FEATURES, *CLOCK_FEATURES),
        lag_hours,
    )


def tweets(folder: Path, lag_hours: float) -> Posts | None:
    """One account's posts and replies with impressions, from its own exports; None without files.

    Args:
        folder: Holds ``native_exports``.
        lag_hours: After the posting, when impressions are taken to be known.
    """
    by_id: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob(TWEETS_PATTERN)):
        with file.open(encoding="utf-8", newline="") as lines:
            by_id |= {f"{file.parent.name}/{row['Tweet id']}": row for row in csv.DictReader(lines)}
    if not by_id:
        return None
    rows = []
    for key, row in sorted(by_id.items()):
        posted_at = datetime.strptime(row["time"], "%Y-%m-%d %H:%M %z")
        text = row["Tweet text"]
        kind = "reply" if text.startswith("@") else "post"
        first_tag = next(iter(hashtags(text)), "")
        rows.append(
            _Row(
                account=key.split("/", maxsplit=1)[0],
                posted_at=posted_at,
                outcome=float(row["impressions"]),
                segments=(kind, first_tag, *_moment(posted_at)),
                numbers=(
                    *text_features(text),
                    *clock_features(posted_at.hour, posted_at.isoweekday()),
                ),
            )
        )
    names = ("kind", "first_hashtag", "daypart", "weekday")
    return _posts(rows, names, (*TEXT_FEATURES, *CLOCK_FEATURES), lag_hours)


@dataclass(frozen=True)
class News:
    """Articles in the order of time."""

    columns: Floats
    """Shape (articles, columns)."""
    shares: Floats
    """Shape (articles,)."""


def news(folder: Path, pattern: str) -> News | None:
    """Articles with all columns, the oldest first where their age is told; None without files."""
    files = [str(file) for file in sorted(folder.glob(pattern))]
    if not files:
        return None
    found = duckdb.execute("select * from read_csv(?)", [files[0]]).df()
    found.columns = [name.strip() for name in found.columns]
    if "timedelta" in found.columns:
        # Days between the article and when its shares were counted.
        found = found.sort_values("timedelta", ascending=False, kind="stable")
    kept = [name for name in found.columns if name not in ("url", "timedelta", "shares")]
    return News(found[kept].to_numpy(np.float64), found["shares"].to_numpy(np.float64))


def followers(folder: Path) -> dict[str, Floats]:
    """Daily counts of followers by file, from the first day that has some; empty without files."""
    series = {}
    for file in sorted(folder.glob(FOLLOWERS_PATTERN)):
        days: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        key = next(key for key in FOLLOWER_KEYS if key in days[0])
        by_day = {datetime.fromisoformat(day["date"]).toordinal(): day.get(key) for day in days}
        counts = np.array(
            [
                np.nan if by_day.get(day) is None else float(by_day[day] or 0)
                for day in range(min(by_day), max(by_day) + 1)
            ]
        )
        begins = np.flatnonzero(counts > 0)
        if len(begins):
            series[file.stem.removeprefix("account_daily_")] = counts[begins[0] :]
    return series


def simulated(posts: int, accounts: int, seed: int) -> Posts:
    """Posts of accounts that differ in size and drift, with a few effects; for timing."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, posts)
    hours = np.sort(rng.uniform(0, 24 * 365, posts))
    segments = rng.integers(0, 6, (posts, 8))
    numbers = rng.normal(size=(posts, 20))
    logs = rng.normal(8, 1.5, accounts)[account] + 0.3 * (segments[:, 0] == 2)
    logs = logs + 0.2 * numbers[:, 0] + 0.0001 * hours + rng.normal(0, 1, posts)
    return Posts(
        account=np.char.add("account_", account.astype(np.str_)),
        posted_at_hours=hours,
        known_at_hours=hours + 168.0,
        outcome=np.round(np.exp(logs)),
        segments=segments.astype(np.str_),
        numbers=numbers,
        dimension_names=tuple(f"dimension_{place}" for place in range(8)),
        number_names=tuple(f"number_{place}" for place in range(20)),
    )


def _posts(
    rows: Iterable[_Row],
    dimension_names: tuple[str, ...],
    number_names: tuple[str, ...],
    lag_hours: float,
) -> Posts:
    ordered = sorted(rows, key=lambda row: row.posted_at.replace(tzinfo=UTC))
    hours = np.array([row.posted_at.replace(tzinfo=UTC).timestamp() / 3600 for row in ordered])
    return Posts(
        account=np.array([row.account for row in ordered], dtype=np.str_),
        posted_at_hours=hours,
        known_at_hours=hours + lag_hours,
        outcome=np.array([row.outcome for row in ordered]),
        segments=np.array([row.segments for row in ordered], dtype=np.str_),
        numbers=np.array([row.numbers for row in ordered], dtype=np.float64),
        dimension_names=dimension_names,
        number_names=number_names,
    )


def _moment(posted_at: datetime) -> tuple[str, str]:
    return str(posted_at.hour // DAYPART_HOURS), str(posted_at.isoweekday())


def _code(value: float) -> str:
    return "" if np.isnan(value) else str(int(value))
