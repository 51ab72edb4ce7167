"""Schema drift: rows of an actor that no longer look as they did.

A renamed key would otherwise read as "not published", and a changed type as a hidden number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.collect.platform_interface import Item, KeyContract, KeyType
from pipeline.collect.platform_rows import error_reason, one_line

_DEEPEST = 3
_MOST_NAMES = 50
_NAMES = {bool: "true or false", str: "text", list: "a list", dict: "an object"}


@dataclass(frozen=True)
class Drift:
    """How rows differ from their contract; names sorted, each once."""

    missing_required: tuple[str, ...] = ()
    """Keys that some row lacks, or that are null in every row."""
    unknown_keys: tuple[str, ...] = ()
    changed_types: tuple[str, ...] = ()
    """As "playCount: text instead of a whole number"."""

    @property
    def is_breaking(self) -> bool:
        """Whether numbers could be lost or wrong, so that nothing of the answer may be used."""
        return bool(self.missing_required or self.changed_types)

    @property
    def sentence(self) -> str:
        """The differences in words; empty when there are none."""
        parts = [
            f"{words}: {', '.join(names)}"
            for words, names in (
                ("missing keys", self.missing_required),
                ("values of another type", self.changed_types),
                ("unknown keys", self.unknown_keys),
            )
            if names
        ]
        return "; ".join(parts)

    def as_json(self) -> dict[str, list[str]]:
        """The differences as a JSON document, empty lists left out."""
        lists = {
            "missing_required": list(self.missing_required),
            "unknown_keys": list(self.unknown_keys),
            "changed_types": list(self.changed_types),
        }
        return {name: names for name, names in lists.items() if names}


def find_drift(rows: Sequence[object], contract: KeyContract) -> Drift:
    """Compare an answer's rows with what the actor is known to give.

    Args:
        rows: All rows of one answer, nested; error rows and rows of other kinds are passed over.
        contract: The actor's.
    """
    items = [
        row
        for row in rows
        if isinstance(row, dict) and error_reason(row) is None and contract.applies(row)
    ]
    lacking: set[str] = set()
    told: set[str] = set()
    unknown: set[str] = set()
    changed: set[str] = set()
    named = contract.known.union(contract.required, contract.types)
    for item in items:
        values = dict(_paths(item, _roots(named)))
        lacking |= contract.required - values.keys()
        told.update(path for path in contract.required if values.get(path) is not None)
        unknown.update(path for path in values if not _is_known(path, contract))
        for path, expected in contract.types.items():
            value = values.get(path)
            if value is not None and not _fits(value, expected):
                changed.add(f"{path}: {_name_of(value)} instead of {_expectation(expected)}")
    missing = lacking | (contract.required - told if items else set())
    return Drift(_named(missing), _named(unknown), _named(changed))


def _named(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(one_line(name) for name in names)[:_MOST_NAMES])


def _paths(item: Item, roots: frozenset[str]) -> Iterator[tuple[str, object]]:
    """Keys with their values; below an object only where the contract names keys below it."""

    def walk(value: Mapping[str, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
        for key, below in value.items():
            path = f"{prefix}{key}"
            yield path, below
            if isinstance(below, dict) and path in roots and depth < _DEEPEST:
                yield from walk(below, f"{path}.", depth + 1)

    yield from walk(item, "", 1)


@cache
def _roots(known: frozenset[str]) -> frozenset[str]:
    """The objects that the contract looks into."""
    roots: set[str] = set()
    for path in known:
        parts = path.split(".")
        roots.update(".".join(parts[:end]) for end in range(1, len(parts)))
    return frozenset(roots)


def _is_known(path: str, contract: KeyContract) -> bool:
    parent = path.rpartition(".")[0]
    if not contract.known or (parent and parent not in _roots(contract.known)):
        return True
    return path in contract.known or path in contract.required or path in _roots(contract.known)


def _fits(value: object, expected: KeyType) -> bool:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int):
        return int in kinds or float in kinds
    return isinstance(value, tuple(kind for kind in kinds if kind is not int)) or (
        # JSON writers may give a whole number a fraction of nothing.
        int in kinds and isinstance(value, float) and value.is_integer()
    )


def _expectation(expected: KeyType) -> str:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join(_name_of_type(kind) for kind in kinds)


def _name_of(value: object) -> str:
    return _name_of_type(type(value))


def _name_of_type(kind: type) -> str:
    if kind is int:
        return "a whole number"
    return "a number" if kind is float else _NAMES.get(kind, kind.__name__)
