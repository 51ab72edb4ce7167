"""Un-flattening: ``authorMeta/fans`` and ``videoMeta.duration`` back into nested objects.

Full CSV exports join keys and list indexes with ``/``; the console's Overview joins keys with
``.`` in every format. Values stay exactly as they are.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.collect.bundles import is_bundled, unbundled

_FLAT_KEY = re.compile(r"[A-Za-z_#$][\w#$:-]*(?:[/.][\w#$:-]+){1,16}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_MOST_GAPS = 64
"""Empty list places that are kept as null; beyond, indexes only give the order."""


def is_flat(item: Mapping[str, Any]) -> bool:
    """Whether any key of the row is a joined path."""
    return any(("/" in key or "." in key) and _FLAT_KEY.fullmatch(key) for key in item)


def is_nested(item: Mapping[str, Any]) -> bool:
    """Whether the row stands as the actors' own schema has it."""
    return not (is_flat(item) or is_bundled(item))


def nested(item: Mapping[str, Any]) -> dict[str, Any]:
    """The row with joined keys taken apart; a row without any is returned as it is.

    A part of a bundle gets the actor's names. A path that collides with another value of the row
    keeps its joined key: nothing is lost.
    """
    if is_bundled(item):
        return unbundled(item)
    if not is_flat(item):
        return dict(item)
    tree: dict[str, Any] = {}
    made: set[int] = set()
    kept: dict[str, Any] = {}
    for key in sorted(item, key=lambda key: "/" in key or "." in key):  # plain keys first
        value = item[key]
        if not (("/" in key or "." in key) and _FLAT_KEY.fullmatch(key)):
            tree[key] = value
            continue
        *folders, leaf = key.split("/" if "/" in key else ".")
        if not _put(tree, made, folders, leaf, value):
            kept[key] = value
    return {**{key: _listed(value, made) for key, value in tree.items()}, **kept}


def _put(tree: dict[str, Any], made: set[int], folders: list[str], leaf: str, value: Any) -> bool:
    place = tree
    for folder in folders:
        below = place.get(folder)
        if below is None and folder not in place:
            below = place[folder] = {}
            made.add(id(below))
        if not isinstance(below, dict) or id(below) not in made:
            return False
        place = below
    if leaf in place:
        return False
    place[leaf] = value
    return True


def _listed(value: Any, made: set[int]) -> Any:
    """Objects that un-flattening made, turned into lists where all keys are indexes."""
    if not isinstance(value, dict) or id(value) not in made:
        return value
    below = {key: _listed(one, made) for key, one in value.items()}
    if not all(_INDEX.fullmatch(key) for key in below):
        return below
    by_index = {int(key): one for key, one in below.items()}
    last = max(by_index)
    if last + 1 - len(by_index) > _MOST_GAPS:
        return [by_index[index] for index in sorted(by_index)]
    return [by_index.get(index) for index in range(last + 1)]
