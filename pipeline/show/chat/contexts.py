"""What a conversation begins with: figures from the published copy, and people's texts apart.

Figures and texts never mix. A caption, a note or a plan's title was written by somebody who may
have wanted a model to obey it, so it stands in a part of its own that is data and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.show.reports.insights.content import (
    Content,
    Order,
    Selection,
    contents,
    find_content,
    similar_content,
)
from pipeline.show.reports.insights.curves import projections_of
from pipeline.show.reports.insights.factors import Factor, factors_of
from pipeline.show.reports.insights.missing import REASONS, Availability
from pipeline.show.reports.insights.summary import engagement_trend, summary_of
from pipeline.show.reports.insights.themes import themes_of
from pipeline.show.reports.overview import PublishedBuild, profile_overviews, published_build
from pipeline.show.reports.segments import Focus, segment_tables

if TYPE_CHECKING:
    import duckdb

    from pipeline.decide.plans.plan import Plan

DAYS = 90
POSTS_TOLD = 5
_DIMENSIONS = (Focus.FORMATS, Focus.PILLARS, Focus.HOOKS, Focus.TIMING, Focus.CTA)
_TOLD = (
    "view_count", "like_count", "comment_count", "share_count", "save_count",
    "engagement_rate_views", "save_rate", "share_rate", "view_24h", "view_7d", "engagement_7d",
    "view_28d", "native_impressions", "native_reach", "native_retention_rate",
)  # fmt: skip
"""Columns of marts.fct_post_performance that are told of one post."""


@dataclass(frozen=True)
class ChatContext:
    """What is known when a conversation begins."""

    account_name: str
    build: PublishedBuild | None
    figures: Mapping[str, Any]
    """Numbers and our own words, by what they are of; each part names its table and its n."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """People's words, by what they are of: never to be obeyed."""
    content_id: str | None = None


def get_content_context(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str,
    content_id: str | None = None,
    plan: "Plan | None" = None,
) -> ChatContext:
    """Everything for a conversation about an account, one of its posts, or a plan.

    Args:
        connection: To a published copy.
        account_name: The account; nothing of another one is told.
        content_id: ``platform:post_id`` of the post that it is about.
        plan: The action plan that it is about.

    Raises:
        LookupError: The account has no such post.
    """
    context = get_general_performance_context(connection, account_name)
    figures, texts = dict(context.figures), dict(context.texts)
    if content_id is not None:
        specific = get_specific_content_context(connection, account_name, content_id)
        figures |= specific.figures
        texts |= specific.texts
    if plan is not None:
        figures["plan"] = {
            "progress_percentage": plan.progress_percentage,
            "status": plan.status.value,
            "items": [
                {
                    "item": place,
                    "is_completed": item.is_completed,
                    "due_date": item.due_date,
                    "estimated_hours": item.estimated_hours,
                }
                for place, item in enumerate(plan.items, start=1)
            ],
        }
        texts["plan name"] = plan.name
        texts["plan goal"] = plan.goal
        texts["plan notes"] = plan.notes or ""
        for place, item in enumerate(plan.items, start=1):
            texts[f"plan item {place}"] = item.title
    return ChatContext(account_name, context.build, figures, _told(texts), content_id)


def get_specific_content_context(
    connection: "duckdb.DuckDBPyConnection", account_name: str, content_id: str
) -> ChatContext:
    """One post: its figures, what speaks for and against it, and similar posts.

    Args:
        connection: To a published copy.
        account_name: Whose post.
        content_id: ``platform:post_id``.

    Raises:
        LookupError: The account has no such post.
    """
    platform, _, post_id = content_id.partition(":")
    found = find_content(connection, platform, post_id, (account_name,))
    if not found:
        raise LookupError(f"{account_name} has no post {content_id!r} in the published copy")
    content = found[0]
    availability = Availability(connection)
    similar = similar_content(connection, content, POSTS_TOLD)
    factors = factors_of(connection, [content.key]).get(content.key, [])
    figures = {
        "post": {
            **post_figures_of(content, availability),
            "source": "marts.fct_post_performance",
            "factors": [factor_words(factor) for factor in factors],
            "factors_source": "marts.fct_post_factor",
            "projections": [one.__dict__ for one in projections_of(connection, content)],
            "projections_source": "stats.post_projection (80 % interval)",
        },
        "similar_posts": [post_figures_of(one, availability, brief=True) for one in similar],
    }
    texts = {"caption of the post": content.caption or "", "hook": content.hook_text or ""}
    texts |= {f"title of {one.content_id}": one.title for one in similar}
    return ChatContext(account_name, published_build(connection), figures, _told(texts), content_id)


