"""What all tests of marts read."""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from pipeline.settings import Settings
from tests.measure.marts.worlds import Rows, rows_of


@pytest.fixture(scope="session")
def settings(built_world: Settings) -> Settings:
    """The home."""
    return built_world


@pytest.fixture(scope="session")
def warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its database, read only."""
    with duckdb.connect(str(settings.database_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.fixture(scope="session")
def posts(warehouse: duckdb.DuckDBPyConnection) -> Rows:
    """Posts that are not paid for with their values at 7 days; engagement of usual terms only."""
    found = rows_of(
        warehouse,
        "select * from intermediate.int_posts__labelled "
        "inner join intermediate.int_posts__engagement using (account_name, platform, post_id) "
        "where is_ad is distinct from true",
    )
    terms = Counter(
        (row["account_name"], row["platform"], row["engagement_terms"])
        for row in found
        if row["engagement_terms"]
    )
    usual: dict[tuple[str, str], tuple[int, str]] = {}
    for (account, platform, name), count in terms.items():
        usual[account, platform] = max(usual.get((account, platform), (0, "")), (count, name))
    for row in found:
        if row["engagement_terms"] != usual[row["account_name"], row["platform"]][1]:
            row["engagement_7d"] = None
    assert len(found) > 300
    return found
