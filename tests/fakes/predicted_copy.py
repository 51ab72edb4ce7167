"""A published copy with posts whose format decides what they reach, without dbt: two accounts, of
which one has enough posts for a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from pipeline.clients import warehouse
from pipeline.collect.table_rows import insert_columns
from pipeline.measure.statistics_tables import BROKEN_COUNTS, create_empty
from pipeline.settings import Settings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLATFORM = "tiktok"
GOOD, BAD = "step_guide", "scripts"
POST_COUNTS = {"sleepy": 160, "fresh": 36}
DAY = timedelta(days=1)

TABLES = """
create schema if not exists intermediate;
create or replace table marts.dim_post (
    account_name varchar, platform varchar, post_id varchar, posted_at timestamptz,
    local_posted_at timestamp, format varchar, pillar varchar, topic varchar, hook_style varchar,
    cta varchar, media_type varchar, hook_text varchar, caption varchar, slide_count integer,
    duration_s double, planned_id varchar, is_ad boolean, local_date date
);
create or replace table intermediate.int_snapshots__published (
    account_name varchar, platform varchar, post_id varchar, scraped_at timestamptz,
    age_hours double, view_count bigint, like_count bigint, comment_count bigint,
    share_count bigint, save_count bigint
);
create or replace table intermediate.int_post_outcomes (
    account_name varchar, platform varchar, post_id varchar, outcome varchar, value double
);
create or replace table marts.fct_profile_snapshot (
    account_name varchar, platform varchar, scraped_at timestamptz, follower_count bigint
);
"""

_SHORT = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}
"""Types whose names have spaces."""

_POST = (
    "account_name", "platform", "post_id", "posted_at", "local_posted_at", "format", "pillar",
    "hook_style", "media_type", "hook_text", "caption", "slide_count", "planned_id", "is_ad",
    "local_date",
)  # fmt: skip


@dataclass
class Copy:
    """The rows of a copy, for a test to add to or change before it is published."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    profiles: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, settings: Settings) -> str:
        """Write and publish the rows; returns the version."""
        count = len(list(settings.published_dir.glob("2*")))
        version = f"20261120T1000{count:02d}_abcdef"
        with warehouse.writer_lock(settings, "test"):
            with warehouse.writing(settings, "test") as connection:
                create_empty(connection, BROKEN_COUNTS)
                connection.execute(TABLES)
                self._insert(connection, "marts.dim_post", self.posts)
                self._insert(connection, "intermediate.int_snapshots__published", self.snapshots)
                self._insert(connection, "intermediate.int_post_outcomes", self.outcomes)
                self._insert(connection, "marts.fct_profile_snapshot", self.profiles)
            warehouse.publish(settings, version)
        return version

    @staticmethod
    def _insert(
        connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
    ) -> None:
        if rows:
            described = connection.execute(f"describe {table}").fetchall()
            types = {name: _SHORT.get(kind, kind) for name, kind, *_ in described}
            columns = {f"{name} {types[name]}": [row[name] for row in rows] for name in rows[0]}
            insert_columns(connection, table, columns)


def simulated(counts: dict[str, int] | None = None, *, ratio: float = 6.0, seed: int = 7) -> Copy:
    """Posts every 12 hours until a day ago; the good format reaches ``ratio`` times the bad one."""
    rng = np.random.default_rng(seed)
    copy = Copy()
    for account, count in (counts or POST_COUNTS).items():
        for place in range(count):
            posted_at = NOW - DAY - (count - 1 - place) * timedelta(hours=12)
            is_good = bool(rng.random() < 0.5)
            views = float(np.exp(rng.normal(7.0 + is_good * np.log(ratio), 0.35)))
            rate = float(np.clip(np.exp(rng.normal(-3.0, 0.2)), 0.001, 0.9))
            add_post(copy, account, f"{account}{place:04d}", posted_at, GOOD if is_good else BAD)
            add_outcome(copy, account, f"{account}{place:04d}", posted_at, views, rate)
        for day in range(count // 2 + 3):
            copy.profiles.append(
                {
                    "account_name": account,
                    "platform": PLATFORM,
                    "scraped_at": NOW - day * DAY - timedelta(hours=1),
                    "follower_count": 5000 - 10 * day,
                }
            )
    return copy


def add_post(copy: Copy, account: str, post_id: str, posted_at: datetime, name: str) -> None:
    """One post with its labels and words; its outcome is not known."""
    values = {
        "account_name": account,
        "platform": PLATFORM,
        "post_id": post_id,
        "posted_at": posted_at,
        "local_posted_at": posted_at.replace(tzinfo=None) - timedelta(hours=5),
        "format": name,
        "pillar": "sleep_routines",
        "hook_style": "statement",
        "media_type": "carousel",
        "hook_text": None,
        "caption": "A quiet evening\nand what comes after #sleep",
        "slide_count": 5,
        "planned_id": None,
        "is_ad": False,
        "local_date": (posted_at - timedelta(hours=5)).date(),
    }
    copy.posts.append({key: values[key] for key in _POST})


def add_outcome(
    copy: Copy, account: str, post_id: str, posted_at: datetime, views: float, rate: float
) -> None:
    """Both outcomes, where they are known by now: from a snapshot 12 h after the seventh day on."""
    scraped_at = posted_at + timedelta(hours=180)
    if scraped_at > NOW:
        return
    post = {"account_name": account, "platform": PLATFORM, "post_id": post_id}
    counts = dict.fromkeys(("like_count", "comment_count", "share_count", "save_count"), 10)
    copy.snapshots.append(
        {**post, "scraped_at": scraped_at, "age_hours": 180.0, "view_count": int(views), **counts}
    )
    copy.outcomes.append({**post, "outcome": "views_7d", "value": views})
    copy.outcomes.append({**post, "outcome": "engagement_rate_7d", "value": rate})
