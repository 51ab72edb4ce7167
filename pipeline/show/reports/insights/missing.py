"""Why a figure of a post is not known."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.insights.content import Content
from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

REASONS = {
    "not_published": "the platform does not publish it for such posts",
    "not_told": "no scrape has told it",
    "not_imported": "only the platform's own export has it: import one with --native",
    "too_young": "the post has not reached that age",
    "not_seen_then": "no scrape near enough to that age",
    "no_views": "no rate without known views",
    "no_followers": "no follower count from before the post",
    "too_few_posts": "too few posts at the same age to compare with",
    "not_compared": "no value at a common age yet",
}
"""Codes of reasons, and what they say."""

_PUBLIC = frozenset({"view_count", "like_count", "comment_count", "share_count", "save_count"})
_AGES = {"24h": 24, "7d": 168, "28d": 672}
_RATE_OF = {"save_rate": "save_count", "share_rate": "share_count"}


@dataclass(frozen=True)
class _Published:
    platform: str
    media_type: str
    metric: str
    valid_from: date
    valid_to: date


class Availability:
    """What the platforms publish, of which kind of post, and when."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Read it from a published copy."""
        self._rows = read_rows(
            connection,
            _Published,
            "select platform, media_type, metric, valid_from, valid_to "
            "from intermediate.metric_availability",
        )

    def reason(self, content: Content, field: str) -> str | None:
        """The code of the reason why a field of a post is None; None where it is not.

        Args:
            content: The post.
            field: Name of one of its figures.
        """
        if getattr(content, field) is not None:
            return None
        if field in _PUBLIC:
            return "not_told" if self._publishes(content, field) else "not_published"
        if field.startswith("native_") or field == "click_through_rate":
            return "not_imported"
        if field in {"score", "category", "tier"} or field.endswith("percentile"):
            return "not_compared" if content.score_age_hours is None else "too_few_posts"
        return self._of_rate(content, field) if "rate" in field else self._at_age(content, field)

    def _of_rate(self, content: Content, field: str) -> str:
        if field == "engagement_rate_followers":
            return "no_followers"
        above = _RATE_OF.get(field)
        if above is not None and getattr(content, above) is None:
            return self.reason(content, above) or "not_told"
        return self.reason(content, "view_count") or "no_views"

    def _at_age(self, content: Content, field: str) -> str:
        age = next((hours for end, hours in _AGES.items() if field.endswith(end)), None)
        if field.startswith("view") and content.view_count is None:
            return self.reason(content, "view_count") or "not_told"
        if age is not None and content.age_hours is not None and content.age_hours < age:
            return "too_young"
        return "not_seen_then" if age is not None else "not_told"

    def _publishes(self, content: Content, metric: str) -> bool:
        if content.media_type in {None, "unknown"}:
            return True
        posted_at = content.posted_at or content.scraped_at or datetime.now(UTC)
        day = posted_at.astimezone(UTC).date()
        return any(
            row.platform == content.platform
            and row.media_type == content.media_type
            and row.metric == metric
            and row.valid_from <= day <= row.valid_to
            for row in self._rows
        )
