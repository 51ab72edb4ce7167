"""The table of planned posts, kept in step with the folders under ``output/``.

A folder whose files are as they were is not read again: name, times, size and file number tell.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipeline.accounts import AccountConfig
from pipeline.collect.planned import (
    PLAN_FILES,
    PlannedPost,
    UnreadablePlanError,
    plan_folders,
    problem_with,
    read_plan,
)
from pipeline.collect.table_rows import insert_columns, insert_rows, table_columns
from pipeline.settings import Settings

_FRESH_NS = 2_000_000_000
"""A file may be written twice within one tick of its folder's clock, which is a second or two."""

_Key = tuple[str, str]
"""Account and planned id."""


@dataclass
class PlanChanges:
    """What became of the plans since they were read last."""

    changed: dict[str, set[str]] = field(default_factory=dict)
    """Planned ids that are new, changed or gone, by account."""
    problems: list[str] = field(default_factory=list)
    """One sentence per folder that cannot be read, whether it was read now or before."""


def update_planned_posts(
    settings: Settings, connection: duckdb.DuckDBPyConnection, accounts: Iterable[AccountConfig]
) -> PlanChanges:
    """Bring ``raw.planned_posts`` up to date. The caller owns the transaction."""
    known: dict[_Key, tuple[str | None, str | None]] = {
        (account_name, planned_id): (stamp, problem)
        for account_name, planned_id, stamp, problem in connection.execute(
            "select account_name, planned_id, file_stamp, problem from loading.plan_folders"
        ).fetchall()
    }
    changes = PlanChanges()
    rows: list[dict[str, Any]] = []
    seen: dict[_Key, tuple[str | None, str | None]] = {}
    for account in accounts:
        for folder in plan_folders(settings, account):
            key = (account.name, folder.name)
            stamp = _stamp(account, folder)
            was = known.pop(key, None)
            if was is not None and stamp is not None and was[0] == stamp:
                changes.problems += [was[1]] if was[1] else []
                continue
            changes.changed.setdefault(account.name, set()).add(folder.name)
            problem = None
            try:
                rows.append(read_plan(account, folder).row())
            except UnreadablePlanError as error:
                problem = problem_with(folder, error)
                changes.problems.append(problem)
            seen[key] = (stamp, problem)
    for account_name, planned_id in known:
        changes.changed.setdefault(account_name, set()).add(planned_id)
    _write(connection, [*known, *seen], rows, seen)
    return changes


def planned_posts(
    connection: duckdb.DuckDBPyConnection, account_name: str
) -> tuple[PlannedPost, ...]:
    """An account's planned posts as the table has them, in order of folder name."""
    columns = list(table_columns(connection, "planned_posts"))
    rows = connection.execute(
        f"select {', '.join(columns)} from raw.planned_posts "  # noqa: S608 - names are ours
        "where account_name = ? order by planned_id",
        [account_name],
    ).fetchall()
    return tuple(PlannedPost(**dict(zip(columns, row, strict=True))) for row in rows)


def _write(
    connection: duckdb.DuckDBPyConnection,
    keys: list[_Key],
    rows: list[dict[str, Any]],
    seen: dict[_Key, tuple[str | None, str | None]],
) -> None:
    if not keys:
        return
    for table in ("raw.planned_posts", "loading.plan_folders"):
        connection.execute(
            f"delete from {table} as kept using "  # noqa: S608 - names are ours
            "(select unnest(?::varchar[]) as account_name, unnest(?::varchar[]) as planned_id) "
            "as gone where kept.account_name = gone.account_name "
            "and kept.planned_id = gone.planned_id",
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
    insert_rows(connection, "planned_posts", rows)
    insert_columns(
        connection,
        "loading.plan_folders",
        {
            "account_name varchar": [key[0] for key in seen],
            "planned_id varchar": [key[1] for key in seen],
            "file_stamp varchar": [stamp for stamp, _ in seen.values()],
            "problem varchar": [problem for _, problem in seen.values()],
        },
    )


def _stamp(account: AccountConfig, folder: Path) -> str | None:
    """How a folder's files are on disk; None when they may be written again unnoticed.

    The account's zone is part of it: it says where a plain date's day begins.
    """
    parts = [account.timezone]
    for name in PLAN_FILES:
        try:
            file = os.stat(f"{folder}/{name}")  # noqa: PTH116 - there are many
        except OSError as error:
            parts.append(str(error.errno))
            continue
        if abs(time.time_ns() - file.st_mtime_ns) < _FRESH_NS:
            return None
        parts.append(f"{file.st_mtime_ns}-{file.st_ctime_ns}-{file.st_size}-{file.st_ino}")
    return " ".join(parts)
