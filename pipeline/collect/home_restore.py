"""A home made again from its mirror: all of it or nothing, and never over what a home has.

Files are fetched into a folder of their own, each checked against its hash. Only when all of them
are there and right are they put in place, by renaming. A restore that was ended before that can be
begun again and takes what it had; one that was ended while it put things in place is finished by
the next.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.clients.mirror_fetching import fetch_files, is_same
from pipeline.clients.mirror_generations import (
    ACCOUNTS,
    LANDING,
    PLACED,
    STATE,
    Generation,
    MirroredFile,
    read_generation,
)
from pipeline.clients.mirror_store import MirrorStore
from pipeline.clients.state_dump import (
    dump_hashes,
    dump_state,
    restore_state,
    state_row_count,
)
from pipeline.clients.warehouse import new_version, writer_lock
from pipeline.clock import utc_now
from pipeline.collect.home_files import account_files, landed_files, model_files
from pipeline.collect.home_mirror import mirror_lock
from pipeline.collect.placing import Placement, finish_placement, place
from pipeline.errors import HomeInTheWayError
from pipeline.settings import Settings

_STATE_DATABASE = "the state database"


@dataclass(frozen=True)
class RestorePlan:
    """What is to be fetched and put in place; made by :func:`planned_restore`."""

    settings: Settings
    store: MirrorStore
    generation: Generation
    files: Sequence[MirroredFile]
    """That are not in the home yet."""
    state_files: Sequence[MirroredFile]
    in_the_way: Sequence[str]
    """What is set aside first: paths relative to the home."""
    aside: str
    """The folder of the home that takes it."""

    def carry_out(self, advance: Callable[[], None] = lambda: None) -> None:
        """Fetch everything, then put it in place.

        Args:
            advance: Called after each fetched file.

        Raises:
            MirrorDamagedError: A file is missing in the mirror or damaged; nothing was put in
                place.
            MirrorUnreachableError: The place did not answer; nothing was put in place.
        """
        staging = _staging(self.settings)
        fetch_files(
            self.store,
            self.generation,
            [*self.files, *self.state_files],
            lambda file: staging / file.path,
            advance,
        )
        wanted = {file.path for file in (*self.files, *self.state_files)}
        _remove_others(staging, wanted)
        if self.state_files:
            # Into a database of its own first: nothing is put in place before it is all right.
            with TemporaryDirectory(prefix="afterpost-") as folder:
                restore_state(Settings(home=Path(folder)), staging / STATE)
        place(
            self.settings,
            staging,
            Placement(
                files=tuple(sorted(file.path for file in self.files)),
                has_state=bool(self.state_files),
                in_the_way=tuple(self.in_the_way),
                aside=self.aside,
            ),
        )


@contextmanager
def planned_restore(
    settings: Settings,
    store: MirrorStore,
    *,
    generation_name: str | None = None,
    only_landing: bool = False,
    force: bool = False,
) -> Iterator[RestorePlan]:
    """Look at the mirror and the home, and say what is to be fetched.

    Args:
        settings: The home.
        store: The mirror.
        generation_name: Which generation; the current one when left out.
        only_landing: Bring back landing files that are not here, and leave all else alone.
        force: Set aside what is in the way, in a folder of the home.

    Raises:
        MirrorDamagedError: The generation is damaged; the sentence offers the one before.
        HomeInTheWayError: The home has data that the generation has not, or has otherwise.
        WarehouseLockedError: Another process writes this home.
    """
    with mirror_lock(settings), writer_lock(settings, "restore"):
        finish_placement(settings, _staging(settings))
        generation = read_generation(store, generation_name)
        _refuse_links(settings, generation)
        yield _plan(settings, store, generation, only_landing=only_landing, force=force)


def _plan(
    settings: Settings,
    store: MirrorStore,
    generation: Generation,
    *,
    only_landing: bool,
    force: bool,
) -> RestorePlan:
    roots = (LANDING,) if only_landing else PLACED
    missing: list[MirroredFile] = []
    in_the_way: list[str] = []
    for file in generation.below(*roots):
        target = settings.home / file.path
        if not (target.exists() or target.is_symlink()):
            missing.append(file)
        elif not is_same(target, file):
            missing.append(file)
            in_the_way.append(file.path)
    state_files: list[MirroredFile] = []
    if not only_landing:
        in_the_way += _others(settings, generation)
        if not _is_state_there(settings, store, generation):
            state_files = generation.below(STATE)
            if state_row_count(settings):
                in_the_way += _state_database_files(settings)
        if missing or state_files or in_the_way:
            # Else it was made of the very same, perhaps by a restore that was ended meanwhile.
            in_the_way += _warehouse_files(settings)
    if in_the_way and (not force or _STATE_DATABASE in in_the_way):
        raise _refusal(settings, generation, in_the_way, only_landing=only_landing)
    aside = f"{settings.warehouse_dir.name}/before_restore_{new_version(utc_now())}"
    return RestorePlan(settings, store, generation, missing, state_files, in_the_way, aside)


def _others(settings: Settings, generation: Generation) -> list[str]:
    """Data of the home that the generation does not have."""
    accounts = {file.path.split("/")[1] for file in generation.below(ACCOUNTS)}
    found: list[str] = []
    for source in account_files(settings):
        name = source.path.split("/")[1]
        found.append(source.path if name in accounts else f"{ACCOUNTS}/{name}")
    found += [source.path for source in model_files(settings)]
    for answer in landed_files(settings):
        found += [one.path for one in (answer.manifest, answer.rows) if one.file.exists()]
    return [path for path in dict.fromkeys(found) if path not in generation.by_path]


def _warehouse_files(settings: Settings) -> list[str]:
    files = settings.warehouse_dir.glob(f"{settings.database_path.name}*")
    return [path.relative_to(settings.home).as_posix() for path in sorted(files)]


def _state_database_files(settings: Settings) -> list[str]:
    """The files of the state database; its own words where it is a server's or lies elsewhere."""
    if settings.state_url is not None:
        return [_STATE_DATABASE]
    files = sorted(settings.warehouse_dir.glob("state.db*"))
    return [path.relative_to(settings.home).as_posix() for path in files]


