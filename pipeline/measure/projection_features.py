"""What a post's growth so far says of its growth to come: extrapolations and their features.

Counts are taken as ``ln(1 + count)`` throughout.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EARLY_DECAY = 0.7
_SATURATION = 1.3
_FAST_SHARE, _FAST_HOURS, _SLOW_HOURS = 0.8, 20.0, 300.0
"""A usual curve, for posts that were seen once on platforms of which nothing is known yet."""


@dataclass(frozen=True)
class Histories:
    """What is known of one post at one moment, and the age asked for; one row each.

    All arrays have the shape (rows,). Ages are hours since publication and above 0, with
    ``first_age < last_age < target_age``; a post that was seen once has NaN for all of its
    ``first`` values. The companion is another count of the same post at the same moments (for
    views: its engagement), NaN where it is not known: it tells how much a post is liked by those
    who saw it, which is how long it will be shown to more.
    """

    first_age_hours: Floats
    first_count: Floats
    first_companion: Floats
    last_age_hours: Floats
    last_count: Floats
    last_companion: Floats
    target_age_hours: Floats

    def __post_init__(self) -> None:
        """Raise ValueError where the arrays do not fit together or ages are out of order."""
        shapes = {getattr(self, field.name).shape for field in fields(self)}
        if len(shapes) != 1:
            raise ValueError(f"the arrays of histories differ in shape: {sorted(shapes)}")
        is_ordered = (self.last_age_hours > 0) & (self.last_age_hours < self.target_age_hours)
        # Written so that NaN, for a post seen once, passes.
        is_ordered &= ~(self.first_age_hours >= self.last_age_hours) & ~(self.first_age_hours <= 0)
        if not is_ordered.all():
            raise ValueError("ages must be above 0 and ordered: first, last, target")

    def __len__(self) -> int:
        return len(self.last_count)

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Histories":
        """The chosen rows."""
        return Histories(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def is_seen_once(self) -> NDArray[np.bool_]:
        """Whether only one count is known, shape (rows,)."""
        return np.isnan(self.first_count)

    @property
    def log_last(self) -> Floats:
        """``ln(1 + last count)``, shape (rows,)."""
        return np.log1p(self.last_count)

    @property
    def log_ahead(self) -> Floats:
        """``ln(target age / last age)``, above 0, shape (rows,): how far the projection reaches."""
        return np.log(self.target_age_hours / self.last_age_hours)


def usual_share(age_hours: Floats) -> Floats:
    """Share of its final count that a post usually has at an age, shape as given."""
    fast, slow = (-np.expm1(-age_hours / hours) for hours in (_FAST_HOURS, _SLOW_HOURS))
    return _FAST_SHARE * fast + (1 - _FAST_SHARE) * slow


def on_log_time(histories: Histories, decay: float = 1.0) -> Floats:
    """``ln(1 + count)`` at the target age when new counts come at a rate of ``age ** -decay``.

    With a decay of 1 the count grows linearly in the logarithm of age: what people get who draw a
    straight line without any training. NaN for posts seen once.
    """
    new = np.maximum(histories.last_count - histories.first_count, 0)
    return np.log1p(histories.last_count + new * _ratio_of_gains(histories, decay))


def on_log_log(histories: Histories, decay: float = 1.0) -> Floats:
    """The same with relative growth coming at such a rate.

    With a decay of 1 it is a power law; above 1 the count saturates. NaN for posts seen once.
    """
    new = histories.log_last - np.log1p(histories.first_count)
    return histories.log_last + np.maximum(new, 0) * _ratio_of_gains(histories, decay)


def untrained(histories: Histories) -> Floats:
    """``ln(1 + count)`` at the target age without any training, shape (rows,).

    On log time; by the usual curve for a post that was seen once.
    """
    by_curve = np.log1p(
        histories.last_count
        * usual_share(histories.target_age_hours)
        / usual_share(histories.last_age_hours)
    )
    return np.where(histories.is_seen_once, by_curve, on_log_time(histories))


def disagreement(histories: Histories) -> Floats:
    """How far a power law and saturation lie apart on the log scale; NaN for posts seen once."""
    return np.abs(on_log_log(histories) - on_log_log(histories, _SATURATION + 0.3))


def features(histories: Histories) -> Floats:
    """One row of features each, shape (rows, features); NaN for what a single count cannot tell.

    Logs of count and ages, growth and its slope, four extrapolations relative to the last count,
    and the companion relative to the count.
    """
    first_age, last_age = histories.first_age_hours, histories.last_age_hours
    log_last = histories.log_last
    growth = log_last - np.log1p(histories.first_count)
    log_between = np.log(last_age / first_age)
    log_companion = np.log1p(histories.last_companion)
    ahead = histories.target_age_hours - last_age
    return np.column_stack(
        [
            log_last,
            np.log(first_age),
            np.log(last_age),
            np.log(histories.target_age_hours),
            histories.log_ahead,
            log_between,
            growth,
            growth / log_between,
            on_log_time(histories, _EARLY_DECAY) - log_last,
            on_log_time(histories) - log_last,
            on_log_log(histories) - log_last,
            on_log_log(histories, _SATURATION) - log_last,
            np.log(ahead / (last_age - first_age)),
            np.log(last_age - first_age),
            np.log(ahead),
            log_companion - log_last,
            log_companion - np.log1p(histories.first_companion) - growth,
        ]
    )


def _ratio_of_gains(histories: Histories, decay: float) -> Floats:
    def gained(age_hours: Floats) -> Floats:
        return np.log(age_hours) if decay == 1 else age_hours ** (1 - decay) / (1 - decay)

    at_last = gained(histories.last_age_hours)
    return (gained(histories.target_age_hours) - at_last) / (
        at_last - gained(histories.first_age_hours)
    )
