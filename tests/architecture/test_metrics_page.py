"""docs/metrics.md is made of the models' own descriptions, and of nothing older."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.measure.statistics_tables import STATISTICS_TABLES, prepare_statistics_tables
from pipeline.show.documents import metrics_page as page
from pipeline.show.documents.generated import write_or_check

PAGE = page.PAGE.read_text(encoding="utf-8")
NUMBERS = {"integer", "bigint", "double"}


def _tables(text: str) -> dict[str, dict[str, list[str]]]:
    """Cells by column of every described table."""
    found: dict[str, dict[str, list[str]]] = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"`([\w.]+)`", part)
        if name is None:
            continue
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line[:3] == "| `"]
        found[name.group(1)] = {row[0].strip("`"): row[1:] for row in rows}
    return found


def test_the_page_is_what_the_descriptions_make() -> None:
    assert page.metrics_page() == PAGE, "run `make docs`"


def test_every_mart_and_column_is_on_the_page() -> None:
    described = _tables(PAGE)
    for path in sorted((page.DBT_PROJECT / "models").rglob("*.yml")):
        if not {"marts", "stats"} & set(path.parts):
            continue
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            schema = "stats" if path.parent.name == "stats" else "marts"
            columns = described[f"{schema}.{model['name']}"]
            assert list(columns) == [column["name"] for column in model["columns"]]


def test_every_statistic_is_on_the_page_with_what_its_columns_are() -> None:
    described = _tables(PAGE)
    for table, columns in STATISTICS_TABLES.items():
        cells = described[f"stats.{table}"]
        assert list(cells) == list(columns)
        assert [name for name, (_, what, _) in cells.items() if not what.strip()] == []


def test_every_number_says_its_unit_and_what_null_means() -> None:
    tables = _tables(PAGE)
    assert len(tables) > 12
    for table, columns in tables.items():
        for name, (unit, _, null) in columns.items():
            assert unit, (table, name)
            assert null.strip(" |"), (table, name)
            if unit not in ("text", "true or false"):
                assert null.strip(" |") != page._NOT_SAID, (table, name)


def test_a_column_that_is_required_is_said_to_be_never_null() -> None:
    with duckdb.connect() as connection:
        prepare_statistics_tables(connection)
        required = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where schema_name = 'stats' and not is_nullable"
        ).fetchall()
    tables = _tables(PAGE)
    for table, column in required:
        assert tables[f"stats.{table}"][column][2].strip(" |") == "never", (table, column)


@pytest.mark.parametrize("seed", ["metric_availability", "standard_ages"])
def test_every_platform_and_age_of_the_seeds_is_on_the_page(seed: str) -> None:
    lines = (page.DBT_PROJECT / "seeds" / f"{seed}.csv").read_text(encoding="utf-8").splitlines()
    wanted = {line.split(",")[0] for line in lines[1:]}

    assert all(f"| {one} |" in PAGE or f"`…_{one}`" in PAGE for one in wanted)


def test_a_changed_description_or_seed_makes_the_page_stale(tmp_path: Path) -> None:
    project = Path(shutil.copytree(page.DBT_PROJECT, tmp_path / "dbt"))
    assert page.metrics_page(project) == PAGE

    models = project / "models" / "marts" / "core" / "_core__models.yml"
    text = models.read_text(encoding="utf-8")
    models.write_text(text.replace("Hours since publication.", "Hours since then."), "utf-8")
    changed = page.metrics_page(project)
    assert changed != PAGE
    assert "Hours since then" in changed

    models.write_text(text, encoding="utf-8")
    seed = project / "seeds" / "standard_ages.csv"
    seed.write_text(seed.read_text(encoding="utf-8").replace("24,30", "24,31"), encoding="utf-8")
    assert page.metrics_page(project) != PAGE


def test_the_check_fails_for_a_stale_page_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "metrics.md"
    assert write_or_check(file, PAGE, ["--check"]) == 1
    assert "make docs" in capsys.readouterr().err

    assert write_or_check(file, PAGE, []) == 0
    assert write_or_check(file, PAGE, ["--check"]) == 0
    file.write_text(f"{PAGE} ", encoding="utf-8")
    assert write_or_check(file, PAGE, ["--check"]) == 1


def test_a_template_without_a_place_for_the_tables_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "page.md"
    template.write_text("# Metrics\n", encoding="utf-8")

    with pytest.raises(ValueError, match="<!-- tables -->"):
        page.metrics_page(template=template)
