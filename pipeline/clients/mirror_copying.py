"""Making a generation of a mirror: what is new is copied, the manifest comes last, the old goes.

What the former generation holds is not copied again. What no kept generation needs is removed, but
never what may belong to a mirror that another machine is making at this moment.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from pipeline.atomic_files import write_atomically
from pipeline.clients.mirror_generations import (
    DATA,
    GENERATIONS_KEPT,
    Generation,
    MirroredFile,
    current_name,
    generation_names,
    manifest_name,
    read_generation,
    write_generation,
)
from pipeline.clients.mirror_store import MirrorStore, StoredObject
from pipeline.errors import MirrorDamagedError, MirrorError
from pipeline.settings import Settings

AT_ONCE = 8
"""Transfers at a time: an object store answers slowly, and many askers at once."""
_STRAY_AFTER = timedelta(days=1)
"""A mirror of another machine may have put an object there that its manifest will name."""
_MOST_TRIES = 3
_IN_MEMORY_BYTES = 4 << 20


@dataclass(frozen=True)
class Source:
    """A file that is to be in the mirror."""

    path: str
    """Its name there."""
    file: Path


@dataclass(frozen=True)
class Transfer:
    """What was copied."""

    file_count: int
    byte_count: int


class HashCache:
    """Hashes of files that have not changed since they were read; a cache, so it may be lost."""

    def __init__(self, settings: Settings) -> None:
        """Read what the last mirror of this home has left."""
        self._path = settings.warehouse_dir / ".mirror_hashes.json"
        try:
            self._known: dict[str, list[str]] = orjson.loads(self._path.read_bytes())
        except (OSError, ValueError):
            self._known = {}
        self._used: dict[str, list[str]] = {}

    def mirrored(self, source: Source) -> MirroredFile | None:
        """The file as it is now; None when it has gone since it was listed."""
        try:
            stamp, size, modified_ns = stamp_of(source.file)
            known = self._known.get(source.path)
            if known is None or known[0] != stamp:
                known = [stamp, sha256_of(source.file)]
        except FileNotFoundError:
            return None
        self._used[source.path] = known
        return MirroredFile(
            path=source.path, size=size, sha256=known[1], modified_ns=modified_ns
        )  # fmt: skip

    def save(self) -> None:
        """Keep the hashes for the next mirror."""
        write_atomically(self._path, orjson.dumps(self._used))


def stamp_of(path: Path) -> tuple[str, int, int]:
    """How a file is on disk: another stamp for another content; its size; its time of change."""
    file = path.stat()
    stamp = f"{file.st_mtime_ns}-{file.st_size}-{file.st_ino}"
    return stamp, file.st_size, file.st_mtime_ns


def sha256_of(path: Path) -> str:
    """The hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole_generations(store: MirrorStore) -> list[Generation]:
    """The kept generations that can be read, the current one first, then newest first.

    A damaged one is left out: a new generation then copies what only it may have held.
    """
    try:
        current = current_name(store)
    except MirrorDamagedError:
        current = None
    names = generation_names(store)
    order = [name for name in (current, *names) if name in names]
    found = []
    for name in list(dict.fromkeys(order))[: GENERATIONS_KEPT + 1]:
        try:
            found.append(read_generation(store, name))
        except MirrorDamagedError:
            continue
    return found


def to_copy(
    files: Sequence[MirroredFile], stored: Mapping[str, StoredObject]
) -> list[MirroredFile]:
    """Which files the mirror does not hold yet.

    Args:
        files: All of the new generation.
        stored: What a listing of the data says, so that an object that somebody removed, or
            that a full disk cut, is copied anew.
    """
    missing = {}
    for file in files:
        there = stored.get(file.object_name)
        if there is None or there.size != file.size:
            missing[file.object_name] = file
    return list(missing.values())


