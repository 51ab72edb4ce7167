"""Whether an account's posts of late do worse than its own usual, age for age.

The last w posts, for several lengths w, are held against up to `MOST_EARLIER` posts before them:
a generalised likelihood ratio over windows, which is the CUSUM for a change of unknown size (Page,
1954, https://doi.org/10.1093/biomet/41.1-2.100; Lai, 1995,
https://doi.org/10.1111/j.2517-6161.1995.tb02052.x). Values are logs at one age, pulled in towards
the account's median, so that neither a record among the earlier posts nor the ordinary post after
it counts as a fall, and no single flop as one either. A window covers a week at least: otherwise a
weekend would be a fall.

An alert is raised when both hold for some window:

- a fall this deep is as rare among accounts without one as `RARE_DEVIATIONS` standard errors
  (with Student's t for the spread, which is estimated, and wider where neighbours are alike);
- the 90 % interval of the ratio lies wholly below the account's ``performance_drop``.

So the size that can be told depends on how much an account's posts differ. `posts_needed` says how
many posts it takes until a fall of a stated size is told nine times in ten; that is the definition
that the benchmark holds the rule to.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.accounts import AlertKind
from pipeline.measure.intervals import student_quantile
from pipeline.show.alerts.findings import Figures, Finding, Says, Severity
from pipeline.show.alerts.robust import Usual, usual_of
from pipeline.show.alerts.series import COMPARED_AGE_HOURS, Floats, ProfileSeries

WINDOWS = (4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48)
"""Lengths of the stretch of late posts, in posts."""
FEWEST_EARLIER = 20
MOST_EARLIER = 60
RARE_DEVIATIONS = 3.3
POWER_DEVIATIONS = 1.645
"""What a standard normal stays below 19 times in 20. Nine times in ten are promised, because the
spread that the promise is made from is itself known from few posts."""
_INTERVAL_SHARE = 0.975
"""What lies below the upper end of a 90 % interval. A fixed stretch would need 0.95; this one is
chosen because a fall shows most in it, and with 0.95 its interval would cover 8 times in 10."""
_WINDOW_DAYS = 6.5
"""From the first to the last post of a window that covers a week."""
_FRESH_DAYS = 28
NEW_USUAL_DAYS = 60
_HALF = 0.5
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Fall:
    """Late posts against earlier ones, as log ratio."""

    late_n: int
    usual: Usual
    log_ratio: float
    standard_error: float
    rarity: float
    """Standard errors of a normal distribution that are as rare."""

    def interval(self) -> tuple[float, float]:
        """90 % interval of the log ratio."""
        reach = student_quantile(_INTERVAL_SHARE, self.usual.n - 1) * self.standard_error
        return self.log_ratio - reach, self.log_ratio + reach


def find_fall(posted_at: Floats, log_values: Floats, smallest_drop: float) -> Fall | None:
    """The clearest fall that the last posts show, None where there is none.

    Args:
        posted_at: Seconds since 1970, ascending, shape (posts,).
        log_values: At one age, all known, shape (posts,).
        smallest_drop: Fraction of the usual that must surely be lost.
    """
    highest = math.log(1 - smallest_drop)
    found: Fall | None = None
    for late_n in WINDOWS:
        first = len(log_values) - late_n
        if first < FEWEST_EARLIER:
            break
        if posted_at[-1] - posted_at[first] < _WINDOW_DAYS * _DAY_S:
            continue
        usual = usual_of(log_values[max(0, first - MOST_EARLIER) : first])
        if usual is None:
            continue
        fall = fall_from(usual, log_values[first:])
        is_clear = fall.rarity >= RARE_DEVIATIONS and fall.interval()[1] < highest
        if is_clear and (found is None or fall.rarity > found.rarity):
            found = fall
    return found


def fall_from(usual: Usual, late: Floats) -> Fall:
    """How late posts compare with a usual, which may be one that was stored."""
    log_ratio = usual.mean_of(late) - usual.mean
    standard_error = usual.spread * _root(usual, len(late))
    cautious = usual.cautious_mean_of(late) - usual.mean
    rarity = _as_normal(-max(log_ratio, cautious) / standard_error, usual.n - 1)
    return Fall(len(late), usual, log_ratio, standard_error, rarity)


def _root(usual: Usual, late_n: int) -> float:
    """Standard error of the difference of the two means, in spreads."""
    return math.sqrt(usual.inflation * (1 / late_n + 1 / usual.n))


def posts_needed(usual: Usual, ratio: float, smallest_drop: float = 0.25) -> int | None:
    """How many late posts show a fall to ``ratio`` of the usual nine times in ten.

    They are counted among posts that have reached the compared age, and cover a week. None where
    the longest window is too short for a fall of that size.
    """
    size = -math.log(ratio)
    beyond = size + math.log(1 - smallest_drop)
    if beyond <= 0:
        return None
    rare = student_quantile(_normal_share(RARE_DEVIATIONS), usual.n - 1)
    sure = student_quantile(_INTERVAL_SHARE, usual.n - 1)
    for late_n in WINDOWS:
        standard_error = usual.spread * _root(usual, late_n)
        told = min(size / standard_error - rare, beyond / standard_error - sure)
        if told >= POWER_DEVIATIONS:
            return late_n
    return None


def drop_findings(
    series: ProfileSeries, now_s: float, smallest_drop: float, standing: Figures | None
) -> list[Finding]:
    """The alert about a fall of this profile's reach: none, a new one, or one that goes on.

    An alert that stands is held against the usual from before the fall, which its figures keep:
    the account's later usual contains the fall itself.

    Args:
        series: The posts.
        now_s: The moment, in seconds since 1970.
        smallest_drop: Fraction of the usual.
        standing: Figures of the alert that stands; None where there is none.
    """
    values = series.log_at[COMPARED_AGE_HOURS]
    known = ~np.isnan(values)
    posted_at, values = series.posted_at[known], values[known]
    if standing is not None:
        return _going_on(series, posted_at, values, smallest_drop, now_s, standing)
    if not len(values) or now_s - posted_at[-1] > _FRESH_DAYS * _DAY_S:
        return []
    fall = find_fall(posted_at, values, smallest_drop)
    if fall is None:
        return []
    figures = _figures(
        series, fall, since_s=float(posted_at[-fall.late_n]), newest_s=float(posted_at[-1])
    )
    return [_of(series, _severity(figures["ratio_high"]), figures, Says.RAISE)]


def _going_on(
    series: ProfileSeries,
    posted_at: Floats,
    values: Floats,
    smallest_drop: float,
    now_s: float,
    standing: Figures,
) -> list[Finding]:
    late_n = min(int(standing["late_n"]), len(values))
    if late_n == 0 or float(posted_at[-1]) == standing["newest_s"]:
        kept = _severity(float(standing["ratio_high"]))
        return [_of(series, kept, standing, Says.KEEP)]
    fall = fall_from(Usual(**standing["usual"]), values[-late_n:])
    since_s = float(standing["since_s"])
    figures = _figures(series, fall, since_s=since_s, newest_s=float(posted_at[-1]))
    severity = _severity(figures["ratio_high"])
    if fall.log_ratio > math.log(1 - smallest_drop) / 2:
        return [_of(series, severity, {**figures, "ended": "back"}, Says.END)]
    if now_s - since_s > NEW_USUAL_DAYS * _DAY_S:
        return [_of(series, severity, {**figures, "ended": "new_usual"}, Says.END)]
    return [_of(series, severity, figures, Says.KEEP)]


def _figures(
    series: ProfileSeries, fall: Fall, *, since_s: float, newest_s: float
) -> dict[str, Any]:
    low, high = fall.interval()
    return {
        "metric": series.metric,
        "age_hours": COMPARED_AGE_HOURS,
        "late_n": fall.late_n,
        "earlier_n": fall.usual.n,
        "ratio": math.exp(fall.log_ratio),
        "ratio_low": math.exp(low),
        "ratio_high": math.exp(high),
        "since_s": since_s,
        "newest_s": newest_s,
        "usual": vars(fall.usual),
    }


def _of(series: ProfileSeries, severity: Severity, figures: Figures, says: Says) -> Finding:
    return Finding(
        kind=AlertKind.PERFORMANCE_DROP,
        account_name=series.account_name,
        platform=series.platform,
        subject=series.subject,
        severity=severity,
        figures=figures,
        says=says,
    )


def _severity(ratio_high: float) -> Severity:
    return Severity.CRITICAL if ratio_high < _HALF else Severity.WARNING


def _normal_share(deviations: float) -> float:
    return 0.5 * math.erfc(-deviations / math.sqrt(2))


def _as_normal(t: float, degrees: int) -> float:
    """The standard normal value that is as rare as a value of Student's t."""
    from scipy.special import ndtri, stdtr

    return -float(ndtri(max(float(stdtr(degrees, -t)), 1e-300)))
