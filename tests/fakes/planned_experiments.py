"""A published copy with what an experiment is planned from: posts and their outcomes, no dbt."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import duckdb
import numpy as np

from pipeline.clients import warehouse
from pipeline.settings import REPOSITORY, Settings
from tests.fakes.contract_tables import create_contract_tables
from tests.fakes.published import ACCOUNT

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
VERSION = "20261120T080000_abcdef"
ACCOUNT_YAML = """\
name: sleepy
timezone: America/New_York
platform_profiles: {tiktok: sleepy, youtube: sleepy}
content_pillars: [sleep_routines, picky_eating]
formats: [step_guide, habit_list]
cta: [save_this]
"""
_TABLES = """
create schema if not exists intermediate;
create table intermediate.int_post_outcomes (
    account_name varchar, platform varchar, post_id varchar, outcome varchar, age_hours integer,
    value double, numerator double, denominator double, log_value double
);
create table intermediate.int_posts__engagement (
    account_name varchar, platform varchar, post_id varchar, comment_72h double
);
create table intermediate.int_post_segments (
    account_name varchar, platform varchar, post_id varchar, dimension varchar, segment varchar
);
"""


@dataclass(frozen=True)
class Posts:
    """Posts of a profile, evenly over the last weeks.

    Attributes:
        count: How many.
        a_week: How many in a week.
        platform: Where.
        view_spread: Standard deviation of the logarithm of views.
        rate: Usual engagement rate; its logarithm spreads by ``rate_spread``.
        rate_spread: See ``rate``.
        drift: How far the level of views wanders, in logarithms, over all posts.
        paid: Whether all were paid for.
        ended_weeks_ago: When the last one went out, before the others' last.
    """

    count: int = 100
    a_week: float = 14.0
    platform: str = "tiktok"
    view_spread: float = 0.6
    rate: float = 0.05
    rate_spread: float = 0.3
    drift: float = 0.0
    paid: bool = False
    ended_weeks_ago: float = 0.0


def publish_posts(
    home: Path, profiles: Sequence[Posts] = (Posts(),), *, account_yaml: str = ACCOUNT_YAML
) -> Settings:
    """An account's folder and a published copy of its posts."""
    settings = Settings(home=home, lock_timeout_s=20)
    folder = settings.accounts_dir / ACCOUNT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "account.yaml").write_text(account_yaml)
    with warehouse.writer_lock(settings, "test"):
        with warehouse.writing(settings, "test") as connection:
            create_contract_tables(connection)
            connection.execute(_TABLES)
            seed = REPOSITORY / "dbt_project" / "seeds" / "metric_availability.csv"
            connection.execute(
                f"create table intermediate.metric_availability as from read_csv('{seed}')"
            )
            connection.execute(
                "insert into stats.build_info (warehouse_version, built_at) values (?, ?)",
                [VERSION, NOW],
            )
            for profile in profiles:
                _add(connection, profile)
        warehouse.publish(settings, VERSION)
    return settings


def _add(connection: duckdb.DuckDBPyConnection, profile: Posts) -> None:
    chance = np.random.default_rng(5)
    posts: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    comments: list[dict[str, Any]] = []
    newest = NOW - timedelta(days=8, weeks=profile.ended_weeks_ago)
    for number in range(profile.count):
        post_id = f"{profile.platform}_{number:04d}"
        whose = {"account_name": ACCOUNT, "platform": profile.platform, "post_id": post_id}
        posted_at = newest - timedelta(weeks=(profile.count - 1 - number) / profile.a_week)
        posts.append(
            {
                **whose,
                "posted_at": posted_at.isoformat(),
                "local_date": posted_at.date().isoformat(),
                "is_ad": profile.paid,
            }
        )
        level = profile.drift * math.sin(number / 15)
        views = round(math.exp(8 + level + profile.view_spread * chance.normal()))
        rate = profile.rate * math.exp(profile.rate_spread * chance.normal())
        engaged, saved = round(views * rate), round(views * rate / 5)
        for outcome, age, top, below in (
            ("views_72h", 72, views, None),
            ("views_7d", 168, 2 * views, None),
            ("engagement_rate_7d", 168, engaged, views),
            ("save_rate_7d", 168, saved, views),
        ):
            if outcome == "save_rate_7d" and profile.platform == "youtube":
                continue
            outcomes.append(
                {
                    **whose,
                    "outcome": outcome,
                    "age_hours": age,
                    "value": top if below is None else top / below,
                    "numerator": top,
                    "denominator": below,
                    "log_value": math.log1p(top)
                    if below is None
                    else math.log((top + 0.5) / (below + 1)),
                }
            )
        comments.append({**whose, "comment_72h": float(chance.poisson(20))})
    _insert(connection, "marts.dim_post", posts)
    _insert(connection, "intermediate.int_post_outcomes", outcomes)
    _insert(connection, "intermediate.int_posts__engagement", comments)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
) -> None:
    if not rows:
        return
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(list(rows), file)
        file.flush()
        names = ", ".join(rows[0])
        connection.execute(
            f"insert into {table} ({names}) select {names} from read_json('{file.name}')"
        )
