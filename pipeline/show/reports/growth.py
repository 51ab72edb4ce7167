"""How a post of an account usually grows: how much of its 7-day value it has at which age."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class GrowthPoint:
    """One standard age of one account, platform and metric.

    Shares are fractions of the 7-day value, over posts that have both.
    """

    account_name: str
    platform: str
    metric: str
    age_hours: float
    post_count: int
    share_of_7d_median: float | None
    share_of_7d_p10: float | None
    share_of_7d_p90: float | None
    share_of_7d_median_low: float | None = None
    share_of_7d_median_high: float | None = None
    """With ``share_of_7d_median_low``: the 90 % interval of the median."""


_GROWTH = """
select
    account_name, platform, metric, age_hours, post_count,
    share_of_7d_median, share_of_7d_p10, share_of_7d_p90,
    share_of_7d_median_low, share_of_7d_median_high
from marts.mart_growth_curves
where format = '*' and ($account_name is null or account_name = $account_name)
order by account_name, platform, metric desc, age_hours
"""


def growth_points(
    connection: "duckdb.DuckDBPyConnection", account_name: str | None = None
) -> list[GrowthPoint]:
    """All standard ages at which enough is known, youngest first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
    """
    return read_rows(connection, GrowthPoint, _GROWTH, {"account_name": account_name})


@dataclass(frozen=True)
class ProjectedPost:
    """What one young post is expected to reach at a standard age; counts."""

    account_name: str
    platform: str
    post_id: str
    metric: str
    """view or engagement."""
    age_hours: float
    """The age that is looked forward to."""
    observed_age_hours: float
    observed_count: float
    expected_count: float
    expected_count_low_80: float
    expected_count_high_80: float
    """With ``expected_count_low_80``: the 80 % interval."""
    n: int
    """Posts that it was learned from."""
    posted_at: datetime | None
    caption: str | None
    """Untrusted text."""


_PROJECTED = """
select
    projected.account_name, projected.platform, projected.post_id, projected.metric,
    projected.age_hours, projected.observed_age_hours, projected.observed_count,
    projected.expected_count, projected.expected_count_low_80, projected.expected_count_high_80,
    projected.training_post_count as n, posts.posted_at, posts.caption
from stats.post_projection as projected
left join marts.dim_post as posts using (account_name, platform, post_id)
where
    ($account_name is null or account_name = $account_name)
    and ($age_hours is null or age_hours = $age_hours)
order by account_name, platform, metric desc, age_hours, expected_count desc, post_id
"""


def projected_posts(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str | None = None,
    *,
    age_hours: float | None = 168,
) -> list[ProjectedPost]:
    """Posts that are too young for a value at the age, the most promising first.

    Args:
        connection: To a published copy.
        account_name: Only this account; every account when left out.
        age_hours: 168 or 672; both when None.
    """
    values = {"account_name": account_name, "age_hours": age_hours}
    return read_rows(connection, ProjectedPost, _PROJECTED, values)
