"""CPU seconds and memory of this process and all that it started, as Linux counts them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_EVERY_S = 0.5


@dataclass
class Use:
    """What was used while it was watched; complete when the watching has ended."""

    cpu_s: float = 0.0
    peak_bytes: int = 0
    """Highest sum of resident memory; pages that two processes share count twice."""


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu_s: float
    """Its own and that of its children that have ended."""
    resident_bytes: int


@contextmanager
def watched() -> Iterator[Use]:
    """Watch this process and its descendants while the block runs."""
    use = Use()
    before = _all_cpu_s()
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_EVERY_S):
            resident = sum(one.resident_bytes for one in _watched().values())
            use.peak_bytes = max(use.peak_bytes, resident)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield use
    finally:
        ended.set()
        thread.join()
        use.cpu_s = _all_cpu_s() - before


def _all_cpu_s() -> float:
    return sum(one.cpu_s for one in _watched().values())


def _watched() -> dict[int, _Process]:
    found = _processes()
    ours = {os.getpid()}
    while more := {pid for pid, one in found.items() if one.parent in ours} - ours:
        ours |= more
    return {pid: one for pid, one in found.items() if pid in ours}


def _processes() -> dict[int, _Process]:
    processes = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name before it may have blanks and brackets in it.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        processes[int(entry.name)] = _Process(
            parent=int(fields[1]),
            cpu_s=sum(map(int, fields[11:15])) / _TICKS_PER_S,
            resident_bytes=int(fields[21]) * _PAGE_BYTES,
        )
    return processes
