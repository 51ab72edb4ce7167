"""The mirror of a home: all that it cannot make again, copied to another place.

A plan first, which reads and hashes; then what is new is copied, and one manifest makes it a
generation (:mod:`pipeline.clients.mirror_generations`). One process of a home mirrors at a time.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.clients.mirror_copying import (
    HashCache,
    Source,
    copy_files,
    damaged_objects,
    finish,
    to_copy,
    whole_generations,
)
from pipeline.clients.mirror_generations import (
    DATA,
    LANDING,
    PUBLISHED,
    STATE,
    Generation,
    MirroredFile,
    new_name,
)
from pipeline.clients.mirror_store import MirrorStore, open_mirror
from pipeline.clients.state_dump import dump_state
from pipeline.clients.table_exports import export_tables
from pipeline.clients.table_hashes import raw_table_hashes
from pipeline.clients.warehouse import (
    is_anything_published,
    published_database,
    published_version,
)
from pipeline.clock import utc_now
from pipeline.collect.home_files import account_files, landed_files, model_files
from pipeline.collect.landing import MANIFEST_SUFFIX
from pipeline.errors import MirrorError, WarehouseLockedError
from pipeline.settings import Settings

_STAGING = ".mirroring"


@dataclass(frozen=True)
class MirrorReport:
    """What a mirror did."""

    generation: Generation
    copied_count: int
    copied_bytes: int
    removed_count: int
    """Objects that no kept generation needs."""
    problems: tuple[str, ...]
    """What could not be mirrored, a sentence each."""

    @property
    def byte_count(self) -> int:
        """Of all files of the generation."""
        return sum(file.size for file in self.generation.files)


@dataclass(frozen=True)
class MirrorPlan:
    """What is to be done; made by :func:`planned_mirror`, which keeps others out until its end."""

    settings: Settings
    store: MirrorStore
    generation: Generation
    copies: Sequence[MirroredFile]
    sources: Mapping[str, Source]
    cache: HashCache
    problems: tuple[str, ...]

    def carry_out(self, advance: Callable[[], None] = lambda: None) -> MirrorReport:
        """Copy what is new, and make it a generation.

        Args:
            advance: Called after each copied file.

        Raises:
            MirrorUnreachableError: The place did not take it; the former generation is as it was.
            MirrorError: A file is being written all the time, or has gone.
        """
        copied = copy_files(self.store, self.copies, self.sources, advance)
        files = tuple(copied.get(file.path, file) for file in self.generation.files)
        generation = self.generation.model_copy(update={"files": files})
        removed = finish(self.store, generation, utc_now())
        self.cache.save()
        return MirrorReport(
            generation=generation,
            copied_count=len(copied),
            copied_bytes=sum(file.size for file in copied.values()),
            removed_count=removed,
            problems=self.problems,
        )


@contextmanager
def mirror_lock(settings: Settings) -> Iterator[None]:
    """Be the only one of this home that mirrors or restores.

    Raises:
        WarehouseLockedError: Another process did not end in time.
    """
    folder = settings.warehouse_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "mirror.lock")
    try:
        lock.acquire(timeout=settings.lock_timeout_s, poll_interval=0.1)
    except Timeout as error:
        raise WarehouseLockedError(
            f"Another process mirrors or restores {settings.home} and did not end within "
            f"{settings.lock_timeout_s:.0f} s. Try again when it has."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def planned_mirror(
    settings: Settings, *, accepts_losses: bool = False, reads_back: bool = False
) -> Iterator[MirrorPlan]:
    """Look at the home and the mirror, and say what is to be copied.

    Args:
        settings: Whose home, and where the mirror is.
        accepts_losses: Let the mirror forget landing files and a state database that it has and
            the home has not. Without it a home that lost them would have its mirror lose them too.
        reads_back: Read all that the mirror has, and copy anew what is damaged there.

    Raises:
        ConfigurationError: No mirror is set, or it cannot be opened.
        MirrorError: The home has lost what the mirror has.
        MirrorUnreachableError: The place did not answer.
        WarehouseLockedError: Another process mirrors this home.
    """
    store = open_mirror(settings)
    with mirror_lock(settings):
        staging = settings.warehouse_dir / _STAGING
        shutil.rmtree(staging, ignore_errors=True)  # of a mirror that was killed
        try:
            try:
                plan = _plan(
                    settings,
                    store,
                    staging,
                    accepts_losses=accepts_losses,
                    reads_back=reads_back,
                )
            except OSError as error:
                raise MirrorError(
                    f"{staging} cannot be written or a file of the home not be read "
                    f"({error.strerror or error}). Make room or fix the permissions, then run "
                    "`afterpost mirror`."
                ) from error
            yield plan
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _plan(
    settings: Settings,
    store: MirrorStore,
    staging: Path,
    *,
    accepts_losses: bool,
    reads_back: bool,
) -> MirrorPlan:
    former = whole_generations(store)
    stored = store.listing(DATA)
    cache = HashCache(settings)
    # Landing before state and accounts: a decision is about what had landed by then.
    landed, sources, problems = _landed(settings, former)
    state = _folder(staging / STATE)
    dump = dump_state(settings, state)
    sources += [Source(f"{STATE}/{path.name}", path) for path in dump.files]
    sources += [*account_files(settings), *model_files(settings)]
    version, inputs = None, {}
    if is_anything_published(settings):
        version = published_version(settings)
        inputs = raw_table_hashes(published_database(settings))
        tables = export_tables(settings, _folder(staging / PUBLISHED))
        sources += [Source(f"{PUBLISHED}/{table.path.name}", table.path) for table in tables]
    here = [file for source in sources if (file := cache.mirrored(source)) is not None]
    now = utc_now()
    generation = Generation(
        name=new_name(now),
        made_at=now,
        published_version=version,
        inputs=inputs,
        state_row_counts={name: count for name, count in dump.row_counts.items() if count},
        files=tuple(sorted([*landed, *here], key=lambda file: file.path)),
    )
    if former and not accepts_losses:
        _refuse_losses(store, former[0], generation)
    if reads_back:
        for name in damaged_objects(store, generation.files, stored):
            del stored[name]
    known = {source.path: source for source in sources}
    copies = to_copy(generation.files, stored)
    gone = [file for file in copies if file.path not in known]
    if gone:
        raise MirrorError(
            f"The rows {gone[0].path} are neither here nor whole in the mirror at {store.shown}"
            f"{_and_more(len(gone) - 1)}: bring them back from a backup, or move the manifest "
            "beside them away to go on without that scrape."
        )
    return MirrorPlan(settings, store, generation, copies, known, cache, problems)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _landed(
    settings: Settings, former: Sequence[Generation]
) -> tuple[list[MirroredFile], list[Source], tuple[str, ...]]:
    """Rows that only the mirror has, files that are here, and what is nowhere."""
    mirrored: list[MirroredFile] = []
    here: list[Source] = []
    lost: list[Source] = []
    for answer in landed_files(settings):
        here.append(answer.manifest)
        if answer.rows.file.exists():
            here.append(answer.rows)
            continue
        known = [one.by_path[answer.rows.path] for one in former if answer.rows.path in one.by_path]
        if known:
            mirrored.append(known[0])
        else:
            lost.append(answer.rows)
    if not lost:
        return mirrored, here, ()
    more = _and_more(len(lost) - 1)
    problem = f"The landing file {lost[0].file}{more} is missing here and in the mirror."
    return mirrored, here, (problem,)


def _refuse_losses(store: MirrorStore, former: Generation, new: Generation) -> None:
    lost = [
        file.path
        for file in former.below(LANDING)
        if file.path.endswith(MANIFEST_SUFFIX) and file.path not in new.by_path
    ]
    advice = (
        "`afterpost mirror --accept-losses` has the mirror forget it too, once its last "
        "generations are gone."
    )
    if lost:
        raise MirrorError(
            f"The mirror at {store.shown} has landing files that are not here: {lost[0]}"
            f"{_and_more(len(lost) - 1)}. They were lost, or it is another home's mirror. "
            f"`afterpost restore --landing` brings them back; {advice}"
        )
    if former.state_row_counts and not new.state_row_counts:
        count = sum(former.state_row_counts.values())
        raise MirrorError(
            f"The mirror at {store.shown} has {count:,} rows of the state database, and the one "
            "here has none. It was lost, or AFTERPOST_STATE_URL names another one. `afterpost "
            f"restore` brings it back; {advice}"
        )


def _and_more(count: int) -> str:
    return f" (and {count:,} more)" if count > 0 else ""
