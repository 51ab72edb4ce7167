"""A built home with a simulated history, and marts run over rows of a test's own."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics
from pipeline.settings import Settings
from pipeline.simulate.world import build_world, demo_accounts
from tests.end_to_end.small_world import landed_home

UNTESTED_FORMAT = "never_made"
QUIET_ACCOUNT = "slumbersongs"
"""Nothing is planted in it."""
_ACCOUNTS = ("dreamtimelullabies", "mymomskills", QUIET_ACCOUNT)

Rows = list[dict[str, Any]]


def built_home(home: Path) -> Settings:
    """Three accounts of the demo world, one of which lists a format that nobody made."""
    accounts = [account for account in demo_accounts() if account.name in _ACCOUNTS]
    settings = landed_home(home, build_world(accounts=accounts), every=2)
    account_file = settings.accounts_dir / "mymomskills" / "account.yaml"
    content = account_file.read_text(encoding="utf-8")
    account_file.write_text(
        content.replace("\nformats:\n", f"\nformats:\n  - name: {UNTESTED_FORMAT}\n", 1),
        encoding="utf-8",
    )
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    return settings


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, *parameters: object) -> Rows:
    """Rows of a query, each by column name."""
    cursor = connection.execute(query, list(parameters))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def run_model(
    settings: Settings, model: str, given: Mapping[str, Mapping[str, NDArray[Any]]]
) -> Rows:
    """What a model makes of rows that a test gives it.

    Args:
        settings: A built home, for the SQL that dbt compiled and the columns of its tables.
        model: The model's name.
        given: For each of its tables (``intermediate.<name>``) columns of one length, or none for
            an empty table; the table's other columns are null. Dates are datetime64[us].
    """
    compiled = settings.dbt_workspace / "target" / "compiled"
    sql = next(compiled.rglob(f"{model}.sql")).read_text(encoding="utf-8")
    with (
        duckdb.connect(str(settings.database_path), read_only=True) as built,
        duckdb.connect() as connection,
    ):
        connection.execute("attach ':memory:' as afterpost")
        for schema in ("intermediate", "marts"):
            connection.execute(f"create schema afterpost.{schema}")
        for table, columns in given.items():
            declared = built.execute(f"describe {table}").fetchall()
            connection.execute(
                f"create table afterpost.{table} "
                f"({', '.join(f'{name} {kind}' for name, kind, *_ in declared)})"
            )
            if not columns:
                continue
            connection.register("given", dict(columns))
            connection.execute(f"insert into afterpost.{table} by name select * from given")
            connection.unregister("given")
        return rows_of(connection, sql)


def texts(values: NDArray[Any]) -> NDArray[Any]:
    """An array of texts in the form in which a database takes it."""
    return np.asarray(values.astype(str), dtype=object)


OUTCOMES = {
    "views_7d": ("view_7d", None),
    "engagement_7d": ("engagement_7d", None),
    "engagement_rate_7d": ("engagement_7d", "view_7d"),
    "save_rate_7d": ("save_7d", "view_7d"),
}
"""Columns above and below the line of each outcome."""


def log_outcome(post: dict[str, Any], outcome: str) -> float | None:
    """A post's outcome on the log scale, from its own counts; None when one is not known."""
    over, under = OUTCOMES[outcome]
    if post[over] is None or (under and not post[under]):
        return None
    if under:
        return math.log((post[over] + 0.5) / (post[under] + 1))
    return math.log(post[over] + 1)


def posts_of(posts: Rows, account: str, platform: str) -> Rows:
    """The posts of one profile."""
    return [p for p in posts if (p["account_name"], p["platform"]) == (account, platform)]
