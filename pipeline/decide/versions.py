"""The numbered versions of context files: in the state database, on disk and in the history folder.

Nothing here decides which version there should be; see `pipeline.decide.context`.
"""

import hashlib
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.atomic_files import write_atomically
from pipeline.clients.state import StateTransaction, reading_state
from pipeline.errors import ContextError
from pipeline.settings import Settings

CONTEXT_FILE = "performance_context.json"
HISTORY_FOLDER = "context_history"


class VersionCause(StrEnum):
    """Why there is a version."""

    INITIAL = "initial"
    ADOPTED = "adopted"
    DECISION = "decision"
    REVERT = "revert"


@dataclass(frozen=True)
class ContextVersion:
    """One entry of an account's history."""

    sequence: int
    context_id: str
    sha256: str
    cause: VersionCause
    created_at: datetime
    decision_id: str | None
    recommendation_id: str | None
    decided_by: str | None
    note: str | None


@contextmanager
def account_lock(settings: Settings, account_name: str) -> Iterator[None]:
    """Be the only one who changes an account's context. Does not nest.

    Raises:
        ContextError: Somebody else held it for the whole ``lock_timeout_s``.
    """
    folder = settings.warehouse_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"context_{account_name}.lock")
    try:
        lock.acquire(timeout=settings.lock_timeout_s, poll_interval=0.01)
    except Timeout as error:
        raise ContextError(
            f"The context of {account_name} is being changed by another process, which did not "
            f"finish within {settings.lock_timeout_s:.0f} s. Nothing was changed; try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def read_file(path: Path) -> bytes | None:
    """The bytes of a context file, or None when there is none.

    Raises:
        ContextError: It is no plain file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ContextError(
                f"{path} is no plain file, so nothing was written there: move it away and run the "
                "command again."
            )
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ContextError(f"{path} cannot be read ({error.strerror}).") from error


def sha256_of(content: bytes) -> str:
    """The hash that tells versions apart."""
    return hashlib.sha256(content).hexdigest()


def versions_of(state: StateTransaction, account_name: str) -> list[ContextVersion]:
    """All versions of an account's context, oldest first."""
    names = [field.name for field in fields(ContextVersion) if field.name != "cause"]
    return [
        ContextVersion(cause=VersionCause(row["cause"]), **{name: row[name] for name in names})
        for row in state.context_versions(account_name)
    ]


def content_of(state: StateTransaction, account_name: str, sequence: int) -> bytes:
    """The bytes of one version that exists."""
    row = state.context_version(account_name, sequence)
    assert row is not None, "versions are never deleted"
    return bytes(row["content"])


def chosen_version(
    versions: Sequence[ContextVersion], wanted: str, account_name: str
) -> ContextVersion:
    """The version of a number or an id, the newest when the id was there more than once.

    Raises:
        ContextError: There is none.
    """
    for version in reversed(versions):
        if wanted in (version.context_id, str(version.sequence)):
            return version
    raise ContextError(
        f"The context of {account_name} has no version {wanted!r}: `afterpost context history "
        f"{account_name}` lists them."
    )


def add_version(
    state: StateTransaction,
    account_name: str,
    content: bytes,
    *,
    context_id: str,
    cause: VersionCause,
    now: datetime,
    decision_id: str | None = None,
    is_written: bool = False,
) -> None:
    """Commit to a new version; its file is written after the transaction.

    Args:
        state: The transaction.
        account_name: The account.
        content: The file's bytes.
        context_id: Hash of the content.
        cause: Why there is a new version.
        now: The moment.
        decision_id: The decision that caused it.
        is_written: The file holds these bytes already.
    """
    latest = state.latest_context(account_name)
    state.add_context_version(
        {
            "account_name": account_name,
            "sequence": 1 if latest is None else latest["sequence"] + 1,
            "context_id": context_id,
            "sha256": sha256_of(content),
            "content": content,
            "cause": cause.value,
            "decision_id": decision_id,
            "created_at": now,
            "is_written": is_written,
        }
    )


def write_out(settings: Settings, account_name: str, path: Path) -> None:
    """Make the files what the state database says: first the history, then the context itself.

    Raises:
        ContextError: The disk refuses. What was decided is safe in the state database, and the
            next command that needs the context writes it.
    """
    folder = path.parent / HISTORY_FOLDER
    with reading_state(settings) as state:
        versions = versions_of(state, account_name)
        kept = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
        missing = {
            name: content_of(state, account_name, version.sequence)
            for version in versions[:-1]
            if (name := history_name(version)) not in kept
        }
        content = content_of(state, account_name, versions[-1].sequence)
    try:
        for name, former in missing.items():
            write_atomically(folder / name, former)
        write_atomically(path, content)
    except OSError as error:
        raise ContextError(
            f"{path} could not be written ({error.strerror}). The decision itself is stored; make "
            f"room and run `afterpost context check {account_name}`, which writes the file."
        ) from error


def history_name(version: ContextVersion) -> str:
    """The file that a former version has in the history folder."""
    return f"{version.sequence:04d}_{version.context_id}.json"
