"""Which tables each exposure of the dbt project reads: made of the readers' own SQL.

An exposure names the modules that make it (``made_by``). Whatever they and the modules that they
import name as a table is what it depends on; ``make docs`` writes that into the file.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.measure.statistics_tables import STATISTICS_TABLES
from pipeline.settings import REPOSITORY
from pipeline.show.documents.generated import write_or_check

EXPOSURES = REPOSITORY / "dbt_project" / "models" / "marts" / "_exposures.yml"
READERS = ("learn", "decide", "show")
"""Rooms that read the published copy; what the others read, they make."""

_TABLE = re.compile(r"\b(marts|stats|intermediate|raw|staging)\.([a-z][a-z0-9_]+)\b")


@cache
def exposed() -> dict[str, Mapping[str, Any]]:
    """The exposures as they stand in the file, by name."""
    found = yaml.safe_load(EXPOSURES.read_text(encoding="utf-8"))["exposures"]
    return {one["name"]: one for one in found}


def modules_of(name: str) -> set[str]:
    """What makes an exposure: its modules and those they import, but for what makes another."""
    others = {module for other in exposed() if other != name for module in _entries(other)}
    found: set[str] = set()
    waiting = _entries(name)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting |= _imported(module) - others
    return found


@cache
def tables_named(module: str) -> frozenset[str]:
    """Tables of dbt in the module's strings but for its docstrings, as ``schema.name``."""
    tree = _tree(module)
    if tree is None:
        raise FileNotFoundError(f"an exposure is made by {module}, which is no module")
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]
    named = {match for text in texts for match in _TABLE.findall(text)}
    return frozenset(f"{schema}.{name}" for schema, name in named if _reference(schema, name))


def depends_on(name: str) -> list[str]:
    """References, as dbt writes them, to what an exposure reads, sorted."""
    tables = {table for module in modules_of(name) for table in tables_named(module)}
    return sorted(str(_reference(*table.split("."))) for table in tables)


def modules_in(folder: Path) -> Iterator[str]:
    """The names of all modules below a folder of the repository; none when it is no folder."""
    for path in folder.rglob("*.py"):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__")


def exposures_page() -> str:
    """The file with what each exposure depends on, all else as it stands."""
    text = EXPOSURES.read_text(encoding="utf-8")
    for name in exposed():
        lines = "".join(f"      - {reference}\n" for reference in depends_on(name))
        pattern = (
            rf"(  - name: {name}\n(?:(?!  - name: ).*\n)*?    depends_on:).*\n(?:      - .*\n)*"
        )
        text, count = re.subn(pattern, rf"\g<1>\n{lines}", text)
        if count != 1:
            raise ValueError(f"the exposure {name} has no depends_on of its own")
    return text


def _reference(schema: str, name: str) -> str | None:
    """How dbt refers to a table; None for what dbt neither makes nor knows."""
    if schema == "raw" or (schema == "stats" and name in STATISTICS_TABLES):
        return f"source('{schema}', '{name}')"
    return f"ref('{name}')" if name in _made_by_dbt() else None


@cache
def _made_by_dbt() -> frozenset[str]:
    project = REPOSITORY / "dbt_project"
    models = (project / "models").rglob("*.sql")
    return frozenset(path.stem for path in (*models, *(project / "seeds").glob("*.csv")))


def _entries(name: str) -> set[str]:
    """The modules under ``made_by``; of a package all that are in it."""
    return {
        module
        for entry in exposed()[name]["config"]["meta"]["made_by"]
        for module in (entry, *modules_in(REPOSITORY / Path(*entry.split("."))))
    }


@cache
def _tree(module: str) -> ast.Module | None:
    path = REPOSITORY / Path(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None


@cache
def _imported(module: str) -> frozenset[str]:
    """The readers' modules that a module imports, at its top or inside of a function."""
    tree = _tree(module)
    names: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    rooms = tuple(f"pipeline.{room}." for room in READERS)
    return frozenset(name for name in names if name.startswith(rooms) and _tree(name) is not None)


if __name__ == "__main__":
    sys.exit(write_or_check(EXPOSURES, exposures_page(), sys.argv[1:]))
