"""What is not proposed again: changes that wait for a decision, and those refused lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.learn.operations import AddReferenceHook, Operation
from pipeline.learn.recommend.recommendation import Recommendation, Status

if TYPE_CHECKING:
    from pipeline.learn.recommend.candidates import Candidate

REJECTION_HOLDS_FOR = timedelta(weeks=8)
"""What a person refused is not proposed again before."""

GROWN_EVIDENCE = 1.5
"""Unless it rests on this many times the posts of then."""

REVERT = "revert:"
"""How the target of a recommendation begins that takes a change back."""

_VALUES = frozenset({"op", "weight", "slide_count", "cta", "dayparts", "posteriors"})
"""Fields of operations that say how, not what."""


@dataclass(frozen=True)
class Held:
    """One change that is held back."""

    category: str
    target: str
    changes: frozenset[tuple[str, ...]]
    free_from_n: float
    """Posts from which on it may be proposed again; infinite while it waits."""


@dataclass(frozen=True)
class Taken:
    """Changes that are held back for now."""

    held: tuple[Held, ...] = ()

    def holds(self, candidate: "Candidate") -> bool:
        """Whether a candidate proposes what waits or was refused, under whichever category."""
        changes = changes_of(candidate.operations)
        is_revert = candidate.target.startswith(REVERT)
        return any(
            candidate.sample_size < held.free_from_n
            and (
                (held.category, held.target) == (candidate.category.value, candidate.target)
                or (not is_revert and changes and changes <= held.changes)
            )
            for held in self.held
        )


NOTHING_TAKEN = Taken()


def taken(former: Sequence[Recommendation], now: datetime) -> Taken:
    """What an account's recommendations so far hold back.

    Args:
        former: All of them.
        now: With its zone; a rejection holds for eight weeks.
    """
    held = []
    for item in former:
        if item.status is Status.PENDING:
            free_from_n = float("inf")
        elif (
            item.status is Status.REJECTED
            and item.decided_at is not None
            and now - item.decided_at < REJECTION_HOLDS_FOR
        ):
            free_from_n = GROWN_EVIDENCE * item.sample_size
        else:
            continue
        held.append(
            Held(item.category.value, item.target, changes_of(item.operations), free_from_n)
        )
    return Taken(tuple(held))


def changes_of(operations: Sequence[Operation]) -> frozenset[tuple[str, ...]]:
    """What operations are about, whatever the values; examples beside a change do not count."""
    return frozenset(
        (operation.op, *(str(value) for name, value in operation if name not in _VALUES))
        for operation in operations
        if not isinstance(operation, AddReferenceHook)
    )
