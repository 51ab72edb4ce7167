"""The changes that a recommendation may propose, their bounds, and how they become a patch.

This is the allow-list: whatever is no operation here cannot reach a context file, and the bounds
below hold for every writer. Operations name what is meant; compiled against a context they become
a JSON Patch (RFC 6902) with a ``test`` on everything it replaces.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

import jsonpatch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

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


Operation = Annotated[
    SetFormatWeight
    | AddTopPillar
    | AddUnderperformingPillar
    | RemovePillar
    | SetSlideCount
    | AddHighSaveFormat
    | AddHighShareFormat
    | AddExperimentSuggestion,
    Field(discriminator="op"),
]

_OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])

_LISTS = {
    AddTopPillar: ("top_pillars",),
    AddUnderperformingPillar: ("underperforming_pillars",),
    AddHighSaveFormat: ("save_vs_share", "high_save_formats"),
    AddHighShareFormat: ("save_vs_share", "high_share_formats"),
    AddExperimentSuggestion: ("experiment_suggestions",),
}
"""Where each adding operation adds."""

_OPPOSITE = {"top_pillars": "underperforming_pillars", "underperforming_pillars": "top_pillars"}


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
        "optimal_slide_count": slide_count,
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


def compile_patch(
    operations: Sequence[Operation], document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The JSON Patch that makes the operations' changes to a context.

    Args:
        operations: What to change, in this order.
        document: The context as JSON; it is not changed.

    Returns:
        Operations of RFC 6902, each replacement after a ``test`` of what it replaces.

    Raises:
        OperationError: An operation is outside its bounds for this context, changes nothing, or
            contradicts what the context says.
    """
    patch: list[dict[str, Any]] = []
    state: Mapping[str, Any] = document
    for operation in operations:
        steps = _steps(operation, state)
        patch.extend(steps)
        state = jsonpatch.apply_patch(state, steps)
    return patch


def _steps(operation: Operation, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    match operation:
        case SetFormatWeight():
            return _weight_steps(operation, document)
        case SetSlideCount():
            return _slide_count_steps(operation, document)
        case RemovePillar():
            return _removal_steps(operation, document)
        case AddTopPillar() | AddUnderperformingPillar():
            (key,) = _LISTS[type(operation)]
            if operation.pillar in document.get(_OPPOSITE[key], []):
                raise OperationError(
                    f"{operation.pillar} is in {_OPPOSITE[key]}, so it cannot enter {key} as well"
                )
            return _addition_steps((key,), operation.pillar, document)
        case AddExperimentSuggestion():
            return _addition_steps(_LISTS[type(operation)], operation.suggestion, document)
        case AddHighSaveFormat() | AddHighShareFormat():
            return _addition_steps(_LISTS[type(operation)], operation.format, document)


def _weight_steps(operation: SetFormatWeight, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    current = current_weight(document, operation.format)
    low, high = weight_bounds(current)
    if operation.weight == current:
        raise OperationError(f"the weight of {operation.format} is {current:g} already")
    if not low <= operation.weight <= high:
        raise OperationError(
            f"the weight of {operation.format} is {current:g} and can move to {low:g}–{high:g} in "
            f"one decision, not to {operation.weight:g}"
        )
    weights = document.get("format_weights")
    if weights is None:
        value = {operation.format: operation.weight}
        return [{"op": "add", "path": _pointer("format_weights"), "value": value}]
    path = _pointer("format_weights", operation.format)
    if operation.format not in weights:
        return [{"op": "add", "path": path, "value": operation.weight}]
    return [
        {"op": "test", "path": path, "value": weights[operation.format]},
        {"op": "replace", "path": path, "value": operation.weight},
    ]


def _slide_count_steps(
    operation: SetSlideCount, document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    path = _pointer("optimal_slide_count")
    if "optimal_slide_count" not in document:
        return [{"op": "add", "path": path, "value": operation.slide_count}]
    current = document["optimal_slide_count"]
    if current == operation.slide_count:
        raise OperationError(f"the slide count is {current} already")
    return [
        {"op": "test", "path": path, "value": current},
        {"op": "replace", "path": path, "value": operation.slide_count},
    ]


def _removal_steps(operation: RemovePillar, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = document.get(operation.list, [])
    if operation.pillar not in names:
        raise OperationError(f"{operation.pillar} is not in {operation.list}")
    path = _pointer(operation.list, str(names.index(operation.pillar)))
    return [
        {"op": "test", "path": path, "value": operation.pillar},
        {"op": "remove", "path": path},
    ]


def _addition_steps(
    keys: tuple[str, ...], value: str, document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    holder: Any = document
    for depth, key in enumerate(keys, start=1):
        if key not in holder:
            missing: Any = [value]
            for inner in reversed(keys[depth:]):
                missing = {inner: missing}
            return [{"op": "add", "path": _pointer(*keys[:depth]), "value": missing}]
        holder = holder[key]
    if value in holder:
        raise OperationError(f"{value} is in {keys[-1]} already")
    path = _pointer(*keys)
    return [
        {"op": "test", "path": path, "value": list(holder)},
        {"op": "add", "path": f"{path}/-", "value": value},
    ]


def _pointer(*keys: str) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
