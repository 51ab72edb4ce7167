"""The table that predictions are learned from and asked for: posts in the order of their time."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.measure.effects import Flags, Floats, Integers

Texts = NDArray[np.str_]

_COLUMNS = ("account", "posted_at_hours", "known_at_hours", "outcome", "segments", "numbers")
UNKNOWN = ""
"""The segment of a post whose segment is not known."""


@dataclass(frozen=True)
class LogScale:
    """The logarithm on which an outcome is modelled: ``ln(value + offset)``.

    The offset is what a value of nothing is worth: 1 for counts, about the step of one like among
    a usual number of views for rates.
    """

    offset: float = 1.0
    largest: float = np.inf
    """No value can be above: 1 for rates that are shares."""

    def to_log(self, values: Floats) -> Floats:
        """Values in their own unit on the log scale; NaN stays NaN."""
        return np.log(values + self.offset)

    def from_log(self, logs: Floats) -> Floats:
        """The way back, within what the outcome can be."""
        return np.clip(np.exp(logs) - self.offset, 0.0, self.largest)


COUNT = LogScale()
"""Views, impressions, followers won: counts."""
RATE = LogScale(offset=0.001, largest=1.0)
"""Engagement rates: fractions."""


@dataclass(frozen=True)
class Posts:
    """Posts with what was known of each when it was posted, and its outcome where it is known.

    Rows are in the order of ``posted_at_hours``. The segments and numbers of a row must not need
    anything that was known only after the posting; what follows from the outcomes of earlier posts
    (:mod:`pipeline.learn.predict.standing`) is added from these columns, with the times in mind.
    """

    account: Texts
    """Whose series of outcomes a post belongs to, such as account and platform; shape (rows,)."""
    posted_at_hours: Floats
    """Since any moment that is the same for all tables that meet, shape (rows,)."""
    known_at_hours: Floats
    """When the outcome was known, after the posting; infinite where it is not, shape (rows,)."""
    outcome: Floats
    """In its own unit, not below 0; NaN where it is not known, shape (rows,)."""
    segments: Texts
    """The post's segment in each dimension, ``UNKNOWN`` for none; shape (rows, dimensions)."""
    numbers: Floats
    """NaN where not known, shape (rows, numbers)."""
    dimension_names: tuple[str, ...]
    number_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError where columns do not fit together, or times or values cannot be."""
        rows = len(self.account)
        shapes = {
            "posted_at_hours": (rows,),
            "known_at_hours": (rows,),
            "outcome": (rows,),
            "segments": (rows, len(self.dimension_names)),
            "numbers": (rows, len(self.number_names)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}, not {shape}")
        if not (np.diff(self.posted_at_hours) >= 0).all():
            raise ValueError("posts must be in the order of their posting times")
        is_known = ~np.isnan(self.outcome)
        if (self.outcome[is_known] < 0).any():
            raise ValueError("outcomes below 0 cannot be put on a log scale")
        if (self.known_at_hours[is_known] < self.posted_at_hours[is_known]).any():
            raise ValueError("an outcome cannot be known before its post")
        if not np.isinf(self.known_at_hours[~is_known]).all():
            raise ValueError("an outcome that is not known has no time at which it was known")

    def __len__(self) -> int:
        return len(self.account)

    def rows(self, chosen: Integers | Flags | slice) -> "Posts":
        """The chosen rows; indices must be ascending."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    def known_by(self, hours: float) -> "Posts":
        """The posts whose outcomes were known before a moment."""
        return self.rows(self.known_at_hours < hours)

    def without_outcomes(self) -> "Posts":
        """The same posts as they were when nothing was known of what they would do."""
        nothing = np.full(len(self), np.nan)
        return replace(self, outcome=nothing, known_at_hours=np.full(len(self), np.inf))


def together(earlier: Posts, later: Posts) -> tuple[Posts, Integers]:
    """Two tables as one in the order of time, and the places of the second one's rows in it.

    Raises:
        ValueError: The tables have other columns.
    """
    names = ("dimension_names", "number_names")
    if any(getattr(earlier, name) != getattr(later, name) for name in names):
        raise ValueError("the tables have different dimensions or numbers")
    hours = np.concatenate([earlier.posted_at_hours, later.posted_at_hours])
    order = np.argsort(hours, kind="stable")

    def joined(name: str) -> Any:
        return np.concatenate([getattr(earlier, name), getattr(later, name)])[order]

    both = replace(earlier, **{name: joined(name) for name in _COLUMNS})
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return both, place[len(earlier) :]
