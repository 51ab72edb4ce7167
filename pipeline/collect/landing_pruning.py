"""Room on the local disk: rows of old scrapes that are kept in the mirror alone.

Their manifests stay, so every load knows of them, and what it needs of their rows it reads from the
mirror. A file goes only after the mirror's copy was read back and has the same hash.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.clients.mirror_copying import AT_ONCE, sha256_of
from pipeline.clients.mirror_generations import Generation, MirroredFile
from pipeline.clients.mirror_store import MirrorStore, ObjectMissingError
from pipeline.collect.home_files import LandedFiles, landed_files
from pipeline.errors import MirrorDamagedError
from pipeline.settings import Settings

_MOMENT = "%Y%m%dT%H%M%SZ"
_MOMENT_LENGTH = len("20260521T210534Z")


@dataclass(frozen=True)
class Pruned:
    """What was removed here."""

    file_count: int
    byte_count: int


def prunable(settings: Settings, before: datetime) -> list[LandedFiles]:
    """Scrapes whose rows are here and that were scraped before a moment, oldest first."""
    return [
        answer
        for answer in landed_files(settings)
        if _scraped_at(answer) < before and answer.rows.file.exists()
    ]


def prune(
    store: MirrorStore,
    generation: Generation,
    answers: list[LandedFiles],
    advance: Callable[[], None] = lambda: None,
) -> Pruned:
    """Remove the rows of scrapes here, each after the mirror's copy was read back.

    Args:
        store: The mirror.
        generation: Its current generation, just made of this home.
        answers: Whose rows.
        advance: Called after each.

    Raises:
        MirrorDamagedError: The mirror gives something else back than was stored; that file and the
            ones after it stay here.
        MirrorUnreachableError: The place did not answer.
    """
    count = size = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for one in pool.map(lambda answer: _prune(store, generation, answer), answers):
                count, size = count + (one > 0), size + one
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Pruned(count, size)


def _prune(store: MirrorStore, generation: Generation, answer: LandedFiles) -> int:
    """Bytes that were removed; 0 when the rows are others than those that were mirrored."""
    path = answer.rows.file
    mirrored = generation.by_path.get(answer.rows.path)
    if mirrored is None or sha256_of(path) != mirrored.sha256:
        return 0
    if not _is_whole(store, mirrored):
        # Its name promised another content, so nothing good is overwritten.
        store.write_file(mirrored.object_name, path)
        if not _is_whole(store, mirrored):
            raise MirrorDamagedError(
                f"The mirror at {store.shown} gives back something else than was stored as "
                f"{mirrored.object_name}: {path} stays here. Look after that place."
            )
    path.unlink()
    return mirrored.size


def _is_whole(store: MirrorStore, file: MirroredFile) -> bool:
    try:
        return store.sha256(file.object_name) == file.sha256
    except ObjectMissingError:
        return False


def _scraped_at(answer: LandedFiles) -> datetime:
    """The moment that begins a scrape's id."""
    moment = answer.manifest.file.name[:_MOMENT_LENGTH]
    try:
        return datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # not an id of ours: never old
