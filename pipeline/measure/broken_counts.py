"""Profiles whose counts are impossible from some day on, for everybody who learns from posts.

A source that breaks still answers: with numbers that contradict each other, post after post. They
stay as observed; ``stats.broken_counts`` says from which day of publication on, and until when, a
reader does better without them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.measure.impossible_stretches import Stretch, impossible_stretches
from pipeline.measure.statistics_tables import BROKEN_COUNTS, STATISTICS_TABLES, create_empty

_AT_MOST_VIEWS = {
    "like_count": "likes",
    "comment_count": "comments",
    "share_count": "shares",
    "save_count": "saves",
}
"""Counts of which a post cannot have more than views, with their names in a sentence."""
_FEWEST_POSTS = 5
"""Fewer impossible posts than that are never the rule with 95 % confidence."""

_POSTS = f"""
with readings as (
    select
        account_name, platform, post_id, scraped_at, view_count,
        like_count, comment_count, share_count, save_count,
        greatest({", ".join(_AT_MOST_VIEWS)}) > view_count as is_impossible
    from intermediate.int_snapshots__published
    where view_count is not null and greatest({", ".join(_AT_MOST_VIEWS)}) is not null
),
suspects as (
    select account_name, platform
    from readings
    group by account_name, platform
    having count(distinct case when is_impossible then post_id end) >= {_FEWEST_POSTS}
),
newest as (
    select
        account_name,
        platform,
        post_id,
        min(scraped_at) filter (where is_impossible) as impossible_since,
        {
    ", ".join(
        f"coalesce(arg_max_null({count} > view_count, scraped_at), false) as {count}"
        for count in _AT_MOST_VIEWS
    )
}
    from readings
    inner join suspects using (account_name, platform)
    group by account_name, platform, post_id
)
select
    account_name, platform, posts.local_date, impossible_since, {", ".join(_AT_MOST_VIEWS)}
from newest
inner join marts.dim_post as posts using (account_name, platform, post_id)
where posts.local_date is not null
order by account_name, platform, posts.local_date, post_id
"""  # noqa: S608 (constants)

BROKEN_POSTS = """
select posts.account_name, posts.platform, posts.post_id
from marts.dim_post as posts
inner join stats.broken_counts as broken
    on
        posts.account_name = broken.account_name
        and posts.platform = broken.platform
        and posts.local_date >= broken.earliest_from_date
        and (broken.until_date is null or posts.local_date < broken.until_date)
"""
"""Posts that nothing is to be learned from: a query for the other side of a ``not in``."""


def write_broken_counts(connection: duckdb.DuckDBPyConnection) -> int:
    """Recompute ``stats.broken_counts`` from the models of the same database.

    A post stands for itself once, as it was last seen. The caller's transaction decides when
    readers of the file see the table.

    Returns:
        How many stretches of broken counts there are.
    """
    cursor = connection.execute(_POSTS)
    names = [column[0] for column in cursor.description]
    profiles: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        profiles.setdefault((row["account_name"], row["platform"]), []).append(row)
    create_empty(connection, BROKEN_COUNTS)
    found = [row for profile, posts in profiles.items() for row in _broken(*profile, posts)]
    columns = list(STATISTICS_TABLES[BROKEN_COUNTS])
    for row in found:
        connection.execute(
            f"insert into stats.broken_counts values ({', '.join('?' * len(columns))})",  # noqa: S608 (question marks)
            [row[column] for column in columns],
        )
    return len(found)


def _broken(
    account_name: str, platform: str, posts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of one profile; its posts are in order of publication."""
    exceeds = np.array([[post[count] for count in _AT_MOST_VIEWS] for post in posts], dtype=bool)
    is_impossible = exceeds.any(axis=1)
    days, day_of_post = np.unique(
        np.array([post["local_date"] for post in posts], dtype="datetime64[D]"),
        return_inverse=True,
    )
    stretches = impossible_stretches(
        np.bincount(day_of_post).astype(np.float64),
        np.bincount(day_of_post, weights=is_impossible).astype(np.float64),
    )
    dates: list[date] = days.tolist()
    rows = []
    for stretch in stretches:
        inside = (day_of_post >= stretch.start) & (day_of_post < stretch.end)
        offending = inside & is_impossible
        since = [posts[int(place)]["impossible_since"] for place in np.flatnonzero(offending)]
        counts = _that_exceed(exceeds[inside])
        row = {
            "account_name": account_name,
            "platform": platform,
            **_period(stretch, dates),
            "relations": ", ".join(f"{count} > view_count" for count in counts),
            "n": int(inside.sum()),
            "impossible_n": int(offending.sum()),
            "p_value": stretch.p_value,
            "first_seen_at": min(since),
        }
        rows.append({**row, "message": _message(row, counts)})
    return rows


def _period(stretch: Stretch, dates: Sequence[date]) -> dict[str, date | None]:
    return {
        "from_date": dates[stretch.start],
        "earliest_from_date": dates[stretch.earliest_start],
        "until_date": dates[stretch.end] if stretch.end < len(dates) else None,
    }


def _that_exceed(exceeds: NDArray[np.bool_]) -> list[str]:
    """The counts that exceed the views in most posts, or the one that does so most often.

    Args:
        exceeds: Shape (posts, counts).
    """
    shares = exceeds.mean(axis=0)
    least = min(0.5, float(shares.max()))
    return [count for count, share in zip(_AT_MOST_VIEWS, shares, strict=True) if share >= least]


def _message(row: Mapping[str, Any], counts: Sequence[str]) -> str:
    words = " and ".join(_AT_MOST_VIEWS[count] for count in counts)
    until = row["until_date"]
    when = (
        f"from {row['from_date']} on"
        if until is None
        else f"from {row['from_date']} to {until - timedelta(days=1)}"
    )
    return (
        f"{row['account_name']} on {row['platform']}: {words} exceed views in "
        f"{row['impossible_n']:,} of {row['n']:,} posts {when}, which cannot be."
    )
