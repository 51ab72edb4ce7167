"""The unit tests that stand beside the models run with the platforms that there are."""

from pathlib import Path

import yaml

from pipeline.clients.warehouse import writing
from pipeline.collect.raw import load_raw
from pipeline.measure.dbt_runs import DBT_PROJECT, run_dbt_unit_tests
from pipeline.measure.statistics_tables import prepare_statistics_tables
from pipeline.settings import Settings


def test_every_unit_test_of_the_models_passes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    load_raw(settings)
    with writing(settings, "prepare") as connection:
        prepare_statistics_tables(connection)
    written = sum(
        len(yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", []))
        for path in (DBT_PROJECT / "models").rglob("*.yml")
    )

    assert run_dbt_unit_tests(settings) == written
    assert written >= 15
