"""The change that follows from a finding, out of the operations that there are."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from pipeline.learn.causes import Found, effect_of
from pipeline.learn.concentration import Concentration
from pipeline.learn.failure_findings import FailurePattern
from pipeline.learn.findings import Direction, Finding
from pipeline.learn.operations import (
    SEGMENT_PATTERN,
    AddHighSaveFormat,
    AddHighShareFormat,
    AddHookStyle,
    AddReferenceHook,
    AddTopPillar,
    AddTopTopic,
    AddUnderperformingPillar,
    ClearSlideCount,
    Operation,
    RemoveHighSaveFormat,
    RemoveHighShareFormat,
    RemoveHookStyle,
    RemovePillar,
    RemoveTopTopic,
    SetCta,
    SetFormatWeight,
    SetSlideCount,
    current_weight,
    proposed_weight,
)
from pipeline.learn.patches import MOST_REFERENCE_HOOKS
from pipeline.learn.recommend.recommendation import Category

HOOKS_AT_A_TIME = 2
"""Examples that one approval adds: a person reads each of them."""

_CATEGORIES = {
    "format": Category.FORMAT_WEIGHT,
    "hook_style": Category.HOOK_STYLE,
    "topic": Category.TOPIC_PRIORITY,
    "pillar": Category.PILLAR_REBALANCE,
    "slide_count": Category.SLIDE_COUNT,
    "cta": Category.CTA_STRATEGY,
}
"""The category of an effect by its dimension; the others are shown, never proposed."""

_LARGEST_SLIDE_COUNT = 35


@dataclass(frozen=True)
class Proposal:
    """What a change is about, and the change."""

    category: Category
    target: str
    operations: tuple[Operation, ...]


def category_of(finding: Found) -> Category | None:
    """The category whose change a finding could justify; None for what is only shown."""
    if isinstance(finding, Concentration):
        return Category.PARETO_INSIGHT
    effect = effect_of(finding)
    if effect.dimension not in _CATEGORIES:
        return None
    if isinstance(finding, FailurePattern):
        return Category.FAILURE_PATTERN
    if effect.dimension == "format" and effect.outcome in ("save_rate_7d", "share_rate_7d"):
        return Category.SAVE_VS_SHARE
    return _CATEGORIES[effect.dimension]


def proposal(finding: Found, document: Mapping[str, Any]) -> Proposal | None:
    """The change that follows from a finding; None when there is none or it changes nothing.

    Args:
        finding: What was found.
        document: The account's context as JSON.
    """
    category = category_of(finding)
    if category is None:
        return None
    effects = finding.carriers if isinstance(finding, Concentration) else (effect_of(finding),)
    if not all(re.fullmatch(SEGMENT_PATTERN, effect.segment) for effect in effects):
        return None
    changes = [change for effect in effects if (change := _change(effect, document)) is not None]
    if isinstance(finding, Concentration):
        # Names that are listed already are part of the group, and no part of the change.
        operations = tuple(operation for _, own in changes for operation in own)
        target = f"{effects[0].dimension}s:{','.join(sorted(finding.segments))}"
        return Proposal(category, target, operations) if operations else None
    if not changes:
        return None
    ((target, operations),) = changes
    return Proposal(category, target, operations)


_Change = tuple[str, tuple[Operation, ...]]


def _change(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    kind = category_of(effect)
    return None if kind is None else _CHANGES[kind](effect, document)


def _weight(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    weight = proposed_weight(current_weight(document, effect.segment), effect.effect)
    if weight is None:
        return None
    operation = SetFormatWeight(format=effect.segment, weight=weight)
    return f"format:{effect.segment}", (operation,)


def _save_or_share(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    is_save = effect.outcome == "save_rate_7d"
    name = "high_save_formats" if is_save else "high_share_formats"
    is_listed = effect.segment in document.get("save_vs_share", {}).get(name, [])
    is_better = effect.direction is Direction.BETTER
    if is_listed is is_better:
        return None
    operation: Operation
    if is_save:
        operation = (AddHighSaveFormat if is_better else RemoveHighSaveFormat)(
            format=effect.segment
        )
    else:
        operation = (AddHighShareFormat if is_better else RemoveHighShareFormat)(
            format=effect.segment
        )
    return f"{name}:{effect.segment}", (operation,)


def _pillar(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    pillar = effect.segment
    is_better = effect.direction is Direction.BETTER
    own: Literal["top_pillars", "underperforming_pillars"]
    opposite: Literal["top_pillars", "underperforming_pillars"]
    own, opposite = "top_pillars", "underperforming_pillars"
    if not is_better:
        own, opposite = opposite, own
    if pillar in document.get(own, []):
        return None
    addition: Operation = (
        AddTopPillar(pillar=pillar) if is_better else AddUnderperformingPillar(pillar=pillar)
    )
    if pillar not in document.get(opposite, []):
        return f"pillar:{pillar}", (addition,)
    return f"pillar:{pillar}", (RemovePillar(list=opposite, pillar=pillar), addition)


def _hook_style(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    style = effect.segment
    known = document.get("hook_insights", {})
    own: Literal["best_styles", "worst_styles"] = "best_styles"
    opposite: Literal["best_styles", "worst_styles"] = "worst_styles"
    if effect.direction is Direction.WORSE:
        own, opposite = opposite, own
    if style in known.get(own, []):
        return None
    operations: list[Operation] = []
    if style in known.get(opposite, []):
        operations.append(RemoveHookStyle(list=opposite, style=style))
    operations.append(AddHookStyle(list=own, style=style))
    if effect.direction is Direction.BETTER:
        operations += _reference_hooks(effect.hooks, known.get("reference_hooks", []))
    return f"hook_style:{style}", tuple(operations)


def _reference_hooks(hooks: Sequence[str], present: Sequence[str]) -> list[AddReferenceHook]:
    """The best first lines that may enter a context and do not stand there yet."""
    room = min(HOOKS_AT_A_TIME, MOST_REFERENCE_HOOKS - len(present))
    fitting = []
    for hook in hooks:
        if hook in present:
            continue
        try:
            fitting.append(AddReferenceHook(hook=hook))
        except ValidationError:
            continue
    return fitting[: max(0, room)]


def _topic(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    is_better = effect.direction is Direction.BETTER
    if (effect.segment in document.get("top_topics", [])) is is_better:
        return None
    operation = (AddTopTopic if is_better else RemoveTopTopic)(topic=effect.segment)
    return f"topic:{effect.segment}", (operation,)


def _slide_count(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    if not effect.segment.isdecimal() or not 1 <= int(effect.segment) <= _LARGEST_SLIDE_COUNT:
        return None
    present = document.get("optimal_slide_count")
    if effect.direction is Direction.BETTER:
        return "slide_count", (SetSlideCount(slide_count=int(effect.segment)),)
    if present != int(effect.segment):
        return None
    instead = effect.instead
    if instead is None or not instead.isdecimal() or int(instead) > _LARGEST_SLIDE_COUNT:
        return "slide_count", (ClearSlideCount(),)
    return "slide_count", (SetSlideCount(slide_count=int(instead)),)


def _cta(effect: Finding, document: Mapping[str, Any]) -> _Change | None:
    is_present = document.get("cta", {}).get("preferred") == effect.segment
    is_better = effect.direction is Direction.BETTER
    if is_present is is_better:
        return None
    return "cta", (SetCta(cta=effect.segment if is_better else None),)


_CHANGES: dict[Category, Callable[[Finding, Mapping[str, Any]], _Change | None]] = {
    Category.FORMAT_WEIGHT: _weight,
    Category.SAVE_VS_SHARE: _save_or_share,
    Category.PILLAR_REBALANCE: _pillar,
    Category.HOOK_STYLE: _hook_style,
    Category.TOPIC_PRIORITY: _topic,
    Category.SLIDE_COUNT: _slide_count,
    Category.CTA_STRATEGY: _cta,
}
