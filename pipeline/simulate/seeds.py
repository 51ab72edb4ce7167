"""Random streams that depend on names, not on the order of drawing."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def stream(seed: int, *names: str) -> np.random.Generator:
    """An independent generator for one named thing of one world.

    A post's draws stay the same when another account, another day or a later end is added.

    Args:
        seed: The world's seed, 0 or more.
        names: What the stream is for, for example account, platform and date.
    """
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    words = [int.from_bytes(digest[start : start + 4], "big") for start in range(0, 32, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """One of ``choices``, each equally likely."""
    return choices[int(rng.integers(len(choices)))]


def weighted_pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One of the keys, as likely as its weight (weights above 0, any sum)."""
    mark = float(rng.random()) * sum(weights.values())
    for name, weight in weights.items():
        mark -= weight
        if mark < 0:
            return name
    return list(weights)[-1]
