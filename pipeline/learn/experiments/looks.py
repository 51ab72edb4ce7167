"""The looks of an experiment, made anew from its posts.

There is a look whenever a value becomes known: at the publication plus the metric's age. What all
looks up to one say together is then the same whenever and however often somebody reads, and
nothing about earlier readings has to be remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.learn.experiments.adjusting import Adjustment, adjusted
from pipeline.learn.experiments.anytime import Anytime, follow, look
from pipeline.learn.experiments.arms import (
    Arm,
    Floats,
    NotComparableError,
    difference,
    log_arm,
    ratio_arm,
)
from pipeline.learn.experiments.expected import unit_arrays
from pipeline.learn.experiments.registration import Metric, MetricKind
from pipeline.learn.experiments.validity import Unit

FEWEST = 2
"""Posts per arm that a variance needs."""


@dataclass(frozen=True)
class Series:
    """The known values of one arm in the order they became known.

    Attributes:
        metric: What was measured.
        times: When each became known, in seconds since 1970; ascending.
        top: Logarithms, numerators or counts, adjusted where that was registered.
        below: Denominators of a rate; None for other metrics.
        plain: Values in the metric's own unit, not adjusted.
        post_ids: The posts.
        expected: What was to be expected of each; None where nothing was known.
    """

    metric: Metric
    times: Floats
    top: Floats
    below: Floats | None
    plain: Floats
    post_ids: tuple[str, ...]
    expected: tuple[float | None, ...]

    def count_at(self, times: Floats) -> NDArray[np.int_]:
        """How many values are known at each of some moments."""
        return np.searchsorted(self.times, times, side="right")

    @cached_property
    def path(self) -> Arm:
        """What the first 2, 3, … values say; there are at least 2.

        Raises:
            NotComparableError: The first denominators sum to nothing.
        """
        counts = np.arange(FEWEST, len(self.top) + 1)
        if self.metric.kind is MetricKind.CONTINUOUS:
            return log_arm(self.top, looks=counts)
        return ratio_arm(self.top, self.below, looks=counts)

    def first(self, n: int) -> Arm:
        """What the first n values say, to the last bit whatever came later."""
        if self.metric.kind is MetricKind.CONTINUOUS:
            return log_arm(self.top[:n])
        return ratio_arm(self.top[:n], None if self.below is None else self.below[:n])

    def arm_of(self, counts: NDArray[np.int_] | int) -> Arm:
        """What the first so many values say, 2 at least."""
        place = np.asarray(counts) - FEWEST
        return Arm(
            self.path.kind,
            *(getattr(self.path, part.name)[place] for part in fields(Arm) if part.name != "kind"),
        )


def series_of(
    units: Sequence[Unit],
    names: Sequence[str],
    metric: Metric,
    now: datetime,
    adjustment: Adjustment | None = None,
) -> dict[str, Series]:
    """The series of every arm.

    Args:
        units: Posts that count.
        names: The arms.
        metric: What is read.
        now: Values that became known later do not exist yet.
        adjustment: Frozen before the first post; None for plain values.
    """
    found = {}
    for name in names:
        own = sorted(
            (
                (unit.post.known_at(metric).timestamp(), unit.post.post_id, unit.post)
                for unit in units
                if unit.arm == name
                and metric.name in unit.post.outcomes
                and unit.post.known_at(metric) <= now
            ),
            key=lambda item: item[:2],
        )
        outcomes = [post.outcomes[metric.name] for _, _, post in own]
        top, below = unit_arrays(outcomes, metric)
        # What was not to be expected of a post stays as it is.
        expected = np.array([outcome.expected for outcome in outcomes], float)
        top = adjusted(top, expected, adjustment, below)
        plain = np.array([outcome.value for outcome in outcomes], float)
        times = np.array([time for time, _, _ in own], float)
        found[name] = Series(
            metric,
            times,
            top,
            below,
            plain,
            post_ids=tuple(post_id for _, post_id, _ in own),
            expected=tuple(outcome.expected for outcome in outcomes),
        )
    return found


def moments(series: Sequence[Mapping[str, Series]], *, began: float) -> Floats:
    """When anything became known, each moment once, and before that when the experiment began."""
    times = [one.times for arms in series for one in arms.values()]
    return np.unique(np.concatenate([[began], *times]))


@dataclass(frozen=True)
class Looks:
    """Two arms at every moment; all arrays have one entry per moment.

    Attributes:
        seen: What all looks up to each say together.
        effect: Difference of the means on the arms' scale; nan before there are two values each.
        log_ratio: Logarithm of the ratio of the means; nan where it has none.
        n_usual: Values of the one arm.
        n_tried: Values of the other.
    """

    seen: Anytime
    effect: Floats
    log_ratio: Floats
    n_usual: NDArray[np.int_]
    n_tried: NDArray[np.int_]


def looks_at(
    usual: Series, tried: Series, times: Floats, *, planned_per_arm: int, alpha: float
) -> Looks:
    """Look at two arms at every moment.

    Args:
        usual: One arm.
        tried: The other.
        times: The moments, ascending.
        planned_per_arm: As registered.
        alpha: For this contrast.
    """
    n_usual, n_tried = usual.count_at(times), tried.count_at(times)
    enough = (n_usual >= FEWEST) & (n_tried >= FEWEST)
    seen = _nothing(len(times))
    effect, log_ratio = np.full(len(times), np.nan), np.full(len(times), np.nan)
    if enough.any():
        try:
            gap = difference(usual.arm_of(n_usual[enough]), tried.arm_of(n_tried[enough]))
        except NotComparableError:  # nothing in the first denominators
            return Looks(seen, effect, log_ratio, n_usual, n_tried)
        found = look(gap, planned_per_arm, alpha=alpha)
        for part in fields(Anytime):
            getattr(seen, part.name)[enough] = getattr(found, part.name)
        effect[enough], log_ratio[enough] = gap.effect, gap.log_ratio
    return Looks(follow(seen), effect, log_ratio, n_usual, n_tried)


def _nothing(n: int) -> Anytime:
    """Looks that exclude nothing."""
    return Anytime(
        p_value=np.ones(n),
        low=np.full(n, -np.inf),
        high=np.full(n, np.inf),
        log_ratio_low=np.full(n, -np.inf),
        log_ratio_high=np.full(n, np.inf),
        drifted=np.zeros(n, bool),
    )
