"""What a post gains by being of one segment instead of others, from posts after a change.

An approved change moves posts from other segments into one. What each moved post gains is the mean
log outcome of that segment less the mean of what it took the place of. Posts that were drawn carry
their probability, and means weighted by its inverse are those of an even draw over time whatever
the weights were meanwhile; posts that were not drawn all count alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.measure.verdict_rule import FINAL_DEVIATIONS, MINIMUM_POSTS, Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """A segment against the others, on the log scale."""

    n: int
    control_n: int
    estimate: float
    standard_error: float
    degrees_of_freedom: float


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on: the ratio of the segment to the others, and its interval."""

    verdict: Verdict
    ratio: float
    ratio_low: float
    ratio_high: float
    more_posts_needed: int
    """Posts of the account until a verdict can fall; 0 when it has."""


def contrast(
    log_values: Floats,
    segments: NDArray[np.object_],
    probabilities: Floats | None,
    *,
    segment: str,
    control_shares: dict[str, float],
) -> Contrast | None:
    """Estimate what a post of a segment gains over those that it took the place of.

    Each segment's mean is self-normalised: weighted by the inverse of the posts' probabilities and
    divided by the sum of the weights (Hájek, 1971, "Comment on An essay on the logical foundations
    of survey sampling"). The others' means are put together by their shares, so that a change of
    their own mixture is no difference. The spread is pooled within segments.

    Args:
        log_values: Log outcomes, shape (posts,).
        segments: Names, shape (posts,).
        probabilities: Probability of each post's segment when it was drawn, in (0, 1]; None where
            posts were not drawn.
        segment: The one that is judged.
        control_shares: Share of each other segment among those that gave way; segments that are
            not named do not count. Empty: as the posts have it.

    Returns:
        None with fewer than eight posts on either side, or without any spread to go by.
    """
    weights = np.ones(len(log_values)) if probabilities is None else 1 / probabilities
    means: dict[str, float] = {}
    variances: dict[str, float] = {}
    counts: dict[str, int] = {}
    squares = 0.0
    for name in sorted(set(segments)):
        if control_shares and name != segment and name not in control_shares:
            continue
        mine = segments == name
        own, weight = log_values[mine], weights[mine]
        counts[name] = len(own)
        means[name] = float(np.sum(weight * own) / np.sum(weight))
        variances[name] = float(np.sum(weight**2) / np.sum(weight) ** 2)
        squares += float(np.sum((own - means[name]) ** 2))
    others = [name for name in counts if name != segment]
    control_n = sum(counts[name] for name in others)
    degrees = sum(counts.values()) - len(counts)
    if counts.get(segment, 0) < MINIMUM_POSTS or control_n < MINIMUM_POSTS or squares == 0:
        return None
    shares = {name: control_shares.get(name, 0.0) or float(counts[name]) for name in others}
    whole = sum(shares.values())
    shares = {name: share / whole for name, share in shares.items()}
    variance = squares / degrees
    return Contrast(
        n=counts[segment],
        control_n=control_n,
        estimate=means[segment] - sum(share * means[name] for name, share in shares.items()),
        standard_error=math.sqrt(
            variance
            * (
                variances[segment]
                + sum(share**2 * variances[name] for name, share in shares.items())
            )
        ),
        degrees_of_freedom=float(degrees),
    )


def judge(
    found: Contrast, *, is_better: bool, smallest_useful_ratio: float, deviations: float
) -> Judgement:
    """Worked, did not work, or cannot tell.

    It worked when the whole interval lies on the claimed side of no difference, and did not when
    the whole interval lies below the smallest useful ratio. Where both hold, the point decides.

    Args:
        found: The contrast.
        is_better: Whether the segment was claimed to be better than the others.
        smallest_useful_ratio: Above 1.
        deviations: Standard errors of a normal estimate that the interval reaches on both sides;
            it is widened for few posts by Student's t.
    """
    gain = found.estimate if is_better else -found.estimate
    useful = math.log(smallest_useful_ratio)
    tail = float(special.ndtr(-deviations))
    reach = float(-special.stdtrit(found.degrees_of_freedom, tail)) * found.standard_error
    low, high = gain - reach, gain + reach
    is_above, is_below = low > 0, high < useful
    if is_above and (gain >= useful or not is_below):
        verdict = Verdict.WORKED
    elif is_below:
        verdict = Verdict.DID_NOT_WORK
    else:
        verdict = Verdict.CANNOT_TELL
    needed = 0
    if verdict is Verdict.CANNOT_TELL:
        posts = found.n + found.control_n
        # The nearer of the two ends that the interval has to pass, and never nearer than half of
        # what is useful: so the figure is always finite.
        margin = max(gain, useful - gain)
        final = reach * FINAL_DEVIATIONS / deviations
        needed = max(1, math.ceil(posts * ((final / margin) ** 2 - 1)))
    return Judgement(
        verdict,
        math.exp(found.estimate),
        math.exp(found.estimate - reach),
        math.exp(found.estimate + reach),
        needed,
    )
