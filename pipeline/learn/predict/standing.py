"""How an account stands when it posts: the quantiles and levels of what its earlier posts reached.

Only outcomes that were known before the posting count, so that nothing of a post, and nothing of
those that were still growing then, is in what is said about it.
"""

from bisect import insort
from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.posts import LogScale, Posts
from pipeline.learn.predict.quantiles import LEVELS
from pipeline.measure.effects import Floats, Integers

RECENT_HALF_LIFE_POSTS = 30
LEVEL_HALF_LIVES_POSTS = (2, 6, 20, 60)
OWN_POSTS_FOR_QUANTILES = 5
"""With fewer, the quantiles of all accounts fill what is missing to this number."""
_LEVEL_PRIOR_POSTS = 2.0
_RECENT_POSTS = 250
"""Older ones have no weight in recent quantiles and levels."""
_FEW = 20
"""More values at once are sorted in, fewer are put in their places."""
_WEEK_HOURS = 168.0
_DAY_HOURS = 24.0


@dataclass(frozen=True)
class Standing:
    """The account of each post as it stood before; outcomes on the log scale."""

    known_posts: Floats
    """Own posts whose outcome was known, shape (rows,)."""
    quantiles: Floats
    """Of all of them, at ``LEVELS``, shape (rows, 3): what to expect if nothing else helps."""
    recent_quantiles: Floats
    """The same with weights that halve every 30 posts, shape (rows, 3)."""
    levels: Floats
    """Recent means less the median, by half-life, drawn to 0; shape (rows, half-lives)."""
    days_since_last: Floats
    """Since the account's post before, NaN for the first; shape (rows,)."""
    posts_last_week: Floats
    """Posted by the account in the 7 days before, shape (rows,)."""

    def rows(self, chosen: Integers) -> "Standing":
        """The chosen rows."""
        return Standing(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def standing(asked: Posts, history: Posts, scale: LogScale) -> Standing:
    """How the account of each post stood when it was posted.

    Args:
        asked: The posts.
        history: All posts whose outcomes may count; can be, or hold, the asked ones.
        scale: Of the outcome.
    """
    logs = scale.to_log(history.outcome)
    pooled = _Expanding(history.known_at_hours, logs)
    pool = _at_moments(pooled, asked.posted_at_hours)
    size = len(asked)
    known = np.zeros(size)
    quantiles = pool.copy()
    recent = pool.copy()
    levels = np.zeros((size, len(LEVEL_HALF_LIVES_POSTS)))
    since = np.full(size, np.nan)
    last_week = np.zeros(size)
    accounts, code = np.unique(asked.account, return_inverse=True)
    for number, account in enumerate(accounts):
        rows = np.flatnonzero(code == number)
        own = np.flatnonzero(history.account == account)
        posted = history.posted_at_hours[own]
        series = _Expanding(history.known_at_hours[own], logs[own])
        for row in rows:
            now = asked.posted_at_hours[row]
            series.advance(now)
            known[row] = series.count
            before = int(np.searchsorted(posted, now, side="left"))
            if before:
                since[row] = (now - posted[before - 1]) / _DAY_HOURS
                last_week[row] = before - np.searchsorted(posted, now - _WEEK_HOURS, side="left")
            if series.count:
                quantiles[row], recent[row], levels[row] = series.summary(pool[row])
    return Standing(known, quantiles, recent, levels, since, last_week)


class _Expanding:
    """A series of outcomes that become known one after the other."""

    def __init__(self, known_at_hours: Floats, logs: Floats) -> None:
        is_known = np.isfinite(known_at_hours)
        order = np.argsort(known_at_hours[is_known], kind="stable")
        self._hours = known_at_hours[is_known][order]
        self._logs = logs[is_known][order]
        self._ranked: list[float] = []
        self.count = 0

    def advance(self, now_hours: float) -> None:
        """Take in what became known before a moment, which must not go back."""
        until = int(np.searchsorted(self._hours, now_hours, side="left"))
        new = self._logs[self.count : until].tolist()
        if len(new) > _FEW:
            self._ranked = sorted(self._ranked + new)
        else:
            for value in new:
                insort(self._ranked, value)
        self.count = max(self.count, until)

    def quantiles(self) -> Floats:
        """At ``LEVELS``, with straight lines between ranks."""
        places = LEVELS * (self.count - 1)
        below = places.astype(np.int64)
        above = np.minimum(below + 1, self.count - 1)
        low = np.array([self._ranked[place] for place in below])
        high = np.array([self._ranked[place] for place in above])
        found: Floats = low + (places - below) * (high - low)
        return found

    def summary(self, pool: Floats) -> tuple[Floats, Floats, Floats]:
        """Quantiles, recent quantiles and levels of what is known by now."""
        own_share = min(1.0, self.count / OWN_POSTS_FOR_QUANTILES)
        all_time = own_share * self.quantiles() + (1 - own_share) * pool
        newest = self._logs[max(0, self.count - _RECENT_POSTS) : self.count]
        age = np.arange(len(newest))[::-1]
        recent = _weighted_quantiles(newest, 0.5 ** (age / RECENT_HALF_LIFE_POSTS))
        weights = 0.5 ** (age / np.array(LEVEL_HALF_LIVES_POSTS)[:, None])
        levels = weights @ (newest - all_time[1]) / (weights.sum(axis=1) + _LEVEL_PRIOR_POSTS)
        return all_time, own_share * recent + (1 - own_share) * pool, levels


def _at_moments(series: _Expanding, hours: Floats) -> Floats:
    """The pool's quantiles at ascending moments; 0 before anything is known."""
    found = np.zeros((len(hours), len(LEVELS)))
    seen = 0
    for row, now in enumerate(hours):
        series.advance(now)
        if series.count > seen:
            found[row] = series.quantiles()
            seen = series.count
        elif row and seen:
            found[row] = found[row - 1]
    return found


def _weighted_quantiles(values: Floats, weights: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    reached = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    found: Floats = np.interp(LEVELS, reached, values[order])
    return found
