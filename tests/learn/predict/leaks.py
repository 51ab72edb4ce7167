"""Finds what of a later day is in what was known of posts before it."""

import numpy as np

from pipeline.learn.predict.standing import standing
from pipeline.learn.predict.warehouse_features import Knowledge, Target


def leaking_columns(then: Knowledge, later: Knowledge) -> set[str]:
    """The columns that differ for posts that both know, row by row and to the last bit.

    Args:
        then: What a warehouse knew that never saw a later day than the newest of these posts.
        later: What one knows that saw later days too.

    Returns:
        Names of segments, numbers and columns of the accounts' standing.

    Raises:
        ValueError: They have no post in common, so that nothing could be found.
    """
    found: set[str] = set()
    compared = 0
    for platform in then.platforms():
        for target in Target:
            one, other = (known.posts(platform, target) for known in (then, later))
            here, there = _common(then, later, platform)
            if not len(here):
                continue
            compared += len(here)
            before, after = one.rows(here), other.rows(there)
            for names, column in (
                (one.dimension_names, "segments"),
                (one.number_names, "numbers"),
            ):
                pair = (getattr(before, column), getattr(after, column))
                found |= {
                    name
                    for place, name in enumerate(names)
                    if not _same(pair[0][:, place], pair[1][:, place])
                }
            stood = standing(before, one, target.scale)
            stands = standing(after, other, target.scale)
            found |= {
                f"standing.{name}"
                for name in stood.__dataclass_fields__
                if not _same(getattr(stood, name), getattr(stands, name))
            }
    if not compared:
        raise ValueError("the two have no post in common")
    return found


def _common(then: Knowledge, later: Knowledge, platform: str) -> tuple[np.ndarray, np.ndarray]:
    """Places of the common posts in the platform's tables of both, in the same order."""
    ids = []
    for known in (then, later):
        own = known.platform == platform
        keys = zip(known.account[own].tolist(), known.post_id[own].tolist(), strict=True)
        ids.append({key: place for place, key in enumerate(keys)})
    both = [key for key in ids[0] if key in ids[1]]
    here = np.array([ids[0][key] for key in both], dtype=np.int64)
    there = np.array([ids[1][key] for key in both], dtype=np.int64)
    if (np.diff(there) <= 0).any():
        raise ValueError("the posts stand in another order")
    return here, there


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind == "f":
        return bool(np.array_equal(one, other, equal_nan=True))
    return bool(np.array_equal(one, other))
