"""The state database: what people and programs decide in many small writes.

SQLAlchemy 2 Core, so that a URL is all that separates SQLite from PostgreSQL. On SQLite it runs in
WAL mode: readers never wait for a writer, and writers wait for each other instead of failing. A
commit is on disk before it returns, because the context file is written after it and must never be
ahead of it. The schema is made by the Alembic migrations in ``state_migrations/`` on first use.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from pipeline.clients import (
    state_experiment_tables,  # noqa: F401 (their tables belong to the schema)
    state_plan_tables,  # noqa: F401
    state_prediction_tables,  # noqa: F401
)
from pipeline.clients.state_tables import context_versions, decisions, recommendations
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

MIGRATIONS_DIR = Path(__file__).parent / "state_migrations"
HEAD_REVISION = "0010"
"""Newest migration; kept here so that a current database needs no import of Alembic."""

BUSY_TIMEOUT_S = 30.0
"""Longest wait of one SQLite writer for another; their transactions take milliseconds."""


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

    On SQLite it holds the write lock from its first statement, so what the block reads stays true.

    Raises:
        ConfigurationError: The database cannot be reached, is damaged or is of a newer version.
    """
    with _connection(settings) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield StateTransaction(connection)
        except BaseException:
            _end(connection, "ROLLBACK")
            raise
        _end(connection, "COMMIT")


@contextmanager
def reading_state(settings: Settings) -> Iterator[StateTransaction]:
    """One read transaction over a single state of the database. Raises as `writing_state`."""
    with _connection(settings) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        try:
            yield StateTransaction(connection)
        finally:
            _end(connection, "ROLLBACK")


def state_exists(settings: Settings) -> bool:
    """Whether anything was ever stored; asking does not create the database."""
    path = _sqlite_path(settings)
    return True if path is None else path.exists()


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


def _end(connection: Connection, statement: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement)
    elif statement == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection]:
    engine = _engine(settings)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        _ensure_current(settings, engine)
        with engine.connect() as connection:
            yield connection
    except sa.exc.IntegrityError:
        raise  # a rule of the schema was broken, which is no trouble with the database
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if str(error.orig) else type(error).__name__
        raise ConfigurationError(
            f"The state database {shown} cannot be used ({reason}). Nothing was changed. Make "
            "sure that it is reachable, writable and not another program's file."
        ) from error


def _sqlite_path(settings: Settings) -> Path | None:
    url = _url(settings)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database)


def _url(settings: Settings) -> sa.URL:
    try:
        return sa.make_url(settings.state_database_url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "AFTERPOST_STATE_URL is no database URL: write one such as sqlite:////path/state.db, "
            "or remove it."
        ) from None


def _engine(settings: Settings) -> Engine:
    path = _sqlite_path(settings)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _engine_for(_url(settings))
    except (sa.exc.ArgumentError, ImportError) as error:
        raise ConfigurationError(
            f"AFTERPOST_STATE_URL asks for {_url(settings).drivername!r}, which is not installed "
            f"({type(error).__name__}): install its driver or remove the variable."
        ) from None


@lru_cache(maxsize=8)
def _engine_for(url: sa.URL) -> Engine:
    """Kept for its compiled statements only; without a pool, a fork shares no connection."""
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, poolclass=NullPool)
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": BUSY_TIMEOUT_S},
        isolation_level="AUTOCOMMIT",  # the transactions are begun and ended above
    )

    @event.listens_for(engine, "connect")
    def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    return engine


def _ensure_current(settings: Settings, engine: Engine) -> None:
    if _revision(engine) == HEAD_REVISION:
        return
    folder = settings.warehouse_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "state.lock", timeout=settings.lock_timeout_s):
            _upgrade(engine)
    except Timeout as error:
        raise ConfigurationError(
            "The state database is being upgraded by another process, which did not finish "
            f"within {settings.lock_timeout_s:.0f} s. Try again when it has."
        ) from error


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.exec_driver_sql("select version_num from alembic_version").scalar()


def _upgrade(engine: Engine) -> None:
    found = _revision(engine)
    if found == HEAD_REVISION:  # another process was faster
        return
    # Alembic takes a third of a second to import, and a current database never needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"The state database {engine.url.render_as_string(hide_password=True)} is of a newer "
            f"version (revision {found}) than this program: install the newer program."
        )
    with engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except BaseException:
            _end(connection, "ROLLBACK")
            raise
        _end(connection, "COMMIT")
