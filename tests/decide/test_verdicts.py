"""From an approval to its verdict, its revert, and the recommender's record."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.accounts import load_account
from pipeline.clients.state import reading_state
from pipeline.clients.state_tables import verdict_registrations
from pipeline.clients.state_verdicts import registration_rows
from pipeline.collect.raw_schema import create_raw_tables
from pipeline.collect.table_rows import insert_rows
from pipeline.decide.context import ensure_context
from pipeline.decide.registrations import row_sha256
from pipeline.decide.review import approve, outlook, pending
from pipeline.decide.track_record import Rate, track_record
from pipeline.learn.operations import SetFormatWeight
from pipeline.learn.recommend import recommend
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.measure.verdict_rule import HORIZON_WEEKS, RULE
from pipeline.measure.verdicts import verdict_row, write_verdicts
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT, Effect, publish
from tests.fakes.recommendations import NOW

WEEK = timedelta(weeks=1)
BETTER = Effect(effect=1.4, n=47, outcome="views_72h", age_hours=72, spread=1.15)


@pytest.fixture
def approved(settings: Settings) -> Recommendation:
    """A recommendation to raise step_guide, from effects to its approval."""
    publish(settings, [BETTER])
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    (made,) = recommend(settings, ACCOUNT, now=NOW).recommendations
    approve(settings, made.recommendation_id, by="ann", now=NOW)
    return made


def registered(settings: Settings) -> dict[str, Any]:
    (row,) = registration_rows(settings)
    return {**row, "control_shares": json.loads(row["control_shares"])}


def test_an_approval_fixes_what_it_will_be_judged_by(settings: Settings, approved):
    row = registered(settings)
    assert row["recommendation_id"] == approved.recommendation_id
    assert (row["dimension"], row["segment"], row["outcome"]) == (
        "format", "step_guide", "views_72h",
    )  # fmt: skip
    assert (row["direction"], row["smallest_useful_ratio"]) == ("better", 1.1)
    assert (row["horizon_days"], row["rule"]) == (56, RULE)
    assert row["control_shares"] == {"habit_list": 0.5, "scripts": 0.5}
    assert row["registered_at"] == NOW
    assert row["posts_per_week"] == pytest.approx(18.0)
    assert 0 < row["expected_share_decided"] < 1
    with reading_state(settings) as state:
        (stored,) = state.rows(verdict_registrations.select())
    assert stored["sha256"] == row_sha256(stored)
    assert row_sha256({**stored, "direction": "worse"}) != stored["sha256"]


def test_the_chance_of_a_verdict_is_told_before_the_approval(settings: Settings):
    publish(settings, [BETTER])
    (made,) = recommend(settings, ACCOUNT, now=NOW).recommendations
    told = outlook(settings, made, now=NOW)
    assert told.proposed == "set the weight of step_guide from 1.0 to 1.4"
    approve(settings, made.recommendation_id, by="ann", now=NOW)
    assert registered(settings)["expected_share_decided"] == told.expected_share_decided


def test_rarer_posts_and_noisier_outcomes_are_told_to_take_longer(settings: Settings, approved):
    def chance(recommendation: Recommendation) -> float:
        found = outlook(settings, recommendation, now=NOW).expected_share_decided
        assert found is not None
        return found

    fresh = approved.model_copy(
        update={"operations": (SetFormatWeight(format="step_guide", weight=1.5),)}
    )
    assert chance(fresh) > chance(fresh.model_copy(update={"posts_per_week": 6.0}))
    (finding,) = fresh.findings
    noisy = {**finding, "effect_low": 1.0, "effect_high": 1.96}
    assert chance(fresh) > chance(fresh.model_copy(update={"findings": [noisy]}))
    assert chance(fresh.model_copy(update={"posts_per_week": 1.0})) == 0
    unknown = fresh.model_copy(update={"posts_per_week": None})
    assert outlook(settings, unknown, now=NOW).expected_share_decided is None


def posts_after(
    start: datetime, weeks: float, effect: float, *, per_week: int = 30, is_drawn: bool = True
) -> dict[str, Any]:
    chance = np.random.default_rng(11)
    n = int(weeks * per_week)
    segments = chance.choice(np.array(["step_guide", "habit_list", "scripts"], dtype=object), n)
    at = start.timestamp() + np.sort(chance.uniform(0, weeks * 7 * 86400, n))
    return {
        "posted_at": at,
        "known_at": at + 72 * 3600,
        "segment": segments,
        "log_value": np.where(segments == "step_guide", effect, 0.0) + 0.5 * chance.normal(size=n),
        "probability": np.full(n, 1 / 3 if is_drawn else math.nan),
    }


@pytest.mark.parametrize(
    ("effect", "is_drawn", "expected"),
    [
        (0.6, True, ("worked", "drawn")),
        (-0.6, True, ("did_not_work", "drawn")),
        (0.6, False, ("worked", "before_after")),
        (0.05, True, ("cannot_tell", "drawn")),
    ],
)
def test_a_verdict_falls_by_the_posts_after_the_approval(
    settings: Settings, approved, effect, is_drawn, expected
):
    posts = posts_after(NOW, 9, effect, is_drawn=is_drawn)
    row = verdict_row(registered(settings), posts, NOW + 9 * WEEK)
    assert (row["verdict"], row["evidence"]) == expected
    assert row["is_final"]
    assert (row["decided_at"] is None) is (row["verdict"] == "cannot_tell")
    assert (row["more_posts_needed"] > 0) is (row["verdict"] == "cannot_tell")


def test_posts_before_the_approval_and_young_posts_do_not_count(settings: Settings, approved):
    registration = registered(settings)
    before = posts_after(NOW - 9 * WEEK, 9, 0.9)
    row = verdict_row(registration, before, NOW + 9 * WEEK)
    assert (row["verdict"], row["n"], row["effect"]) == ("cannot_tell", 0, None)
    young = posts_after(NOW + 2 * WEEK - timedelta(days=2), 0.2, 0.9, per_week=400)
    row = verdict_row(registration, young, NOW + 2 * WEEK)
    assert row["n"] == 0


def test_looking_more_often_gives_the_same_verdict_and_it_stays(settings: Settings, approved):
    registration = registered(settings)
    posts = posts_after(NOW, 20, 0.35)
    rows = [verdict_row(registration, posts, NOW + timedelta(days=day)) for day in range(140)]
    decided = [(row["verdict"], row["decided_at"]) for row in rows if row["decided_at"]]
    assert decided
    assert set(decided) == {decided[0]}
    first = next(place for place, row in enumerate(rows) if row["decided_at"])
    assert all(row["decided_at"] for row in rows[first:])
    assert rows[first]["decided_at"] <= NOW + timedelta(days=first)


def test_what_is_noise_is_hardly_ever_decided_wrongly(settings: Settings, approved):
    registration = registered(settings)
    chance = np.random.default_rng(17)
    wrong = 0
    for _ in range(400):
        posts = posts_after(NOW, HORIZON_WEEKS, 0.0)
        posts["log_value"] = 0.5 * chance.normal(size=len(posts["posted_at"]))
        row = verdict_row(registration, posts, NOW + 9 * WEEK)
        wrong += row["verdict"] == "worked"
    assert wrong / 400 < 0.045


def warehouse_of(posts: dict[str, Any], registrations: list[dict[str, Any]]) -> Any:
    """A database with the tables that verdicts are made from."""
    connection = duckdb.connect()
    connection.execute(
        """
        create schema stats; create schema intermediate; create schema marts;
        create table intermediate.int_post_outcomes (account_name varchar, platform varchar,
            post_id varchar, outcome varchar, age_hours integer, log_value_pulled_in double);
        create table intermediate.int_post_segments (account_name varchar, platform varchar,
            post_id varchar, dimension varchar, segment varchar);
        create table intermediate.int_posts__labelled (account_name varchar, platform varchar,
            post_id varchar, posted_at timestamptz, format_source varchar,
            pick_probability double);
        create table marts.fct_snapshot (scraped_at timestamptz);
        """
    )
    create_raw_tables(connection)
    insert_rows(connection, "state_verdict_registrations", registrations)
    key = (ACCOUNT, "tiktok")
    for place, at in enumerate(posts["posted_at"]):
        moment = datetime.fromtimestamp(at, UTC)
        source = "planned" if math.isfinite(posts["probability"][place]) else "rule"
        connection.execute(
            "insert into intermediate.int_post_outcomes values (?, ?, ?, 'views_72h', 72, ?)",
            [*key, str(place), float(posts["log_value"][place])],
        )
        connection.execute(
            "insert into intermediate.int_post_segments values (?, ?, ?, 'format', ?)",
            [*key, str(place), posts["segment"][place]],
        )
        connection.execute(
            "insert into intermediate.int_posts__labelled values (?, ?, ?, ?, ?, ?)",
            [*key, str(place), moment, source, float(posts["probability"][place])],
        )
    connection.execute(
        "insert into marts.fct_snapshot values (?)",
        [datetime.fromtimestamp(posts["known_at"].max(), UTC)],
    )
    return connection


def test_the_table_holds_what_the_rule_says_of_the_warehouses_posts(settings: Settings, approved):
    posts = posts_after(NOW, 9, 0.6)
    connection = warehouse_of(posts, registration_rows(settings))
    assert write_verdicts(connection) == 1
    row = connection.execute("select verdict, evidence, n, effect from stats.verdicts").fetchone()
    expected = verdict_row(registered(settings), posts, NOW + 9 * WEEK)
    assert row[:3] == ("worked", "drawn", expected["n"])
    assert row[3] == pytest.approx(expected["effect"])
    connection.close()


FAILED = (
    "insert into stats.verdicts select ?, ?, 'tiktok', 'format', 'step_guide', 'views_72h', "
    "'better', ?, ?, 'did_not_work', true, ?, 'drawn', 30, 60, 0.8, 0.65, 0.98, 1.1, 0, 18, 0.5"
)


def test_a_change_that_did_not_work_proposes_its_own_revert_once(settings: Settings, approved):
    from pipeline.clients import warehouse

    version = "20261121T000000_abcdef"
    with warehouse.writer_lock(settings, "test"):
        with warehouse.writing(settings, "test") as connection:
            connection.execute("delete from stats.segment_effects")
            connection.execute(
                FAILED, [approved.recommendation_id, ACCOUNT, NOW, NOW + 8 * WEEK, NOW + 5 * WEEK]
            )
        warehouse.publish(settings, version)
    later = NOW + 9 * WEEK
    (made,) = recommend(settings, ACCOUNT, now=later).recommendations
    assert made.category is approved.category
    assert made.target == f"revert:{approved.recommendation_id}"
    assert made.operations == (SetFormatWeight(format="step_guide", weight=1.0),)
    assert "0.80×" in made.insight
    assert made.insight.startswith("Since the change of step_guide")
    assert recommend(settings, ACCOUNT, now=later + WEEK).recommendations == []
    approve(settings, made.recommendation_id, by="ann", now=later)
    assert len(registration_rows(settings)) == 1, "a revert is not judged again"
    assert recommend(settings, ACCOUNT, now=later + 2 * WEEK).recommendations == []
    assert pending(settings) == []


def test_the_record_counts_hits_by_confidence(settings: Settings, approved):
    with reading_state(settings) as state:
        recommendations = [Recommendation.from_row(row) for row in state.recommendations()]
    row = {
        "recommendation_id": approved.recommendation_id,
        "confidence": "high",
        "verdict": "worked",
        "is_final": True,
        "approved_at": NOW,
        "decided_at": NOW + 3 * WEEK,
        "expected_share_decided": 0.6,
    }
    waiting = {**row, "verdict": "cannot_tell", "is_final": False, "decided_at": None}
    record = track_record([row, waiting], recommendations)
    high = record.by_confidence[0]
    assert (high.confidence, high.approved_count, high.waiting_count) == ("high", 1, 1)
    assert (high.hit_rate.part, high.hit_rate.whole) == (1, 1)
    assert high.claimed_probability == pytest.approx(0.999)
    assert record.days_to_verdict_median == 21
    assert (record.decided_share.rate, record.expected_decided_share) == (1.0, 0.6)
    assert (record.approval_rate.rate, record.approval_target) == (1.0, 0.9)
    assert track_record([], []).approval_rate == Rate(0, 0, None, None, None)


def test_a_rates_interval_is_wilsons():
    rate = Rate.of(2, 4)
    assert rate.low == pytest.approx(0.1824, abs=1e-4)
    assert rate.high == pytest.approx(0.8176, abs=1e-4)
