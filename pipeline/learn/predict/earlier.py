"""What an account's earlier posts reached, by when it was known: means that move with time."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.learn.predict.posts import Texts
from pipeline.measure.effects import Floats

_LEAST_RATE = 0.001
"""Added before logarithms of rates, so that none is without one."""
_FEWEST = 3
"""A mean of fewer posts says nothing."""

_Series = dict[Hashable, tuple[Floats, Floats]]
"""By key: when each value was known, ascending, and the sums of the values until then."""


@dataclass(frozen=True)
class EarlierRates:
    """Engagement rates of posts and when they were known; shape (rows,) each."""

    account: Texts
    platform: Texts
    pillar: Texts
    """Empty where not known."""
    known_at_hours: Floats
    """Infinite where the rate is not known."""
    rate: Floats

    def of_pillar(self, account: Texts, platform: Texts, pillar: Texts, hours: Floats) -> Floats:
        """Mean rate of the account's posts of the same pillar that was known before each moment.

        Args:
            account: Of each asked post, as the next two; shape (rows,).
            platform: As above.
            pillar: As above.
            hours: When each goes out.

        Returns:
            A fraction, NaN where fewer than three are known; shape (rows,).
        """
        keys = list(zip(account.tolist(), platform.tolist(), pillar.tolist(), strict=True))
        means = _means_before(self._by_pillar, keys, hours)
        return np.where(pillar == "", np.nan, means)

    def of_platform(self, account: Texts, platform: Texts, hours: Floats) -> Floats:
        """How the account's posts did on the platform against all of its posts, as known then.

        Returns:
            The ratio of geometric means, NaN where fewer than three are known; shape (rows,).
        """
        keys = list(zip(account.tolist(), platform.tolist(), strict=True))
        here = _means_before(self._by_platform, keys, hours)
        everywhere = _means_before(self._by_account, list(account.tolist()), hours)
        ratio: Floats = np.exp(here - everywhere)
        return ratio

    @cached_property
    def _by_pillar(self) -> _Series:
        keys = zip(self.account.tolist(), self.platform.tolist(), self.pillar.tolist(), strict=True)
        return _series(list(keys), self.known_at_hours, self.rate)

    @cached_property
    def _by_platform(self) -> _Series:
        keys = list(zip(self.account.tolist(), self.platform.tolist(), strict=True))
        return _series(keys, self.known_at_hours, np.log(self.rate + _LEAST_RATE))

    @cached_property
    def _by_account(self) -> _Series:
        keys = list(self.account.tolist())
        return _series(keys, self.known_at_hours, np.log(self.rate + _LEAST_RATE))


def _series(keys: Sequence[Hashable], known_at: Floats, values: Floats) -> _Series:
    rows: dict[Hashable, list[int]] = {}
    for place in np.flatnonzero(np.isfinite(known_at)).tolist():
        rows.setdefault(keys[place], []).append(place)
    found: _Series = {}
    for key, places in rows.items():
        own = np.array(places)
        order = own[np.argsort(known_at[own], kind="stable")]
        found[key] = (known_at[order], np.cumsum(values[order]))
    return found


def _means_before(series: _Series, keys: Sequence[Hashable], hours: Floats) -> Floats:
    found = np.full(len(keys), np.nan)
    for row, key in enumerate(keys):
        if key not in series:
            continue
        known_at, sums = series[key]
        count = int(np.searchsorted(known_at, hours[row], side="left"))
        if count >= _FEWEST:
            found[row] = sums[count - 1] / count
    return found
