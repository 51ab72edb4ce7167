"""Which arm of an experiment comes next: random blocks in each stratum, balanced over all of them.

A stratum is a weekday and a part of the day. Within each, arms come in blocks that hold every arm
once, in random order, so that no arm gets the good hours. Many strata that each owe an arm could
still leave the whole experiment uneven; so a block's arm is passed over while it leads too far in
the experiment as a whole: Zelen, "The randomization and stratification of patients to clinical
trials" (Journal of Chronic Diseases 27, 1974), with the levels in the order of Heritier, Gebski
and Pillai, "Dynamic balancing randomization in controlled clinical trials" (Statistics in Medicine
24, 2005). Every rule treats all arms alike, so that before a draw each arm is equally likely.
"""

import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

MOST_IMBALANCE = 2
"""Most assignments by which an arm is ahead of another in the whole experiment."""

DAYPART_ENDS = {
    "night": 6, "morning": 10, "midday": 14, "afternoon": 18, "evening": 21, "late": 24,
}  # fmt: skip
"""The hour after the last one of each part of the day, on the account's clock."""

Earlier = tuple[str, str]
"""An earlier assignment: its stratum and its arm."""


def next_arm(
    arms: Sequence[str], seed: int, stratum: str, position: int, earlier: Iterable[Earlier]
) -> str:
    """The arm of the next assignment.

    Args:
        arms: Names of all arms, in the order of the registration.
        seed: The experiment's.
        stratum: Where the post belongs.
        position: Number of earlier assignments in the stratum, whatever became of them.
        earlier: All earlier assignments of the experiment, in any order.

    Returns:
        The same arm for the same arguments. Overall, no arm gets ahead of another by more than
        :data:`MOST_IMBALANCE`; in the stratum by more than one only where the former leaves no
        other choice, and the stratum's next arms make that good.
    """
    overall, within = Counter(dict.fromkeys(arms, 0)), Counter(dict.fromkeys(arms, 0))
    for their_stratum, arm in earlier:
        overall[arm] += 1
        if their_stratum == stratum:
            within[arm] += 1
    fewest = min(overall[arm] for arm in arms)
    allowed = [arm for arm in arms if overall[arm] < fewest + MOST_IMBALANCE]
    # What is left of a block of every arm once is what the stratum has had least often.
    least = min(within[arm] for arm in allowed)
    candidates = [arm for arm in allowed if within[arm] == least]
    # Reproducible on purpose: nobody but the draw looks at what comes next.
    chance = random.Random(f"{seed}/{stratum}/{position}")  # noqa: S311
    return chance.choice(candidates)


def stratum_of(local: datetime, daypart: str | None, *, is_daypart_tried: bool) -> str:
    """Where a post belongs, such as ``3/evening``; ``3`` alone where arms differ in their daypart.

    Args:
        local: The planned posting on the account's clock.
        daypart: What the brief says; None for that of the planned posting.
        is_daypart_tried: Whether an arm of the experiment fixes the daypart.
    """
    if is_daypart_tried:
        return str(local.isoweekday())
    of_hour = next(name for name, end in DAYPART_ENDS.items() if local.hour < end)
    return f"{local.isoweekday()}/{daypart or of_hour}"


def plain_subject(text: str) -> str:
    """A subject without what does not make it another one: case, spaces, forms of letters."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
