"""How a post's numbers grow, and how a platform shows them."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.accounts import Platform

LONG_TAIL_SHARE = 0.08
"""Share of posts that are found again for weeks."""


@dataclass(frozen=True)
class Curve:
    """Share of the final count that is reached at an age: one fast part and one slow one."""

    fast_share: float = 0.85
    fast_hours: float = 18.0
    slow_hours: float = 240.0

    def reached(self, age_hours: float) -> float:
        """Share in [0, 1) reached at ``age_hours``; 0 before the post exists."""
        if age_hours <= 0:
            return 0.0
        fast = 1.0 - math.exp(-age_hours / self.fast_hours)
        slow = 1.0 - math.exp(-age_hours / self.slow_hours)
        return self.fast_share * fast + (1.0 - self.fast_share) * slow


USUAL_CURVE = Curve()
"""The curve of a post without noise."""


def draw_curve(rng: np.random.Generator, noise: float) -> Curve:
    """A post's own curve: its speed varies, and some posts have a long tail.

    Args:
        rng: The post's stream.
        noise: Factor on the spread; 0 gives :data:`USUAL_CURVE`.
    """
    fast, slow, tail = float(rng.normal()), float(rng.normal()), float(rng.random())
    is_long = noise > 0 and tail < LONG_TAIL_SHARE
    return Curve(
        fast_share=0.55 if is_long else USUAL_CURVE.fast_share,
        fast_hours=USUAL_CURVE.fast_hours * math.exp(0.3 * noise * fast),
        slow_hours=USUAL_CURVE.slow_hours
        * (2.0 if is_long else 1.0)
        * math.exp(0.3 * noise * slow),
    )


@dataclass(frozen=True)
class LikeDrop:
    """Likes taken back (unliked, or removed as spam): the public count falls once."""

    from_age_hours: float
    lost_share: float


@dataclass(frozen=True)
class Rates:
    """Actions per view of one post."""

    likes: float
    comments: float
    shares: float
    saves: float


USUAL_RATES: dict[Platform, Rates] = {
    Platform.TIKTOK: Rates(likes=0.082, comments=0.0048, shares=0.0085, saves=0.0145),
    Platform.INSTAGRAM: Rates(likes=0.061, comments=0.0043, shares=0.0, saves=0.0),
}
"""Medians per view. Instagram shows neither shares nor saves."""


def shown_count(platform: Platform, count: float) -> int:
    """A count as the platform shows it.

    TikTok rounds from 10,000 on to hundreds and from a million on to hundred-thousands; Instagram
    shows the count exactly.
    """
    whole = round(count)
    if platform is not Platform.TIKTOK or whole < 10_000:
        return whole
    whole = (whole + 50) // 100 * 100
    return whole if whole < 1_000_000 else (whole + 50_000) // 100_000 * 100_000
