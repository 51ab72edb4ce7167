"""What is known of a post when it goes out, by name: its segments and its numbers.

The same function makes the numbers of posts that are out and of those that are asked about, so
that a model meets what it learned from. Nothing here looks at an outcome.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.collect.hook_styles import first_line
from pipeline.learn.predict.text_features import (
    CLOCK_FEATURES,
    TEXT_FEATURES,
    clock_features,
    is_question,
    text_features,
)
from pipeline.measure.effects import Floats
from pipeline.measure.sentiment import sentiment

DIMENSIONS = (
    "format", "pillar", "topic", "hook_style", "cta", "media_type", "daypart", "weekday",
)  # fmt: skip
HOOK_FEATURES = (
    "hook_length_characters",
    "hook_word_count",
    "hook_has_number",
    "hook_is_question",
)
OWN_NUMBERS = (
    *TEXT_FEATURES,
    *HOOK_FEATURES,
    *CLOCK_FEATURES,
    "posting_hour_utc",
    "slide_count",
    "duration_s",
    "follower_count_log10",
)
"""What a post itself and its moment show."""


@dataclass(frozen=True)
class NamedFeature:
    """A number with the range that it is kept in."""

    name: str
    low: float
    high: float
    unit: str

    def within(self, values: Floats) -> Floats:
        """Values pulled into the range; what is not known stays so."""
        import numpy as np

        found: Floats = np.clip(values, self.low, self.high)
        return found


TREND_VELOCITY = NamedFeature("trend_velocity", 0, 100, "points")
CATEGORY_PERFORMANCE = NamedFeature("category_performance", 0, 0.2, "engagement per view")
POSTING_HOUR = NamedFeature("posting_hour_utc", 0, 23, "hour of the day")
HASHTAG_SCORE = NamedFeature("hashtag_score", 0, 100, "points")
AUDIO_TREND_SCORE = NamedFeature("audio_trend_score", 0, 100, "points")
COMPETITOR_AVERAGE = NamedFeature("competitor_average", 0, 0.2, "engagement per view")
REFLEXION_WEIGHT = NamedFeature("reflexion_weight", 0.5, 1.5, "ratio")
PLATFORM_MULTIPLIER = NamedFeature("platform_multiplier", 0.5, 1.5, "ratio")

CONTEXT_NUMBERS = (
    CATEGORY_PERFORMANCE.name,
    PLATFORM_MULTIPLIER.name,
    TREND_VELOCITY.name,
    HASHTAG_SCORE.name,
    AUDIO_TREND_SCORE.name,
    COMPETITOR_AVERAGE.name,
)
"""What is known of the account and the world around the post. The last four are not known of any
post until there are marts of trends and of competitors. The reflexion weight is no input of the
models: predictions are multiplied by it, and it would count twice."""
NUMBERS = (*OWN_NUMBERS, *CONTEXT_NUMBERS)

DAYPARTS = ((6, "night"), (10, "morning"), (14, "midday"), (18, "afternoon"), (21, "evening"))
"""Beginning at midnight, by the hour that each ends before; the rest of the day is late."""


@dataclass(frozen=True)
class PostFacts:
    """One post as it is known when it goes out; missing is None."""

    account_name: str
    platform: str
    posted_at: datetime
    """With its zone."""
    local_at: datetime
    """The same moment on the account's clock."""
    format: str | None = None
    pillar: str | None = None
    topic: str | None = None
    hook_style: str | None = None
    cta: str | None = None
    media_type: str | None = None
    hook: str | None = None
    """Its first words; of a caption that is known, the first line."""
    caption: str | None = None
    slide_count: int | None = None
    duration_s: float | None = None
    follower_count: int | None = None
    """Of the newest profile snapshot before the post."""

    def segments(self) -> tuple[str, ...]:
        """In the order of :data:`DIMENSIONS`; empty where not known."""
        named = {
            **{name: getattr(self, name) for name in DIMENSIONS[:6]},
            "daypart": daypart(self.local_at.hour),
            "weekday": str(self.local_at.isoweekday()),
        }
        return tuple(named[name] or "" for name in DIMENSIONS)

    def own_numbers(self) -> tuple[float, ...]:
        """In the order of :data:`OWN_NUMBERS`; NaN where not known."""
        hour = self.local_at.hour + self.local_at.minute / 60
        followers = self.follower_count
        return (
            *text_features(self.caption, sentiment),
            *_hook_features(self.hook or first_line(self.caption)),
            *clock_features(hour, self.local_at.isoweekday()),
            float(self.posted_at.astimezone(UTC).hour),
            _number(self.slide_count),
            _number(self.duration_s),
            math.nan if followers is None or followers < 0 else math.log10(1 + followers),
        )


def daypart(local_hour: int) -> str:
    """The part of the day, as posts in the warehouse have it.

    Args:
        local_hour: From 0 to 23, on the account's clock.
    """
    return next((name for end, name in DAYPARTS if local_hour < end), "late")


def _hook_features(hook: str | None) -> Sequence[float]:
    if hook is None:
        return (math.nan,) * len(HOOK_FEATURES)
    return (
        float(len(hook)),
        float(len(hook.split())),
        float(any(map(str.isdigit, hook))),
        float(is_question(hook)),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
