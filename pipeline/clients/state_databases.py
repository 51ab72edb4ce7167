"""The databases that may hold the state: SQLite in a file, or PostgreSQL on a server.

All that differs between the two is here: how they are connected to, and how each begins a
transaction in which nobody else writes. The schema is made by the Alembic migrations in
``state_migrations/`` on first use, by one process, whoever else begins at once.

On PostgreSQL writers wait for one advisory lock of the database, so that what a transaction has
read stays true until it is over, as it does on SQLite. Their transactions take milliseconds, and a
rule that holds for all of them needs neither retries nor a proof for each. A lock of a transaction
goes with it, also when its process is killed, and passes through a connection pooler.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from pipeline.errors import ConfigurationError, StateUnavailableError
from pipeline.settings import Settings

MIGRATIONS_DIR = Path(__file__).parent / "state_migrations"
HEAD_REVISION = "0011"
"""Newest migration; kept here so that a current database needs no import of Alembic."""

BUSY_TIMEOUT_S = 30.0
"""Longest wait of one writer for another; their transactions take milliseconds."""

_SILENCE_S = 60
"""A writer that says nothing for so long (its machine sleeps) is ended by the server."""
_OLD_S = 300
"""Older connections are made anew: what lies between may have forgotten them without a word."""
_WRITERS = 0x61667465_72706F73
"""The lock that writers hold: ``afterpos`` as a number; it is of one database of the server."""
_CONNECT_ARGS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "tcp_user_timeout": 30_000,
    "client_encoding": "utf8",
    "application_name": "afterpost",
}
"""What the URL may say otherwise; a server that is gone must not be waited for for ever."""

_NOTICED_SOON = (
    "tcp_keepalives_idle = 30",
    "tcp_keepalives_interval = 10",
    "tcp_keepalives_count = 3",
)
"""The server's own default is two hours."""


@dataclass(frozen=True)
class _Kind:
    """The statements that begin a transaction; all are ended by COMMIT or ROLLBACK."""

    reading: tuple[str, ...]
    """Over a single state of the database."""
    writing: tuple[str, ...]
    """In which nobody else writes, from its first statement on."""
    upgrading: tuple[str, ...]
    """As writing, while tables are made or changed."""


_SQLITE = _Kind(
    reading=("BEGIN",),
    writing=("BEGIN IMMEDIATE",),
    # Readers never wait for a writer then; this is kept in the file.
    upgrading=("PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"),
)
_POSTGRESQL_WRITING = (
    "BEGIN",
    f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S:.0f}s'",
    f"SET LOCAL idle_in_transaction_session_timeout = '{_SILENCE_S}s'",
    # Each statement sees what was committed before it began: this one waits, the next ones look.
    f"SELECT pg_advisory_xact_lock({_WRITERS})",
)
_POSTGRESQL = _Kind(
    reading=("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",),
    writing=_POSTGRESQL_WRITING,
    upgrading=_POSTGRESQL_WRITING,
)
_KINDS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}

_CAN_PASS = ("08", "53", "55", "57")
"""Classes of a server's errors: connections, resources, locks, an operator's intervention."""

_MOST_ENGINES = 4
_engines: dict[tuple[sa.URL, int], Engine] = {}
"""By database and process, since connections must not be shared with a fork."""

_found: set[sa.URL] = set()
"""Databases of servers that held our tables; those do not go away again."""


def database_exists(settings: Settings) -> bool:
    """Whether the database holds anything of ours; asking makes nothing.

    Raises:
        ConfigurationError: As `transaction`.
    """
    url = _url(settings)
    path = _sqlite_path(url)
    if path is not None:
        return path.exists()
    if url not in _found:
        with _in_one_sentence(url), _connected(_engine(url)) as connection:
            if _revision(connection) is None:
                return False
        _found.add(url)
    return True


@contextmanager
def transaction(settings: Settings, *, writes: bool) -> Iterator[Connection]:
    """A transaction over current tables: in which nobody else writes, or which only reads.

    What was written is committed at the end of the block, and rolled back by an exception.

    Raises:
        ConfigurationError: The database cannot be reached (`StateUnavailableError`), is damaged or
            is of a newer version.
    """
    url = _url(settings)
    path = _sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _in_one_sentence(url):
        engine = _engine(url)
        kind = _KINDS[url.get_backend_name()]
        begin = kind.writing if writes else kind.reading
        with _connected(engine) as connection:
            # Before the transaction: a file whose journal is changed must not be locked by those
            # who wait for its tables.
            if _revision(connection) != HEAD_REVISION:
                _bring_up_to_date(settings, engine)
            _begin(connection, begin)
            yield connection
            _end(connection, "COMMIT" if writes else "ROLLBACK")


