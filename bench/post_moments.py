"""The moments of ``int_segment_moments`` from arrays of posts, without a database.

A test holds the two equal on the same posts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measure.effects import SegmentMoments
from pipeline.measure.pooling import Keys

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NO_SEGMENT = -1
_PULLED_IN_DEVIATIONS = 3.5 * 1.4826


@dataclass(frozen=True)
class PostMoments:
    """Moments of every account, dimension, outcome and segment that has posts, in that order.

    All arrays have the shape (rows,); the integers are indices of what they name.
    """

    account: Integers
    dimension: Integers
    outcome: Integers
    segment: Integers
    moments: SegmentMoments
    keys: Keys


def pulled_in(log_value: Floats, account: Integers) -> Floats:
    """Log values of one outcome, at most 3.5 robust deviations from their account's median.

    Args:
        log_value: Shape (posts,); NaN where the post lacks the outcome.
        account: Index of each post's account, shape (posts,).
    """
    rounded = np.round(log_value, 6)
    result = rounded.copy()
    for index in np.unique(account):
        own = (account == index) & ~np.isnan(rounded)
        if not own.any():
            continue
        centre = np.median(rounded[own])
        limit = _PULLED_IN_DEVIATIONS * np.median(np.abs(rounded[own] - centre))
        if limit > 0:
            result[own] = np.round(np.clip(rounded[own], centre - limit, centre + limit), 6)
    return result


def moments_of_posts(account: Integers, segment: Integers, log_value: Floats) -> PostMoments:
    """Moments of all segments.

    Args:
        account: Index of each post's account, shape (posts,).
        segment: Index of its segment in each dimension, shape (posts, dimensions);
            :data:`NO_SEGMENT` where it has none.
        log_value: Shape (posts, outcomes); NaN where the post lacks the outcome.
    """
    accounts, dimensions, outcomes = (
        int(account.max()) + 1,
        segment.shape[1],
        log_value.shape[1],
    )
    segments = int(segment.max()) + 1
    # Cells stand as account, dimension, outcome, segment; a post falls in one per dimension.
    shape = (accounts, dimensions, outcomes, segments)
    n, total, squares = (np.zeros(shape) for _ in range(3))
    all_n, all_total, all_squares = (np.zeros((accounts, outcomes)) for _ in range(3))
    for outcome in range(outcomes):
        value = pulled_in(log_value[:, outcome], account)
        told = ~np.isnan(value)
        value, owner = value[told], account[told]
        all_n[:, outcome], all_total[:, outcome], all_squares[:, outcome] = _moments(
            value, owner, accounts
        )
        for dimension in range(dimensions):
            place = segment[told, dimension]
            has = place != NO_SEGMENT
            cell = owner[has] * segments + place[has]
            found = _moments(value[has], cell, accounts * segments)
            for target, part in zip((n, total, squares), found, strict=True):
                target[:, dimension, outcome] = part.reshape(accounts, segments)

    cells = np.argwhere(n > 0)
    at = tuple(cells.T)
    of_account, of_dimension, of_outcome, of_segment = cells.T
    every = (of_account, of_outcome)
    kind = of_dimension * outcomes + of_outcome
    return PostMoments(
        account=of_account,
        dimension=of_dimension,
        outcome=of_outcome,
        segment=of_segment,
        moments=SegmentMoments(
            group=_without_gaps(of_account * (dimensions * outcomes) + kind),
            n=n[at],
            log_mean=total[at] / n[at],
            log_squared_deviations=squares[at],
            all_n=all_n[every],
            all_log_mean=all_total[every] / all_n[every],
            all_log_squared_deviations=all_squares[every],
        ),
        keys=Keys(
            group=_without_gaps(of_account * (dimensions * outcomes) + kind),
            segment=_without_gaps(kind * segments + of_segment),
            kind=_without_gaps(kind),
            account=of_account,
            question=of_dimension,
        ),
    )


def _moments(value: Floats, cell: Integers, cells: int) -> tuple[Floats, Floats, Floats]:
    """Count, sum, and sum of squared deviations from the cell's mean, each of shape (cells,)."""
    count = np.bincount(cell, minlength=cells).astype(np.float64)
    total = np.bincount(cell, weights=value, minlength=cells)
    mean = np.divide(total, count, out=np.zeros(cells), where=count > 0)
    squares = np.bincount(cell, weights=(value - mean[cell]) ** 2, minlength=cells)
    return count, total, squares


def _without_gaps(index: Integers) -> Integers:
    return np.unique(index, return_inverse=True)[1].astype(np.int64)
