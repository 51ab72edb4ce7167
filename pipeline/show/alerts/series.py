"""The posts of one profile as the rules see them: values at equal ages, in order of posting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

COMPARED_AGE_HOURS = 72
"""Age at which recent posts are compared with earlier ones."""
AGES_HOURS = (24, 72, 168)
HISTORY_DAYS = 400

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileSeries:
    """Posts of one profile whose reach is told by the same metric, oldest first.

    Arrays have the shape (posts,); NaN is a value that is not known.
    """

    account_name: str
    platform: str
    metric: str
    """``views``, or ``engagement`` for posts whose views are not published."""
    post_ids: NDArray[np.str_]
    posted_at: Floats
    """Seconds since 1970."""
    age_hours: Floats
    """Age at the newest snapshot."""
    log_now: Floats
    """ln(1 + count) at the newest snapshot."""
    log_at: Mapping[int, Floats]
    """ln(1 + count) at each of `AGES_HOURS`."""
    engagement_rate: Floats
    """Engagements per view at `COMPARED_AGE_HOURS`, a fraction."""

    @property
    def subject(self) -> str:
        """What an alert about the whole profile is about."""
        return f"{self.platform}/{self.metric}"


_POSTS = """
select
    account_name,
    platform,
    case when view_count is not null then 'views' else 'engagement' end as metric,
    post_id,
    epoch(posted_at)::double as posted_at,
    age_hours::double as age_hours,
    ln(1 + coalesce(view_count, engagement_count))::double as log_now,
    ln(1 + case when view_count is not null then view_24h else engagement_24h end)::double
        as log_24,
    ln(1 + case when view_count is not null then view_72h else engagement_72h end)::double
        as log_72,
    ln(1 + case when view_count is not null then view_7d else engagement_7d end)::double
        as log_168,
    case when view_72h > 0 then least(engagement_72h / view_72h, 1.0) end::double
        as engagement_rate
from marts.fct_post_performance
where posted_at >= $since
    and posted_at <= $now
    -- Paid reach is another population; "not told" is not "paid".
    and is_ad is distinct from true
    and coalesce(view_count, engagement_count) >= 0
    and has_definition_change is distinct from true
    -- Counts of an earlier definition are another quantity.
    and posted_at > coalesce(
        (
            select max(crossing.posted_at)
            from marts.fct_post_performance as crossing
            where crossing.account_name = fct_post_performance.account_name
                and crossing.platform = fct_post_performance.platform
                and crossing.has_definition_change
                and crossing.posted_at <= $now
        ),
        timestamptz '1970-01-01 00:00:00Z'
    )
order by account_name, platform, metric, posted_at, post_id
"""


def read_series(connection: "duckdb.DuckDBPyConnection", now: datetime) -> list[ProfileSeries]:
    """All profiles' posts from a published copy, by account, platform and metric.

    Args:
        connection: To the copy.
        now: Posts of later times are left out, and those of more than `HISTORY_DAYS` before.
    """
    columns = connection.execute(
        _POSTS, {"now": now, "since": now - timedelta(days=HISTORY_DAYS)}
    ).fetchnumpy()
    names = [np.asarray(columns[key], dtype=str) for key in ("account_name", "platform", "metric")]
    if not len(names[0]):
        return []
    numbers = {
        key: _with_nan(columns[key])
        for key in ("posted_at", "age_hours", "log_now", "log_24", "log_72", "log_168",
                    "engagement_rate")
    }  # fmt: skip
    post_ids = np.asarray(columns["post_id"], dtype=str)
    is_first = np.ones(len(post_ids), dtype=bool)
    is_first[1:] = np.any([name[1:] != name[:-1] for name in names], axis=0)
    starts = np.flatnonzero(is_first)
    return [
        ProfileSeries(
            account_name=str(names[0][start]),
            platform=str(names[1][start]),
            metric=str(names[2][start]),
            post_ids=post_ids[start:end],
            posted_at=numbers["posted_at"][start:end],
            age_hours=numbers["age_hours"][start:end],
            log_now=numbers["log_now"][start:end],
            log_at={age: numbers[f"log_{age}"][start:end] for age in AGES_HOURS},
            engagement_rate=numbers["engagement_rate"][start:end],
        )
        for start, end in zip(starts, [*starts[1:], len(post_ids)], strict=True)
    ]


def _with_nan(column: NDArray[Any]) -> Floats:
    values = np.asarray(np.ma.getdata(column), dtype=np.float64)
    return np.where(np.ma.getmaskarray(column), np.nan, values)
