"""A published copy of which every report's figures are known: two weeks of posts per account.

Views follow the quantiles of a log-normal, so that nothing is left to chance: the later week's
posts are the former's times what is planted, in another order.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import NormalDist
from tempfile import NamedTemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml

from pipeline.clients import warehouse
from pipeline.settings import Settings
from tests.fakes.contract_tables import create_contract_tables

MONDAY = date(2026, 5, 11)
"""First day of the week that is reported; the former one begins seven days before."""
AS_OF = datetime(2026, 5, 21, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
"""Monday after the week, when it is over everywhere."""
VERSION = "20260521T120000_abcdef"
_SPREAD = 0.6
_SHARES = {24: 0.4, 72: 0.7, 168: 1.0}


@dataclass(frozen=True)
class Reported:
    """One account with its posts."""

    name: str = "sleepy"
    display_name: str = "Sleepy"
    timezone: str = "America/New_York"
    platforms: Sequence[str] = ("tiktok",)
    ratio: float = 1.0
    """What the later week's views are multiplied by."""
    posts_a_week: int = 14
    caption: str = "Nine quiet steps"
    post_url: str = "https://www.tiktok.com/@sleepy/video/1"
    follower_gain: int = 120


SLEEPY = Reported()


def publish_world(home: Path, accounts: Sequence[Reported] = (SLEEPY,), sql: str = "") -> Settings:
    """Accounts' folders and a published copy.

    Args:
        home: Where.
        accounts: Who posts.
        sql: Run before the copy is made, for what a test plants besides.
    """
    settings = Settings(home=home)
    for account in accounts:
        folder = settings.accounts_dir / account.name
        folder.mkdir(parents=True)
        document = {
            "name": account.name,
            "display_name": account.display_name,
            "timezone": account.timezone,
            "platform_profiles": dict.fromkeys(account.platforms, account.name),
        }
        (folder / "account.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with warehouse.writer_lock(settings, "test"):
        with warehouse.writing(settings, "test") as connection:
            create_contract_tables(connection)
            _insert(connection, accounts)
            if sql:
                connection.execute(sql)
        warehouse.publish(settings, VERSION)
    return settings


def _insert(connection: duckdb.DuckDBPyConnection, accounts: Sequence[Reported]) -> None:
    posts = [post for account in accounts for post in _posts(account)]
    _rows(
        connection,
        "marts.dim_account",
        [
            {
                "account_name": account.name,
                "display_name": account.display_name,
                "timezone": account.timezone,
            }
            for account in accounts
        ],
    )
    profiles = [(account, platform) for account in accounts for platform in account.platforms]
    _rows(
        connection,
        "marts.dim_profile",
        [
            {"account_name": account.name, "platform": platform, "handle": account.name}
            for account, platform in profiles
        ],
    )
    _rows(
        connection,
        "marts.fct_follower_day",
        [
            {
                "account_name": account.name,
                "platform": platform,
                "local_date": day,
                "follower_count": count,
            }
            for account, platform in profiles
            for day, count in (
                (MONDAY - timedelta(days=1), 12_000),
                (MONDAY + timedelta(days=6), 12_000 + account.follower_gain),
            )
        ],
    )
    names = ("caption", "post_url", "local_date", "format")
    keys = ("account_name", "platform", "post_id", "posted_at")
    _rows(connection, "marts.dim_post", [{k: post[k] for k in (*keys, *names)} for post in posts])
    _rows(
        connection,
        "marts.fct_post_performance",
        [{k: v for k, v in post.items() if k not in names} for post in posts],
    )
    connection.execute(
        f"""
        insert into marts.fct_snapshot by name
        select account_name, platform, post_id, timestamptz '{AS_OF}' as scraped_at,
            'tiktok_view_count' as view_definition_id
        from marts.dim_post;
        insert into stats.build_info values ('{VERSION}', '{AS_OF}', '{AS_OF}');
        create schema if not exists intermediate;
        create table intermediate.int_post_outcomes as
        select account_name, platform, post_id, 'views_7d' as outcome, view_7d as value,
            ln(1 + view_7d) as log_value, ln(1 + view_7d) as log_value_pulled_in, 168 as age_hours
        from marts.fct_post_performance
        where view_7d is not null;
        """
    )


def _posts(account: Reported) -> list[dict[str, Any]]:
    return [
        post
        for platform in account.platforms
        for week, ratio in ((0, 1.0), (1, account.ratio))
        for post in _week(account, platform, week, ratio)
    ]


def _week(account: Reported, platform: str, week: int, ratio: float) -> list[dict[str, Any]]:
    count = account.posts_a_week
    zone = ZoneInfo(account.timezone)
    posts = []
    for place in range(count):
        # Another order in the other week, so that a weekday is no hidden difference.
        rank = (place * 5 + 3 * week) % count if math.gcd(5, count) == 1 else place
        usual = 2000 * math.exp(_SPREAD * NormalDist().inv_cdf((rank + 0.5) / count))
        day = MONDAY + timedelta(days=7 * (week - 1) + place * 7 // count)
        posted_at = datetime.combine(day, time(9 + place % 2), zone).astimezone(UTC)
        post: dict[str, Any] = {
            "account_name": account.name,
            "platform": platform,
            "post_id": f"{account.name}-{platform}-{week}{place:02d}",
            "posted_at": posted_at,
            "local_date": day,
            "caption": f"{account.caption} {place}",
            "post_url": account.post_url,
            "format": "step_guide",
            "is_ad": False,
            "engagement_terms": "likes+comments+shares+saves",
            "score": 100 * (rank + 0.5) / count,
            "score_age_hours": 72,
            "peer_count": 2 * count,
            "outlier_multiple": usual * ratio / 2000,
        }
        for age, name in ((24, "24h"), (72, "72h"), (168, "7d")):
            is_known = posted_at + timedelta(hours=age) <= AS_OF
            views = round(usual * ratio * _SHARES[age]) if is_known else None
            post[f"view_{name}"] = views
            # Every third post gets more reactions, every third fewer: a rate that scatters.
            rate = 0.08 * (0.9, 1.0, 1.1)[(place + week) % 3]
            post[f"engagement_{name}"] = None if views is None else round(views * rate)
        posts.append(post)
    return posts


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert rows; from a file, because one statement per row takes a hundred times as long."""
    with NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(rows, file, default=str)
        file.flush()
        connection.execute(
            f"insert into {table} by name select * from read_json('{file.name}', "
            "format = 'array', sample_size = -1, maximum_object_size = 100000000)"
        )
