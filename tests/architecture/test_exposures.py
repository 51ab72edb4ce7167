"""dbt's exposures name what is made of the models, and exactly the tables that it reads."""

from pathlib import Path

import pytest

from pipeline.show.documents import exposures

REPOSITORY = Path(__file__).parents[2]
NAMES = sorted(exposures.exposed())

OPEN_ENDED = {
    "pipeline.show.cli.demo",
    "pipeline.show.cli.export",
    "pipeline.show.cli.sql",
}
"""Whoever asks these says himself which tables."""


@pytest.mark.parametrize("name", NAMES)
def test_an_exposure_depends_on_the_tables_that_its_readers_name(name: str) -> None:
    assert list(exposures.exposed()[name]["depends_on"]) == exposures.depends_on(name), (
        "run `make docs`"
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_exposure_says_whose_it_is_and_what_it_is(name: str) -> None:
    exposure = exposures.exposed()[name]

    assert exposure["owner"]["name"]
    assert len(exposure["description"]) > 40
    assert exposure["type"] in {"application", "analysis", "dashboard"}
    assert exposure["depends_on"]


def test_context_files_dashboards_reports_and_metrics_are_exposed() -> None:
    assert {"performance_context", "analyze", "dashboard", "reports", "alerts", "metrics"} <= set(
        NAMES
    )


def test_a_table_is_found_in_sql_and_not_in_a_docstring() -> None:
    found = exposures.tables_named("pipeline.show.reports.pareto")
    assert found == {"marts.mart_pareto"}
    named_in_prose = exposures.tables_named("pipeline.show.documents.exposures")
    assert "stats.segment_effects" not in named_in_prose
    assert "pipeline.show.reports.pareto" in exposures.modules_of("analyze")
    assert "pipeline.show.dashboard.write" not in exposures.modules_of("analyze")


def test_whatever_reads_tables_belongs_to_an_exposure() -> None:
    exposed = {module for name in NAMES for module in exposures.modules_of(name)}
    readers = {
        module
        for room in exposures.READERS
        for module in exposures.modules_in(REPOSITORY / "pipeline" / room)
    }
    unexposed = readers - exposed - OPEN_ENDED
    assert {module for module in unexposed if exposures.tables_named(module)} == set(), (
        "name the module in made_by of an exposure in dbt_project/models/marts/_exposures.yml"
    )
