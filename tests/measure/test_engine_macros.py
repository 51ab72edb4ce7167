"""What is written for one engine alone gives what it says."""

from pathlib import Path

from pipeline.collect.raw import load_raw
from pipeline.measure.dbt_runs import _common_arguments
from pipeline.settings import Settings
from tests.measure.engine_cases import CASES, ELSEWHERE, engine_macros, failed_cases


def test_every_macro_of_an_engine_has_a_case() -> None:
    assert engine_macros() == CASES.keys() | ELSEWHERE.keys()


def test_every_case_holds_on_duckdb(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    load_raw(settings)

    assert failed_cases(_common_arguments(settings)) == []
