"""Claims: something that only one process does at a time, on whatever machine it runs.

Where the state database is a file, one machine has it, and a claim is a lock on a file beside it.
Where it is a server, the processes may be on many machines that share nothing else, and a claim is
a lock that the server keeps for a connection. Both end with their process, however it dies: there
is nothing to expire, and nobody waits for a dead one. A connection that breaks while its process
lives on loses the claim; what the process has written down by then has to be enough for the next.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from filelock import FileLock, Timeout

from pipeline.clients.state_databases import server_session
from pipeline.errors import ClaimHeldError
from pipeline.settings import Settings

_POLL_S = 0.2


@contextmanager
def claimed(settings: Settings, name: str, *, timeout_s: float) -> Iterator[None]:
    """Be the only process that does what ``name`` says while the block runs. Does not nest.

    Args:
        settings: Where the state database is.
        name: What is claimed; a file name.
        timeout_s: Longest wait for another holder.

    Raises:
        ClaimHeldError: Another process held the claim for all that time.
        ConfigurationError: The state database cannot be used.
    """
    with server_session(settings) as session:
        if session is None:
            with _locked_file(settings, name, timeout_s):
                yield
        else:
            _lock(session, name, timeout_s)
            yield


@contextmanager
def _locked_file(settings: Settings, name: str, timeout_s: float) -> Iterator[None]:
    folder = settings.warehouse_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout as error:
        raise _held(name, timeout_s) from error
    try:
        yield
    finally:
        lock.release()


def _lock(session: sa.Connection, name: str, timeout_s: float) -> None:
    # Asked again and again instead of waited for: Ctrl-C must not wait for the server.
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    query = sa.text("select pg_try_advisory_lock(:key)").bindparams(key=key)
    deadline = time.monotonic() + timeout_s
    while not session.execute(query).scalar():
        if time.monotonic() > deadline:
            raise _held(name, timeout_s)
        time.sleep(_POLL_S)


def _held(name: str, timeout_s: float) -> ClaimHeldError:
    return ClaimHeldError(
        f"Another process holds {name} and did not finish within {timeout_s:.0f} s. Try again "
        "when it has."
    )
