"""What the experiment pages' forms send; all of it comes back as it was when it cannot be taken."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.learn.experiments.registration import ALPHA, POWER, SMALLEST_USEFUL_RATIO
from pipeline.show.web.api.experiment_bodies import ExperimentBody, RegisterBody

ARMS_SHOWN = 4
"""Rows for arms in the form; more than four need more posts than most accounts have."""

_SAME = (
    "account", "question", "metric", "smallest_useful_ratio", "alpha", "power",
    "draw_share",
)  # fmt: skip

Text = Annotated[str, Field(max_length=2_000)]
Texts = Annotated[list[Text], Field(max_length=ARMS_SHOWN)]


class ArmFields(NamedTuple):
    """One row of the form."""

    name: str
    segment: str
    instructions: str


class ExperimentForm(BaseModel):
    """A planned experiment whose arms differ in one dimension."""

    model_config = ConfigDict(extra="ignore")

    account: Text = ""
    platform: Text = ""
    question: Text = ""
    metric: Text = "engagement_rate_7d"
    smallest_useful_ratio: Text = f"{SMALLEST_USEFUL_RATIO:g}"
    dimension: Text = "hook_style"
    arm_name: Texts = []
    arm_segment: Texts = []
    arm_instructions: Texts = []
    guard_metric: Text = ""
    guard_ratio: Text = "0.9"
    alpha: Text = f"{ALPHA:g}"
    power: Text = f"{POWER:g}"
    draw_share: Text = "1"
    posts_per_arm: Text = ""

    @property
    def arms(self) -> list[ArmFields]:
        """The rows, those without a name too."""
        given = zip_longest(self.arm_name, self.arm_segment, self.arm_instructions, fillvalue="")
        rows = [ArmFields(*one) for one in given]
        return rows + [ArmFields("", "", "")] * (ARMS_SHOWN - len(rows))

    def hidden(self) -> Iterator[tuple[str, str]]:
        """Everything but the size, as fields that nobody sees."""
        for name, value in self.model_dump(exclude={"posts_per_arm"}).items():
            for one in value if isinstance(value, list) else [value]:
                yield name, one

    def body(self) -> ExperimentBody:
        """As the API takes it to plan.

        Raises:
            ValidationError: Something in it cannot be taken.
        """
        return ExperimentBody.model_validate(self._values())

    def registering(self) -> RegisterBody:
        """As the API takes it to register.

        Raises:
            ValidationError: Something in it cannot be taken.
        """
        return RegisterBody.model_validate(
            {**self._values(), "posts_per_arm": self.posts_per_arm or None}
        )

    def _values(self) -> dict[str, object]:
        guard = {"metric": self.guard_metric, "smallest_allowed_ratio": self.guard_ratio}
        return {
            **{name: getattr(self, name).strip() for name in _SAME},
            "platform": self.platform.strip() or None,
            "guards": [guard] if self.guard_metric else [],
            "arms": [
                {
                    "name": arm.name.strip(),
                    "choices": {self.dimension: arm.segment.strip()}
                    if self.dimension and arm.segment.strip()
                    else {},
                    "instructions": arm.instructions.strip() or None,
                }
                for arm in self.arms
                if any(part.strip() for part in arm)
            ],
        }
