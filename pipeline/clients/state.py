"""The state database: what people and programs decide in many small writes.

SQLAlchemy 2 Core, so that a URL is all that separates SQLite from PostgreSQL
(`pipeline.clients.state_databases`). On SQLite it runs in WAL mode: readers never wait for a
writer, and writers wait for each other instead of failing; the same holds on PostgreSQL. A commit
is on disk before it returns, because the context file is written after it and must never be ahead
of it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.clients import (
    state_experiment_tables,  # noqa: F401 (their tables belong to the schema)
    state_plan_tables,  # noqa: F401
    state_prediction_tables,  # noqa: F401
)
from pipeline.clients.state_databases import database_exists, transaction
from pipeline.clients.state_tables import context_versions, decisions, recommendations
from pipeline.settings import Settings

MOST_VALUES = 500
"""Values in one ``in (…)``: databases take only so many parameters in a statement."""


def in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in parts that one statement takes, in their order."""
    for first in range(0, len(values), MOST_VALUES):
        yield values[first : first + MOST_VALUES]


class StateTransaction:
    """What the rooms may ask of the state database, inside one transaction.

    Rows go in and out as dicts by column name (`pipeline.clients.state_tables`).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, query: sa.Executable) -> list[dict[str, Any]]:
        """All rows of a query, or of a statement that returns what it changed."""
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def execute(self, statement: sa.Executable, rows: list[dict[str, Any]] | None = None) -> None:
        """Run a writing statement, once per row where rows are given."""
        self._connection.execute(statement, rows)

    def recommendations(
        self, account_name: str | None = None, *, status: str | None = None
    ) -> list[dict[str, Any]]:
        """Recommendations of one account or all, of one status or any; oldest and best first."""
        columns = recommendations.c
        query = sa.select(recommendations).order_by(
            columns.created_at, columns.account_name, columns.rank, columns.recommendation_id
        )
        if account_name is not None:
            query = query.where(columns.account_name == account_name)
        if status is not None:
            query = query.where(columns.status == status)
        return self.rows(query)

    def recommendation(self, recommendation_id: str) -> dict[str, Any] | None:
        """One recommendation, or None."""
        found = self.rows(
            sa.select(recommendations).where(
                recommendations.c.recommendation_id == recommendation_id
            )
        )
        return found[0] if found else None

    def add_recommendations(self, rows: list[dict[str, Any]]) -> None:
        """Insert new recommendations."""
        if rows:
            self._connection.execute(recommendations.insert(), rows)

    def settle_recommendation(
        self, recommendation_id: str, *, status: str, decided_at: datetime
    ) -> bool:
        """Move a pending recommendation to its last status.

        Returns:
            False when it was not pending any more; nothing was changed then.
        """
        columns = recommendations.c
        result = self._connection.execute(
            recommendations.update()
            .where(columns.recommendation_id == recommendation_id, columns.status == "pending")
            .values(status=status, decided_at=decided_at)
        )
        return result.rowcount == 1

    def add_decision(self, row: dict[str, Any]) -> None:
        """Insert a decision."""
        self._connection.execute(decisions.insert(), [row])

    def decision(self, decision_id: str) -> dict[str, Any] | None:
        """One decision, or None."""
        found = self.rows(sa.select(decisions).where(decisions.c.decision_id == decision_id))
        return found[0] if found else None

    def decision_about(self, recommendation_id: str) -> dict[str, Any] | None:
        """The decision about a recommendation, or None."""
        found = self.rows(
            sa.select(decisions).where(decisions.c.recommendation_id == recommendation_id)
        )
        return found[0] if found else None

    def context_versions(self, account_name: str) -> list[dict[str, Any]]:
        """All versions of an account's context without their content, oldest first.

        Each with its decision's ``decided_by``, ``note`` and ``recommendation_id``, null where no
        decision caused it.
        """
        columns = context_versions.c
        return self.rows(
            sa.select(
                *(column for column in columns if column.name != "content"),
                decisions.c.decided_by,
                decisions.c.note,
                decisions.c.recommendation_id,
            )
            .select_from(
                context_versions.outerjoin(
                    decisions, columns.decision_id == decisions.c.decision_id
                )
            )
            .where(columns.account_name == account_name)
            .order_by(columns.sequence)
        )

    def context_version(self, account_name: str, sequence: int) -> dict[str, Any] | None:
        """One version with its content, or None."""
        columns = context_versions.c
        found = self.rows(
            sa.select(context_versions).where(
                columns.account_name == account_name, columns.sequence == sequence
            )
        )
        return found[0] if found else None

    def latest_context(self, account_name: str) -> dict[str, Any] | None:
        """The newest version with its content, or None."""
        columns = context_versions.c
        found = self.rows(
            sa.select(context_versions)
            .where(columns.account_name == account_name)
            .order_by(columns.sequence.desc())
            .limit(1)
        )
        return found[0] if found else None

    def add_context_version(self, row: dict[str, Any]) -> None:
        """Insert a version; its number must be new."""
        self._connection.execute(context_versions.insert(), [row])

    def mark_written(self, account_name: str) -> None:
        """Note that the account's file holds its newest version."""
        columns = context_versions.c
        self._connection.execute(
            context_versions.update()
            .where(columns.account_name == account_name, columns.is_written.is_(False))
            .values(is_written=True)
        )


