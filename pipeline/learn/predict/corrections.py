"""Corrections of predictions by a factor on a segment's posts, and what they were good for.

Each is scored by the same loss as the predictions themselves, with and without it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.learn.predict.post_features import DIMENSIONS, REFLEXION_WEIGHT
from pipeline.learn.predict.posts import Texts
from pipeline.learn.predict.quantiles import pinball
from pipeline.measure.effects import Flags, Floats
from pipeline.measure.intervals import student_deviations

PROVEN_POSTS = 5
"""Later posts on which a proposal has to have helped before a policy applies it."""
SURELY_WORSE_POSTS = 8
NO_HELP_POSTS = 20
"""Posts after which a correction has to have helped."""
LATEST_POSTS = 40


@dataclass(frozen=True)
class Correction:
    """A factor on the predictions of one segment's posts."""

    dimension: str
    segment: str
    factor: float
    proposed_at: datetime
    applied_at: datetime | None = None
    ended_at: datetime | None = None

    def is_in(self, predicted_at: datetime, posted_at: datetime) -> bool:
        """Whether it went into a prediction of a post of its segment."""
        moment = min(predicted_at, posted_at)
        is_over = self.ended_at is not None and self.ended_at <= moment
        return self.applied_at is not None and self.applied_at <= moment and not is_over


@dataclass(frozen=True)
class Scores:
    """Scored predictions of one account, platform and target, oldest post first."""

    predicted_at: Sequence[datetime]
    posted_at: Sequence[datetime]
    log_outcome: Floats
    log_quantiles: Floats
    """As said, with all corrections in them; shape (rows, 3)."""
    weight: Floats
    """The product of the corrections in each, within its range; shape (rows,)."""
    segments: Texts
    """In the order of ``DIMENSIONS``, empty where not known; shape (rows, dimensions)."""

    def of_segment(self, dimension: str, segment: str) -> Flags:
        """Whether each row is of the segment; shape (rows,)."""
        found: Flags = self.segments[:, DIMENSIONS.index(dimension)] == segment
        return found


@dataclass(frozen=True)
class Trial:
    """Losses of the same predictions with and without a correction."""

    n: int
    loss_with: float
    loss_without: float
    """Mean pinball loss; both NaN without posts."""
    change_low: float
    change_high: float
    """With ``change_low`` the 90 % interval of the first less the second; NaN below three posts."""

    @property
    def helps(self) -> bool:
        """Whether the loss is less with it."""
        return self.loss_with < self.loss_without

    @property
    def is_proven(self) -> bool:
        """Whether it would have helped on enough posts for a policy to apply it."""
        return self.n >= PROVEN_POSTS and self.helps

    @property
    def is_surely_worse(self) -> bool:
        """Whether the loss is more with it, beyond chance."""
        return self.n >= SURELY_WORSE_POSTS and self.change_low > 0

    @property
    def is_of_no_help(self) -> bool:
        """Whether it had its posts and did not help."""
        return self.n >= NO_HELP_POSTS and not self.helps


def trial_of(scores: Scores, correction: Correction, others: Sequence[Correction]) -> Trial:
    """How predictions did with a correction and without it.

    One that was applied is judged by the predictions that it went into; one that was not, by those
    from after its proposal, as if it had gone into them. Only its latest posts count: a model that
    was fitted since may have learned what was corrected.

    Args:
        scores: Of its account, platform and target.
        correction: Of which to tell.
        others: All other corrections there, ended ones too.
    """
    own = scores.of_segment(correction.dimension, correction.segment)
    rows: list[int] = []
    without, with_it = [], []
    for row in np.flatnonzero(own).tolist():
        said_at, posted_at = scores.predicted_at[row], scores.posted_at[row]
        product = math.prod(
            other.factor
            for other in others
            if other.is_in(said_at, posted_at)
            and scores.segments[row, DIMENSIONS.index(other.dimension)] == other.segment
        )
        if correction.applied_at is None:
            if said_at <= correction.proposed_at:
                continue
        elif not correction.is_in(said_at, posted_at):
            continue
        rows.append(row)
        without.append(product)
        with_it.append(product * correction.factor)
    chosen = np.array(rows[-LATEST_POSTS:], dtype=np.int64)
    said = scores.log_quantiles[chosen] - np.log(scores.weight[chosen])[:, None]
    return compared(
        scores.log_outcome[chosen],
        said + np.log(REFLEXION_WEIGHT.within(np.array(with_it[-LATEST_POSTS:])))[:, None],
        said + np.log(REFLEXION_WEIGHT.within(np.array(without[-LATEST_POSTS:])))[:, None],
    )


def compared(outcome: Floats, with_it: Floats, without: Floats) -> Trial:
    """Losses of two predictions of the same posts.

    Args:
        outcome: On the log scale, shape (rows,).
        with_it: Quantiles with a correction, shape (rows, 3).
        without: The same without it.
    """
    n = len(outcome)
    if n == 0:
        return Trial(0, *(math.nan,) * 4)
    loss_with, loss_without = pinball(outcome, with_it), pinball(outcome, without)
    change = loss_with - loss_without
    reach = math.nan
    if n >= 3:
        reach = student_deviations(n - 1) * float(change.std(ddof=1)) / math.sqrt(n)
    return Trial(
        n=n,
        loss_with=float(loss_with.mean()),
        loss_without=float(loss_without.mean()),
        change_low=float(change.mean()) - reach,
        change_high=float(change.mean()) + reach,
    )
