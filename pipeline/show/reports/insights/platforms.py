"""Platforms side by side: what their posts did."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.insights.content import FROM, MATCHES, TOTALS, Selection, Totals
from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PlatformFigures(Totals):
    """The posts of a selection on one platform."""

    platform: str
    median_views_7d: float | None
    median_views_7d_n: int
    engagement_terms: str | None
    """What an engagement is there, of most posts: never compare rates of other terms."""


_PLATFORMS = f"""
select
    posts.platform,
    {TOTALS},
    median(posts.view_7d) as median_views_7d,
    count(posts.view_7d)::integer as median_views_7d_n,
    mode(posts.engagement_terms order by posts.engagement_terms) as engagement_terms
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
