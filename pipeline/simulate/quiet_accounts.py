"""Accounts in which nothing happens but luck, scraped every day, as arrays.

Posts come at 2 to 20 a week. What a post reaches is the account's usual times log-normal or
heavy-tailed luck (Student's t with 4 degrees of freedom on the log scale) that lasts a little from
post to post, times its weekday, times a slow drift of the account. Its count grows along a curve of
its own and is seen at each scrape; values at an age lie between the two scrapes around it, as the
warehouse has them. Something can be planted: a fall of everything after a moment, or one post that
goes far beyond the usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.growth import LONG_TAIL_SHARE, USUAL_CURVE

Floats = NDArray[np.float64]

DAY_S = 86_400.0
WARM_UP_DAYS = 180
COLD_START_SHARE = 0.25
"""Share of accounts whose first post is that of the first day."""
WIDEST_GAP_HOURS: Mapping[int, float] = {24: 30.0, 72: 60.0, 168: 120.0}
"""Standard ages, and how far apart the scrapes around one may lie."""
_SPREADS = (0.4, 1.3)
_MOST_LIKENESS = 0.3
"""Correlation of the luck of one post with that of the next."""
_T4_DEVIATION = 1.0982
"""Median absolute deviation of Student's t with 4 degrees of freedom, scaled as for a normal."""


@dataclass(frozen=True)
class QuietProfile:
    """One profile: its posts, and what is known of each from when on. Times in seconds."""

    platform: str
    has_views: bool
    spread: float
    """Robust deviation of the log of what a post reaches."""
    is_heavy_tailed: bool
    posted_at: Floats
    """Ascending, shape (posts,)."""
    usual_log: Floats
    """Log of what each post would reach without luck."""
    log_final: Floats
    log_rate: Floats
    """Log of engagements per view."""
    curve: Floats
    """Fast share, fast hours and slow hours, shape (posts, 3)."""
    luck_of_rate: Floats
    """Standard normal draws for the counting noise of engagements."""


@dataclass(frozen=True)
class QuietAccount:
    """An account of one or two profiles that are scraped at the same moments."""

    name: str
    profiles: tuple[QuietProfile, ...]
    scraped_at: Floats
    """All scrapes, of the warm-up too, ascending."""
    begins_at: float
    """When alerts begin to be looked for."""

    @property
    def watched(self) -> Floats:
        """The scrapes after each of which alerts are looked for."""
        return self.scraped_at[self.scraped_at >= self.begins_at]


@dataclass(frozen=True)
class Seen:
    """A profile's posts with their values at ages and the moments from which these are known."""

    log_at: Mapping[int, Floats]
    """ln(1 + count) by age in hours; NaN where no two scrapes lie around it."""
    known_at: Mapping[int, Floats]
    engagement_rate: Floats
    """Per view at 72 hours, a fraction; NaN where not known or not published."""
    first_seen_at: Floats


def draw_accounts(
    count: int, *, days: int, seed: int, begins_at: float = 1_767_600_000.0
) -> list[QuietAccount]:
    """Accounts with all their posts and scrapes, each from a stream of its own.

    Args:
        count: How many.
        days: How long they are watched.
        seed: Of the whole world.
        begins_at: The first day, in seconds since 1970.
    """
    return [
        _account(np.random.default_rng([seed, index]), f"quiet_{index:03d}", days, begins_at)
        for index in range(count)
    ]


def with_fall(account: QuietAccount, at: float, ratio: float) -> QuietAccount:
    """The same account, whose posts from a moment on reach ``ratio`` of what they would have."""
    return replace(
        account,
        profiles=tuple(
            replace(
                profile,
                log_final=profile.log_final + np.log(ratio) * (profile.posted_at >= at),
            )
            for profile in account.profiles
        ),
    )


def with_breakout(
    account: QuietAccount, profile_index: int, post: int, deviations: float
) -> QuietAccount:
    """The same account with one post at so many of its robust deviations above its usual."""
    profile = account.profiles[profile_index]
    log_final = profile.log_final.copy()
    log_final[post] = profile.usual_log[post] + deviations * profile.spread
    profiles = list(account.profiles)
    profiles[profile_index] = replace(profile, log_final=log_final)
    return replace(account, profiles=tuple(profiles))


def seen(profile: QuietProfile, scraped_at: Floats) -> Seen:
    """What the scrapes show of a profile."""
    log_at, known_at = {}, {}
    for age, widest in WIDEST_GAP_HOURS.items():
        log_at[age], known_at[age] = _at_age(profile, scraped_at, float(age), widest)
    first = np.searchsorted(scraped_at, profile.posted_at, side="right")
    padded = np.append(scraped_at, np.inf)
    rate = np.full(len(profile.posted_at), np.nan)
    if profile.has_views:
        views = np.expm1(log_at[72])
        rate_of_post = np.exp(profile.log_rate)
        # Engagements are counted: a normal draw stands for the Poisson one.
        counted = views * rate_of_post + np.sqrt(views * rate_of_post) * profile.luck_of_rate
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.clip(np.round(counted) / views, 0, 1)
        rate[~(views > 0)] = np.nan
    return Seen(log_at, known_at, rate, padded[first])


