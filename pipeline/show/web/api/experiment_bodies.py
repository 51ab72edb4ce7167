"""What is asked of experiments: a plan, a registration, a decision."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from pipeline.accounts import Platform
from pipeline.learn.experiments.designs import LONGEST_NAME, LONGEST_TEXT, MOST_ARMS, PlanRequest
from pipeline.learn.experiments.registration import (
    ALPHA,
    POWER,
    SMALLEST_USEFUL_RATIO,
    ArmDesign,
    GuardDesign,
)
from pipeline.show.web.api.answers import Request

Dimension = Literal["format", "pillar", "hook_style", "slide_count", "cta", "daypart"]
ArmName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Segment = Annotated[str, Field(min_length=1, max_length=100)]
Metric = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", examples=["engagement_rate_7d"])]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Ratio = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Hashtag = Annotated[str, Field(max_length=100)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]

_ARMS = [
    {"name": "plain", "choices": {"hook_style": "statement"}},
    {"name": "question", "choices": {"hook_style": "question"}},
]
_BODY: dict[str, Any] = {
    "account": "dreamtimelullabies",
    "platform": "tiktok",
    "question": "Does a question as the hook make more people engage?",
    "arms": _ARMS,
    "metric": "engagement_rate",
    "smallest_useful_ratio": 1.2,
    "guards": [{"metric": "views", "smallest_allowed_ratio": 0.8}],
}


class ArmBody(Request):
    """One way to make posts."""

    name: ArmName
    choices: dict[Dimension, Segment] = Field(default_factory=dict)
    """The segment that its posts are made in, by dimension; the rest is drawn as always."""
    instructions: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    """For whoever makes the posts."""

    def design(self) -> ArmDesign:
        """As the domain has it."""
        choices = {str(dimension): segment for dimension, segment in self.choices.items()}
        return ArmDesign(self.name, choices, self.instructions)


class GuardBody(Request):
    """A metric that must not get worse."""

    metric: Metric
    smallest_allowed_ratio: Share = 0.9
    """0.9: it may fall to 0.9 times the usual arm's."""


class ExperimentBody(Request):
    """An experiment as somebody wants it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_BODY]})

    account: Annotated[str, Field(max_length=63)]
    platform: Platform | None = None
    """May be left out where the account has one."""
    question: Annotated[str, Field(min_length=1, max_length=300)]
    arms: Annotated[list[ArmBody], Field(min_length=1, max_length=MOST_ARMS)]
    """The first is the usual one, which each other is held against."""
    metric: Metric
    smallest_useful_ratio: Ratio = SMALLEST_USEFUL_RATIO
    """Above 1; 1.2: twenty percent more is the least that would be worth it."""
    guards: list[GuardBody] = Field(default_factory=list, max_length=5)
    alpha: Share = ALPHA
    """Chance of a winner where there is no difference."""
    power: Share = POWER
    """Chance of showing the smallest useful effect."""
    draw_share: Share = 1.0
    """Share of the drawn posts that join."""

    def request(self) -> PlanRequest:
        """As the domain has it."""
        return PlanRequest(
            account_name=self.account,
            question=self.question,
            arms=tuple(one.design() for one in self.arms),
            metric=self.metric,
            smallest_useful_ratio=self.smallest_useful_ratio,
            guards=tuple(
                GuardDesign(one.metric, one.smallest_allowed_ratio) for one in self.guards
            ),
            platform=None if self.platform is None else self.platform.value,
            alpha=self.alpha,
            power=self.power,
            draw_share=self.draw_share,
        )


class RegisterBody(ExperimentBody):
    """An experiment that is to be registered as it was planned."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**_BODY, "posts_per_arm": 58}]}
    )

    posts_per_arm: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """As the plan said: 409 when the account's numbers now ask for another size."""


class VariationBody(Request):
    """An example of a way to write."""

    content: Annotated[str, Field(min_length=1, max_length=4_000)]
    hashtags: list[Hashtag] = Field(default_factory=list, max_length=100)


class VariationsBody(Request):
    """Ways to write that are to be tested against each other."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "dreamtimelullabies",
                    "platform": "tiktok",
                    "variations": [
                        {"content": "Three sounds that calm a baby.", "hashtags": ["sleep"]},
                        {"content": "Which sound calms your baby?", "hashtags": ["sleep"]},
                    ],
                    "target_metric": "engagement_rate",
                }
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    platform: Platform | None = None
    """May be left out where the account has one."""
    variations: Annotated[list[VariationBody], Field(min_length=1, max_length=MOST_ARMS)]
    """The first is the usual way."""
    target_metric: Metric = "engagement_rate"
    smallest_useful_ratio: Ratio = SMALLEST_USEFUL_RATIO


class DecideBody(Request):
    """A decision about an experiment."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": 1}, {}]})

    version: Version | None = None
    """Of the experiment that was looked at: 409 when it has changed since."""
    note: Annotated[str, Field(max_length=2_000)] | None = None
    """Why; kept with the decision."""
