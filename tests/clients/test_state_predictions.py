"""Predictions are kept as they were said first, and come back as they were at any moment."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.clients.state import writing_state
from pipeline.clients.state_as_of import copy_state_as_of
from pipeline.clients.state_prediction_tables import predictions, reflexion_adjustments
from pipeline.clients.state_predictions import (
    add_model,
    adjustment_rows,
    model_rows,
    predicted_subjects,
    prediction_id_of,
    prediction_rows,
    sha256_of,
    store_predictions,
    stored_predictions,
)
from pipeline.clients.warehouse import writing
from pipeline.collect.raw import load_raw
from pipeline.settings import Settings

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def prediction(subject: str = "plan:one", at: datetime = NOW, **values: Any) -> dict[str, Any]:
    kind, _, name = subject.partition(":")
    return {
        "prediction_id": prediction_id_of("sleepy", "tiktok", "views_7d", subject, at),
        "account_name": "sleepy",
        "platform": "tiktok",
        "target": "views_7d",
        "planned_id": name if kind == "plan" else None,
        "post_id": name if kind == "post" else None,
        "predicted_at": at,
        "planned_at": at + DAY,
        "expected": 1200.5,
        "low": 300.0,
        "high": 5200.0,
        "quantiles": {"0.1": 300.0, "0.5": 1200.5, "0.9": 5200.0},
        "breakout_threshold": 3300.0,
        "breakout_probability": 0.13,
        "baseline_expected": 1100.0,
        "baseline_low": 290.0,
        "baseline_high": 5000.0,
        "model_version": None,
        "model_name": "account_quantiles",
        "features": {"format": "step_guide", "text_length_characters": None},
        "factors": [],
        "warehouse_version": "20261120T080000_abcdef",
        **values,
    }


def model(version: str, trained_at: datetime, **values: Any) -> dict[str, Any]:
    return {
        "model_version": version,
        "platform": "tiktok",
        "target": "views_7d",
        "model_name": "mixture",
        "trained_at": trained_at,
        "training_from": NOW - 90 * DAY,
        "training_to": NOW - 8 * DAY,
        "post_count": 120,
        "figures": {"pinball": 0.21},
        "serves": ["sleepy"],
        "file_sha256": "…",
        "warehouse_version": "20261120T080000_abcdef",
        **values,
    }


def adjustment(name: str, **values: Any) -> dict[str, Any]:
    return {
        "adjustment_id": name,
        "account_name": "sleepy",
        "platform": "tiktok",
        "target": "views_7d",
        "dimension": "weekday",
        "segment": "7",
        "factor": 0.8,
        "proposed_at": NOW,
        "status": "ended",
        "applied_at": NOW + DAY,
        "ended_at": NOW + 2 * DAY,
        "evidence": {"posts": 30},
        "recommendation_id": None,
        **values,
    }


def test_what_is_said_twice_about_one_post_on_one_day_is_kept_as_it_was_said_first(
    settings: Settings,
):
    first, later = prediction(), prediction(at=NOW + timedelta(hours=5), expected=9.0)

    stored = store_predictions(settings, [first])
    again = store_predictions(settings, [later, prediction("plan:two")])

    assert stored == {first["prediction_id"]}
    assert len(again) == 1
    assert first["prediction_id"] not in again
    kept = {row["prediction_id"]: row for row in stored_predictions(settings)}
    row = kept[first["prediction_id"]]
    assert row["expected"] == 1200.5
    assert row["predicted_at"] == NOW


def test_two_that_say_it_at_once_keep_it_once(settings: Settings):
    store_predictions(settings, [prediction("plan:zero")])
    rows = [prediction(expected=float(place)) for place in range(8)]

    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda row: store_predictions(settings, [row]), rows))

    assert sorted(map(len, kept)) == [0] * 7 + [1]
    assert len(stored_predictions(settings)) == 2


def test_another_day_another_platform_or_another_target_is_another_prediction():
    ids = {
        prediction_id_of("sleepy", "tiktok", "views_7d", "plan:one", NOW),
        prediction_id_of("sleepy", "tiktok", "views_7d", "plan:one", NOW + DAY),
        prediction_id_of("sleepy", "x", "views_7d", "plan:one", NOW),
        prediction_id_of("sleepy", "tiktok", "engagement_rate_7d", "plan:one", NOW),
        prediction_id_of("other", "tiktok", "views_7d", "plan:one", NOW),
        prediction_id_of("sleepy", "tiktok", "views_7d", "post:one", NOW),
    }

    assert len(ids) == 6
    assert all(len(name) == len("prd_") + 12 for name in ids)


def test_the_checksum_of_a_stored_prediction_tells_a_change_of_any_column(settings: Settings):
    store_predictions(settings, [prediction()])
    (row,) = stored_predictions(settings)
    assert sha256_of(row) == row["sha256"]

    with writing_state(settings) as state:
        state.execute(sa.update(predictions).values(expected=5000.0))

    (changed,) = stored_predictions(settings)
    assert sha256_of(changed) != changed["sha256"]


def test_subjects_with_a_prediction_are_named_once_whatever_the_targets(settings: Settings):
    target = "engagement_rate_7d"
    rate_id = prediction_id_of("sleepy", "tiktok", target, "plan:one", NOW)
    rate = prediction(target=target, prediction_id=rate_id)
    store_predictions(
        settings,
        [prediction(), rate, prediction("post:77"), prediction("asked:0123")],
    )

    assert predicted_subjects(settings) == {
        ("sleepy", "tiktok", "plan", "one"),
        ("sleepy", "tiktok", "post", "77"),
    }


def test_models_come_newest_first_and_are_registered_once(settings: Settings):
    assert add_model(settings, model("a", NOW))
    assert add_model(settings, model("b", NOW + DAY))
    assert add_model(settings, model("c", NOW + DAY, target="engagement_rate_7d"))
    assert not add_model(settings, model("a", NOW + 5 * DAY))

    rows = model_rows(settings, platform="tiktok", target="views_7d")

    assert [row["model_version"] for row in rows] == ["b", "a"]
    assert model_rows(settings, platform="x") == []


def test_reading_makes_no_database(settings: Settings):
    assert stored_predictions(settings) == []
    assert model_rows(settings) == []
    assert adjustment_rows(settings) == []
    assert predicted_subjects(settings) == frozenset()
    assert not settings.warehouse_dir.exists()


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ({}, ["proposed", "applied", "ended"]),
        ({"applied_at": None}, ["proposed", "proposed", "ended"]),
        ({"ended_at": None, "status": "applied"}, ["proposed", "applied", "applied"]),
    ],
    ids=["ended after it was applied", "ended without ever being applied", "still applied"],
)
def test_a_correction_as_of_a_moment_is_as_it_was_then(
    tmp_path: Path, values: dict[str, Any], statuses: list[str]
):
    source = Settings(home=tmp_path / "source", lock_timeout_s=20)
    with writing_state(source) as state:
        state.execute(reflexion_adjustments.insert(), [adjustment("one", **values)])
    told = []
    for place, moment in enumerate((NOW, NOW + DAY, NOW + 2 * DAY)):
        target = Settings(home=tmp_path / str(place), lock_timeout_s=20)
        copy_state_as_of(source, target, moment)
        told += [row["status"] for row in adjustment_rows(target)]

    assert told == statuses


def test_a_prediction_as_of_a_moment_before_it_was_made_is_not_there(tmp_path: Path):
    source = Settings(home=tmp_path / "source", lock_timeout_s=20)
    store_predictions(source, [prediction(), prediction("plan:two", NOW + DAY)])
    target = Settings(home=tmp_path / "target", lock_timeout_s=20)

    copy_state_as_of(source, target, NOW)

    assert [row["planned_id"] for row in stored_predictions(target)] == ["one"]


def test_the_warehouse_gets_every_prediction_and_correction(settings: Settings):
    store_predictions(settings, [prediction(), prediction("post:77", NOW + DAY)])
    with writing_state(settings) as state:
        state.execute(reflexion_adjustments.insert(), [adjustment("one")])

    load_raw(settings)
    load_raw(settings)

    with writing(settings, "test") as connection:
        said = connection.execute(
            "select post_id, expected, quantiles ->> '0.9', features ->> 'format', predicted_at "
            "from raw.state_predictions order by predicted_at"
        ).fetchall()
        factor = connection.execute(
            "select factor, evidence from raw.state_reflexion_adjustments"
        ).fetchall()
        columns = connection.table("raw.state_predictions").columns
    assert said == [
        (None, 1200.5, "5200.0", "step_guide", NOW),
        ("77", 1200.5, "5200.0", "step_guide", NOW + DAY),
    ]
    assert factor == [(0.8, json.dumps({"posts": 30}))]
    assert list(prediction_rows(settings)[0]) == columns