@contextmanager
def writing_state(settings: Settings) -> Iterator[StateTransaction]:
    """One write transaction: committed at the end of the block, rolled back by an exception.

    Nobody else writes from its first statement on, so what the block reads stays true.

    Raises:
        ConfigurationError: The database cannot be reached, is damaged or is of a newer version.
    """
    with transaction(settings, writes=True) as connection:
        yield StateTransaction(connection)


@contextmanager
def reading_state(settings: Settings) -> Iterator[StateTransaction]:
    """One read transaction over a single state of the database. Raises as `writing_state`."""
    with transaction(settings, writes=False) as connection:
        yield StateTransaction(connection)


def state_exists(settings: Settings) -> bool:
    """Whether anything was ever stored; asking does not create the database.

    Raises:
        ConfigurationError: The database is on a server that cannot be reached.
    """
    return database_exists(settings)


def recommendation_rows(settings: Settings) -> list[dict[str, Any]]:
    """All recommendations with the columns of ``raw.state_recommendations``, oldest first.

    ``proposed_change`` is the JSON text of the patch (RFC 6902). Empty when there is no state
    database yet.
    """
    if not state_exists(settings):
        return []
    columns = recommendations.c
    query = sa.select(
        columns.recommendation_id,
        columns.account_name,
        columns.created_at,
        columns.status,
        columns.category,
        columns.target,
        columns.confidence,
        columns.insight,
        columns.patch.label("proposed_change"),
        columns.writer,
        columns.warehouse_version,
        columns.writer_reason,
        columns.model,
        columns.input_tokens,
        columns.output_tokens,
        columns.cost_usd,
    ).order_by(columns.created_at, columns.account_name, columns.rank, columns.recommendation_id)
    with reading_state(settings) as state:
        rows = state.rows(query)
    return [
        {**row, "proposed_change": json.dumps(row["proposed_change"], ensure_ascii=False)}
        for row in rows
    ]


def decision_rows(settings: Settings) -> list[dict[str, Any]]:
    """All decisions with the columns of ``raw.state_decisions``, oldest first.

    Empty when there is no state database yet.
    """
    if not state_exists(settings):
        return []
    columns = decisions.c
    query = sa.select(
        columns.decision_id,
        columns.recommendation_id,
        columns.account_name,
        columns.decision,
        columns.decided_by,
        columns.decided_at,
        columns.note,
        columns.context_id_before,
        columns.context_id_after,
    ).order_by(columns.decided_at, columns.decision_id)
    with reading_state(settings) as state:
        return state.rows(query)
