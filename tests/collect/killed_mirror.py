"""Mirrors that are killed: run by a test in a process of its own.

Nothing has been mirrored by this process itself, so it has no threads and may fork.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.clients import mirror_store
from pipeline.clients.mirror_store import MirrorStore
from pipeline.settings import Settings
from tests.fakes.mirrored_homes import mirrored


def main(folders: list[str], moments: list[str]) -> None:
    """Mirror the home of each folder, to be killed at its moment; say by what each ended."""
    for folder, moment in zip(folders, moments, strict=True):
        child = os.fork()
        if not child:
            _die_at(moment)
            mirrored(Settings(home=Path(folder) / "home", storage_url=f"{folder}/store"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{moment} {os.waitstatus_to_exitcode(status)}\n")


def _die_at(moment: str) -> None:
    """A moment is ``write:data:3:half``: the third write of a name like that, half done."""
    method, beginning, number, when = moment.split(":")
    left = int(number)
    counting = threading.Lock()  # several are written at once
    real: Callable[..., Any] = getattr(MirrorStore, method)

    def dying(store: MirrorStore, name: str, *arguments: Any) -> Any:
        nonlocal left
        if not name.startswith(beginning):
            return real(store, name, *arguments)
        with counting:
            left -= 1
            is_it = left == 0
        if is_it and when == "before":
            _die()
        if is_it and when == "half":
            _die_half()
        done = real(store, name, *arguments)
        if is_it:
            _die()
        return done

    setattr(MirrorStore, method, dying)


def _die_half() -> None:
    """Let the next file be written, but not get its name."""

    class Dying:
        @staticmethod
        def fsync(_: int) -> None:
            _die()

    mirror_store.os = Dying  # type: ignore[attr-defined,assignment]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1::2], sys.argv[2::2])
