"""What is planted: how each simulated account posts and which choices pay off by how much.

Effects are ratios (1.0 = no difference) that multiply each other on one post.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline.accounts import AccountConfig, Platform

Effects = Mapping[str, Mapping[str, float]]
"""Ratio by dimension and segment; what is not named is 1.0."""


@dataclass(frozen=True)
class PlatformPlan:
    """How an account posts on one platform."""

    posts_per_day: float
    base_view_count: float
    """Median views of a usual post once its curve is flat (reach, where views are not public)."""
    follower_count: int
    """Followers on the first day."""
    video_share: float
    """Share of posts that are a video or reel."""
    image_share: float = 0.0
    """Share of posts that are a single picture (Instagram only)."""
    effect_strength: float = 1.0
    """Exponent on the account's view effects: 0.8 plants 1.9 ** 0.8 instead of 1.9."""


@dataclass(frozen=True)
class AccountPlan:
    """One account's habits and its planted truth."""

    platforms: Mapping[Platform, PlatformPlan]
    view_effects: Effects = field(default_factory=dict)
    save_rate_effects: Effects = field(default_factory=dict)
    share_rate_effects: Effects = field(default_factory=dict)
    slide_optimum: int | None = None
    """Slide count with the most views; None plants no effect of the slide count."""
    history_days: int | None = None
    """Days before the world's end on which the account began; None: with the world."""
    format_weights: Mapping[str, float] = field(default_factory=dict)
    """How often a format is used, relative to 1.0 for each one not named."""
    dropped_format: str | None = None
    """A format that is not used any more in the last five weeks."""
    daily_growth: float = 0.002
    """Relative growth of the followers per day."""


_TIKTOK, _INSTAGRAM = Platform.TIKTOK, Platform.INSTAGRAM

_DAYPARTS = {"morning": 1.05, "evening": 1.15, "night": 0.85}
_MEDIA = {"carousel": 1.1, "image": 0.7}
_SAVES = {"format": {"scripts": 1.7, "step_guide": 1.5, "boring_habits": 0.75}}
_SHARES = {"format": {"boring_habits": 1.5, "how_to": 0.8}}

DEMO_PLANS: Mapping[str, AccountPlan] = MappingProxyType(
    {
        "dreamtimelullabies": AccountPlan(
            platforms={
                _TIKTOK: PlatformPlan(1.6, 6500.0, 18_400, video_share=0.2),
                _INSTAGRAM: PlatformPlan(
                    0.8, 2600.0, 7_900, video_share=0.5, image_share=0.15, effect_strength=0.8
                ),
            },
            view_effects={
                "format": {
                    "step_guide": 1.9,
                    "scripts": 1.15,
                    "boring_habits": 0.85,
                    "habit_list": 0.6,
                },
                "pillar": {"sleep_routines": 1.75, "picky_eating": 0.8, "baby_products": 0.55},
                "daypart": _DAYPARTS,
                "media_type": _MEDIA,
            },
            save_rate_effects=_SAVES,
            share_rate_effects=_SHARES,
            slide_optimum=7,
        ),
        "mymomskills": AccountPlan(
            platforms={
                _TIKTOK: PlatformPlan(1.5, 9800.0, 31_500, video_share=0.3),
                _INSTAGRAM: PlatformPlan(
                    0.7, 3900.0, 12_300, video_share=0.55, image_share=0.15, effect_strength=0.8
                ),
            },
            view_effects={
                "format": {"step_guide": 1.6, "scripts": 1.35, "how_to": 0.9, "habit_list": 0.65},
                "pillar": {"tantrum_management": 1.8, "baby_products": 0.55},
                "daypart": _DAYPARTS,
                "media_type": _MEDIA,
            },
            save_rate_effects=_SAVES,
            share_rate_effects={"format": {"scripts": 1.4, "how_to": 0.8}},
            slide_optimum=8,
            dropped_format="boring_habits",
        ),
        "parentplaybook": AccountPlan(
            platforms={_TIKTOK: PlatformPlan(1.1, 2100.0, 1_240, video_share=0.2)},
            view_effects={
                "format": {"step_guide": 2.1, "boring_habits": 0.8, "habit_list": 0.55},
                "pillar": {"positive_discipline": 1.6},
                "daypart": _DAYPARTS,
            },
            save_rate_effects=_SAVES,
            slide_optimum=7,
            history_days=62,
            format_weights={"how_to": 0.12},
            daily_growth=0.008,
        ),
        # No effect at all: whatever is found here is noise.
        "slumbersongs": AccountPlan(
            platforms={
                _TIKTOK: PlatformPlan(1.4, 4300.0, 9_600, video_share=0.25),
                _INSTAGRAM: PlatformPlan(0.7, 1900.0, 5_200, video_share=0.5, image_share=0.15),
            },
            history_days=100,
        ),
    }
)
"""The four accounts of the demo; slumbersongs is the one without any effect."""


def plan_for(account: AccountConfig, plans: Mapping[str, AccountPlan] | None = None) -> AccountPlan:
    """The plan of an account; an account that nobody planned posts without any effect."""
    known = (DEMO_PLANS if plans is None else plans).get(account.name)
    if known is not None:
        return known
    usual = {
        _TIKTOK: PlatformPlan(1.4, 5000.0, 8_000, video_share=0.25),
        _INSTAGRAM: PlatformPlan(0.7, 2500.0, 6_000, video_share=0.5, image_share=0.15),
    }
    return AccountPlan(platforms={name: usual[name] for name in account.platform_profiles})


def view_effect(plan: AccountPlan, platform: Platform, segments: Mapping[str, str | None]) -> float:
    """Planted ratio of a post's views to those of a post with no effect.

    Args:
        plan: The account's plan.
        platform: Where the post is.
        segments: The post's segment by dimension; None where it has none.
    """
    effect = _product(plan.view_effects, segments)
    slides = segments.get("slide_count")
    if plan.slide_optimum is not None and slides is not None and int(slides) > 1:
        effect *= slide_effect(int(slides), plan.slide_optimum)
    return float(effect ** plan.platforms[platform].effect_strength)


def slide_effect(slide_count: int, optimum: int) -> float:
    """Planted ratio of a slide count: highest at ``optimum``, falling evenly on both sides."""
    return float(1.25 * 0.93 ** ((slide_count - optimum) ** 2))


def save_rate_effect(plan: AccountPlan, segments: Mapping[str, str | None]) -> float:
    """Planted ratio of a post's saves per view."""
    return _product(plan.save_rate_effects, segments)


def share_rate_effect(plan: AccountPlan, segments: Mapping[str, str | None]) -> float:
    """Planted ratio of a post's shares per view."""
    return _product(plan.share_rate_effects, segments)


def _product(effects: Effects, segments: Mapping[str, str | None]) -> float:
    effect = 1.0
    for dimension, ratios in effects.items():
        effect *= ratios.get(segments.get(dimension) or "", 1.0)
    return effect
