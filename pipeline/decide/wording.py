"""Changes in words, as a reviewer reads them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.decide.schema import PerformanceContext
from pipeline.learn.operations import (
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
)
from pipeline.learn.thompson import chances_of_being_best


def describe(
    operations: Sequence[Operation], context: PerformanceContext | Mapping[str, Any]
) -> str:
    """The change in words, for example "set the weight of step_guide from 1.0 to 1.4".

    Args:
        operations: What would be changed.
        context: The context as it is now.
    """
    document = (
        context.model_dump(mode="json") if isinstance(context, PerformanceContext) else context
    )
    return "; ".join(_WORDS[type(operation)](operation, document) for operation in operations)


def _weight(operation: SetFormatWeight, document: Mapping[str, Any]) -> str:
    current = current_weight(document, operation.format)
    return f"set the weight of {operation.format} from {current} to {operation.weight}"


def _slides(operation: SetSlideCount, document: Mapping[str, Any]) -> str:
    current = document.get("optimal_slide_count")
    former = "unset" if current is None else str(current)
    return f"set the slide count from {former} to {operation.slide_count}"


def _dayparts(operation: SetBestDayparts, _: Mapping[str, Any]) -> str:
    return f"post in the {', '.join(operation.dayparts)}" if operation.dayparts else "post any time"


def _cta(operation: SetCta, _: Mapping[str, Any]) -> str:
    return f"end with {operation.cta}" if operation.cta else "end with any call to action"


def _exploration(operation: SetExploration, _: Mapping[str, Any]) -> str:
    chances = chances_of_being_best(
        {item.format: (item.mean, item.sd) for item in operation.posteriors}
    )
    ranked = sorted(chances.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{name} {share:.0%}".replace("%", " %") for name, share in ranked]
    return f"let exploration try {', '.join(told)}"


_WORDS: dict[type, Callable[[Any, Mapping[str, Any]], str]] = {
    SetFormatWeight: _weight,
    SetSlideCount: _slides,
    ClearSlideCount: lambda _, document: (
        f"take back the slide count of {document.get('optimal_slide_count')}"
    ),
    SetBestDayparts: _dayparts,
    SetCta: _cta,
    SetExploration: _exploration,
    AddTopPillar: lambda done, _: f"add {done.pillar} to the top pillars",
    AddUnderperformingPillar: lambda done, _: f"add {done.pillar} to the underperforming pillars",
    RemovePillar: lambda done, _: f"remove {done.pillar} from the {done.list.replace('_', ' ')}",
    AddTopTopic: lambda done, _: f"add {done.topic} to the top topics",
    RemoveTopTopic: lambda done, _: f"remove {done.topic} from the top topics",
    AddHookStyle: lambda done, _: f"add {done.style} to the {_of_hooks(done.list)}",
    RemoveHookStyle: lambda done, _: f"remove {done.style} from the {_of_hooks(done.list)}",
    AddReferenceHook: lambda done, _: f'add the reference hook "{done.hook}"',
    RemoveReferenceHook: lambda done, _: f'remove the reference hook "{done.hook}"',
    AddHighSaveFormat: lambda done, _: f"add {done.format} to the formats that are saved",
    RemoveHighSaveFormat: lambda done, _: f"remove {done.format} from the formats that are saved",
    AddHighShareFormat: lambda done, _: f"add {done.format} to the formats that are shared",
    RemoveHighShareFormat: lambda done, _: f"remove {done.format} from the formats that are shared",
    AddExperimentSuggestion: lambda done, _: f'add the experiment "{done.suggestion}"',
    RemoveExperimentSuggestion: lambda done, _: f'remove the experiment "{done.suggestion}"',
}


def _of_hooks(name: str) -> str:
    return name.replace("_", " hook ")
