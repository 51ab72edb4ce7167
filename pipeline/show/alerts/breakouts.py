"""Posts that reach far more people than an account's posts do at that age.

A post's log value is held against the account's earlier posts at the same age, as robust deviations
from their median (median absolute deviation: Hampel, 1974,
https://doi.org/10.1080/01621459.1974.10482962). How rare that is depends on the tail: some accounts
have a hit a month. So the chance is a mixture over a normal distribution and Student's t with 8 and
with 4 degrees of freedom, each as likely as it makes the account's own earlier posts, with room for
the spread being known from few posts. A post is a breakout when in an account that posts as often
chance alone makes one in 140 weeks at most, and when it has at least ``breakout_ratio`` times the
usual. Such a post lies 4 to 8 robust deviations above the usual, by tail and by how many posts
there are; one of 8 is told whatever the tail.

Nobody waits for an age: counts only grow, so a post of ten hours that has more than a breakout at
24 hours is one already.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.accounts import AlertKind
from pipeline.measure.intervals import DEVIATIONS_90, student_quantile
from pipeline.show.alerts.findings import Finding, Severity
from pipeline.show.alerts.robust import Usual, median_of, usual_of
from pipeline.show.alerts.series import AGES_HOURS, Floats, ProfileSeries

FEWEST_EARLIER = 20
MOST_EARLIER = 100
CHANCE_PER_WEEK = 0.007
"""Expected breakouts per week of an account in which nothing but chance happens."""
FEWEST_COUNT = 100
"""Smaller counts are no breakout, whatever the account's usual."""
_FRESH_DAYS = 7
_TAILS = (math.inf, 8.0, 4.0)
_TEMPER = 0.8
"""Power of the likelihood of each tail: the posts of one account are not quite independent."""
_DAY_S = 86_400.0
_ZERO_LOG = 1e-12


@dataclass(frozen=True)
class Breakout:
    """One post against the earlier ones of its account, at one age."""

    post_id: str
    age_hours: int
    """Age that it is compared at."""
    seen_at_hours: float
    """The same, or the post's age where it is younger."""
    log_value: float
    usual: Usual
    deviations: float
    chance: float
    """That a post of this account reaches as much."""


def posts_per_week(series: list[ProfileSeries], now_s: float) -> float:
    """How many posts an account has made in a week of late, over its profiles; 1 at least."""
    since = now_s - 28 * _DAY_S
    count = sum(int(((one.posted_at > since) & (one.posted_at <= now_s)).sum()) for one in series)
    return max(1.0, count / 4)


def find_breakouts(
    series: ProfileSeries, now_s: float, weekly_posts: float, smallest_ratio: float
) -> list[Breakout]:
    """Breakouts among the posts of the last week, each at the youngest age that shows it."""
    found = []
    young = np.flatnonzero(series.posted_at > now_s - _FRESH_DAYS * _DAY_S)
    for place in young:
        for age in AGES_HOURS:
            value = _value_by(series, int(place), age)
            if value is None:
                continue
            one = _held_against(series, int(place), age, value, smallest_ratio)
            if one is not None and one.chance * weekly_posts <= CHANCE_PER_WEEK:
                found.append(one)
                break
    return found


def breakout_findings(
    series: ProfileSeries, now_s: float, weekly_posts: float, smallest_ratio: float
) -> list[Finding]:
    """One finding per breakout among the posts of the last week."""
    return [
        Finding(
            kind=AlertKind.BREAKOUT,
            account_name=series.account_name,
            platform=series.platform,
            subject=f"{series.platform}/{one.post_id}",
            severity=Severity.INFO,
            figures=_figures(series, one, weekly_posts),
        )
        for one in find_breakouts(series, now_s, weekly_posts, smallest_ratio)
    ]


