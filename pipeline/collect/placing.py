"""Putting restored files in place: what is in the way first, then the state, then the files.

What is to be done is written down before it is begun, so that whoever comes after an interruption
finishes it, and nothing is ever overwritten.
"""

import errno
import os
import secrets
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.atomic_files import sync_folder, write_atomically
from pipeline.clients.mirror_copying import sha256_of
from pipeline.clients.mirror_generations import LANDING, MODELS, STATE
from pipeline.clients.state_dump import restore_state, state_row_count
from pipeline.errors import HomeInTheWayError
from pipeline.settings import Settings

_NOTE = "placement.json"


class Placement(BaseModel):
    """What is to be done once everything is fetched."""

    model_config = ConfigDict(frozen=True)

    files: tuple[str, ...]
    """Paths relative to the staging folder and to the home alike."""
    has_state: bool
    in_the_way: tuple[str, ...]
    aside: str


def place(settings: Settings, staging: Path, placement: Placement) -> None:
    """Put everything in place.

    Raises:
        HomeInTheWayError: Something has come into the way meanwhile.
        ConfigurationError: The state database cannot be reached.
    """
    staging.mkdir(parents=True, exist_ok=True)
    write_atomically(staging / _NOTE, placement.model_dump_json().encode())
    finish_placement(settings, staging)


def finish_placement(settings: Settings, staging: Path) -> None:
    """Do what is still to be done of a placement; nothing when none was begun. Raises as place."""
    note = staging / _NOTE
    if not note.exists():
        return
    placement = Placement.model_validate_json(note.read_bytes())
    for path in placement.in_the_way:
        _set_aside(settings.home / path, settings.home / placement.aside / path)
    if placement.has_state and not state_row_count(settings):
        restore_state(settings, staging / STATE)
    for root in (LANDING, MODELS):
        source, target = staging / root, settings.home / root
        if source.is_dir() and not target.exists():
            source.replace(target)  # the usual case, in one step
    # In this order rows come before their manifests, without which they do not count.
    for path in sorted(placement.files):
        _put(staging / path, settings.home / path)
    for folder in {(settings.home / path).parent for path in placement.files}:
        sync_folder(folder)
    shutil.rmtree(staging)


def _set_aside(path: Path, target: Path) -> None:
    # Done before an interruption: what is there now is the restored one. Or gone with its folder.
    if target.exists() or not (path.exists() or path.is_symlink()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    try:
        path.parent.rmdir()
    except OSError:
        return  # others are in it


def _put(source: Path, target: Path) -> None:
    if not source.exists():
        return  # put before an interruption
    if target.exists():
        if sha256_of(source) != sha256_of(target):
            raise HomeInTheWayError(
                f"{target} came to be while the home was being restored, and is not the mirrored "
                "one. Move it away and run `afterpost restore` again: it goes on from here."
            )
        source.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
        shutil.copy2(source, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.rename(target)
        source.unlink()