def _is_state_there(settings: Settings, store: MirrorStore, generation: Generation) -> bool:
    """Whether the home's state database has the very rows."""
    files = generation.below(STATE)
    if not files:
        return True
    if not state_row_count(settings):
        return not generation.state_row_counts
    staging = _staging(settings)
    fetch_files(store, generation, files, lambda file: staging / file.path, lambda: None)
    with TemporaryDirectory(prefix="afterpost-") as folder:
        dump_state(settings, Path(folder))
        return dump_hashes(Path(folder)) == dump_hashes(staging / STATE)


def _refusal(
    settings: Settings, generation: Generation, in_the_way: Sequence[str], *, only_landing: bool
) -> HomeInTheWayError:
    more = f" (and {len(in_the_way) - 1:,} more)" if len(in_the_way) > 1 else ""
    if _STATE_DATABASE in in_the_way:
        advice = (
            "Point AFTERPOST_STATE_URL to an empty database"
            f"{'' if only_landing else ', or bring back the landing files alone with --landing'}."
        )
    elif only_landing:
        advice = "--force sets it aside."
    else:
        advice = "--force sets it aside, and --landing brings back the landing files alone."
    return HomeInTheWayError(
        f"{settings.home} has data that generation {generation.name} has not, or has otherwise: "
        f"{in_the_way[0]}{more}. Nothing was changed. {advice}"
    )


def _refuse_links(settings: Settings, generation: Generation) -> None:
    """No file is written through a link that leads out of the home's data."""
    roots = [folder.resolve() for folder in (settings.accounts_dir, settings.warehouse_dir)]
    folders = {(settings.home / file.path).parent for file in generation.below(*PLACED)}
    for folder in sorted(folders):
        if not any(folder.resolve().is_relative_to(root) for root in roots):
            raise HomeInTheWayError(
                f"{folder} leads out of {settings.home} by a link, so nothing is restored there. "
                "Nothing was changed: move the link away first."
            )


def _staging(settings: Settings) -> Path:
    return settings.warehouse_dir / ".restoring"


def _remove_others(staging: Path, wanted: set[str]) -> None:
    """Remove what an interrupted restore of another generation had fetched."""
    for path in staging.rglob("*"):
        if path.is_file() and path.relative_to(staging).as_posix() not in wanted:
            path.unlink()
