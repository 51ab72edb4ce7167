"""A published copy with the posts of an experiment, and what its readers ask for; no dbt."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipeline.clients import warehouse
from pipeline.learn.experiments.registration import METRICS, MetricKind, Registration
from pipeline.learn.experiments.units import Post
from pipeline.settings import REPOSITORY, Settings
from tests.fakes.contract_tables import create_contract_tables

ACCOUNT_YAML = """\
name: moonmusic
timezone: America/New_York
platform_profiles: {tiktok: moonmusic}
content_pillars: [sleep_routines, picky_eating]
formats: [step_guide, habit_list, scripts]
cta: [save_this]
default_slide_count: 5
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


def experiment_home(home: Path, *, account_yaml: str = ACCOUNT_YAML) -> Settings:
    """A home with the account of hand-made experiments, nothing published."""
    settings = Settings(home=home, lock_timeout_s=20)
    folder = settings.accounts_dir / "moonmusic"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "account.yaml").write_text(account_yaml)
    return settings


def publish_experiment(
    settings: Settings,
    design: Registration,
    posts: Sequence[Post],
    *,
    version: str = "20260601T080000_abcdef",
    exploration: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Publish a copy of posts, in place of the last one.

    Args:
        settings: The home.
        design: Whose posts they are.
        posts: As `hand_made.experiment` makes them; their outcomes too.
        version: The copy's name.
        exploration: Rows of ``marts.mart_exploration``.
    """
    with warehouse.writer_lock(settings, "test"):
        settings.database_path.unlink(missing_ok=True)
        with warehouse.writing(settings, "test") as connection:
            fill(connection, design, posts, version=version)
            insert(connection, "marts.mart_exploration", exploration)
        warehouse.publish(settings, version)


def fill(
    connection: duckdb.DuckDBPyConnection,
    design: Registration,
    posts: Sequence[Post],
    *,
    version: str = "v1",
) -> None:
    """The same into an open database."""
    create_contract_tables(connection)
    connection.execute(_TABLES)
    seed = REPOSITORY / "dbt_project" / "seeds" / "metric_availability.csv"
    connection.execute(f"create table intermediate.metric_availability as from read_csv('{seed}')")
    connection.execute(
        "insert into stats.build_info (warehouse_version, built_at) values (?, now())", [version]
    )
    whose = {"account_name": design.account_name, "platform": design.platform}
    insert(
        connection,
        "marts.dim_post",
        [
            {
                **whose,
                "post_id": post.post_id,
                "posted_at": post.posted_at,
                "local_date": post.posted_at.date(),
                "local_weekday": post.weekday,
                "daypart": post.daypart,
                "last_seen_at": post.last_seen_at,
                "is_ad": post.is_paid,
                "hook_style": post.labels.get("hook_style"),
                "format": post.labels.get("format"),
                "experiment_id": design.experiment_id if post.assignment_id else None,
                "experiment_arm": post.arm,
                "assignment_id": post.assignment_id,
            }
            for post in posts
        ],
    )
    known = [(post, name, one) for post in posts for name, one in post.outcomes.items()]
    insert(
        connection,
        "intermediate.int_post_outcomes",
        [
            {
                **whose,
                "post_id": post.post_id,
                "outcome": name,
                "age_hours": int(METRICS[name].age_hours),
                "value": one.value,
                "numerator": one.numerator,
                "denominator": one.denominator,
                "log_value": one.log_value,
            }
            for post, name, one in known
            if METRICS[name].kind is not MetricKind.COUNT
        ],
    )
    insert(
        connection,
        "intermediate.int_posts__engagement",
        [
            {**whose, "post_id": post.post_id, "comment_72h": one.value}
            for post, name, one in known
            if METRICS[name].kind is MetricKind.COUNT
        ],
    )


def earlier_posts(posts: Sequence[Post], *, count: int = 60) -> list[Post]:
    """As many posts of the same kind from before an experiment, which belong to none."""
    found = []
    for number, post in enumerate((list(posts) * count)[:count]):
        moment = posts[0].posted_at - timedelta(hours=9 * (number + 1))
        found.append(
            Post(
                post_id=f"before{number:04d}",
                assignment_id=None,
                arm=None,
                posted_at=moment,
                weekday=moment.isoweekday(),
                daypart=post.daypart,
                last_seen_at=post.last_seen_at,
                outcomes=post.outcomes,
            )
        )
    return found


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Rows that name some of the table's columns."""
    if not rows:
        return
    names = list(rows[0])
    places = ", ".join("?" * len(names))
    values = ", ".join(f"({places})" for _ in rows)
    connection.execute(
        f"insert into {table} ({', '.join(names)}) values {values}",
        [row[name] for row in rows for name in names],
    )
