"""The rules about posts, run over one account's profiles. Pure: rows in, findings out."""

from collections.abc import Mapping, Sequence

from pipeline.accounts import AlertKind, AlertThresholds
from pipeline.show.alerts.breakouts import breakout_findings, posts_per_week
from pipeline.show.alerts.drops import drop_findings
from pipeline.show.alerts.findings import Figures, Finding
from pipeline.show.alerts.low_engagement import low_engagement_findings
from pipeline.show.alerts.series import ProfileSeries

POST_KINDS = frozenset({AlertKind.PERFORMANCE_DROP, AlertKind.LOW_ENGAGEMENT, AlertKind.BREAKOUT})

Standing = Mapping[tuple[AlertKind, str], Figures]
"""Figures of an account's alerts that stand, by kind and subject."""


def post_findings(
    account: Sequence[ProfileSeries], thresholds: AlertThresholds, standing: Standing, now_s: float
) -> list[Finding]:
    """What the posts of one account say.

    Args:
        account: All series of the account.
        thresholds: The account's.
        standing: Its alerts that stand.
        now_s: The moment, in seconds since 1970.
    """
    weekly_posts = posts_per_week(list(account), now_s)
    found: list[Finding] = []
    for series in account:
        found += drop_findings(
            series,
            now_s,
            thresholds.performance_drop,
            standing.get((AlertKind.PERFORMANCE_DROP, series.subject)),
        )
        if series.metric == "views":
            found += low_engagement_findings(
                series,
                now_s,
                thresholds.low_engagement_rate,
                standing.get((AlertKind.LOW_ENGAGEMENT, series.platform)),
            )
        found += breakout_findings(series, now_s, weekly_posts, thresholds.breakout_ratio)
    return [one for one in found if one.kind not in thresholds.muted]
