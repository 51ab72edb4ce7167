"""Where predictions were systematically off, by what the posts were, and corrections of that.

A gap is the outcome less the expected value on the log scale: below 0 too much was said. Gaps are
compared within four weeks, so that a phase of the whole account, in which every prediction is too
low, is not taken for a trait of the segments that it posted then. A segment's gap has an interval,
is shrunk by how much segments differ at all, and becomes a correction only when it is found among
all segments that were looked at, and when the correction of its earlier posts would have helped
its later ones.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from pipeline.learn.predict.corrections import Correction, Scores, Trial, compared
from pipeline.learn.predict.post_features import DIMENSIONS, REFLEXION_WEIGHT
from pipeline.learn.predict.posts import Texts
from pipeline.measure.effects import (
    FALSE_DISCOVERY_RATE,
    MINIMUM_POSTS,
    MINIMUM_POSTS_FOR_VERDICT,
    Floats,
    SegmentMoments,
    own_effects,
)
from pipeline.measure.intervals import DEVIATIONS_90
from pipeline.measure.multiplicity import q_values

MOST_OPEN = 3
"""Corrections of one account, platform and target that are proposed or applied at a time."""
SMALLEST_LOG_FACTOR = math.log(1.05)
"""A smaller correction is not worth its words."""
HIGH_CONFIDENCE_Q = 0.01
HIGH_CONFIDENCE_POSTS = 20
EARLIER_SHARE = 0.7
"""Of a segment's posts, by which a correction is found that is tried on the others."""
_WINDOW = timedelta(days=28)
_DEVIATIONS_KEPT = 3.5


@dataclass(frozen=True)
class Gap:
    """How far off the predictions of one segment were, against the account's others."""

    dimension: str
    segment: str
    n: int
    log_gap: float
    """Mean, on the log scale, less that of all posts; below 0 too much was said."""
    low: float
    high: float
    """With ``low`` its 90 % interval."""
    q_value: float
    shrunk: float
    """What is to be expected of the next posts: the gap pulled towards none."""
    shrunk_low: float
    shrunk_high: float

    @property
    def factor(self) -> float:
        """The correction that would close the gap, within what is allowed."""
        return float(REFLEXION_WEIGHT.within(np.array([math.exp(self.shrunk)]))[0])

    @property
    def is_found(self) -> bool:
        """Whether it is there, and large enough to do something about."""
        return (
            self.q_value <= FALSE_DISCOVERY_RATE
            and self.n >= MINIMUM_POSTS_FOR_VERDICT
            and abs(self.shrunk) >= SMALLEST_LOG_FACTOR
            and (self.shrunk_low > 0 or self.shrunk_high < 0)
        )

    @property
    def is_high_confidence(self) -> bool:
        """Whether a policy that applies only what is sure applies it."""
        return self.q_value <= HIGH_CONFIDENCE_Q and self.n >= HIGH_CONFIDENCE_POSTS


@dataclass(frozen=True)
class Proposal:
    """A correction that is worth trying."""

    gap: Gap
    factor: float
    trial: Trial
    """Of the factor by the segment's earlier posts, on its later ones."""


def gaps(scores: Scores, corrections: Sequence[Correction]) -> list[Gap]:
    """What is left of the gaps of all segments with enough posts, were all corrections in force.

    Source of the pooled spread and the intervals: :func:`pipeline.measure.effects.own_effects`.
    Shrinkage is that of a normal prior around no gap whose variance is what the segments' gaps have
    beyond their errors (Morris, 1983, https://doi.org/10.1080/01621459.1983.10477920).

    Args:
        scores: Of one account, platform and target.
        corrections: That are applied now, or about to be.

    Returns:
        The clearest first.
    """
    return _gaps_of(scores, _left(scores, corrections))


def proposals(
    scores: Scores, standing: Sequence[Correction], *, resting: frozenset[tuple[str, str]]
) -> list[Proposal]:
    """Corrections of the clearest gaps, each found in what the ones before it leave.

    Segments of two dimensions share posts: with Sundays corrected, what was published on Sundays
    may have no gap left.

    Args:
        scores: Of one account, platform and target.
        standing: Corrections that are proposed or applied.
        resting: Dimensions and segments that get no correction now.
    """
    made: list[Proposal] = []
    taken = [*standing]
    excluded = resting | {(one.dimension, one.segment) for one in standing}
    while len(taken) < MOST_OPEN:
        left = _left(scores, taken)
        for gap in _gaps_of(scores, left):
            if gap.is_found and (gap.dimension, gap.segment) not in excluded:
                trial = _out_of_time(scores, left, gap)
                excluded |= {(gap.dimension, gap.segment)}
                if trial.helps:
                    made.append(Proposal(gap, gap.factor, trial))
                    moment = scores.posted_at[-1]
                    taken.append(Correction(gap.dimension, gap.segment, gap.factor, moment))
                    break
        else:
            break
    return made


