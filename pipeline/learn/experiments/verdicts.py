"""What an experiment's reading says, in one word and one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The words an experiment can end with, and the one it goes on with."""

    WINNER = "winner"
    NO_USEFUL_DIFFERENCE = "no_useful_difference"
    KEEP_GOING = "keep_going"
    STOPPED_FOR_HARM = "stopped_for_harm"
    INVALID = "invalid"


class Size(StrEnum):
    """How an interval lies to the smallest useful effect."""

    USEFUL = "useful"
    NEGLIGIBLE = "negligible"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Reading:
    """One contrast, read in the way that was registered; larger is better.

    Attributes:
        p_value: Adjusted for the declared contrasts.
        low: Lower end of the effect's interval at alpha / contrasts.
        high: Upper end.
    """

    p_value: float
    low: float
    high: float


@dataclass(frozen=True)
class Guard:
    """A metric that must not get worse.

    Attributes:
        name: The metric, as it is shown.
        allowed_loss: How much worse it may get, on the scale of the interval; not negative.
        low: Lower end of its effect's interval.
        high: Upper end.
    """

    name: str
    allowed_loss: float
    low: float
    high: float


@dataclass(frozen=True)
class Conclusion:
    """A verdict.

    Attributes:
        verdict: The word.
        because: The sentence.
        better: Of a winner, whether the tried arm won and not the usual one.
    """

    verdict: Verdict
    because: str
    better: bool | None = None


def size_of(low: float, high: float, smallest_useful: float) -> Size:
    """Practical significance: where the interval lies to the smallest useful effect."""
    if low >= smallest_useful or high <= -smallest_useful:
        return Size.USEFUL
    if -smallest_useful < low and high < smallest_useful:
        return Size.NEGLIGIBLE
    return Size.UNCLEAR


def conclude(
    reading: Reading,
    *,
    smallest_useful: float | None,
    ended: bool,
    alpha: float = 0.05,
    guards: Sequence[Guard] = (),
    faults: Sequence[str] = (),
) -> Conclusion:
    """The verdict on one contrast.

    Faults of the design come first, then harm, then the effect. A significant effect that is surely
    too small to be useful is no winner.

    Args:
        reading: The primary metric.
        smallest_useful: Smallest useful effect, positive, on the scale of the interval; None where
            nobody named one: then neither harm nor uselessness is concluded.
        ended: Whether the longest or planned size is reached, whichever was registered as the end.
        alpha: Registered error.
        guards: The guardrails.
        faults: What makes the experiment invalid, a sentence each.
    """
    if faults:
        return Conclusion(Verdict.INVALID, " ".join(faults))
    for guard in guards:
        if guard.high < -guard.allowed_loss:
            return Conclusion(
                Verdict.STOPPED_FOR_HARM,
                f"{guard.name} got worse than is allowed: at best {guard.high:+.3g}.",
            )
    if smallest_useful is not None and reading.high < -smallest_useful:
        return Conclusion(
            Verdict.STOPPED_FOR_HARM,
            f"The tried arm is worse by more than is useful: at best {reading.high:+.3g}.",
            better=False,
        )
    return _effect(reading, smallest_useful, ended=ended, alpha=alpha)


def _effect(
    reading: Reading, smallest_useful: float | None, *, ended: bool, alpha: float
) -> Conclusion:
    if (
        smallest_useful is not None
        and size_of(reading.low, reading.high, smallest_useful) is Size.NEGLIGIBLE
    ):
        return Conclusion(
            Verdict.NO_USEFUL_DIFFERENCE,
            f"The effect lies between {reading.low:+.3g} and {reading.high:+.3g}, "
            f"below the smallest useful {smallest_useful:.3g}.",
        )
    if reading.p_value <= alpha:
        better = reading.low + reading.high > 0
        which = "tried" if better else "usual"
        return Conclusion(
            Verdict.WINNER,
            f"The {which} arm is better (adjusted p = {reading.p_value:.2g}).",
            better=better,
        )
    if ended:
        return Conclusion(
            Verdict.NO_USEFUL_DIFFERENCE,
            "The end is reached and no difference is shown; one between "
            f"{reading.low:+.3g} and {reading.high:+.3g} is not excluded.",
        )
    return Conclusion(Verdict.KEEP_GOING, "Neither a winner nor its absence is shown yet.")
