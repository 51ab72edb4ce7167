"""Metrics of the published copy: the same functions as the reports, so that figures agree."""

from collections.abc import Iterator
from datetime import datetime

import duckdb

from pipeline.clients.warehouse import published_database, reading
from pipeline.learn.predict.skill import ANY_MODEL, skill_rows
from pipeline.settings import Settings
from pipeline.show.monitoring.samples import Sample, sample
from pipeline.show.reports.overview import ProfileOverview, profile_overviews, published_build


def published_samples(settings: Settings, now: datetime) -> Iterator[Sample]:
    """What the published copy says.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    path = published_database(settings)
    with reading(settings) as connection:
        build = published_build(connection)
        if build is not None:
            yield from sample("published_info", 1, build.warehouse_version)
            yield from sample("published_timestamp_seconds", build.built_at)
            yield from sample("published_as_of_timestamp_seconds", build.as_of)
        yield from sample("published_size_bytes", path.stat().st_size)
        for profile in profile_overviews(connection):
            yield from _of_profile(profile, now)
        yield from _rejected(connection)
        yield from _segments(connection)
        scored = list(_predictions(connection))
        yield from scored
        yield from _verdicts(connection, is_accuracy=not scored)


def _of_profile(profile: ProfileOverview, now: datetime) -> Iterator[Sample]:
    names = (profile.account_name, profile.platform)
    scraped_at = profile.last_scraped_at
    age_s = None if scraped_at is None else max((now - scraped_at).total_seconds(), 0.0)
    yield from sample("posts_ingested_total", profile.post_count, *names)
    yield from sample("snapshots_total", profile.snapshot_count, *names)
    yield from sample("snapshot_age_seconds", age_s, *names)
    yield from sample("followers", profile.follower_count, *names)
    yield from sample("views_7d_median", profile.views_7d_median, *names)
    yield from sample("views_7d_posts", profile.views_7d_count, *names)
    yield from sample("engagement_7d_median", profile.engagement_7d_median, *names)
    yield from sample("engagement_7d_posts", profile.engagement_7d_count, *names)
    yield from sample("engagement_rate_median_ratio", profile.engagement_rate_median, *names)


def _rejected(connection: duckdb.DuckDBPyConnection) -> Iterator[Sample]:
    is_there = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'scrapes'"
    ).fetchone()
    if is_there is None:  # a copy for tests or of one mart: not known, which is not 0
        return
    rows = connection.execute(
        "select account_name, platform, sum(rejected_count) from raw.scrapes "
        "group by account_name, platform order by account_name, platform"
    ).fetchall()
    for account_name, platform, count in rows:
        yield from sample("rejected_items_total", count, account_name, platform)


def _segments(connection: duckdb.DuckDBPyConnection) -> Iterator[Sample]:
    rows = connection.execute(
        "select account_name, platform, verdict, count(*) from stats.segment_effects "
        "where outcome = 'views_7d' and account_name <> '*' group by all order by all"
    ).fetchall()
    for account_name, platform, verdict, count in rows:
        yield from sample("segments", count, account_name, platform, verdict)


def _predictions(connection: duckdb.DuckDBPyConnection) -> Iterator[Sample]:
    rows = [row for row in skill_rows(connection) if row["model_name"] == ANY_MODEL]
    overall = [row for row in rows if row["period"] == "all"]
    for row in overall:
        names = (row["account_name"], row["platform"], row["target"])
        yield from sample("predictions_scored", row["n"], *names)
        yield from sample("prediction_loss_ratio", row["pinball_ratio"], *names)
        yield from sample("prediction_coverage_ratio", row["coverage"], *names)
        share = row["close_share"]
        yield from sample("prediction_within_25_percent_ratio", share, *names)
    if overall:
        close = sum(row["n"] * row["close_share"] for row in overall)
        yield Sample("reflexion_accuracy", 100 * close / sum(row["n"] for row in overall))


def _verdicts(connection: duckdb.DuckDBPyConnection, *, is_accuracy: bool) -> Iterator[Sample]:
    """``is_accuracy``: they stand for the accuracy as well, for want of scored predictions."""
    rows = connection.execute(
        "select account_name, verdict, count(*) from stats.verdicts group by all order by all"
    ).fetchall()
    for account_name, verdict, count in rows:
        yield from sample("verdicts", count, account_name, verdict)
    worked = sum(count for _, verdict, count in rows if verdict == "worked")
    decided = worked + sum(count for _, verdict, count in rows if verdict == "did_not_work")
    if decided:
        yield from sample("verdict_accuracy_ratio", worked / decided)
        if is_accuracy:
            yield Sample("reflexion_accuracy", 100 * worked / decided)
        yield from sample("verdicts_decided", decided)
