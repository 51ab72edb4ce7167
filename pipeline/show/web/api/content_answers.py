"""The shapes of what is told about posts."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import ConfigDict

from pipeline.show.reports.graphemes import shortened
from pipeline.show.reports.insights.content import Content
from pipeline.show.reports.insights.factors import Factor
from pipeline.show.reports.insights.missing import Availability
from pipeline.show.web.api.answers import Answer, Figure, Reason
from pipeline.show.web.api.remembered import FromThePublished

LONGEST_TITLE = 120


class Insight(Answer):
    """One thing that speaks for or against a post."""

    type: str
    """success_factor or failure_factor."""
    title: str
    description: str
    """A sentence with the figures: size, 90 % interval and n."""
    impact_level: str
    is_positive: bool
    confidence: str
    impact: Figure
    """Ratio to the account's usual, less 1; with its 90 % interval below."""
    impact_low: Figure
    impact_high: Figure
    n: int
    age_hours: int

    @classmethod
    def of(cls, factor: Factor) -> "Insight":
        """From a row of marts.fct_post_factor."""
        return cls(
            type=f"{factor.kind}_factor",
            **{name: getattr(factor, name) for name in cls.model_fields if name != "type"},
        )


class Performance(Answer):
    """How a post does among the account's own posts on its platform, at equal age."""

    performance_score: Figure
    """0 to 100; null until there is something to compare with."""
    percentile_rank: Figure
    """Share of the account's scored posts with a lower score, a fraction."""
    performance_category: str | None
    tier: str | None
    views: int | None
    """At the newest scrape."""
    engagement_rate: Figure
    """Engagements per view at the newest scrape, a fraction."""
    engagement_terms: str | None
    """What an engagement is: it differs between platforms."""
    score_parts: dict[str, Figure]
    """Percentiles that the score is made of, 0 to 1."""
    compared_at_age_hours: int | None
    n: int | None
    """Posts that it is compared with, itself among them."""
    missing: dict[str, Reason]


class ContentCard(Answer):
    """A post in a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "tiktok:7672062462223686121",
                    "account": "dreamtimelullabies",
                    "title": "Start with step 1 tonight",
                    "platform": "tiktok",
                    "content_type": "carousel",
                    "published_at": "2026-10-03T18:20:11Z",
                    "theme": "sleep_routines",
                    "format": "step_guide",
                    "is_ad": None,
                    "performance": {
                        "performance_score": 92.5,
                        "percentile_rank": 0.95,
                        "performance_category": "overperforming",
                        "tier": "high",
                        "views": 23100,
                        "engagement_rate": 0.104,
                        "engagement_terms": "likes+comments+shares+saves",
                        "score_parts": {"reach": 0.97, "engagement_rate": 0.61},
                        "compared_at_age_hours": 168,
                        "n": 182,
                        "missing": {},
                    },
                    "insights": [],
                }
            ]
        }
    )

    id: str
    """``platform:post_id``."""
    account: str
    title: str
    """Somebody's text: escape it."""
    platform: str
    content_type: str | None
    published_at: datetime | None
    theme: str | None
    format: str | None
    is_ad: bool | None
    """Whether it was paid for; null where nobody said."""
    performance: Performance
    insights: list[Insight]

    @classmethod
    def of(
        cls, content: Content, factors: Sequence[Factor], availability: Availability
    ) -> "ContentCard":
        """From a post and what speaks for and against it."""
        return cls(
            id=content.content_id,
            account=content.account_name,
            title=shortened(content.title, LONGEST_TITLE),
            platform=content.platform,
            content_type=content.media_type,
            published_at=content.posted_at,
            theme=content.pillar,
            format=content.format,
            is_ad=content.is_ad,
            performance=performance_of(content, availability),
            insights=[Insight.of(factor) for factor in factors],
        )


def performance_of(content: Content, availability: Availability) -> Performance:
    """How a post does, with reasons for what is not known."""
    fields = {
        "performance_score": "score",
        "percentile_rank": "score_percentile",
        "views": "view_count",
        "engagement_rate": "engagement_rate_views",
    }
    return Performance(
        performance_score=content.score,
        percentile_rank=content.score_percentile,
        performance_category=content.category,
        tier=content.tier,
        views=content.view_count,
        engagement_rate=content.engagement_rate_views,
        engagement_terms=content.engagement_terms,
        score_parts={
            "reach": content.reach_percentile,
            "engagement_rate": content.engagement_rate_percentile,
            "save_rate": content.save_rate_percentile,
            "share_rate": content.share_rate_percentile,
        },
        compared_at_age_hours=content.score_age_hours,
        n=content.peer_count,
        missing={
            shown: Reason.of(code)
            for shown, field in fields.items()
            if (code := availability.reason(content, field)) is not None
        },
    )


