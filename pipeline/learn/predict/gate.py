"""Whether an account is served by the model: only while it beats the baseline out of time."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.learn.predict.posts import Texts
from pipeline.measure.effects import Flags, Floats

MINIMUM_POSTS = 50
"""Posts of an account with a known outcome, below which it is served the baseline."""
HALF_LIFE_POSTS = 150
"""Of an account's scored posts: a model that was better long ago need not be now."""
_KEEP = 0.5 ** (1 / HALF_LIFE_POSTS)


@dataclass
class Tally:
    """Decayed sums of an account's losses."""

    model: float = 0.0
    baseline: float = 0.0

    def add(self, model: float, baseline: float) -> None:
        """One more scored post."""
        self.model = _KEEP * self.model + model
        self.baseline = _KEEP * self.baseline + baseline

    @property
    def is_better(self) -> bool:
        """Whether the model lost less than the baseline."""
        return self.model < self.baseline


Tallies = dict[str, Tally]
"""By account."""


@dataclass(frozen=True)
class Losses:
    """Predictions out of time, in the order of posting; shape (rows,) each."""

    accounts: Texts
    known_posts: Floats
    """Outcomes of the account that were known when the post was asked about."""
    model: Floats
    """NaN where the outcome is not known, as the baseline's."""
    baseline: Floats
    known_at: Floats
    """When the outcome was known, infinite where it is not."""
    asked_at: Floats


def open_for(losses: Losses, before: Tallies | None = None) -> tuple[Flags, Tallies]:
    """Which predictions the model serves, by what was known of the losses when each was made.

    Args:
        losses: Of all predictions.
        before: What earlier predictions came to; it stays as it is.

    Returns:
        Whether the model serves, shape (rows,); and what all known losses come to.
    """
    tallies = {name: replace(tally) for name, tally in (before or {}).items()}
    arrival = np.argsort(losses.known_at, kind="stable")
    arrival = arrival[np.isfinite(losses.known_at[arrival])]
    arrives = losses.known_at[arrival]
    found = np.zeros(len(losses.accounts), dtype=np.bool_)
    seen = 0

    def take_in(until: int) -> None:
        for place in arrival[seen:until]:
            tally = tallies.setdefault(str(losses.accounts[place]), Tally())
            tally.add(float(losses.model[place]), float(losses.baseline[place]))

    for row in range(len(found)):
        until = max(seen, int(np.searchsorted(arrives, losses.asked_at[row], side="left")))
        take_in(until)
        seen = until
        own = tallies.get(str(losses.accounts[row]))
        found[row] = own is not None and own.is_better and losses.known_posts[row] >= MINIMUM_POSTS
    take_in(len(arrival))
    return found, tallies


def shortage(known_posts: int) -> str | None:
    """What is said where there are too few posts, or None."""
    if known_posts >= MINIMUM_POSTS:
        return None
    return f"not enough training data ({known_posts} of {MINIMUM_POSTS})"
