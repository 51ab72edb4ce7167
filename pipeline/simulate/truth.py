"""The planted truth, in the form in which the statistics estimate it.

An effect is the geometric mean of a segment's noise-free outcomes divided by that of all posts of
the account on that platform, over the posts that were really made. So a segment that happens to go
along with another one carries part of its effect here as well as in any estimate.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, get_args

from pipeline.accounts import Platform
from pipeline.simulate.growth import USUAL_CURVE
from pipeline.simulate.posts import Post

Dimension = Literal["format", "pillar", "weekday", "daypart", "media_type", "slide_count"]
Outcome = Literal[
    "views_72h",
    "views_7d",
    "engagement_72h",
    "engagement_7d",
    "engagement_rate_7d",
    "save_rate_7d",
    "share_rate_7d",
]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class PlantedEffect:
    """What is true about one segment."""

    account_name: str
    platform: Platform
    dimension: str
    segment: str
    outcome: str
    ratio: float
    """Ratio to the account's own usual on the platform; 1.0 is no difference."""
    n: int
    """Posts of the segment that are old enough and publish the outcome."""


def outcome_age(outcome: str) -> timedelta:
    """The age at which an outcome is read, from the end of its name."""
    return timedelta(hours=72) if outcome.endswith("_72h") else timedelta(days=7)


def expected_outcome(post: Post, outcome: str) -> float | None:
    """A post's outcome without any noise; None where its platform does not publish it.

    Args:
        post: The post; ads and posts that hide their likes have no organic outcome.
        outcome: One of :data:`OUTCOMES`.

    Raises:
        ValueError: No such outcome.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"{outcome!r} is no outcome: use one of {', '.join(OUTCOMES)}.")
    if post.is_ad:
        return None
    rates = post.usual_rates
    views = post.usual_views * USUAL_CURVE.reached(outcome_age(outcome).total_seconds() / 3600)
    engagement_rate = rates.likes + rates.comments + rates.shares + rates.saves
    if outcome.startswith("engagement") and post.is_like_count_hidden:
        return None
    if outcome in ("engagement_72h", "engagement_7d"):
        return views * engagement_rate
    if not post.has_view_count:
        return None
    if outcome in ("views_72h", "views_7d"):
        return views
    rate = {
        "engagement_rate_7d": engagement_rate,
        "save_rate_7d": rates.saves,
        "share_rate_7d": rates.shares,
    }[outcome]
    return rate or None


class Truth:
    """All planted effects of a world."""

    def __init__(self, posts: Sequence[Post], end: datetime) -> None:
        """Truth about ``posts`` as it can be seen at ``end``: younger posts have no outcome yet."""
        self._posts = tuple(posts)
        self._end = end

    def planted_effect(
        self, account_name: str, platform: str, dimension: str, segment: str, outcome: str
    ) -> float | None:
        """The true ratio of a segment to the account's own usual on the platform.

        Args:
            account_name: An account of the world.
            platform: Its platform.
            dimension: One of :data:`DIMENSIONS`.
            segment: A value of it; weekdays are '1' (Monday) to '7'.
            outcome: One of :data:`OUTCOMES`.

        Returns:
            The ratio (1.0: no difference), or None where no such post has this outcome.
        """
        found = self._effects.get((account_name, str(platform), dimension, segment, outcome))
        return found.ratio if found else None

    def effects(self) -> tuple[PlantedEffect, ...]:
        """Every planted effect, by account, platform, dimension, segment and outcome."""
        return tuple(self._effects[key] for key in sorted(self._effects))

    @cached_property
    def _effects(self) -> dict[tuple[str, str, str, str, str], PlantedEffect]:
        effects: dict[tuple[str, str, str, str, str], PlantedEffect] = {}
        by_profile: dict[tuple[str, Platform], list[Post]] = {}
        for post in self._posts:
            by_profile.setdefault((post.account_name, post.platform), []).append(post)
        for (account_name, platform), posts in by_profile.items():
            for outcome in OUTCOMES:
                for dimension, segment, ratio, n in _ratios(posts, outcome, self._end):
                    key = (account_name, str(platform), dimension, segment, outcome)
                    effects[key] = PlantedEffect(
                        account_name, platform, dimension, segment, outcome, ratio, n
                    )
        return effects


def _ratios(
    posts: Sequence[Post], outcome: str, end: datetime
) -> Iterator[tuple[str, str, float, int]]:
    logs: list[tuple[dict[str, str | None], float]] = []
    for post in posts:
        value = expected_outcome(post, outcome)
        if value is not None and post.posted_at + outcome_age(outcome) <= end:
            logs.append((post.segments, math.log(value)))
    if not logs:
        return
    usual = math.fsum(value for _, value in logs) / len(logs)
    for dimension in DIMENSIONS:
        groups: dict[str, list[float]] = {}
        for segments, value in logs:
            segment = segments[dimension]
            if segment is not None:
                groups.setdefault(segment, []).append(value)
        for segment, values in groups.items():
            mean = math.fsum(values) / len(values)
            yield dimension, segment, math.exp(mean - usual), len(values)
