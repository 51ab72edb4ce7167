"""What of a home cannot be made again: the files that a mirror holds.

Landing files with their manifests, what stands in the accounts' folders, and fitted models. Not:
the warehouse, which is made of them; secrets, which lie elsewhere; anything hidden.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.accounts import ACCOUNT_NAME_PATTERN
from pipeline.clients.mirror_copying import Source
from pipeline.clients.mirror_generations import ACCOUNTS, LANDING, MODELS
from pipeline.collect.landing import MANIFEST_SUFFIX, ROWS_SUFFIX, manifest_files
from pipeline.settings import Settings


@dataclass(frozen=True)
class LandedFiles:
    """The two files of one landed answer."""

    manifest: Source
    rows: Source
    """Whose file may be missing, where it was pruned or lost."""


def landed_files(settings: Settings) -> Iterator[LandedFiles]:
    """Every answer that has a manifest; rows without one do not count."""
    for path in manifest_files(settings):
        rows = path.with_name(path.name.removesuffix(MANIFEST_SUFFIX) + ROWS_SUFFIX)
        yield LandedFiles(_landing_source(settings, path), _landing_source(settings, rows))


def _landing_source(settings: Settings, path: Path) -> Source:
    return Source(f"{LANDING}/{path.relative_to(settings.landing_dir).as_posix()}", path)


def account_files(settings: Settings) -> Iterator[Source]:
    """Everything in the accounts' folders that is not hidden, in order of path.

    A folder that is a link is followed, since a generator may write elsewhere; its content is what
    counts, so a restored home has a folder there.
    """
    folder = settings.accounts_dir
    if folder.is_dir():
        for account in sorted(folder.iterdir()):
            if account.is_dir() and ACCOUNT_NAME_PATTERN.fullmatch(account.name):
                yield from _below(account, f"{ACCOUNTS}/{account.name}", frozenset())


def model_files(settings: Settings) -> Iterator[Source]:
    """Fitted models, and what they were fitted from."""
    yield from _below(settings.warehouse_dir / "models", MODELS, frozenset())


def _below(folder: Path, path: str, above: frozenset[str]) -> Iterator[Source]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder around it
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(Path(entry.path), f"{path}/{entry.name}", above | {real})
        elif entry.is_file():
            yield Source(f"{path}/{entry.name}", Path(entry.path))
