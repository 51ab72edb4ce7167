"""What an account's posts usually get and how much they vary, and the sizes that follow from it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.learn.experiments.adjusting import Adjustment, fit
from pipeline.learn.experiments.arms import NotComparableError
from pipeline.learn.experiments.expected import PostOutcome, unit_arrays
from pipeline.learn.experiments.planning import units_for_means
from pipeline.learn.experiments.registration import Metric, MetricKind

LATEST_POSTS = 200
"""Posts that the variance is taken from: what the account does now, not what it once did."""
FEWEST_POSTS = 10
FEWEST_PER_ARM = 10
"""However large the effect: averages of fewer posts are not normal enough."""

_HELPFUL = 0.98
"""Share of the variance that an adjustment must leave at most to be worth having."""
_LARGEST_RATIO = 10.0


@dataclass(frozen=True)
class Usual:
    """What the account's posts get, on the scale that units are read on.

    Attributes:
        n: Posts that it is known from.
        mean: Mean logarithm, ratio of sums, or mean count.
        variance: Between posts, after the adjustment where there is one.
        adjustment: Frozen slope and centre of the covariate; None where it explains nothing.
        shown: The mean in the metric's own unit: of logarithms, that of a typical post.
    """

    n: int
    mean: float
    variance: float
    adjustment: Adjustment | None
    shown: float


def usual_of(posts: Sequence[PostOutcome], metric: Metric) -> Usual | None:
    """What the latest posts get; None where there are too few of them.

    The variance is the plain one, outliers included, because it is that of what the reading will
    compare. Of a rate it is that of (numerator - ratio · denominator) / mean denominator (Cochran,
    1977, section 2.11), which has the overdispersion in it.

    Args:
        posts: The profile's posts with the metric, in the order they went out.
        metric: The metric.
    """
    latest = posts[-LATEST_POSTS:]
    if len(latest) < FEWEST_POSTS:
        return None
    tops, belows = unit_arrays(latest, metric)
    expected = [math.nan if post.expected is None else post.expected for post in latest]
    if belows is not None and not belows.sum() > 0:
        return None
    mean = float(tops.sum() / (len(tops) if belows is None else belows.sum()))
    apart = tops - mean if belows is None else (tops - mean * belows) / belows.mean()
    variance = float(np.var(apart, ddof=1))
    found = fit(tops, expected, belows)
    # A level that carries over has a slope above 0; the mean of a few posts that lies above the
    # whole series' mean is followed by lower ones by itself.
    is_helpful = found is not None and found.slope > 0 and found.variance_left <= _HELPFUL
    adjustment = found if is_helpful else None
    left = 1.0 if adjustment is None else adjustment.variance_left
    shown = math.expm1(mean) if metric.kind is MetricKind.CONTINUOUS else mean
    return Usual(len(latest), mean, variance * left, adjustment, shown)


def against_usual(
    usual: Usual | None, known_posts: int, *, profile: str, metric: Metric
) -> Iterator[str]:
    """Why no size can be told from what posts usually get.

    Args:
        usual: What they get.
        known_posts: How many posts have the metric.
        profile: Whose they are, in words.
        metric: The metric.
    """
    if usual is None:
        has = "1 post" if known_posts == 1 else f"{known_posts} posts"
        yield (
            f"{profile} has {has} with {metric.name}, and how much posts vary cannot be told from "
            f"fewer than {FEWEST_POSTS}."
        )
    elif not usual.variance > 0:
        yield f"All posts of {profile} have the same {metric.name}: no variance to plan by."
    elif metric.kind is not MetricKind.CONTINUOUS and not usual.mean > 0:
        yield f"{metric.name} of {profile} is 0 until now: no ratio to that can be planned."


def per_arm(
    usual: Usual, metric: Metric, ratio: float, *, contrasts: int, alpha: float, power: float
) -> int:
    """Posts per arm that the fixed-sample analysis needs to show an effect.

    Of rates and counts the effect multiplies the spread between posts too, so that the tried arm's
    variance is larger.

    Args:
        usual: What posts get without the effect.
        metric: The metric.
        ratio: The effect, over 1.
        contrasts: Declared comparisons, which share the error (Bonferroni).
        alpha: Error of all together.
        power: Chance of showing the effect.

    Raises:
        NotComparableError: No size can be told for such an effect.
    """
    if metric.kind is MetricKind.CONTINUOUS:
        effect, other = math.log(ratio), usual.variance
    else:
        effect, other = usual.mean * (ratio - 1), usual.variance * ratio**2
    size = units_for_means(effect, usual.variance, other, power=power, alpha=alpha / contrasts)
    return max(size, FEWEST_PER_ARM)


def smallest_ratio_seen(
    usual: Usual,
    metric: Metric,
    posts_per_arm: float,
    *,
    contrasts: int,
    alpha: float,
    power: float,
) -> float | None:
    """The smallest effect that so many posts per arm show, to a hundredth; None where none does."""

    def is_seen(ratio: float) -> bool:
        try:
            return posts_per_arm >= per_arm(
                usual, metric, ratio, contrasts=contrasts, alpha=alpha, power=power
            )
        except NotComparableError:
            return False

    low, high = 101, round(100 * _LARGEST_RATIO)
    if not is_seen(high / 100):
        return None
    while low < high:
        middle = (low + high) // 2
        if is_seen(middle / 100):
            high = middle
        else:
            low = middle + 1
    return high / 100
