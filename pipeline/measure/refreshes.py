"""When the incremental models have to be made anew instead of being brought on.

They hold what earlier builds made of earlier scrapes. That stays right only while the models say
the same (SQL, macros, seeds such as metric availability, and the code that tells own posts from
others) and while the scrapes that were read are still there and still judged as they were.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.measure.dbt_runs import DBT_PROJECT

_COLLECT = Path(__file__).parents[1] / "collect"
_SOURCE_SUFFIXES = frozenset({".sql", ".yml", ".csv", ".py"})
_TABLE = "create table if not exists intermediate.models_made_from (sources_sha256 varchar)"


@dataclass(frozen=True)
class Refresh:
    """How a build goes about its models."""

    is_full: bool
    """Everything is made anew."""
    sources_sha256: str
    """Hash of the files that say what the models make of landed rows."""


def sources_sha256(made_by: str = "duckdb") -> str:
    """Hash of every file that says what the models make of landed rows, and of who makes it.

    Args:
        made_by: The engine, and where it keeps what it made: another one begins anew.
    """
    digest = hashlib.sha256(f"{made_by}\0".encode())
    files = [DBT_PROJECT / "dbt_project.yml"]
    folders = [DBT_PROJECT / name for name in ("macros", "models", "seeds")]
    for folder in (*folders, _COLLECT):
        files += [path for path in folder.rglob("*") if path.suffix in _SOURCE_SUFFIXES]
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def prepare_refresh(connection: duckdb.DuckDBPyConnection, made_by: str = "duckdb") -> Refresh:
    """Find out whether the next build must make every model anew.

    When it must, what was noted about scrapes that were read is forgotten in the same transaction,
    so that a build that dies half-way leaves the next one to do the same.

    Args:
        connection: To the warehouse, with the raw tables, outside of a transaction.
        made_by: The engine of the next build, and where it keeps what it makes.
    """
    connection.execute("create schema if not exists intermediate")
    connection.execute(_TABLE)
    made_from = connection.execute("select * from intermediate.models_made_from").fetchall()
    sources = sources_sha256(made_by)
    if made_from == [(sources,)] and not _is_any_scrape_judged_anew(connection):
        return Refresh(is_full=False, sources_sha256=sources)
    connection.execute("begin")
    connection.execute("delete from intermediate.models_made_from")
    if _exists(connection, "scrapes_read"):
        connection.execute("delete from intermediate.scrapes_read")
    connection.execute("commit")
    return Refresh(is_full=True, sources_sha256=sources)


def note_models_made(connection: duckdb.DuckDBPyConnection, refresh: Refresh) -> None:
    """Note that all models and tests of a build were green.

    Args:
        connection: In a transaction of the caller's, which also marks the build as complete.
        refresh: What :func:`prepare_refresh` found before the build.
    """
    connection.execute("delete from intermediate.models_made_from")
    connection.execute(
        "insert into intermediate.models_made_from values (?)", [refresh.sources_sha256]
    )
    connection.execute(
        "update intermediate.scrapes_read set is_checked = true where not is_checked"
    )


def _is_any_scrape_judged_anew(connection: duckdb.DuckDBPyConnection) -> bool:
    if not _exists(connection, "scrapes_read") or not _exists(connection, "scrapes_stamped"):
        return True
    [(is_any,)] = connection.execute(
        "select exists (select 1 from intermediate.scrapes_read as held "
        "left join intermediate.scrapes_stamped as scrapes "
        "on held.scrape_id = scrapes.scrape_id and held.stamp = scrapes.stamp "
        "where scrapes.scrape_id is null)"
    ).fetchall()
    return bool(is_any)


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from information_schema.tables "
            "where table_schema = 'intermediate' and table_name = ?",
            [table],
        ).fetchall()
    )
