"""The shapes of what is told about themes, platforms and everything at once."""

from pydantic import ConfigDict

from pipeline.show.web.api.answers import Answer, Figure, PageInfo
from pipeline.show.web.api.content_answers import ContentCard, Metric
from pipeline.show.web.api.remembered import FromThePublished


class ContentPage(PageInfo, FromThePublished):
    """A page of posts."""

    items: list[ContentCard]


class ThemeEffect(Answer):
    """A theme against the account's usual on one platform, over all posts at equal age."""

    account_name: str
    platform: str
    outcome: str
    n: int
    effect: Figure
    effect_low: Figure
    effect_high: Figure
    verdict: str
    posts_needed: int | None


class Theme(Answer):
    """The posts of one theme in the period, and how the theme compares."""

    theme: str
    content_count: int
    total_views: int | None
    total_views_n: int
    avg_engagement_rate: Figure
    avg_engagement_rate_n: int
    median_engagement_rate: Figure
    avg_performance_score: Figure
    avg_performance_score_n: int
    overperforming_count: int
    underperforming_count: int
    effects: list[ThemeEffect]


class Themes(FromThePublished):
    """All themes."""

    items: list[Theme]


class PlatformFigures(Answer):
    """The posts of the period on one platform."""

    platform: str
    content_count: int
    total_views: int | None
    total_views_n: int
    avg_engagement_rate: Figure
    avg_engagement_rate_n: int
    median_views_7d: Figure
    median_views_7d_n: int
    engagement_terms: str | None
    overperforming_count: int
    underperforming_count: int


class PlatformContrast(Answer):
    """One account's usual on one platform against its usual on another, over all posts."""

    account_name: str
    platform: str
    other_platform: str
    metric: str
    n: int
    n_other: int
    usual: Figure
    usual_other: Figure
    ratio: Figure
    ratio_low: Figure
    ratio_high: Figure
    verdict: str
    needed: int | None


class Platforms(FromThePublished):
    """Platforms side by side."""

    items: list[PlatformFigures]
    comparisons: list[PlatformContrast]


class Summary(Answer):
    """The cards at the top."""

    total_content: int
    overperforming_count: int
    normal_count: int
    underperforming_count: int
    unscored_count: int
    """Too young, or without anything to compare with."""
    avg_engagement_rate: Figure
    """Mean of the posts' engagements per view at their newest scrape; a fraction."""
    avg_engagement_rate_low: Figure
    avg_engagement_rate_high: Figure
    """With the one before: the 90 % interval of the mean."""
    avg_engagement_rate_n: int
    total_views: int | None
    total_views_n: int
    total_reach: int | None
    """From the platforms' own exports; null where none was imported."""
    total_reach_n: int
    avg_score: Figure
    avg_score_n: int
    engagement_trend: str | None
    """up, down or stable, at equal age against the period before; null when nobody can tell."""


class Trend(Answer):
    """Behind ``engagement_trend``: the ratio to the period before, with its 90 % interval."""

    direction: str | None
    change: Figure
    change_low: Figure
    change_high: Figure
    n: int
    n_before: int
    missing: str | None


class Dashboard(FromThePublished):
    """What is working: cards, best and worst posts, themes and platforms of a period."""

    summary: Summary
    engagement_trend: Trend
    top_performers: list[ContentCard]
    needs_attention: list[ContentCard]
    themes: list[Theme]
    platform_comparison: list[PlatformFigures]
    platform_contrasts: list[PlatformContrast]
    time_period: str
    platform_filter: str | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "summary": {
                        "total_content": 32,
                        "overperforming_count": 6,
                        "normal_count": 20,
                        "underperforming_count": 4,
                        "unscored_count": 2,
                        "avg_engagement_rate": 0.042,
                        "avg_engagement_rate_low": 0.038,
                        "avg_engagement_rate_high": 0.046,
                        "avg_engagement_rate_n": 30,
                        "total_views": 1250000,
                        "total_views_n": 30,
                        "total_reach": None,
                        "total_reach_n": 0,
                        "avg_score": 51.2,
                        "avg_score_n": 30,
                        "engagement_trend": "up",
                    },
                    "engagement_trend": {
                        "direction": "up",
                        "change": 1.18,
                        "change_low": 1.04,
                        "change_high": 1.34,
                        "n": 30,
                        "n_before": 28,
                        "missing": None,
                    },
                    "top_performers": [],
                    "needs_attention": [],
                    "themes": [],
                    "platform_comparison": [],
                    "platform_contrasts": [],
                    "time_period": "30d",
                    "platform_filter": None,
                    "meta": {
                        "accounts": ["dreamtimelullabies"],
                        "warehouse_version": "20261120T105437_4cdc70",
                        "built_at": "2026-11-20T10:54:37Z",
                        "as_of": "2026-11-15T13:00:05Z",
                        "is_simulated": False,
                        "missing": {
                            "summary.total_reach": {
                                "code": "not_imported",
                                "message": "only the platform's own export has it: "
                                "import one with --native",
                            }
                        },
                    },
                }
            ]
        }
    )


class Compared(FromThePublished):
    """Posts side by side, at equal age where both have reached it."""

    items: list[ContentCard]
    metrics: dict[str, list[Metric]]
    """By metric, one entry per post in their order."""
