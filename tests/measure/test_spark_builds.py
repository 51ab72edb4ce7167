"""What a build in the tier ``cloud`` does where there is no Spark, and what it knows of models."""

import re
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from pipeline.collect.raw import load_raw
from pipeline.errors import ConfigurationError, SparkUnavailableError
from pipeline.measure.build import build_models
from pipeline.measure.dbt_runs import DBT_PROJECT
from pipeline.measure.spark_builds import GROWING_MODELS
from pipeline.settings import Settings, StorageTier, load_settings
from tests.end_to_end.small_world import landed_home


def test_the_models_that_note_scrapes_are_those_that_are_noted() -> None:
    noting = {
        name
        for path in (DBT_PROJECT / "models").rglob("*.sql")
        for name in re.findall(r"note_scrapes_read\('(\w+)'", path.read_text(encoding="utf-8"))
    }

    assert noting == set(GROWING_MODELS)


def test_without_spark_a_build_is_one_sentence_and_changes_no_model(tmp_path: Path) -> None:
    local = landed_home(tmp_path / "home", every=40)
    load_raw(local)
    build_models(local)
    before = _posts(local)
    cloud = local.model_copy(
        update={
            "storage": StorageTier.CLOUD,
            "storage_url": str(tmp_path / "lake"),
            "spark_url": "thrift://127.0.0.1:9",
        }
    )
    # Base installs lack the client; with it, nobody answers at that port.
    is_installed = find_spec("pyhive") is not None
    expected = SparkUnavailableError if is_installed else ConfigurationError
    words = "No Spark answers at thrift://127.0.0.1:9" if is_installed else "afterpost\\[scale\\]"

    with pytest.raises(expected, match=words):
        build_models(cloud)

    assert before > 0
    assert _posts(local) == before


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AFTERPOST_STORAGE": "tape"}, "set it to one of local, hybrid, cloud"),
        ({"AFTERPOST_STORAGE": "cloud"}, "AFTERPOST_STORAGE_URL is not set"),
        ({"AFTERPOST_SPARK_URL": "http://spark"}, "set it to thrift://HOST:PORT"),
    ],
)
def test_a_wrong_storage_setting_is_one_sentence(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_settings(environment)


def _posts(settings: Settings) -> int:
    with duckdb.connect(str(settings.database_path), read_only=True) as connection:
        [(count,)] = connection.execute("select count(*) from marts.dim_post").fetchall()
    return int(count)