def _left(scores: Scores, corrections: Sequence[Correction]) -> Floats:
    """Gaps on the log scale with exactly these corrections in force; shape (rows,)."""
    found = scores.log_outcome - scores.log_quantiles[:, 1] + np.log(scores.weight)
    product = np.ones(len(found))
    for one in corrections:
        product[scores.of_segment(one.dimension, one.segment)] *= one.factor
    left: Floats = found - np.log(REFLEXION_WEIGHT.within(product))
    return left


def _gaps_of(scores: Scores, left: Floats) -> list[Gap]:
    values = _within_windows(_pulled_in(left), scores.posted_at)
    moments, names = _moments(values, scores.segments)
    if not names:
        return []
    effects = own_effects(moments)
    known = np.flatnonzero(effects.has_figure)
    if len(known) == 0:
        return []
    _, family = np.unique(moments.group[known], return_inverse=True)
    q = q_values(effects.p_value[known], family)
    estimate, error = effects.estimate[known], effects.standard_error[known]
    between = max(float((estimate**2 - error**2).mean()), 0.0)
    kept = between / (between + error**2)
    spread = DEVIATIONS_90 * np.sqrt(kept) * error
    found = [
        Gap(
            dimension=names[row][0],
            segment=names[row][1],
            n=int(moments.n[row]),
            log_gap=float(effects.estimate[row]),
            low=float(effects.low[row]),
            high=float(effects.high[row]),
            q_value=float(q[place]),
            shrunk=float(kept[place] * estimate[place]),
            shrunk_low=float(kept[place] * estimate[place] - spread[place]),
            shrunk_high=float(kept[place] * estimate[place] + spread[place]),
        )
        for place, row in enumerate(known.tolist())
    ]
    return sorted(
        found, key=lambda gap: (gap.q_value, -abs(gap.shrunk), gap.dimension, gap.segment)
    )


def _moments(values: Floats, segments: Texts) -> tuple[SegmentMoments, list[tuple[str, str]]]:
    """Sums of all segments, but of dimensions in which all posts are alike."""
    group: list[int] = []
    n, mean, squares, names = [], [], [], []
    for dimension, column in _dimensions(segments):
        index = len(set(group))
        for segment in sorted({str(one) for one in column} - {""}):
            own = values[column == segment]
            group.append(index)
            n.append(float(len(own)))
            mean.append(float(own.mean()))
            squares.append(float(((own - own.mean()) ** 2).sum()))
            names.append((dimension, segment))
    whole = np.ones(len(names))
    overall = float(values.mean()) if len(values) else 0.0
    return (
        SegmentMoments(
            group=np.array(group, dtype=np.int64),
            n=np.array(n),
            log_mean=np.array(mean),
            log_squared_deviations=np.array(squares),
            all_n=whole * len(values),
            all_log_mean=whole * overall,
            all_log_squared_deviations=whole * float(((values - overall) ** 2).sum()),
        ),
        names,
    )


def _dimensions(segments: Texts) -> Iterator[tuple[str, Texts]]:
    for place, name in enumerate(DIMENSIONS):
        column: Texts = segments[:, place]
        if len(set(column.tolist())) > 1:
            yield name, column


def _pulled_in(values: Floats) -> Floats:
    """Outliers at 3.5 robust standard deviations, as in outcomes that effects are measured on."""
    if len(values) == 0:
        return values
    middle = float(np.median(values))
    reach = _DEVIATIONS_KEPT * 1.4826 * float(np.median(np.abs(values - middle)))
    return values if reach == 0 else np.clip(values, middle - reach, middle + reach)


def _within_windows(values: Floats, posted_at: Sequence[datetime]) -> Floats:
    """Values less the mean of their four weeks, where that has enough posts, else of all."""
    if len(values) == 0:
        return values
    last = max(posted_at)
    window = np.array([(last - one) // _WINDOW for one in posted_at])
    found: Floats = values - values.mean()
    for place in np.unique(window):
        own = window == place
        if np.count_nonzero(own) >= MINIMUM_POSTS:
            found[own] = values[own] - values[own].mean()
    return found


def _out_of_time(scores: Scores, left: Floats, gap: Gap) -> Trial:
    """The correction by a segment's earlier posts, tried on its later ones."""
    own = np.flatnonzero(scores.of_segment(gap.dimension, gap.segment))
    cut = int(EARLIER_SHARE * len(own))
    earlier = np.arange(len(left)) < own[cut]
    part = replace(
        scores,
        predicted_at=scores.predicted_at[: own[cut]],
        posted_at=scores.posted_at[: own[cut]],
        log_outcome=scores.log_outcome[earlier],
        log_quantiles=scores.log_quantiles[earlier],
        weight=scores.weight[earlier],
        segments=scores.segments[earlier],
    )
    before = [
        one
        for one in _gaps_of(part, left[earlier])
        if (one.dimension, one.segment) == (gap.dimension, gap.segment)
    ]
    later = own[cut:]
    shift = math.log(before[0].factor) if before else 0.0
    without = (
        scores.log_quantiles[later]
        + (scores.log_outcome[later] - scores.log_quantiles[later, 1] - left[later])[:, None]
    )
    return compared(scores.log_outcome[later], without + shift, without)
