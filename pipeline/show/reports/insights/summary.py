"""The cards at the top: how many posts do well, what they reach, and where engagement goes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.measure.intervals import DEVIATIONS_90, log_error, student_deviations
from pipeline.show.reports.insights.content import FROM, MATCHES, Selection
from pipeline.show.reports.trends import PeriodChange, period_changes

if TYPE_CHECKING:
    import duckdb

TREND_OUTCOME = "engagement_rate_7d"


@dataclass(frozen=True)
class Summary:
    """Posts of a selection in figures; a mean stands with its n and 90 % interval."""

    total_content: int
    overperforming_count: int
    normal_count: int
    underperforming_count: int
    unscored_count: int
    avg_engagement_rate: float | None
    """Mean of the posts' engagements per view at their newest scrape; a fraction."""
    avg_engagement_rate_low: float | None
    avg_engagement_rate_high: float | None
    avg_engagement_rate_n: int
    total_views: int | None
    """At the newest scrapes; None when no post's views are known."""
    total_views_n: int
    total_reach: int | None
    """From the platforms' own exports; None when none was imported."""
    total_reach_n: int
    avg_score: float | None
    avg_score_n: int


@dataclass(frozen=True)
class EngagementTrend:
    """The engagement rate of a period's posts against the period before, at 7 days of age."""

    direction: str | None
    """up, down or stable; None when nobody can tell."""
    change: float | None
    """Ratio; of several profiles the mean of their logs, weighted by precision."""
    change_low: float | None
    change_high: float | None
    """With ``change_low``: the 90 % interval."""
    n: int
    n_before: int
    profiles: tuple[PeriodChange, ...]
    missing: str | None
    """Why there is no direction."""


_SUMMARY = f"""
select
    count(*)::integer as total_content,
    count(*) filter (posts.category = 'overperforming')::integer as overperforming_count,
    count(*) filter (posts.category = 'normal')::integer as normal_count,
    count(*) filter (posts.category = 'underperforming')::integer as underperforming_count,
    count(*) filter (posts.category is null)::integer as unscored_count,
    avg(posts.engagement_rate_views) as avg_engagement_rate,
    stddev_samp(posts.engagement_rate_views) as spread,
    count(posts.engagement_rate_views)::integer as avg_engagement_rate_n,
    sum(posts.view_count)::bigint as total_views,
    count(posts.view_count)::integer as total_views_n,
    sum(posts.native_reach)::bigint as total_reach,
    count(posts.native_reach)::integer as total_reach_n,
    avg(posts.score) as avg_score,
    count(posts.score)::integer as avg_score_n
{FROM} {MATCHES}
"""


def summary_of(connection: "duckdb.DuckDBPyConnection", selection: Selection) -> Summary:
    """The cards of a selection.

    Args:
        connection: To a published copy.
        selection: Which posts.
    """
    cursor = connection.execute(_SUMMARY, selection.parameters)
    names = [column[0] for column in cursor.description]
    values = dict(zip(names, cursor.fetchone() or (), strict=True))
    middle, spread, n = (
        values["avg_engagement_rate"], values.pop("spread"), values["avg_engagement_rate_n"],
    )  # fmt: skip
    low = high = None
    if spread is not None:
        reach = student_deviations(n - 1) * spread / math.sqrt(n)
        low, high = max(0.0, middle - reach), max(0.0, middle + reach)
    return Summary(**values, avg_engagement_rate_low=low, avg_engagement_rate_high=high)


def engagement_trend(
    connection: "duckdb.DuckDBPyConnection", selection: Selection, period: str
) -> EngagementTrend:
    """Where the engagement rate goes, over the profiles of a selection.

    Args:
        connection: To a published copy.
        selection: Its accounts and its platform count.
        period: ``7d``, ``30d`` or ``90d``.
    """
    profiles = tuple(
        change
        for change in period_changes(connection)
        if change.outcome == TREND_OUTCOME
        and change.period == period
        and (selection.accounts is None or change.account_name in selection.accounts)
        and selection.platform in {None, change.platform}
    )
    n = sum(change.n for change in profiles)
    n_before = sum(change.n_before for change in profiles)
    usable = [
        change
        for change in profiles
        if change.change is not None
        and change.change_low
        and change.change_high
        and change.definition_changed_on is None
    ]
    if not usable:
        needed = [change.posts_needed for change in profiles if change.posts_needed]
        missing = f"{min(needed)} more posts of 7 days are needed" if needed else "no posts"
        if any(change.definition_changed_on for change in profiles):
            missing = "the platform changed what it counts between the periods"
        return EngagementTrend(None, None, None, None, n, n_before, profiles, missing)
    change, low, high = _pooled(usable)
    if len(usable) == 1:
        direction = usable[0].verdict if usable[0].verdict in {"up", "down"} else "stable"
    else:
        direction = "up" if low > 1 else "down" if high < 1 else "stable"
    return EngagementTrend(direction, change, low, high, n, n_before, profiles, None)


def _pooled(changes: Sequence[PeriodChange]) -> tuple[float, float, float]:
    """One profile as it is; several by inverse variance on the log scale."""
    rows = [
        (change.change, change.change_low, change.change_high)
        for change in changes
        if change.change and change.change_low and change.change_high
    ]
    if len(rows) == 1:
        return rows[0]
    weighted, weights = 0.0, 0.0
    for ratio, low, high in rows:
        error = max(log_error(low, high), 1e-9)
        weighted += math.log(ratio) / error**2
        weights += 1 / error**2
    middle, reach = weighted / weights, DEVIATIONS_90 / math.sqrt(weights)
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)
