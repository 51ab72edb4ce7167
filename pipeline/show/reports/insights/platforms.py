"""Platforms side by side: what their posts did."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.insights.content import FROM, MATCHES, Selection
from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PlatformFigures:
    """The posts of a selection on one platform."""

    platform: str
    content_count: int
    total_views: int | None
    total_views_n: int
    avg_engagement_rate: float | None
    """Mean over the posts, a fraction of the views; platforms publish different terms of it."""
    avg_engagement_rate_n: int
    median_views_7d: float | None
    median_views_7d_n: int
    engagement_terms: str | None
    """What an engagement is there, of most posts: never compare rates of other terms."""
    overperforming_count: int
    underperforming_count: int


_PLATFORMS = f"""
select
    posts.platform,
    count(*)::integer as content_count,
    sum(posts.view_count)::bigint as total_views,
    count(posts.view_count)::integer as total_views_n,
    avg(posts.engagement_rate_views) as avg_engagement_rate,
    count(posts.engagement_rate_views)::integer as avg_engagement_rate_n,
    median(posts.view_7d) as median_views_7d,
    count(posts.view_7d)::integer as median_views_7d_n,
    mode(posts.engagement_terms order by posts.engagement_terms) as engagement_terms,
    count(*) filter (posts.category = 'overperforming')::integer as overperforming_count,
    count(*) filter (posts.category = 'underperforming')::integer as underperforming_count
{FROM} {MATCHES}
group by posts.platform
order by posts.platform
"""


def platforms_of(
    connection: "duckdb.DuckDBPyConnection", selection: Selection
) -> list[PlatformFigures]:
    """The platforms of a selection by name.

    Args:
        connection: To a published copy.
        selection: Which posts.
    """
    return read_rows(connection, PlatformFigures, _PLATFORMS, selection.parameters)