@contextmanager
def server_session(settings: Settings) -> Iterator[Connection | None]:
    """A session of its own at the server that holds the state; None where a file holds it.

    It ends with the block, or with its process, and is never used again: so do the locks that it
    takes. The server gives it up within a minute where its machine has vanished.

    Raises:
        ConfigurationError: As `transaction`.
    """
    url = _url(settings)
    if url.get_backend_name() == "sqlite":
        yield None
        return
    with _in_one_sentence(url):
        connection = _engine(url).connect()
        try:
            connection.detach()
            for setting in _NOTICED_SOON:
                connection.exec_driver_sql(f"SET {setting}")
            yield connection
        finally:
            with suppress(sa.exc.DBAPIError):
                connection.close()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        try:
            yield connection
        except BaseException:
            # Closed, not used again: whatever it was in the middle of is rolled back.
            connection.invalidate()
            raise


def _begin(connection: Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def _end(connection: Connection, statement: str) -> None:
    try:
        connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError as error:
        if statement != "COMMIT" or not error.connection_invalidated:
            raise
        raise StateUnavailableError(
            f"The connection to the state database {_shown(connection.engine.url)} was lost while "
            "a change was stored: it is there as a whole or not at all. Look before you repeat it."
        ) from error


@contextmanager
def _in_one_sentence(url: sa.URL) -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise  # a rule of the schema was broken, which is no trouble with the database
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if str(error.orig) else type(error).__name__
        if _sqlite_path(url) is None and _can_pass(error):
            raise StateUnavailableError(
                f"The state database {_shown(url)} cannot be reached ({reason}). Nothing was "
                "changed. See whether its server runs and AFTERPOST_STATE_URL is right, then try "
                "again."
            ) from error
        raise ConfigurationError(
            f"The state database {_shown(url)} cannot be used ({reason}). Nothing was changed. "
            "Make sure that it is reachable, writable and not another program's file."
        ) from error


def _can_pass(error: sa.exc.DBAPIError) -> bool:
    """Whether a server refused or went away, rather than that it was asked for what cannot be."""
    code = getattr(error.orig, "pgcode", None)
    is_refused = code is None or code[:2] in _CAN_PASS
    return error.connection_invalidated or (
        is_refused and isinstance(error, sa.exc.OperationalError)
    )


def _shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=True)


def _sqlite_path(url: sa.URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database)


def _url(settings: Settings) -> sa.URL:
    try:
        url = sa.make_url(settings.state_database_url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "AFTERPOST_STATE_URL is no database URL: write one such as sqlite:////path/state.db, "
            "or remove it."
        ) from None
    if url.drivername not in ("sqlite", "postgresql", "postgresql+psycopg2"):
        raise ConfigurationError(
            f"AFTERPOST_STATE_URL asks for {url.drivername!r}: the state is kept by SQLite "
            "(sqlite:////path/state.db) or PostgreSQL (postgresql+psycopg2://USER@HOST/NAME)."
        )
    return url


def _engine(url: sa.URL) -> Engine:
    """The connections of this process to one database; a fork makes its own."""
    key = (url, os.getpid())
    engine = _engines.get(key)
    if engine is None:
        engine = _engines[key] = _new_engine(url)
        for old in list(_engines)[:-_MOST_ENGINES]:
            # Those of a parent stay open for it: they are only forgotten here.
            dropped = _engines.pop(old, None)
            if dropped is not None:
                dropped.dispose(close=old[1] == key[1])
    return engine


def _new_engine(url: sa.URL) -> Engine:
    """A file needs no connections beforehand; a server's are kept, and tried before each use.

    It may have been started anew meanwhile, which only those notice who are in the middle of a
    transaction.
    """
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url,
            poolclass=NullPool,
            connect_args={"timeout": BUSY_TIMEOUT_S},
            isolation_level="AUTOCOMMIT",  # the transactions are begun and ended above
        )
        event.listen(engine, "connect", _set_pragmas)
        return engine
    try:
        return sa.create_engine(
            url,
            pool_size=2,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_recycle=_OLD_S,
            connect_args={
                name: value for name, value in _CONNECT_ARGS.items() if name not in url.query
            },
            isolation_level="AUTOCOMMIT",
        )
    except ImportError:
        raise ConfigurationError(
            "AFTERPOST_STATE_URL asks for PostgreSQL, whose driver is not installed: `pip install "
            "afterpost[scale]`, or remove the variable."
        ) from None


def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("select version_num from alembic_version").scalar()


def _bring_up_to_date(settings: Settings, engine: Engine) -> None:
    if _sqlite_path(engine.url) is None:
        _upgrade(engine)
        return
    # Changing a file's journal needs it for oneself, before any transaction could wait.
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


def _upgrade(engine: Engine) -> None:
    # Alembic takes a third of a second to import, and a current database never needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with _connected(engine) as connection:
        _begin(connection, _KINDS[engine.dialect.name].upgrading)
        found = _revision(connection)
        if found != HEAD_REVISION:  # otherwise another process was faster
            if found is not None and found not in known:
                raise ConfigurationError(
                    f"The state database {_shown(engine.url)} is of a newer version (revision "
                    f"{found}) than this program, or another program's: install the newer program, "
                    "or give the state a database of its own."
                )
            _refuse_narrow_encoding(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        _end(connection, "COMMIT")


def _refuse_narrow_encoding(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("show server_encoding").scalar()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The state database {_shown(connection.engine.url)} has the encoding {encoding}, "
            "which not every text fits into: create it with the encoding UTF8."
        )
