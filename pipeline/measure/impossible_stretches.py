"""From which day on impossible counts are the rule: change points of a share of bad rows.

A row is impossible where its counts contradict each other, such as more likes than views. Single
ones occur everywhere; a source that broke gives them post after post from some day on.

The days are cut in two where the likelihood of one share before and another one after is highest,
and the parts again, as long as a cut is no chance (binary segmentation); in the end each cut is
placed anew between its neighbours. If the share never changed, the count of impossible rows after a
cut is hypergeometric, given all of them: Fisher's exact test, times the number of days that could
have been chosen. A part counts as broken when it is sure that most of its rows are impossible, so
neither a few bad rows nor a small rise of their share is called a break.

Source: Hinkley and Hinkley (1970), https://doi.org/10.1093/biomet/57.3.477, for the place;
Worsley (1983), https://doi.org/10.1093/biomet/70.2.455, for the test given the total; Scott and
Knott (1974), https://doi.org/10.2307/2529204, for cutting again; Bai (1997),
https://doi.org/10.1017/S0266466600005831, for placing anew; Edwards (1972, Likelihood), for the
days that may be it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from pipeline.measure.effects import Floats
from pipeline.measure.failure_patterns import over_representation, share_bounds

CHANCE_OF_A_CUT = 1e-4
"""At most so often is a series cut whose share of impossible rows never changed."""
_THE_RULE = 0.5
_SUPPORT = 3.0
"""A day that is a twentieth (e to the minus third) as likely as the best one is possible too."""


@dataclass(frozen=True)
class Stretch:
    """Days in which impossible rows are the rule; places are indices of days."""

    start: int
    """The most likely first day."""
    end: int
    """One after the last; the number of days where the stretch lasts."""
    earliest_start: int
    """The first day that could be the first one; at most ``start``."""
    p_value: float | None
    """Chance of as clear a start in a series that never changes; None where it has no start."""


def impossible_stretches(rows: Floats, impossible: Floats) -> list[Stretch]:
    """Where impossible rows are the rule, in order of time.

    Args:
        rows: How many rows each day has, in order of time, at least 1; shape (days,).
        impossible: How many of them are impossible; shape (days,).

    Returns:
        Stretches that do not touch each other; none where all is well.

    Raises:
        ValueError: The shapes differ, a day has no rows, or more impossible rows than rows.
    """
    if rows.shape != impossible.shape or rows.ndim != 1:
        raise ValueError(f"one count of each kind per day, not {rows.shape}, {impossible.shape}")
    if np.any(rows < 1) or np.any(impossible < 0) or np.any(impossible > rows):
        raise ValueError("a day has at least one row, and at most all of its rows are impossible")
    if not impossible.any():
        return []
    series = _Series(rows, impossible)
    cuts = series.refined([0, *series.cuts_between(0, len(rows)), len(rows)])
    found: list[Stretch] = []
    before = 0
    for start, end in pairwise(cuts):
        if not series.is_the_rule(start, end):
            before = start
        elif found and found[-1].end == start:
            last = found.pop()
            found.append(Stretch(last.start, end, last.earliest_start, last.p_value))
        else:
            found.append(series.stretch(before, start, end))
    return found


class _Series:
    """Running sums of a series, so that every part of it is a difference."""

    def __init__(self, rows: Floats, impossible: Floats) -> None:
        self._n = np.concatenate([[0.0], np.cumsum(rows)])
        self._bad = np.concatenate([[0.0], np.cumsum(impossible)])

    def cuts_between(self, low: int, high: int) -> list[int]:
        """Days from ``low`` to ``high`` at which the share changes, in order."""
        if high - low < 2:
            return []
        cut = self._best_cut(low, high)
        if self._chance(low, cut, high) > CHANCE_OF_A_CUT:
            return []
        return [*self.cuts_between(low, cut), cut, *self.cuts_between(cut, high)]

    def refined(self, cuts: Sequence[int]) -> list[int]:
        """The cuts, each where it is best between its neighbours; both ends stay.

        The first cut of several was chosen while the other changes were still in its parts.
        """
        placed = list(cuts)
        for place in range(1, len(placed) - 1):
            placed[place] = self._best_cut(placed[place - 1], placed[place + 1])
        return placed

    def is_the_rule(self, low: int, high: int) -> bool:
        """Whether most rows are impossible, with 95 % confidence."""
        bad, n = self._bad[[low, high]], self._n[[low, high]]
        lower, _ = share_bounds(np.diff(bad), np.diff(n))
        return bool(lower[0] > _THE_RULE)

    def stretch(self, before: int, start: int, end: int) -> Stretch:
        """The stretch whose days before it begin at ``before``; these are none when it is first."""
        if start == 0:
            return Stretch(0, end, 0, None)
        likelihoods = self._log_likelihoods(before, end)[: start - before]
        earliest = int(np.argmax(likelihoods >= likelihoods[-1] - _SUPPORT))
        return Stretch(start, end, before + 1 + earliest, self._chance(before, start, end))

    def _best_cut(self, low: int, high: int) -> int:
        return low + 1 + int(np.argmax(self._log_likelihoods(low, high)))

    def _log_likelihoods(self, low: int, high: int) -> Floats:
        """Of a change at each day after ``low`` and before ``high``; shape (high - low - 1,)."""
        n, bad = self._n[low : high + 1], self._bad[low : high + 1]
        found: Floats = _log_likelihood(bad[1:-1] - bad[0], n[1:-1] - n[0]) + _log_likelihood(
            bad[-1] - bad[1:-1], n[-1] - n[1:-1]
        )
        return found

    def _chance(self, low: int, cut: int, high: int) -> float:
        n = np.diff(self._n[[low, cut, high]])
        bad = np.diff(self._bad[[low, cut, high]])
        more = int(np.argmax(bad / n))
        one_sided = over_representation(
            n[[more]], bad[[more]], n.sum(keepdims=True), bad.sum(keepdims=True)
        )
        places = high - low - 1
        return float(min(1.0, 2 * places * one_sided[0]))


def _log_likelihood(bad: Floats, n: Floats) -> Floats:
    found: Floats = special.xlogy(bad, bad / n) + special.xlogy(n - bad, 1 - bad / n)
    return found