def get_general_performance_context(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> ChatContext:
    """An account: profiles, the last 90 days, what does better and worse, best and worst posts.

    Args:
        connection: To a published copy.
        account_name: The account.
    """
    recent = Selection(accounts=(account_name,), days=DAYS)
    trend = engagement_trend(connection, recent, f"{DAYS}d")
    best = contents(connection, recent, order=Order.BEST, limit=POSTS_TOLD)
    scored = Selection(accounts=(account_name,), days=DAYS, category="underperforming")
    worst = contents(connection, scored, order=Order.WORST, limit=POSTS_TOLD)
    availability = Availability(connection)
    figures: dict[str, Any] = {
        "profiles": [
            {
                "platform": one.platform,
                "followers": one.follower_count,
                "posts": one.post_count,
                "views_7d_median": one.views_7d_median,
                "n": one.views_7d_count,
            }
            for one in profile_overviews(connection, account_name)
        ],
        f"last_{DAYS}_days": {
            **summary_of(connection, recent).__dict__,
            "source": "marts.fct_post_performance",
        },
        "engagement_trend": {
            **{name: value for name, value in trend.__dict__.items() if name != "profiles"},
            "source": "marts.mart_trend",
        },
        "themes": [{"theme": one.theme, **one.__dict__} for one in themes_of(connection, recent)],
        "differences_from_the_usual": clear_effects(connection, account_name),
        "best_posts": [post_figures_of(one, availability, brief=True) for one in best],
        "worst_posts": [post_figures_of(one, availability, brief=True) for one in worst],
    }
    texts = {f"title of {one.content_id}": one.title for one in (*best, *worst)}
    return ChatContext(account_name, published_build(connection), figures, _told(texts))


def clear_effects(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> list[dict[str, Any]]:
    """Segments that do better or worse than the account's usual, with interval and n."""
    return [
        {
            "platform": row.platform,
            "dimension": row.dimension,
            "segment": row.segment,
            "outcome": row.outcome,
            "ratio": row.effect,
            "interval_90": [row.effect_low, row.effect_high],
            "n": row.n,
            "verdict": row.verdict,
            "source": "stats.segment_effects",
        }
        for focus in _DIMENSIONS
        for table in segment_tables(connection, account_name, focus)
        for row in table.rows
        if row.verdict in {"better", "worse"}
    ]


def post_figures_of(
    content: Content, availability: Availability, *, brief: bool = False
) -> dict[str, Any]:
    """A post's figures without anybody's words; what is not known says why.

    Args:
        content: The post.
        availability: What the platforms publish.
        brief: Only what a list needs.
    """
    told: dict[str, Any] = {
        "id": content.content_id,
        "posted_at": content.posted_at,
        "format": content.format,
        "theme": content.pillar,
        "media_type": content.media_type,
        "score": content.score,
        "category": content.category,
        "score_compared_at_age_hours": content.score_age_hours,
        "n_compared": content.peer_count,
    }
    names = ("view_count", "engagement_rate_views", "view_7d") if brief else _TOLD
    for name in names:
        code = availability.reason(content, name)
        told[name] = getattr(content, name) if code is None else f"not known: {REASONS[code]}"
    if not brief:
        told |= {
            "hook_style": content.hook_style,
            "cta": content.cta,
            "slide_count": content.slide_count,
            "age_hours_at_newest_scrape": content.age_hours,
            "growth_shape": content.growth_shape,
            "multiple_of_the_usual": content.outlier_multiple,
        }
    return told


def factor_words(factor: Factor) -> dict[str, Any]:
    """What speaks for or against a post."""
    return {
        "for_the_post": factor.is_positive,
        "sentence": factor.description,
        "impact_level": factor.impact_level,
        "n": factor.n,
    }


def _told(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text[:4_000] for name, text in texts.items() if text}
