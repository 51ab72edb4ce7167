"""One declared contrast over all its looks: what each says, and the first that concludes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.learn.experiments.arms import Floats
from pipeline.learn.experiments.looks import Looks, Series, looks_at
from pipeline.learn.experiments.registration import METRICS, GuardDesign, Registration
from pipeline.learn.experiments.verdicts import (
    Conclusion,
    Guard,
    Reading,
    Size,
    Verdict,
    conclude,
    size_of,
)

Bools = NDArray[np.bool_]

KEEP_GOING = Conclusion(Verdict.KEEP_GOING, "Neither a winner nor its absence is shown yet.", None)


@dataclass(frozen=True)
class GuardAt:
    """A guard at a look; ratios of the tried arm to the usual one, None where unknown."""

    metric: str
    smallest_allowed_ratio: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    is_harmed: bool


@dataclass(frozen=True)
class Followed:
    """A contrast over all looks.

    Attributes:
        usual: Name of the one arm.
        tried: Name of the other.
        times: When there was a look, in seconds since 1970.
        looks: Of the primary metric.
        guards: The looks of each guard.
        deadline: Moment from which on whatever has shown nothing is ended.
        concluded_at: Which look was the first to conclude; None: none was.
        harmed_at: Which look was the first to show harm to a guard, even after a conclusion.
    """

    registration: Registration
    usual: str
    tried: str
    times: Floats
    looks: Looks
    guards: tuple[tuple[GuardDesign, Looks], ...]
    deadline: float
    concluded_at: int | None
    harmed_at: int | None

    @property
    def alpha(self) -> float:
        """The error of this contrast's intervals."""
        return self.registration.alpha / len(self.registration.contrasts)

    def settled(self, until: int) -> tuple[int, Conclusion]:
        """The look that this contrast is read at, and its verdict there.

        Args:
            until: The look that the experiment is read at.
        """
        if self.harmed_at is not None and self.harmed_at <= until:
            return self.harmed_at, self._conclusion(self.harmed_at)
        if self.concluded_at is not None and self.concluded_at <= until:
            return self.concluded_at, self._conclusion(self.concluded_at)
        return until, KEEP_GOING

    def p_adjusted(self, at: int) -> float:
        """The anytime p-value at a look, times the number of contrasts."""
        return min(1.0, float(self.looks.seen.p_value[at]) * len(self.registration.contrasts))

    def guards_at(self, at: int) -> tuple[GuardAt, ...]:
        """Every guard at a look."""
        return tuple(
            GuardAt(
                metric=design.metric,
                smallest_allowed_ratio=design.smallest_allowed_ratio,
                ratio=ratio_of(looks.log_ratio[at]),
                ratio_low=ratio_of(looks.seen.log_ratio_low[at]),
                ratio_high=ratio_of(looks.seen.log_ratio_high[at]),
                is_harmed=bool(_is_harmed(design, looks)[at]),
            )
            for design, looks in self.guards
        )

    def size(self, at: int) -> Size:
        """Practical significance at a look."""
        seen = self.looks.seen
        return size_of(
            float(seen.log_ratio_low[at]),
            float(seen.log_ratio_high[at]),
            math.log(self.registration.smallest_useful_ratio),
        )

    def _conclusion(self, at: int) -> Conclusion:
        seen = self.looks.seen
        found = conclude(
            Reading(
                self.p_adjusted(at), float(seen.log_ratio_low[at]), float(seen.log_ratio_high[at])
            ),
            smallest_useful=math.log(self.registration.smallest_useful_ratio),
            ended=bool(_has_ended(self.registration, self.looks, self.times, self.deadline)[at]),
            alpha=self.registration.alpha,
            guards=[
                Guard(
                    design.metric,
                    -math.log(design.smallest_allowed_ratio),
                    float(looks.seen.log_ratio_low[at]),
                    float(looks.seen.log_ratio_high[at]),
                )
                for design, looks in self.guards
            ],
        )
        better = None
        if found.verdict is Verdict.WINNER:
            # A ratio without ends, where an arm has no events, leaves the side to the difference.
            better = bool(self.looks.effect[at] > 0)
        elif found.verdict is Verdict.STOPPED_FOR_HARM:
            better = False
        return Conclusion(found.verdict, self._because(found.verdict, better, at), better)

    def _because(self, verdict: Verdict, better: bool | None, at: int) -> str:
        shown = self.shown(at)
        label = METRICS[self.registration.metric].label
        useful = f"{self.registration.smallest_useful_ratio:g}×"
        if verdict is Verdict.STOPPED_FOR_HARM:
            for guard in self.guards_at(at):
                if guard.is_harmed:
                    return (
                        f"{self.tried} harms {METRICS[guard.metric].label}: at best "
                        f"{guard.ratio_high:.2f}× that of {self.usual}, where "
                        f"{guard.smallest_allowed_ratio:g}× is allowed."
                    )
            return f"{self.tried} is worse than {self.usual} by more than is useful: {shown}."
        if verdict is Verdict.WINNER:
            first, second = (self.tried, self.usual) if better else (self.usual, self.tried)
            return f"{first} is better than {second} in {label}: {shown}."
        if self.size(at) is Size.NEGLIGIBLE:
            return (
                f"{self.tried} and {self.usual} differ by less than {useful} in {label}: {shown}."
            )
        return (
            f"The end is reached and no difference between {self.tried} and {self.usual} is shown "
            f"in {label}: {shown}."
        )

    def shown(self, at: int) -> str:
        """The ratio with its interval, p-value and posts, as a sentence shows them."""
        ratio = ratio_of(self.looks.log_ratio[at])
        low = ratio_of(self.looks.seen.log_ratio_low[at])
        high = ratio_of(self.looks.seen.log_ratio_high[at])
        told = "no ratio yet" if ratio is None else f"{ratio:.2f}×"
        ends = (
            f"{100 * (1 - self.alpha):.3g} % anytime interval "
            f"{'0' if low is None else f'{low:.2f}'} to {'∞' if high is None else f'{high:.2f}'}"
        )
        n = f"{self.looks.n_tried[at]} and {self.looks.n_usual[at]} posts"
        return f"{told} ({ends}, adjusted p = {self.p_adjusted(at):.3g}, {n})"