def damaged_objects(
    store: MirrorStore, files: Sequence[MirroredFile], stored: Mapping[str, StoredObject]
) -> set[str]:
    """Names of objects that the place gives back with another content than was stored.

    Args:
        store: Where they are; all that is there is read.
        files: What they are to be.
        stored: What is there at all.

    Raises:
        MirrorUnreachableError: The place did not answer.
    """
    names = {file.object_name: file.sha256 for file in files if file.object_name in stored}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(store.sha256, names)
        return {name for name, sha256 in zip(names, found, strict=True) if sha256 != names[name]}


def copy_files(
    store: MirrorStore,
    files: Sequence[MirroredFile],
    sources: Mapping[str, Source],
    advance: Callable[[], None],
) -> dict[str, MirroredFile]:
    """Copy files to the mirror, some at a time.

    Args:
        store: Where to.
        files: Which, as they were when they were hashed.
        sources: Where each is, by its path in the mirror.
        advance: Called after each.

    Returns:
        The files as they were copied, by path: one may have been changed since it was hashed.

    Raises:
        MirrorUnreachableError: The place did not take one.
        MirrorError: A file is being written all the time, or has gone.
    """
    done: dict[str, MirroredFile] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(_copy, store, file, sources[file.path]) for file in files]
        try:
            for copying in running:
                copied = copying.result()
                done[copied.path] = copied
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return done


def _copy(store: MirrorStore, file: MirroredFile, source: Source) -> MirroredFile:
    try:
        if file.size <= _IN_MEMORY_BYTES:
            # What is hashed is what is stored, however its writer goes on.
            content = source.file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            file = file.model_copy(update={"size": len(content), "sha256": digest})
            store.write(file.object_name, content)
            return file
        return _copy_large(store, file, source)
    except FileNotFoundError as error:
        raise MirrorError(
            f"{source.file} went away while it was being mirrored: run `afterpost mirror` again."
        ) from error


def _copy_large(store: MirrorStore, file: MirroredFile, source: Source) -> MirroredFile:
    for _ in range(_MOST_TRIES):
        before = stamp_of(source.file)
        store.write_file(file.object_name, source.file)
        if stamp_of(source.file) == before and sha256_of(source.file) == file.sha256:
            return file
        # It may be half old, half new, under the name of a content that it does not have.
        store.remove(file.object_name)
        _, size, modified_ns = stamp_of(source.file)
        file = MirroredFile(
            path=file.path, size=size, sha256=sha256_of(source.file), modified_ns=modified_ns
        )
    raise MirrorError(
        f"{source.file} is being written all the time, so no whole copy of it could be made: run "
        "`afterpost mirror` when its writer is done."
    )


def finish(store: MirrorStore, generation: Generation, now: datetime) -> int:
    """Write the manifest, then remove what no kept generation needs.

    Returns:
        The number of objects that were removed.

    Raises:
        MirrorUnreachableError: The place did not take it; the former generation is the current one
            then, or this one, and each of them whole.
    """
    write_generation(store, generation)
    return _remove_old(store, generation.name, now)


def _remove_old(store: MirrorStore, newest: str, now: datetime) -> int:
    names = generation_names(store)
    kept = list(dict.fromkeys([newest, *names]))[:GENERATIONS_KEPT]
    needed: set[str] = set()
    for name in kept:
        try:
            needed |= {file.object_name for file in read_generation(store, name).files}
        except MirrorDamagedError:
            # Nobody knows what it needs, so nothing of anybody is removed.
            return 0
    dropped: set[str] = set()
    for name in names:
        if name not in kept:
            with suppress(MirrorDamagedError):  # what it named is removed as stray
                dropped |= {file.object_name for file in read_generation(store, name).files}
            # Before its files, so that no manifest ever names what is not there.
            store.remove(manifest_name(name))
    stray = [
        name
        for name, stored in store.listing(DATA).items()
        if name not in needed
        and (
            name in dropped
            or (stored.modified_at is not None and now - stored.modified_at > _STRAY_AFTER)
        )
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(store.remove, stray))
    return len(stray)
