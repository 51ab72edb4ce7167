"""Whether most of an account's posts of late get hardly any engagement per view."""

import numpy as np

from pipeline.accounts import AlertKind
from pipeline.measure.intervals import share_of
from pipeline.show.alerts.findings import Figures, Finding, Says, Severity
from pipeline.show.alerts.series import COMPARED_AGE_HOURS, ProfileSeries

FEWEST_POSTS = 8
MOST_POSTS = 20
_FRESH_DAYS = 28
_MOST_EARLIER = 100
_DAY_S = 86_400.0
_MOST, _FEW = 0.5, 1 / 3


def low_engagement_findings(
    series: ProfileSeries, now_s: float, threshold: float, standing: Figures | None
) -> list[Finding]:
    """The alert about a profile whose posts mostly stay below a rate.

    It is raised when the 90 % interval of the share of low posts lies above one half, over the last
    `MOST_POSTS` posts of four weeks, and ends when the share is a third or less. In between it goes
    on, so that an account which is always below is told once: that is its usual.

    Args:
        series: The posts; those without a published rate are left out.
        now_s: The moment, in seconds since 1970.
        threshold: Engagements per view, a fraction.
        standing: Figures of the alert that stands; None where there is none.
    """
    known = ~np.isnan(series.engagement_rate)
    rates, posted_at = series.engagement_rate[known], series.posted_at[known]
    is_late = posted_at > now_s - _FRESH_DAYS * _DAY_S
    late = rates[is_late][-MOST_POSTS:]
    if len(late) < FEWEST_POSTS:
        return [] if standing is None else [_finding(series, standing, Says.KEEP)]
    share = share_of(int((late < threshold).sum()), len(late))
    earlier = rates[: len(rates) - len(late)][-_MOST_EARLIER:]
    is_usual = len(earlier) >= FEWEST_POSTS and float(np.mean(earlier < threshold)) > _MOST
    figures = {
        "age_hours": COMPARED_AGE_HOURS,
        "threshold": threshold,
        "low_n": share.part,
        "n": share.whole,
        "share": share.value,
        "share_low": share.low,
        "share_high": share.high,
        "median_rate": float(np.median(late)),
        "earlier_n": len(earlier),
        "earlier_median_rate": float(np.median(earlier)) if len(earlier) else None,
        "is_usual": is_usual,
    }
    if share.low > _MOST:
        return [_finding(series, figures, Says.RAISE)]
    if standing is None:
        return []
    return [_finding(series, figures, Says.END if share.value <= _FEW else Says.KEEP)]


def _finding(series: ProfileSeries, figures: Figures, says: Says) -> Finding:
    return Finding(
        kind=AlertKind.LOW_ENGAGEMENT,
        account_name=series.account_name,
        platform=series.platform,
        subject=series.platform,
        severity=Severity.WARNING,
        figures=figures,
        says=says,
    )