def log_count(profile: QuietProfile, moment: float | Floats) -> Floats:
    """ln(1 + count) of every post at a moment, shape (posts,); 0 before it exists."""
    age_hours = np.maximum((moment - profile.posted_at) / 3600.0, 0.0)
    share, fast, slow = profile.curve.T
    reached = share * -np.expm1(-age_hours / fast) + (1 - share) * -np.expm1(-age_hours / slow)
    return np.asarray(np.log1p(np.floor(np.exp(profile.log_final) * reached)))


def _at_age(
    profile: QuietProfile, scraped_at: Floats, age_hours: float, widest_hours: float
) -> tuple[Floats, Floats]:
    due = profile.posted_at + age_hours * 3600.0
    after = np.searchsorted(scraped_at, due, side="left")
    is_there = (after > 0) & (after < len(scraped_at))
    after = np.clip(after, 1, len(scraped_at) - 1)
    low_age = (scraped_at[after - 1] - profile.posted_at) / 3600.0
    high_age = (scraped_at[after] - profile.posted_at) / 3600.0
    is_there &= (low_age > 0) & (high_age - low_age <= widest_hours)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (np.log(age_hours) - np.log(low_age)) / (np.log(high_age) - np.log(low_age))
    low, high = (log_count(profile, scraped_at[place]) for place in (after - 1, after))
    values = np.where(is_there, low + weight * (high - low), np.nan)
    return values, np.where(is_there, scraped_at[after], np.inf)


def _account(rng: np.random.Generator, name: str, days: int, begins_at: float) -> QuietAccount:
    rate = float(np.exp(rng.uniform(np.log(2.0), np.log(20.0))))
    warm_up = 0 if rng.random() < COLD_START_SHARE else WARM_UP_DAYS
    total = warm_up + days
    first = begins_at - warm_up * DAY_S
    scraped_at = first + DAY_S * np.arange(1, total + 1) + rng.uniform(-900, 900, total)
    platforms: Sequence[tuple[str, bool]] = [("tiktok", True)]
    if rng.random() < 0.4:
        platforms = [("tiktok", True), ("instagram", False)]
    shares = rng.dirichlet([4.0] * len(platforms))
    profiles = tuple(
        _profile(rng, platform, has_views, rate * share, first, total)
        for (platform, has_views), share in zip(platforms, shares, strict=True)
    )
    return QuietAccount(name, profiles, scraped_at, begins_at)


def _profile(
    rng: np.random.Generator, platform: str, has_views: bool, rate: float, first: float, days: int
) -> QuietProfile:
    n = max(1, int(rng.poisson(rate * days / 7)))
    day = np.sort(rng.integers(0, days, n))
    hour = np.clip(rng.normal(15.0, 4.0, n), 0.0, 23.99)
    posted_at = np.sort(first + DAY_S * day + 3600.0 * hour)
    age_days = (posted_at - first) / DAY_S
    weekday = rng.normal(0.0, rng.uniform(0.0, 0.2), 7)[(posted_at // DAY_S).astype(int) % 7]
    drift = rng.uniform(-0.01, 0.02) * age_days / 7
    usual_log = rng.uniform(np.log(300.0), np.log(20_000.0)) + weekday + drift
    spread = float(np.exp(rng.uniform(*np.log(_SPREADS))))
    is_heavy_tailed = bool(rng.random() < 0.5)
    luck = rng.standard_t(4, n) / _T4_DEVIATION if is_heavy_tailed else rng.normal(size=n)
    likeness = rng.uniform(0.0, _MOST_LIKENESS)
    for post in range(1, n):
        luck[post] = likeness * luck[post - 1] + np.sqrt(1 - likeness**2) * luck[post]
    fast_share = np.where(rng.random(n) < LONG_TAIL_SHARE, 0.55, USUAL_CURVE.fast_share)
    curve = np.column_stack(
        [
            fast_share,
            USUAL_CURVE.fast_hours * np.exp(0.3 * rng.normal(size=n)),
            USUAL_CURVE.slow_hours
            * np.where(fast_share < USUAL_CURVE.fast_share, 2.0, 1.0)
            * np.exp(0.3 * rng.normal(size=n)),
        ]
    )
    usual_rate = np.exp(rng.uniform(np.log(0.015), np.log(0.10)))
    rate_luck = rng.uniform(0.25, 0.6) * (
        rng.standard_t(4, n) / _T4_DEVIATION if rng.random() < 0.5 else rng.normal(size=n)
    )
    return QuietProfile(
        platform=platform,
        has_views=has_views,
        spread=spread,
        is_heavy_tailed=is_heavy_tailed,
        posted_at=posted_at,
        usual_log=usual_log,
        log_final=usual_log + spread * luck,
        log_rate=np.log(usual_rate) + rate_luck,
        curve=curve,
        luck_of_rate=rng.normal(size=n),
    )