def _value_by(series: ProfileSeries, place: int, age: int) -> float | None:
    """The post's log value at an age, or by now where it is younger; None: not known."""
    value = float(series.log_at[age][place])
    if not math.isnan(value):
        return value
    now = float(series.log_now[place])
    return now if series.age_hours[place] < age and not math.isnan(now) else None


def _held_against(
    series: ProfileSeries, place: int, age: int, value: float, smallest_ratio: float
) -> Breakout | None:
    if math.expm1(value) < FEWEST_COUNT:
        return None
    earlier = series.log_at[age][:place]
    earlier = earlier[~np.isnan(earlier)][-MOST_EARLIER:]
    if len(earlier) < FEWEST_EARLIER:
        return None
    # Most posts are far from a breakout: two steps that cost nothing before the chance.
    if value - median_of(earlier) < math.log(smallest_ratio):
        return None
    usual = usual_of(earlier)
    if usual is None:
        return None
    deviations = (value - usual.centre) / usual.deviation
    chance = chance_of(deviations, earlier, usual)
    post_id = str(series.post_ids[place])
    seen_at_hours = min(float(age), float(series.age_hours[place]))
    return Breakout(post_id, age, seen_at_hours, value, usual, deviations, chance)


def chance_of(deviations: float, earlier: Floats, usual: Usual) -> float:
    """The chance that a post of this account lies so many robust deviations above its usual."""
    from scipy.special import ndtr, stdtr

    residuals = (earlier - usual.centre) / usual.deviation
    likelihood = np.array([_log_likelihood(residuals, tail) for tail in _TAILS])
    weights = np.exp(_TEMPER * (likelihood - likelihood.max()))
    weights /= weights.sum()
    # The median is known to 1.57 / n of the variance, the deviation as from 0.37 n values.
    distance = deviations / math.sqrt(1 + 1.57 / usual.n)
    room = max(1.0, 0.37 * (usual.n - 1))
    chances = []
    for tail in _TAILS:
        degrees = min(tail, room) if math.isinf(tail) else tail
        scale = 1.0 if math.isinf(tail) else _scale(tail)
        above = (
            float(ndtr(-distance))
            if math.isinf(degrees)
            else float(stdtr(degrees, -distance * scale))
        )
        chances.append(above)
    return float(weights @ np.array(chances))


def _log_likelihood(residuals: Floats, tail: float) -> float:
    """Of residuals in robust deviations, under a distribution with that robust deviation."""
    if math.isinf(tail):
        return float((-0.5 * residuals**2 - 0.5 * math.log(2 * math.pi)).sum())
    scale = _scale(tail)
    constant = math.lgamma((tail + 1) / 2) - math.lgamma(tail / 2) - 0.5 * math.log(tail * math.pi)
    logs = constant - (tail + 1) / 2 * np.log1p((residuals * scale) ** 2 / tail)
    return float(logs.sum() + len(residuals) * math.log(scale))


@lru_cache(maxsize=8)
def _scale(tail: float) -> float:
    """Standard t values per robust deviation."""
    return student_quantile(0.75, tail) / 0.674490


def _figures(series: ProfileSeries, one: Breakout, weekly_posts: float) -> dict[str, Any]:
    ratio = one.log_value - one.usual.centre
    # A median's standard error is about a quarter above that of a mean.
    reach = DEVIATIONS_90 * 1.2533 * one.usual.deviation / math.sqrt(one.usual.n)
    return {
        "metric": series.metric,
        "post_id": one.post_id,
        "age_hours": one.age_hours,
        "seen_at_hours": one.seen_at_hours,
        "count": round(math.expm1(one.log_value)),
        "usual_count": round(math.expm1(one.usual.centre)),
        "ratio": math.exp(ratio),
        "ratio_low": math.exp(ratio - reach),
        "ratio_high": math.exp(ratio + reach),
        "deviations": one.deviations,
        "weeks_between": 1 / max(one.chance * weekly_posts, _ZERO_LOG),
        "n": one.usual.n,
    }
