"""``python -m dbt_project.lint.two_engines.check``: SQL that two engines would not read alike."""

import sys
from collections.abc import Iterator
from pathlib import Path

from dbt_project.lint.two_engines.rendering import PROJECT, Project
from dbt_project.lint.two_engines.rules import findings

_NO_SQL = frozenset({"generate_schema_name"})
"""Macros that dbt itself asks, and that make no SQL."""


def sentences(folder: Path = PROJECT) -> list[str]:
    """One sentence per finding in a dbt project, with its place, by file and line."""
    found: dict[tuple[str, str], str] = {}
    for place, said, caller in _found(Project(folder)):
        found.setdefault((place, said), "" if caller == place else f" (called from {caller})")
    return [
        f"{place}: {said}{caller}"
        for (place, said), caller in sorted(found.items(), key=lambda one: _by_line(one[0]))
    ]


def _found(project: Project) -> Iterator[tuple[str, str, str]]:
    for sql in project.rendered():
        for offset, said in findings(sql.text, sql.is_of_engine):
            yield sql.place(offset), said, sql.caller(offset)
    for name in sorted(project.own_macros.keys() - project.used_macros - _NO_SQL):
        place = project.own_macros[name]
        said = f"no model, test or hook calls the macro {name}, so that nobody checks it"
        yield place, said, place


def _by_line(found: tuple[str, str]) -> tuple[str, int, str]:
    file, _, line = found[0].rpartition(":")
    return file, int(line), found[1]


def main() -> int:
    """Print what is found.

    Returns:
        The exit code: 1 when something is.
    """
    found = sentences()
    sys.stdout.writelines(f"{sentence}\n" for sentence in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