class Metric(Answer):
    """One figure of a post."""

    value: Figure
    unit: str
    """count, fraction, seconds, per_hour or usd."""
    source: str
    """The table that has it; native ones are from the platform's own export."""
    missing: Reason | None = None


class GrowthPoint(Answer):
    """One look at a post."""

    scraped_at: datetime
    age_hours: Figure
    view_count: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    save_count: int | None
    has_count_drop: bool | None


class Projection(Answer):
    """What a young post is expected to reach, with its 80 % interval."""

    metric: str
    age_hours: int
    observed_age_hours: Figure
    observed_count: int
    expected_count: Figure
    expected_count_low_80: Figure
    expected_count_high_80: Figure
    n: int
    method: str


class ContentDetail(ContentCard, FromThePublished):
    """A post with everything that is known of it."""

    model_config = ConfigDict(json_schema_extra=None)  # the example is of a card

    caption: str | None
    """Somebody's text: escape it."""
    url: str | None
    local_date: date | None
    topic: str | None
    hook_style: str | None
    cta: str | None
    slide_count: int | None
    duration_s: Figure
    growth_shape: str | None
    outlier_multiple: Figure
    metrics: dict[str, Metric]
    growth_curve: list[GrowthPoint]
    projections: list[Projection]
    why_it_worked: list[Insight]
    areas_for_improvement: list[Insight]
    similar: list[ContentCard]
    also_in_accounts: list[str]
    """Other accounts of the caller's whose post it is, too."""


PLAIN_FIELDS = (
    "local_date", "topic", "hook_style", "cta", "slide_count", "duration_s",
    "growth_shape", "outlier_multiple",
)  # fmt: skip
"""Fields of a post that the answer has as they are."""

METRICS: dict[str, tuple[str, str]] = {
    "views": ("view_count", "count"),
    "impressions": ("native_impressions", "count"),
    "reach": ("native_reach", "count"),
    "likes": ("like_count", "count"),
    "comments": ("comment_count", "count"),
    "shares": ("share_count", "count"),
    "saves": ("save_count", "count"),
    "engagements": ("engagement_count", "count"),
    "engagement_rate": ("engagement_rate_views", "fraction"),
    "engagement_rate_public": ("engagement_rate_public", "fraction"),
    "engagement_rate_followers": ("engagement_rate_followers", "fraction"),
    "save_rate": ("save_rate", "fraction"),
    "share_rate": ("share_rate", "fraction"),
    "click_through_rate": ("click_through_rate", "fraction"),
    "watch_time": ("native_watch_time_s", "seconds"),
    "average_view_duration": ("native_average_view_s", "seconds"),
    "retention_rate": ("native_retention_rate", "fraction"),
    "followers_gained": ("native_follows", "count"),
    "profile_visits": ("native_profile_visits", "count"),
    "link_clicks": ("native_link_clicks", "count"),
    "native_saves": ("native_saves", "count"),
    "revenue": ("native_revenue_usd", "usd"),
    "views_24h": ("view_24h", "count"),
    "engagements_24h": ("engagement_24h", "count"),
    "views_per_hour_24h": ("view_per_hour_24h", "per_hour"),
    "views_7d": ("view_7d", "count"),
    "engagements_7d": ("engagement_7d", "count"),
    "views_28d": ("view_28d", "count"),
}
"""The figures of a post by the names of the answer: column of marts.fct_post_performance, unit."""


def metrics_of(content: Content, availability: Availability) -> dict[str, Metric]:
    """Every figure of a post, or why there is none."""
    made = {}
    for name, (column, unit) in METRICS.items():
        code = availability.reason(content, column)
        made[name] = Metric(
            value=getattr(content, column),
            unit=unit,
            source=f"marts.fct_post_performance.{column}",
            missing=None if code is None else Reason.of(code),
        )
    return made


def safe_url(url: str | None) -> str | None:
    """An address that may stand in a link; None for anything but plain https."""
    if url is None or not url.startswith("https://") or len(url) > 2_000:
        return None
    return url if url.isprintable() and not set(url) & set("\"'<>` \\") else None
