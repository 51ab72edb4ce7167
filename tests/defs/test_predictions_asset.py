"""What Dagster shows of features, of training and of predictions, and when the sensor asks."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from pipeline.clients.state_predictions import model_rows, stored_predictions
from pipeline.definitions import build_defs
from pipeline.defs.assets.predictions import (
    prediction_features,
    prediction_models,
    predictions,
)
from pipeline.settings import Settings
from tests.fakes.predicted_copy import GOOD, NOW, simulated
from tests.fakes.published import add_account


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    simulated().publish(settings)
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    for module in ("assets.predictions", "sensors"):
        monkeypatch.setattr(f"pipeline.defs.{module}.utc_now", lambda: NOW)
    return settings


def _plan(settings: Settings, name: str) -> None:
    folder = settings.accounts_dir / "sleepy" / "output" / name
    folder.mkdir(parents=True)
    meta = {"format": GOOD, "date": (NOW + timedelta(days=1)).isoformat()}
    (folder / "meta.json").write_text(json.dumps(meta))


def _materialized(settings: Settings, asset: Any) -> dg.AssetMaterialization:
    resource = dg.ResourceDefinition.hardcoded_resource(settings)
    result = dg.materialize([asset], resources={"settings": resource})
    (event,) = result.get_asset_materialization_events()
    return event.materialization


def test_the_features_are_a_file_with_what_was_known_of_each_post(home: Settings):
    told = _materialized(home, prediction_features).metadata

    path = home.warehouse_dir / "models" / "prediction_features.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select count(*), count(views_7d), count(topic), count(trend_velocity), "
            "min(views_7d_known_at - posted_at) from read_parquet(?)",
            [str(path)],
        ).fetchone()
    assert rows is not None
    assert rows[:4] == (196, told["known_views_7d"].value, 0, 0)
    assert rows[4] == timedelta(hours=180)
    assert told["dagster/row_count"].value == 196


def test_a_training_says_what_it_fitted_and_the_next_that_nothing_was_due(home: Settings):
    first = _materialized(home, prediction_models).metadata
    again = _materialized(home, prediction_models).metadata

    assert (first["fitted"].value, again["fitted"].value) == (2, 0)
    assert len(model_rows(home)) == 2


def test_new_plans_ask_for_one_run_and_predicted_ones_for_none(home: Settings):
    sensor = build_defs().resolve_sensor_def("new_planned_posts")

    def tick() -> Any:
        with (
            dg.DagsterInstance.local_temp() as instance,
            dg.build_sensor_context(instance=instance) as context,
        ):
            return sensor(context)

    nothing = tick()
    _plan(home, "one")
    first, same = tick(), tick()
    told = _materialized(home, predictions).metadata
    after = tick()
    _plan(home, "two")
    second = tick()

    assert isinstance(nothing, dg.SkipReason)
    assert isinstance(first, dg.RunRequest)
    assert first.run_key == same.run_key
    assert told["planned_posts"].value == 1
    assert isinstance(after, dg.SkipReason)
    assert isinstance(second, dg.RunRequest)
    assert second.run_key != first.run_key
    assert {row["planned_id"] for row in stored_predictions(home)} == {"one"}
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
