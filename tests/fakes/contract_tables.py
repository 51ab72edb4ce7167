"""Empty marts and statistics with the columns that the models' contracts promise.

A reader that asks for a column that no model has fails on them as it would on a real copy.
"""

from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipeline.measure.statistics_tables import prepare_statistics_tables

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"


def create_contract_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every mart as an empty table, the statistics, and what a build says about itself.

    And what is read of predictions beside their scores.
    """
    connection.execute("create schema if not exists marts")
    prepare_statistics_tables(connection)
    for table, columns in contracts().items():
        connection.execute(f"create table if not exists {table} ({columns})")
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create table if not exists raw.state_predictions (prediction_id varchar, features varchar)"
    )
    connection.execute(
        "create table if not exists stats.build_info "
        "(warehouse_version varchar, built_at timestamptz, as_of timestamptz)"
    )


@cache
def contracts() -> dict[str, str]:
    """Columns with their types, as SQL, by the table's name with its schema."""
    contracts = {}
    for schema in ("marts", "stats"):
        for path in sorted((MODELS / schema).rglob("*.yml")):
            for model in _read(path).get("models", []):
                columns = [
                    f"{column['name']} {column['data_type']}"
                    for column in model.get("columns", [])
                    if "data_type" in column
                ]
                if columns:
                    contracts[f"{schema}.{model['name']}"] = ", ".join(columns)
    return contracts


def _read(path: Path) -> dict[str, Any]:
    """libyaml's parser where it is there: ten times as fast."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
