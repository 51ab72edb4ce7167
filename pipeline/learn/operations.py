"""The changes that a recommendation may propose, their bounds, and how they become a patch.

This is the allow-list: whatever is no operation here cannot reach a context file, and the bounds
below hold for every writer. Operations name what is meant; `pipeline.learn.patches` makes patches
of them.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

WEIGHT_MIN = 0.25
WEIGHT_MAX = 3.0
"""A format is never switched off and never drowns the others, whatever its figures say."""

WEIGHT_FACTOR_MAX = 1.5
"""A single decision moves a weight by at most this factor, up or down."""

WEIGHT_CHANGE_MIN = 0.05
"""A change of less than five percent is not worth a decision."""

NEUTRAL_WEIGHT = 1.0
"""The weight of a format that the context does not name."""

SEGMENT_PATTERN = r"^[a-z0-9][a-z0-9_]{0,62}$"
"""Names that may enter a context; labels from elsewhere can hold any text."""

_Segment = Annotated[str, Field(pattern=SEGMENT_PATTERN)]


def _plain_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("a hook is one plain line")
    return text


_Hook = Annotated[str, Field(min_length=3, max_length=200), AfterValidator(_plain_line)]
"""The first line of a post of the account's own; it is quoted to a generator, never run."""

Daypart = Literal["night", "morning", "midday", "afternoon", "evening", "late"]


class OperationError(ValueError):
    """An operation that does not fit the context; the message says why."""


class ExperimentReason(StrEnum):
    """Why a format is worth a try."""

    UNTESTED = "untested"
    RARELY_USED = "rarely used"
    NOT_USED_LATELY = "not used lately"


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SetFormatWeight(_Operation):
    """Make a format more or less often."""

    op: Literal["set_format_weight"] = "set_format_weight"
    format: _Segment
    weight: float = Field(ge=WEIGHT_MIN, le=WEIGHT_MAX, allow_inf_nan=False)


class AddTopPillar(_Operation):
    """Prefer a pillar."""

    op: Literal["add_top_pillar"] = "add_top_pillar"
    pillar: _Segment


class AddUnderperformingPillar(_Operation):
    """Mark a pillar as one that does worse than the account's usual."""

    op: Literal["add_underperforming_pillar"] = "add_underperforming_pillar"
    pillar: _Segment


class RemovePillar(_Operation):
    """Take a pillar off one of the two lists."""

    op: Literal["remove_pillar"] = "remove_pillar"
    list: Literal["top_pillars", "underperforming_pillars"]
    pillar: _Segment


class SetSlideCount(_Operation):
    """Make carousels of this many slides by default."""

    op: Literal["set_slide_count"] = "set_slide_count"
    slide_count: int = Field(ge=1, le=35)


class AddHighSaveFormat(_Operation):
    """List a format as one that people save."""

    op: Literal["add_high_save_format"] = "add_high_save_format"
    format: _Segment


class AddHighShareFormat(_Operation):
    """List a format as one that people share."""

    op: Literal["add_high_share_format"] = "add_high_share_format"
    format: _Segment


class AddExperimentSuggestion(_Operation):
    """Suggest a format for a try; the words of the suggestion follow from the reason."""

    op: Literal["add_experiment_suggestion"] = "add_experiment_suggestion"
    format: _Segment
    reason: ExperimentReason

    @property
    def suggestion(self) -> str:
        """The text that enters the context, for example "how_to format untested"."""
        return f"{self.format} format {self.reason.value}"


class RemoveExperimentSuggestion(_Operation):
    """Take a suggestion off the list."""

    op: Literal["remove_experiment_suggestion"] = "remove_experiment_suggestion"
    format: _Segment
    reason: ExperimentReason

    @property
    def suggestion(self) -> str:
        """The text that stands in the context."""
        return f"{self.format} format {self.reason.value}"


class RemoveHighSaveFormat(_Operation):
    """Take a format off those that people save."""

    op: Literal["remove_high_save_format"] = "remove_high_save_format"
    format: _Segment


class RemoveHighShareFormat(_Operation):
    """Take a format off those that people share."""

    op: Literal["remove_high_share_format"] = "remove_high_share_format"
    format: _Segment


class AddTopTopic(_Operation):
    """Prefer a topic."""

    op: Literal["add_top_topic"] = "add_top_topic"
    topic: _Segment


class RemoveTopTopic(_Operation):
    """Stop preferring a topic."""

    op: Literal["remove_top_topic"] = "remove_top_topic"
    topic: _Segment


class AddHookStyle(_Operation):
    """Prefer or avoid a way to open a post."""

    op: Literal["add_hook_style"] = "add_hook_style"
    list: Literal["best_styles", "worst_styles"]
    style: _Segment


class RemoveHookStyle(_Operation):
    """Take a hook style off one of the two lists."""

    op: Literal["remove_hook_style"] = "remove_hook_style"
    list: Literal["best_styles", "worst_styles"]
    style: _Segment


class AddReferenceHook(_Operation):
    """Give the generator the first line of a post as an example."""

    op: Literal["add_reference_hook"] = "add_reference_hook"
    hook: _Hook


class RemoveReferenceHook(_Operation):
    """Take an example away."""

    op: Literal["remove_reference_hook"] = "remove_reference_hook"
    hook: _Hook


