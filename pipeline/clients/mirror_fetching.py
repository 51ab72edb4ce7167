"""Taking files out of a mirror: each is checked against its hash before it has its name."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import IO

from pipeline.clients.mirror_copying import AT_ONCE, sha256_of
from pipeline.clients.mirror_generations import (
    LANDING,
    Generation,
    MirroredFile,
    current_name,
    manifest_name,
    offer_without,
    read_generation,
)
from pipeline.clients.mirror_store import MirrorStore, ObjectMissingError, open_mirror
from pipeline.errors import MirrorDamagedError
from pipeline.settings import Settings

_IN_MEMORY_BYTES = 8 << 20


def fetch_files(
    store: MirrorStore,
    generation: Generation,
    files: Sequence[MirroredFile],
    place: Callable[[MirroredFile], Path],
    advance: Callable[[], None],
) -> None:
    """Copy files out of a mirror, some at a time; what stands there already and is right, stays.

    Args:
        store: Where they are.
        generation: That names them.
        files: Which.
        place: Where each is to be.
        advance: Called after each.

    Raises:
        MirrorDamagedError: One is missing or not what its manifest says; the sentence names it.
        MirrorUnreachableError: The place did not answer.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(_fetch, store, generation, file, place(file)) for file in files]
        try:
            for fetching in running:
                fetching.result()
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(store: MirrorStore, generation: Generation, file: MirroredFile, target: Path) -> None:
    if is_same(target, file):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as out:
            _write_checked(store, generation, file, out)
            out.flush()
            os.fsync(out.fileno())
        os.utime(temporary, ns=(file.modified_ns, file.modified_ns))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def is_same(path: Path, file: MirroredFile) -> bool:
    """Whether a file on disk has the very content."""
    try:
        return path.stat().st_size == file.size and sha256_of(path) == file.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def _write_checked(
    store: MirrorStore, generation: Generation, file: MirroredFile, out: IO[bytes]
) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        for block in store.blocks(file.object_name):
            digest.update(block)
            size += len(block)
            out.write(block)
    except ObjectMissingError:
        raise _damaged(store, generation, file, "is missing") from None
    if size != file.size or digest.hexdigest() != file.sha256:
        raise _damaged(store, generation, file, "is damaged")


def _damaged(
    store: MirrorStore, generation: Generation, file: MirroredFile, what: str
) -> MirrorDamagedError:
    return MirrorDamagedError(
        f"{file.path} {what} in the mirror at {store.shown} ({file.object_name}), so "
        f"{manifest_name(generation.name)} cannot be restored. Nothing was put in place."
        f"{offer_without(store, generation, file)}"
    )


def open_landing_file(settings: Settings, path: Path) -> IO[bytes] | None:
    """A landing file that is no longer here, from the mirror; None where that has none either.

    It is read from there each time and not kept: what was pruned to make room stays pruned.

    Raises:
        MirrorDamagedError: The mirror's copy is missing or damaged.
        MirrorUnreachableError: The place did not answer.
    """
    if settings.storage_url is None:
        return None
    name = f"{LANDING}/{path.relative_to(settings.landing_dir).as_posix()}"
    store, generation = _current(settings)
    if generation is None or name not in generation.by_path:
        _current.cache_clear()  # it may be of a later mirror than this process has seen
        store, generation = _current(settings)
    file = generation.by_path.get(name) if generation is not None else None
    if file is None or generation is None:
        return None
    content: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 (the caller closes it)
        max_size=_IN_MEMORY_BYTES
    )
    _write_checked(store, generation, file, content)
    content.seek(0)
    return content


@lru_cache(maxsize=1)
def _current(settings: Settings) -> tuple[MirrorStore, Generation | None]:
    store = open_mirror(settings)
    return store, None if current_name(store) is None else read_generation(store)
