"""Operations become patches, and patches can be undone.

Compiled against a context, operations are a JSON Patch (RFC 6902) with a ``test`` on everything it
replaces; the same tests say later what there was before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonpatch

from pipeline.learn.operations import (
    NEUTRAL_WEIGHT,
    AddExperimentSuggestion,
    AddHighSaveFormat,
    AddHighShareFormat,
    AddHookStyle,
    AddReferenceHook,
    AddTopPillar,
    AddTopTopic,
    AddUnderperformingPillar,
    ClearSlideCount,
    Operation,
    OperationError,
    RemoveExperimentSuggestion,
    RemoveHighSaveFormat,
    RemoveHighShareFormat,
    RemoveHookStyle,
    RemovePillar,
    RemoveReferenceHook,
    RemoveTopTopic,
    SetBestDayparts,
    SetCta,
    SetExploration,
    SetFormatWeight,
    SetSlideCount,
    current_weight,
    weight_bounds,
)

_Keys = tuple[str, ...]
_Patch = list[dict[str, Any]]

MOST_REFERENCE_HOOKS = 10
"""More examples than these drown each other."""

_OPPOSITE = {
    "top_pillars": "underperforming_pillars",
    "underperforming_pillars": "top_pillars",
    "best_styles": "worst_styles",
    "worst_styles": "best_styles",
}
"""Lists that exclude each other."""


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
    patch: _Patch = []
    state: Mapping[str, Any] = document
    for operation in operations:
        steps = _steps(operation, state)
        patch.extend(steps)
        state = jsonpatch.apply_patch(state, steps)
    return patch


def inverse_operations(
    operations: Sequence[Operation], patch: Sequence[Mapping[str, Any]], document: Mapping[str, Any]
) -> tuple[Operation, ...]:
    """Operations that undo others, as far as a context allows it now.

    A weight goes back by at most one permitted step; what was changed again or taken back since is
    left alone.

    Args:
        operations: What was done.
        patch: The patch that it was: its tests say what there was before.
        document: The context as it is now.

    Returns:
        The undoing operations, last change first; empty when nothing is left to undo.
    """
    before = {step["path"]: step["value"] for step in patch if step["op"] == "test"}
    undone: list[Operation] = []
    state: Mapping[str, Any] = document
    for operation in reversed(operations):
        inverse = _inverse(operation, before, state)
        if inverse is None:
            continue
        try:
            state = jsonpatch.apply_patch(state, _steps(inverse, state))
        except OperationError:
            continue
        undone.append(inverse)
    return tuple(undone)


def _inverse(
    operation: Operation, before: Mapping[str, Any], document: Mapping[str, Any]
) -> Operation | None:
    if isinstance(operation, SetFormatWeight):
        return _inverse_weight(operation, before, document)
    if type(operation) in _INVERSES:
        inverse: Operation = _INVERSES[type(operation)](operation)
        return inverse
    keys, value_of = _SETTINGS[type(operation)]
    if _value_at(document, keys) != value_of(operation):
        return None  # changed again since
    return _former_setting(operation, before.get(_pointer(*keys)))


def _former_setting(operation: Operation, former: Any) -> Operation | None:
    match operation:
        case SetSlideCount() | ClearSlideCount():
            return ClearSlideCount() if former is None else SetSlideCount(slide_count=former)
        case SetBestDayparts():
            return SetBestDayparts(dayparts=tuple(former or ()))
        case SetCta():
            return SetCta(cta=former)
        case _:
            return None  # figures that exploration goes by are never put back


def _value_at(document: Mapping[str, Any], keys: _Keys) -> Any:
    holder: Any = document
    for key in keys[:-1]:
        holder = holder.get(key, {})
    return holder.get(keys[-1])


def _inverse_weight(
    operation: SetFormatWeight, before: Mapping[str, Any], document: Mapping[str, Any]
) -> SetFormatWeight | None:
    former = before.get(_pointer("format_weights", operation.format), NEUTRAL_WEIGHT)
    current = current_weight(document, operation.format)
    # Still on the side to which it was moved, or there is nothing to take back.
    if (current > former) is not (operation.weight > former) or current == former:
        return None
    low, high = weight_bounds(current)
    return SetFormatWeight(format=operation.format, weight=min(high, max(low, former)))


_INVERSES: dict[type, Any] = {
    AddTopPillar: lambda done: RemovePillar(list="top_pillars", pillar=done.pillar),
    AddUnderperformingPillar: lambda done: RemovePillar(
        list="underperforming_pillars", pillar=done.pillar
    ),
    RemovePillar: lambda done: (
        AddTopPillar(pillar=done.pillar)
        if done.list == "top_pillars"
        else AddUnderperformingPillar(pillar=done.pillar)
    ),
    AddHighSaveFormat: lambda done: RemoveHighSaveFormat(format=done.format),
    RemoveHighSaveFormat: lambda done: AddHighSaveFormat(format=done.format),
    AddHighShareFormat: lambda done: RemoveHighShareFormat(format=done.format),
    RemoveHighShareFormat: lambda done: AddHighShareFormat(format=done.format),
    AddExperimentSuggestion: lambda done: RemoveExperimentSuggestion(
        format=done.format, reason=done.reason
    ),
    RemoveExperimentSuggestion: lambda done: AddExperimentSuggestion(
        format=done.format, reason=done.reason
    ),
    AddTopTopic: lambda done: RemoveTopTopic(topic=done.topic),
    RemoveTopTopic: lambda done: AddTopTopic(topic=done.topic),
    AddHookStyle: lambda done: RemoveHookStyle(list=done.list, style=done.style),
    RemoveHookStyle: lambda done: AddHookStyle(list=done.list, style=done.style),
    AddReferenceHook: lambda done: RemoveReferenceHook(hook=done.hook),
    RemoveReferenceHook: lambda done: AddReferenceHook(hook=done.hook),
}


_LIST_CHANGES: dict[type, tuple[_Keys, str, bool]] = {
    AddTopPillar: (("top_pillars",), "pillar", True),
    AddUnderperformingPillar: (("underperforming_pillars",), "pillar", True),
    RemovePillar: ((), "pillar", False),
    AddHighSaveFormat: (("save_vs_share", "high_save_formats"), "format", True),
    RemoveHighSaveFormat: (("save_vs_share", "high_save_formats"), "format", False),
    AddHighShareFormat: (("save_vs_share", "high_share_formats"), "format", True),
    RemoveHighShareFormat: (("save_vs_share", "high_share_formats"), "format", False),
    AddExperimentSuggestion: (("experiment_suggestions",), "suggestion", True),
    RemoveExperimentSuggestion: (("experiment_suggestions",), "suggestion", False),
    AddTopTopic: (("top_topics",), "topic", True),
    RemoveTopTopic: (("top_topics",), "topic", False),
    AddHookStyle: (("hook_insights",), "style", True),
    RemoveHookStyle: (("hook_insights",), "style", False),
    AddReferenceHook: (("hook_insights", "reference_hooks"), "hook", True),
    RemoveReferenceHook: (("hook_insights", "reference_hooks"), "hook", False),
}
"""Where each operation on a list finds it (an operation may name the list itself), which of its
fields is the entry, and whether the entry is added."""

_SETTINGS: dict[type, tuple[_Keys, Callable[[Any], Any]]] = {
    SetFormatWeight: (("format_weights",), lambda operation: operation.weight),
    SetSlideCount: (("optimal_slide_count",), lambda operation: operation.slide_count),
    ClearSlideCount: (("optimal_slide_count",), lambda _: None),
    SetBestDayparts: (("timing", "best_dayparts"), lambda operation: list(operation.dayparts)),
    SetCta: (("cta", "preferred"), lambda operation: operation.cta),
    SetExploration: (("exploration", "posteriors"), lambda operation: operation.value),
}
"""Where each operation that sets a value does so, and the value."""


def _steps(operation: Operation, document: Mapping[str, Any]) -> _Patch:
    if type(operation) in _LIST_CHANGES:
        keys, field, is_added = _LIST_CHANGES[type(operation)]
        named = (operation.list,) if hasattr(operation, "list") else ()
        change = _addition_steps if is_added else _removal_steps
        return change((*keys, *named), getattr(operation, field), document)
    keys, value_of = _SETTINGS[type(operation)]
    if isinstance(operation, SetFormatWeight):
        _check_weight(operation, document)
        keys = (*keys, operation.format)
    return _setting_steps(keys, value_of(operation), document)


def _check_weight(operation: SetFormatWeight, document: Mapping[str, Any]) -> None:
    current = current_weight(document, operation.format)
    low, high = weight_bounds(current)
    if operation.weight == current:
        raise OperationError(f"the weight of {operation.format} is {current:g} already")
    if not low <= operation.weight <= high:
        raise OperationError(
            f"the weight of {operation.format} is {current:g} and can move to {low:g}–{high:g} in "
            f"one decision, not to {operation.weight:g}"
        )


def _setting_steps(keys: _Keys, value: object, document: Mapping[str, Any]) -> _Patch:
    """Steps that set a value, after a test of what it replaces.

    Raises:
        OperationError: It is set already.
    """
    holder: Any = document
    for depth, key in enumerate(keys, start=1):
        if key not in holder and value is not None:
            return [_whole(keys, depth, value)]
        if depth < len(keys):
            holder = holder.get(key, {})
    current = holder.get(keys[-1])
    if current == value:
        raise OperationError(f"{keys[-1]} is {value} already")
    path = _pointer(*keys)
    return [
        {"op": "test", "path": path, "value": current},
        {"op": "replace", "path": path, "value": value},
    ]


def _removal_steps(keys: _Keys, value: str, document: Mapping[str, Any]) -> _Patch:
    holder: Any = document
    for key in keys:
        holder = holder.get(key, {})
    if value not in holder:
        raise OperationError(f"{value} is not in {keys[-1]}")
    path = _pointer(*keys, str(list(holder).index(value)))
    return [{"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}]


def _addition_steps(keys: _Keys, value: str, document: Mapping[str, Any]) -> _Patch:
    holder: Any = document
    for depth, key in enumerate(keys, start=1):
        opposite = _OPPOSITE.get(key)
        if opposite is not None and value in holder.get(opposite, []):
            raise OperationError(f"{value} is in {opposite}, so it cannot enter {key} as well")
        if key not in holder:
            return [_whole(keys, depth, [value])]
        holder = holder[key]
    if value in holder:
        raise OperationError(f"{value} is in {keys[-1]} already")
    if keys[-1] == "reference_hooks" and len(holder) >= MOST_REFERENCE_HOOKS:
        raise OperationError(f"there are {len(holder)} reference hooks already")
    path = _pointer(*keys)
    return [
        {"op": "test", "path": path, "value": list(holder)},
        {"op": "add", "path": f"{path}/-", "value": value},
    ]


def _whole(keys: _Keys, depth: int, value: object) -> dict[str, Any]:
    """The step that adds the first missing key with all that belongs below it."""
    for inner in reversed(keys[depth:]):
        value = {inner: value}
    return {"op": "add", "path": _pointer(*keys[:depth]), "value": value}


def _pointer(*keys: str) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