def follow_contrast(
    registration: Registration,
    pair: tuple[str, str],
    series: Mapping[str, Mapping[str, Series]],
    times: Floats,
    deadline: float,
) -> Followed:
    """Follow a contrast over all looks.

    Args:
        registration: The experiment.
        pair: The usual and the tried arm.
        series: By metric and arm.
        times: When there is a look, ascending.
        deadline: From this moment on whatever has shown nothing is ended.
    """
    usual, tried = pair
    alpha = registration.alpha / len(registration.contrasts)

    def look(metric: str) -> Looks:
        arms = series[metric]
        return looks_at(
            arms[usual],
            arms[tried],
            times,
            planned_per_arm=registration.planned_per_arm,
            alpha=alpha,
        )

    primary = look(registration.metric)
    guards = tuple((guard, look(guard.metric)) for guard in registration.guards)
    useful = math.log(registration.smallest_useful_ratio)
    seen = primary.seen
    low, high = seen.log_ratio_low, seen.log_ratio_high
    concludes = (
        (high < -useful)
        | ((low > -useful) & (high < useful))
        | (seen.p_value * len(registration.contrasts) <= registration.alpha)
        | _has_ended(registration, primary, times, deadline)
    )
    harmed = np.zeros(len(times), bool)
    for guard, looks in guards:
        harmed |= _is_harmed(guard, looks)
    concludes = np.asarray(concludes | harmed)
    return Followed(
        registration,
        usual,
        tried,
        times,
        primary,
        guards,
        deadline,
        concluded_at=_first(concludes),
        harmed_at=_first(harmed),
    )


def stopping_look(lines: Sequence[Followed]) -> int | None:
    """The look that ends the experiment; None: it goes on.

    A tried arm that is better than the usual one, or that does harm, ends it at once. Otherwise it
    goes on until every contrast is settled.
    """
    ends = []
    for line in against_usual(lines):
        for at in (line.concluded_at, line.harmed_at):
            if at is None:
                continue
            _, found = line.settled(at)
            if found.verdict is Verdict.STOPPED_FOR_HARM or found.better:
                ends.append(at)
    settled = [line.concluded_at for line in lines]
    if None not in settled:
        ends.append(max(at for at in settled if at is not None))
    return min(ends, default=None)


def against_usual(lines: Sequence[Followed]) -> list[Followed]:
    """The contrasts with the usual arm; where none is declared, all."""
    usual = lines[0].registration.arms[0].name
    return [line for line in lines if line.usual == usual] or list(lines)


def ratio_of(log_ratio: float) -> float | None:
    """A ratio from its logarithm; None where there is none, or no end."""
    if not math.isfinite(log_ratio):
        return None
    return math.exp(log_ratio)


def _first(where: Bools) -> int | None:
    (found,) = np.nonzero(where)
    return int(found[0]) if len(found) else None


def _is_harmed(guard: GuardDesign, looks: Looks) -> Bools:
    return np.asarray(looks.seen.log_ratio_high < math.log(guard.smallest_allowed_ratio))


def _has_ended(registration: Registration, looks: Looks, times: Floats, deadline: float) -> Bools:
    """Whether both arms together have the most posts that were registered, or the time is over."""
    is_full = looks.n_usual + looks.n_tried >= 2 * registration.longest_per_arm
    return np.asarray(is_full | (times >= deadline))
