"""What a draw gives: a brief, and the stamp that its post must carry. Standard library only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """What a draw needs to know of ``account.yaml``."""

    name: str
    formats: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    default_slide_count: int | None = None


@dataclass(frozen=True)
class Arm:
    """One arm of an experiment, as far as a draw has to know it."""

    name: str
    choices: Mapping[str, str] = field(default_factory=dict)
    """Segment by dimension: what every post of the arm has."""
    instructions: str | None = None
    """A person's own words to who makes the post; untrusted text."""


@dataclass(frozen=True)
class Experiment:
    """A running experiment that draws may join."""

    experiment_id: str
    platform: str
    arms: tuple[Arm, ...]
    """Each is equally likely before a draw."""
    draw_share: float
    """Share of the draws that join, over 0 and at most 1."""


@dataclass(frozen=True)
class Assignment:
    """What became of a draw that joined an experiment: it is made for one arm."""

    assignment_id: str
    experiment_id: str
    arm: str


@dataclass(frozen=True)
class Joining:
    """A draw that joins an experiment, before it has an arm."""

    draw_id: str
    experiment_id: str
    daypart: str | None
    """What the brief says when it is left to itself."""


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
    """A suggestion to try, in words; only while exploring, and never in an experiment's brief."""
    pick_probability: float | None
    """Probability of this format, over all arms."""
    probabilities: dict[str, float]
    """Probability of each choice over all arms, by dimension, and of the arm."""
    seed: int
    number: int
    """Place in the series of the seed, from 0: seed and number give the same brief again."""
    assignment: Assignment | None = None
    """The experiment and arm that the post is made for; None: none."""
    platform: str | None = None
    """Where the post belongs: the experiment's platform, or the one that was asked for."""
    instructions: str | None = None
    """What the arm asks for in a person's own words; untrusted text."""

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
            **({} if self.assignment is None else {"experiment": asdict(self.assignment)}),
        }

    def to_json(self) -> dict[str, Any]:
        """All fields; those of an experiment only where it has something to say."""
        fields = asdict(self)
        for name in ("assignment", "platform", "instructions"):
            if fields[name] is None:
                del fields[name]
        return fields
