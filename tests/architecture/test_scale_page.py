"""docs/scale.md: its tables are what bench.scale_paper makes of the measured figures."""

import re

import pytest

from bench.scale_paper import PAGE, SIZES, paper_table, tables, with_tables
from bench.scale_rates import rates, read_measured


def test_the_tables_are_what_the_script_makes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, tables(read_measured())) == page, (
        "run `python -m bench.scale_paper --write`"
    )


def test_a_table_without_a_place_in_the_page_is_refused() -> None:
    with pytest.raises(SystemExit, match="no place for the table 'paper'"):
        with_tables("# A page without marks\n", {"paper": "| a |\n"})


def test_rows_and_money_grow_with_the_accounts() -> None:
    lines = paper_table(rates(read_measured())).splitlines()
    of = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in lines}
    assert of["snapshots a day"] == ["600,000", "6 million", "60 million"]
    usd = [int(re.sub(r"\D", "", cell)) for cell in of["scrapes, USD a day"]]
    assert usd == [usd[0] * size // SIZES[0] for size in SIZES]
