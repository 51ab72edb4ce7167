"""A real PostgreSQL for tests: its own folder, a free loopback port, gone with whoever started it.

It refuses to run as root, so root runs it as the user ``postgres``, whose name is the one of its
only role either way. Its texts sort by the rules of a language (ICU, English), as those of most
servers do: what relies on the order of bytes shows here. Nothing is waited for to reach a disk.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SUPERUSER = "postgres"
MAINTENANCE = "postgres"
"""The database that every server has, and from which others are made."""

_BINARIES = Path("/usr/lib/postgresql")
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 8 * 2**30
"""Of databases with our tables, 8 MB each, and for whatever else lies there."""
_OPTIONS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=300",
    "shared_buffers=64MB",
)
_WATCH = """cat; "$@" -m immediate stop >/dev/null 2>&1; rm -rf "$FOLDER" """
"""Reads until the writer of its standard input is gone, however it went."""


@dataclass(frozen=True)
class PostgresServer:
    """A server that runs, unless a test stopped it."""

    port: int
    _folder: Path
    _as_its_user: tuple[str, ...]
    _programs: Path

    def url(self, database: str = MAINTENANCE) -> str:
        """SQLAlchemy URL of a database of the server; nobody needs a password."""
        return f"postgresql+psycopg2://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, *, like: str | None = None) -> str:
        """Make a database that no other test has.

        Args:
            like: Name of a database that it is a copy of, to which nobody is connected; the new
                one is empty when left out.

        Returns:
            Its URL.
        """
        return self.url(new_database_at(self.url(), like=like))

    def stop(self) -> None:
        """End the server in the middle of whatever its clients do; nothing, when it is stopped."""
        if self.is_running:
            self._pg_ctl("stop", "-m", "fast")

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return (self._folder / "data" / "postmaster.pid").exists()

    def start(self) -> None:
        """Start the server on the same port, with what it held."""
        options = " ".join(f"-c {option}" for option in (*_OPTIONS, f"port={self.port}"))
        self._pg_ctl("start", "-l", str(self._folder / "log.txt"), "-o", options)

    def _pg_ctl(self, *arguments: str) -> None:
        _run(
            (*self._as_its_user, str(self._programs / "pg_ctl"), "-D", str(self._folder / "data")),
            *("-w", "-s", *arguments),
            log=self._folder / "log.txt",
        )


def postgres_is_installed() -> bool:
    """Whether this machine has the server's programs."""
    return any(_BINARIES.glob("*/bin/initdb"))


def new_database_at(server_url: str, *, like: str | None = None) -> str:
    """Make a database at a running server.

    Args:
        server_url: URL of any database of the server.
        like: Name of the database that it is a copy of; empty when left out.

    Returns:
        Its name, which is new.
    """
    name = f"test_{uuid.uuid4().hex[:16]}"
    template = f' template "{like}"' if like else ""
    with _maintaining(server_url) as connection:
        connection.exec_driver_sql(f'create database "{name}"{template}')
    return name


def end_idle_connections(server_url: str, database: str) -> None:
    """End what programs keep open to a database without using it, so that it can be copied."""
    with _maintaining(server_url) as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            f"where datname = '{database}' and state = 'idle'"
        )


def _maintaining(server_url: str) -> "Connection":
    import sqlalchemy as sa

    return sa.create_engine(
        server_url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    ).connect()


@contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """Run a server as long as the block runs, and no longer than this process.

    Args:
        folder: Keeps the server's log after its end. The data lie elsewhere, because root's
            folders for tests are closed to the server's user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_root = os.geteuid() == 0
    # A database is three hundred files: on a busy disk to remove hundreds of them takes minutes.
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    own = Path(tempfile.mkdtemp(prefix="afterpost_postgres_", dir=_MEMORY if has_room else None))
    if is_root:
        found = pwd.getpwnam("postgres")
        os.chown(own, found.pw_uid, found.pw_gid)
    server = PostgresServer(
        port=_free_port(),
        _folder=own,
        _as_its_user=("runuser", "-u", "postgres", "--") if is_root else (),
        _programs=max(_BINARIES.glob("*/bin"), key=lambda path: int(path.parent.name)),
    )
    watch = _remove_when_this_process_ends(server)
    try:
        _run(
            (*server._as_its_user, str(server._programs / "initdb"), "-D", str(own / "data")),
            *("--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--locale-provider=icu", "--icu-locale=en-US", "--no-sync"),
            log=own / "log.txt",
        )
        server.start()
        yield server
    finally:
        if (own / "log.txt").exists():
            shutil.copyfile(own / "log.txt", folder / "postgres.log")
        watch.communicate()


def _remove_when_this_process_ends(server: PostgresServer) -> "subprocess.Popen[bytes]":
    # In its own session: Ctrl-C in a terminal must not end it before the server.
    stop = (*server._as_its_user, str(server._programs / "pg_ctl"))
    return subprocess.Popen(
        ["sh", "-c", _WATCH, "watch", *stop, "-D", str(server._folder / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "FOLDER": str(server._folder)},
        start_new_session=True,
    )


def _run(program: tuple[str, ...], *arguments: str, log: Path) -> None:
    done = subprocess.run(
        [*program, *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        # pg_ctl's server would hold a pipe open for ever.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if "start" in arguments else subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        told = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
        raise RuntimeError(f"{program[-3:]} {arguments}: {done.stderr or ''}{told}")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
