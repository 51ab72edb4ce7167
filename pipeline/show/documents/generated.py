"""Files of the repository that are made from the project: written anew, or held against it."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.settings import REPOSITORY


def write_or_check(path: Path, text: str, arguments: Sequence[str]) -> int:
    """Write a file anew, or with ``--check`` say on stderr when it is not up to date.

    Args:
        path: A file in the repository.
        text: What must stand in it.
        arguments: The words behind the program's name.

    Returns:
        The exit code.
    """
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    name = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path
    sys.stderr.write(f"error: {name} is not what the project makes it: run `make docs`.\n")
    return 1
