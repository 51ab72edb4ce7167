"""Signs that a scrape told less, or something else, than it seems to.

Each check is a query over models or statistics that returns the offending rows; none of them stops
a build, because the numbers stand as they were observed. A person decides what they mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

MOST_ROWS_SHOWN = 20

_NEWEST = """
newest as (
    select account_name, platform, max(scraped_at) as scraped_at
    from marts.fct_snapshot
    group by account_name, platform
),
rows_of_newest as (
    select snapshots.*
    from marts.fct_snapshot as snapshots
    inner join newest using (account_name, platform, scraped_at)
)
"""


@dataclass(frozen=True)
class DataCheck:
    """One sign: what it means, and the query that finds it."""

    name: str
    description: str
    query: str
    """Where its rows have a ``message``, that is a sentence of its own for each."""
    table: tuple[str, str] = ("marts", "fct_snapshot")
    """Schema and name of what the check is about: it can run once that is made."""


DATA_CHECKS = (
    DataCheck(
        name="like_counts_differ",
        description=(
            "The newest scrape of a profile does not give every post the same number of likes. "
            "Some sources answer one number for all posts when they hide the real ones."
        ),
        query=f"""
            with {_NEWEST}
            select account_name, platform, scraped_at, count(*) as posts, min(like_count) as likes
            from rows_of_newest
            where like_count is not null
            group by account_name, platform, scraped_at
            having count(*) >= 5 and min(like_count) = max(like_count)
            order by all
        """,  # noqa: S608 - the parts are constants
    ),
    DataCheck(
        name="views_are_not_all_zero",
        description=(
            "The newest scrape of a profile does not count zero views for every post: that is a "
            "source that could not read them."
        ),
        query=f"""
            with {_NEWEST}
            select account_name, platform, scraped_at, count(*) as posts
            from rows_of_newest
            where view_count is not null
            group by account_name, platform, scraped_at
            having count(*) >= 5 and max(view_count) = 0
            order by all
        """,  # noqa: S608 - the parts are constants
    ),
    DataCheck(
        name="as_many_posts_as_last_time",
        description=(
            "The newest scrape of a profile lists at least as many posts as the one before that "
            "asked for as many. Fewer can be deleted posts, or a scrape that was cut short."
        ),
        query="""
            with listings as (
                select
                    account_name,
                    platform,
                    scraped_at,
                    items_asked,
                    post_count,
                    row_number() over listing as recency,
                    lead(post_count) over listing as post_count_before,
                    lead(items_asked) over listing as items_asked_before
                from raw.scrapes
                where source = 'apify' and post_count > 0
                window listing as (
                    partition by account_name, platform, actor_id
                    order by scraped_at desc, scrape_id desc
                )
            )
            select account_name, platform, scraped_at, post_count, post_count_before
            from listings
            where
                recency = 1
                and items_asked is not distinct from items_asked_before
                and post_count < post_count_before
            order by all
        """,
    ),
    DataCheck(
        name="counts_do_not_fall",
        description=(
            "No count of the newest scrape is lower than before. Platforms take back views and "
            "likes now and then; many at once are a fault of the scrape."
        ),
        query=f"""
            with {_NEWEST}
            select account_name, platform, post_id, scraped_at
            from rows_of_newest
            where has_count_drop
            order by all
        """,  # noqa: S608 - the parts are constants
    ),
    DataCheck(
        name="counts_are_possible",
        description=(
            "In no profile do likes, comments, shares or saves exceed the views of most posts from "
            "some day of publication on. There a source has broken: the counts stand as observed, "
            "and nothing is learned from those posts."
        ),
        query="""
            select
                account_name, platform, from_date, until_date, relations, n, impossible_n, message
            from stats.broken_counts
            order by all
        """,
        table=("stats", "broken_counts"),
    ),
)


def offending_rows(
    connection: duckdb.DuckDBPyConnection, check: DataCheck
) -> tuple[int, list[Mapping[str, Any]]]:
    """Run one check.

    Args:
        connection: A connection to the warehouse or a published copy.
        check: Which check.

    Returns:
        How many rows offend, and the first twenty of them; moments as ISO 8601 text.
    """
    connection.execute(check.query)
    columns = [column[0] for column in connection.description or ()]
    rows = connection.fetchall()
    shown: list[Mapping[str, Any]] = [
        {
            column: value.isoformat() if hasattr(value, "isoformat") else value
            for column, value in zip(columns, row, strict=True)
        }
        for row in rows[:MOST_ROWS_SHOWN]
    ]
    return len(rows), shown
