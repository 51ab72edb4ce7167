"""What a draw gives: a brief, and the stamp that its post must carry. Standard library only."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Account:
    """What a draw needs to know of ``account.yaml``."""

    name: str
    formats: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    default_slide_count: int | None = None


@dataclass(frozen=True)
class Brief:
    """What to make next. None: the account names nothing to choose from."""

    draw_id: str
    account: str
    context_id: str
    """The context that the pick followed: in the holdout the previous one."""
    arm: str
    """``weights``, ``exploration`` or ``holdout``."""
    format: str | None
    pillar: str | None
    hook_style: str | None
    reference_hooks: tuple[str, ...]
    slide_count: int | None
    daypart: str | None
    """Best part of the day in the account's zone; None where none is known to be better."""
    cta: str | None
    topics: tuple[str, ...]
    """Topics to prefer."""
    experiment: str | None
    """A suggestion to try, in words; only while exploring."""
    pick_probability: float | None
    """Probability of this format, over all arms."""
    probabilities: dict[str, float]
    """Probability of each choice over all arms, by dimension, and of the arm."""
    seed: int
    number: int
    """Place in the series of the seed, from 0: seed and number give the same brief again."""

    def stamp(self) -> dict[str, Any]:
        """What belongs into the post's ``meta.json``; without it nothing can be learned later."""
        chosen = {
            "format": self.format,
            "pillar": self.pillar,
            "hook_style": self.hook_style,
            "slide_count": self.slide_count,
            "cta": self.cta,
        }
        return {
            **{key: value for key, value in chosen.items() if value is not None},
            "context_id": self.context_id,
            "pick_probability": self.pick_probability,
            "draw": {
                "draw_id": self.draw_id,
                "arm": self.arm,
                "seed": self.seed,
                "number": self.number,
                "probabilities": self.probabilities,
            },
        }

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)
