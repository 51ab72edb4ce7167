"""Intervals that hold what they say while accounts change: corrected by what came before.

Each end of an interval is moved by a quantile of how far earlier outcomes were beyond that end
(conformalised quantile regression; Romano and others, 2019, https://arxiv.org/abs/1905.03222), in
widths of the interval, so that accounts of any spread can share. Recent posts count more (Barber
and others, 2023, https://doi.org/10.1214/23-AOS2276), and the level that is asked for moves a
little after each hit and miss, so that the share of misses comes right whatever changes (Gibbs
and Candès, 2021, https://arxiv.org/abs/2106.00170).
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.learn.predict.quantiles import LEVELS, in_order
from pipeline.measure.effects import Floats

HALF_LIFE_POSTS = 150
STEP = 0.01
"""How far a miss moves the level that is asked for, in shares of posts. Where outcomes come late,
steps are smaller by the root of how many are waited for, or they overshoot (as Joulani and others,
2013, https://proceedings.mlr.press/v28/joulani13.html)."""
MINIMUM_SCORES = 30
"""With fewer, intervals stay as the models give them."""
TRUSTED_SCORES = 60.0
"""With as many, an end moves half the way: the 90th percentile of a few is mostly luck."""
_KEPT_SCORES = 1000
_MOST_WIDTHS = 3.0
"""An outcome that is further out counts as this far: it is rather the interval that is too narrow
to measure with, such as that of an account whose few posts did all the same."""
_MISS_SHARE = float(LEVELS[0])
_LEAST_MISS, _MOST_MISS = 0.01, 0.3


@dataclass
class End:
    """What is known of one end of the intervals, as outcomes come in."""

    half_life: float = HALF_LIFE_POSTS
    step: float = STEP
    trusted_scores: float = TRUSTED_SCORES
    miss_share: float = _MISS_SHARE
    """Share of misses that is asked for, so that a tenth is what comes."""
    scores: list[float] = field(default_factory=list)
    """By how many widths outcomes were beyond the end, in the order in which they came."""
    _move: float | None = None

    def copy(self) -> "End":
        """The same, to go on from without changing this one."""
        return replace(self, scores=self.scores.copy())

    def take_in(self, score: float, moved: float, waiting: int) -> None:
        """An outcome came in.

        Args:
            score: By how many widths it was beyond the end as the model gave it.
            moved: By how many widths that end had been moved out.
            waiting: Predictions that were made since and whose outcomes are not known.
        """
        if len(self.scores) >= MINIMUM_SCORES:
            step = self.step / math.sqrt(1 + waiting)
            share = self.miss_share + step * (_MISS_SHARE - (score > moved))
            self.miss_share = float(np.clip(share, _LEAST_MISS, _MOST_MISS))
        self.scores = [*self.scores[-_KEPT_SCORES + 1 :], score]
        self._move = None

    def move(self) -> float:
        """By how many widths the end goes out now, or in where it is below 0."""
        if self._move is None:
            self._move = self._quantile()
        return self._move

    def _quantile(self) -> float:
        if len(self.scores) < MINIMUM_SCORES:
            return 0.0
        scores = np.array(self.scores)
        weights = 0.5 ** (np.arange(len(scores))[::-1] / self.half_life)
        order = np.argsort(scores, kind="stable")
        # The post that is asked about counts as one more, with a score that is never reached.
        reached = np.cumsum(weights[order]) / (weights.sum() + 1)
        place = int(np.searchsorted(reached, 1 - self.miss_share))
        trusted = len(scores) / (len(scores) + self.trusted_scores)
        return trusted * float(scores[order][min(place, len(scores) - 1)])


@dataclass
class Ends:
    """Both ends."""

    low: End = field(default_factory=End)
    high: End = field(default_factory=End)

    def copy(self) -> "Ends":
        """The same, to go on from without changing this one."""
        return Ends(self.low.copy(), self.high.copy())


def corrected(
    quantiles: Floats,
    outcomes: Floats,
    known_at: Floats,
    asked_at: Floats,
    ends: Ends | None = None,
) -> tuple[Floats, Ends]:
    """Each row's ends, moved by what was known of the others when the row was asked for.

    Args:
        quantiles: Of models that had not learned from their rows, on the log scale, in the order
            of time; shape (rows, levels).
        outcomes: On the log scale, NaN where not known; shape (rows,).
        known_at: When an outcome was known, infinite where it is not; shape (rows,).
        asked_at: When the prediction was made; outcomes that were known later do not count for it.
            Shape (rows,).
        ends: What earlier predictions taught; it stays as it is.

    Returns:
        Quantiles whose middle is as it was, shape (rows, levels); and what all known outcomes
        taught.
    """
    ends = Ends() if ends is None else ends.copy()
    ordered = in_order(quantiles)
    width = ordered[:, 2] - ordered[:, 0]
    beyond_low = np.minimum((ordered[:, 0] - outcomes) / width, _MOST_WIDTHS)
    beyond_high = np.minimum((outcomes - ordered[:, 2]) / width, _MOST_WIDTHS)
    arrival = np.argsort(known_at, kind="stable")
    arrival = arrival[np.isfinite(known_at[arrival])]
    arrives = known_at[arrival]
    moves = np.zeros((len(ordered), 2))
    seen = 0

    def take_in(until: int, asked: int) -> None:
        for number, place in enumerate(arrival[seen:until], start=seen):
            waiting = asked - number - 1
            ends.low.take_in(float(beyond_low[place]), float(moves[place, 0]), waiting)
            ends.high.take_in(float(beyond_high[place]), float(moves[place, 1]), waiting)

    for row in range(len(ordered)):
        until = max(seen, int(np.searchsorted(arrives, asked_at[row], side="left")))
        take_in(until, row)
        seen = until
        moves[row] = ends.low.move(), ends.high.move()
    take_in(len(arrival), len(ordered))
    moved = ordered.copy()
    moved[:, 0] -= moves[:, 0] * width
    moved[:, 2] += moves[:, 1] * width
    return in_order(moved), ends
