"""All effects of one run: from moments to points, intervals, q-values and verdicts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.measure import effects, multiplicity, pooling
from pipeline.measure.effects import Floats, Integers, SegmentMoments
from pipeline.measure.pooling import Keys


@dataclass(frozen=True)
class AccountEffects:
    """Each segment of each account; log scale, shape (segments,); NaN where there is no figure."""

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    pooled: Floats
    """The point to show: pulled in, and inside its interval."""
    elsewhere: Floats
    """What the other accounts lead one to expect; NaN with fewer than two of them."""
    probability_better: Floats
    null_best: Floats
    p_value: Floats
    q_value: Floats
    verdict: NDArray[np.object_]
    posts_needed: Floats
    """More posts of the segment that a figure or a verdict takes; NaN where none can help."""


@dataclass(frozen=True)
class EffectsAcross:
    """Each segment that two or more accounts have; log scale, shape (segments across accounts,)."""

    segment: Integers
    """Index of the segment, as in :class:`~pipeline.measure.pooling.Keys`."""
    n: Floats
    account_n: Floats
    account_count: Integers
    standard_error: Floats
    pooled: Floats
    estimate: Floats
    low: Floats
    high: Floats
    probability_better: Floats
    p_value: Floats
    q_value: Floats
    verdict: NDArray[np.object_]


@dataclass(frozen=True)
class RunEffects:
    """Everything one run says about segments."""

    of_accounts: AccountEffects
    across_accounts: EffectsAcross


def effects_of_run(moments: SegmentMoments, keys: Keys) -> RunEffects:
    """Effects of every segment of every account of a run, and of segments across accounts.

    Args:
        moments: One row per segment with at least one post.
        keys: Where each row belongs. An account's tests of one dimension on one platform are one
            family of the run's q-values; so are those across accounts.

    Returns:
        One element per row; and one per segment that at least two accounts have a figure of.
    """
    own = effects.own_effects(moments)
    usable = np.flatnonzero(own.has_figure)
    used = keys.at(usable)
    estimate, error = own.estimate[usable], own.standard_error[usable]
    segments = int(keys.segment.max()) + 1 if len(keys.segment) else 0

    spreads = pooling.spreads_of_effects(estimate, error, used)
    posterior = pooling.posterior(estimate, error, used, spreads)
    common = pooling.common_effects(estimate, error, used, spreads, segments)
    across = np.flatnonzero(common.has_figure)

    families = _families(used, across, segments)
    q = multiplicity.q_values(
        np.concatenate([own.p_value[usable], common.p_value[across]]), families
    )
    q_own, q_across = q[: len(usable)], q[len(usable) :]
    pooled = np.clip(posterior.mean, own.low[usable], own.high[usable])

    def everywhere(values: Floats) -> Floats:
        filled = np.full(len(moments.n), np.nan)
        filled[usable] = values
        return filled

    full_pooled, full_q = everywhere(pooled), everywhere(q_own)
    verdict = effects.verdicts(
        n=moments.n, pooled=full_pooled, low=own.low, high=own.high, q_value=full_q
    )
    return RunEffects(
        of_accounts=AccountEffects(
            estimate=own.estimate,
            standard_error=own.standard_error,
            low=own.low,
            high=own.high,
            pooled=full_pooled,
            elsewhere=everywhere(posterior.elsewhere),
            probability_better=everywhere(
                special.stdtr(own.degrees_of_freedom[usable], posterior.mean / posterior.deviation)
            ),
            null_best=own.null_best,
            p_value=own.p_value,
            q_value=full_q,
            verdict=verdict,
            posts_needed=_posts_needed(
                moments,
                pooled=full_pooled,
                error=own.standard_error,
                p_value=everywhere(multiplicity.next_p_value(q, families)[: len(usable)]),
                verdict=verdict,
            ),
        ),
        across_accounts=_across(moments, usable, used, common, across, q_across),
    )


def _families(used: Keys, across: Integers, segments: int) -> Integers:
    """Index of each test's family: first the accounts' tests, then those across accounts."""
    questions = int(used.question.max()) + 1 if len(used.question) else 0
    accounts = int(used.account.max()) + 1 if len(used.account) else 0
    question_of_segment = np.zeros(segments, dtype=np.int64)
    question_of_segment[used.segment] = used.question
    own = used.account * questions + used.question
    common = accounts * questions + question_of_segment[across]
    return np.unique(np.concatenate([own, common]), return_inverse=True)[1].astype(np.int64)


def _across(
    moments: SegmentMoments,
    usable: Integers,
    used: Keys,
    common: pooling.CommonEffects,
    across: Integers,
    q_value: Floats,
) -> EffectsAcross:
    def total(values: Floats) -> Floats:
        return effects.summed_by(values[usable], used.segment, len(common.estimate))

    n = total(moments.n)[across]
    pooled, low, high = common.pooled[across], common.low[across], common.high[across]
    return EffectsAcross(
        segment=across,
        n=n,
        account_n=total(moments.all_n)[across],
        account_count=common.account_count[across],
        standard_error=common.standard_error[across],
        pooled=pooled,
        estimate=common.estimate[across],
        low=low,
        high=high,
        probability_better=special.stdtr(
            common.degrees_of_freedom[across],
            common.estimate[across] / common.standard_error[across],
        ),
        p_value=common.p_value[across],
        q_value=q_value,
        verdict=effects.verdicts(n=n, pooled=pooled, low=low, high=high, q_value=q_value),
    )


def _posts_needed(
    moments: SegmentMoments, *, pooled: Floats, error: Floats, p_value: Floats, verdict: Any
) -> Floats:
    """More posts of a segment until it has a figure, or its shown effect a verdict.

    The error is taken to shrink with the square root of the segment's posts, and the effect to stay
    what is shown: a difference too small to be useful gets no number, since no posts can help it.
    """
    n = moments.n
    with np.errstate(invalid="ignore", divide="ignore"):
        sure = special.ndtri(1 - p_value / 2) * error / np.abs(pooled)
        wanted = np.maximum(np.ceil(n * sure**2), effects.MINIMUM_POSTS_FOR_VERDICT)
        for_verdict = np.where(
            np.abs(pooled) >= np.log(effects.MINIMUM_USEFUL_RATIO),
            np.maximum(wanted - n, 1.0),
            np.nan,
        )
    for_figure = np.where(n < effects.MINIMUM_POSTS, effects.MINIMUM_POSTS - n, np.nan)
    has_verdict = np.isin(
        verdict.astype(str), [effects.Verdict.BETTER.value, effects.Verdict.WORSE.value]
    )
    return np.select([has_verdict, np.isnan(pooled)], [np.zeros_like(n), for_figure], for_verdict)