class SetBestDayparts(_Operation):
    """Post at these parts of the day; none: whenever."""

    op: Literal["set_best_dayparts"] = "set_best_dayparts"
    dayparts: tuple[Daypart, ...] = Field(max_length=3)

    @field_validator("dayparts")
    @classmethod
    def _once_each(cls, value: tuple[Daypart, ...]) -> tuple[Daypart, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a daypart is named twice")
        return value


class SetCta(_Operation):
    """End posts with this call to action; None: no preference."""

    op: Literal["set_cta"] = "set_cta"
    cta: _Segment | None


class ClearSlideCount(_Operation):
    """Let the account's own default decide about the slides."""

    op: Literal["clear_slide_count"] = "clear_slide_count"


class FormatPosterior(BaseModel):
    """What is known of a format's effect: mean and standard deviation on the log scale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: _Segment
    mean: float = Field(ge=-2, le=2, allow_inf_nan=False)
    sd: float = Field(ge=0.001, le=1, allow_inf_nan=False)


class SetExploration(_Operation):
    """Let exploration go by newer figures."""

    op: Literal["set_exploration"] = "set_exploration"
    posteriors: tuple[FormatPosterior, ...] = Field(min_length=1, max_length=50)

    @property
    def value(self) -> dict[str, dict[str, float]]:
        """As it stands in the context."""
        return {
            item.format: {"mean": item.mean, "sd": item.sd}
            for item in sorted(self.posteriors, key=lambda item: item.format)
        }


ModelOperation = Annotated[
    SetFormatWeight
    | AddTopPillar
    | AddUnderperformingPillar
    | RemovePillar
    | SetSlideCount
    | ClearSlideCount
    | AddHighSaveFormat
    | RemoveHighSaveFormat
    | AddHighShareFormat
    | RemoveHighShareFormat
    | AddExperimentSuggestion
    | AddTopTopic
    | RemoveTopTopic
    | AddHookStyle
    | RemoveHookStyle
    | AddReferenceHook
    | SetCta,
    Field(discriminator="op"),
]
"""What a language model may answer with; the others come from code alone."""

Operation = Annotated[
    SetFormatWeight
    | AddTopPillar
    | AddUnderperformingPillar
    | RemovePillar
    | SetSlideCount
    | ClearSlideCount
    | AddHighSaveFormat
    | RemoveHighSaveFormat
    | AddHighShareFormat
    | RemoveHighShareFormat
    | AddExperimentSuggestion
    | RemoveExperimentSuggestion
    | AddTopTopic
    | RemoveTopTopic
    | AddHookStyle
    | RemoveHookStyle
    | AddReferenceHook
    | RemoveReferenceHook
    | SetBestDayparts
    | SetCta
    | SetExploration,
    Field(discriminator="op"),
]

_OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])


def neutral_values(formats: Sequence[str], slide_count: int | None) -> dict[str, Any]:
    """Everything that operations change, as it is in a context that prefers nothing.

    Args:
        formats: The formats that the account lists.
        slide_count: Its own default, if it has one.
    """
    return {
        "format_weights": dict.fromkeys(formats, NEUTRAL_WEIGHT),
        "top_pillars": [],
        "underperforming_pillars": [],
        "top_topics": [],
        "optimal_slide_count": slide_count,
        "hook_insights": {"best_styles": [], "worst_styles": [], "reference_hooks": []},
        "timing": {"best_dayparts": []},
        "cta": {},
        "save_vs_share": {"high_save_formats": [], "high_share_formats": []},
        "experiment_suggestions": [],
    }


def parse_operations(stored: object) -> tuple[Operation, ...]:
    """Operations from their JSON form.

    Raises:
        pydantic.ValidationError: Not in the allow-list, or a value outside the bounds.
    """
    return _OPERATIONS.validate_python(stored)


def dump_operations(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Operations in their JSON form."""
    return [operation.model_dump(mode="json") for operation in operations]


def current_weight(document: Mapping[str, Any], format_name: str) -> float:
    """The weight that a context gives a format."""
    return float(document.get("format_weights", {}).get(format_name, NEUTRAL_WEIGHT))


def proposed_weight(current: float, effect: float) -> float | None:
    """The weight one step towards an effect, or None when it would hardly differ.

    Args:
        current: The context's weight.
        effect: Ratio to the account's usual, already pooled towards no effect.
    """
    step = min(WEIGHT_FACTOR_MAX, max(1 / WEIGHT_FACTOR_MAX, effect))
    weight = min(WEIGHT_MAX, max(WEIGHT_MIN, current * step))
    low, high = weight_bounds(current)
    # Rounding must not leave the permitted step.
    weight = min(high, max(low, round(weight, 2)))
    if abs(weight / current - 1) < WEIGHT_CHANGE_MIN:
        return None
    return weight


def weight_bounds(current: float) -> tuple[float, float]:
    """Lowest and highest weight that one decision may set, in steps of 0.01."""
    low = math.ceil(round(max(WEIGHT_MIN, current / WEIGHT_FACTOR_MAX) * 100, 6)) / 100
    high = math.floor(round(min(WEIGHT_MAX, current * WEIGHT_FACTOR_MAX) * 100, 6)) / 100
    return low, high
