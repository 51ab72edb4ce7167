import json
from typing import Any

import jsonpatch
import pytest

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
    ExperimentReason,
    FormatPosterior,
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
    dump_operations,
    parse_operations,
)
from pipeline.learn.patches import MOST_REFERENCE_HOOKS, compile_patch, inverse_operations

DOCUMENT: dict[str, Any] = {
    "format_weights": {"step_guide": 1.0},
    "top_pillars": ["sleep"],
    "underperforming_pillars": ["products"],
    "top_topics": ["naps"],
    "optimal_slide_count": 5,
    "hook_insights": {
        "best_styles": ["how_to"],
        "worst_styles": ["question"],
        "reference_hooks": ["Stop doing this at bedtime"],
    },
    "save_vs_share": {"high_save_formats": ["scripts"], "high_share_formats": ["how_to"]},
    "timing": {"best_dayparts": ["evening"]},
    "cta": {"preferred": "save_this"},
    "experiment_suggestions": ["how_to format untested"],
    "exploration": {"share": 0.5},
}

CHANGES: list[Operation] = [
    SetFormatWeight(format="step_guide", weight=1.4),
    SetFormatWeight(format="scripts", weight=0.8),
    AddTopPillar(pillar="eating"),
    AddUnderperformingPillar(pillar="eating"),
    RemovePillar(list="top_pillars", pillar="sleep"),
    RemovePillar(list="underperforming_pillars", pillar="products"),
    SetSlideCount(slide_count=7),
    ClearSlideCount(),
    AddHighSaveFormat(format="how_to"),
    RemoveHighSaveFormat(format="scripts"),
    AddHighShareFormat(format="scripts"),
    RemoveHighShareFormat(format="how_to"),
    AddExperimentSuggestion(format="scripts", reason=ExperimentReason.RARELY_USED),
    RemoveExperimentSuggestion(format="how_to", reason=ExperimentReason.UNTESTED),
    AddTopTopic(topic="bedtime"),
    RemoveTopTopic(topic="naps"),
    AddHookStyle(list="best_styles", style="number_specific"),
    RemoveHookStyle(list="worst_styles", style="question"),
    AddReferenceHook(hook="5 boring habits…"),
    RemoveReferenceHook(hook="Stop doing this at bedtime"),
    SetBestDayparts(dayparts=("morning", "late")),
    SetCta(cta="comment_below"),
    SetCta(cta=None),
]


def applied(operation: Operation, document: dict[str, Any]) -> tuple[dict[str, Any], list]:
    patch = compile_patch([operation], document)
    return jsonpatch.apply_patch(document, patch), patch


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: operation.op)
def test_every_change_can_be_stored_made_and_undone(operation: Operation):
    before = json.dumps(DOCUMENT)
    assert parse_operations(json.loads(json.dumps(dump_operations([operation])))) == (operation,)
    changed, patch = applied(operation, DOCUMENT)
    assert json.dumps(DOCUMENT) == before
    assert changed != DOCUMENT
    for place, step in enumerate(patch):
        if step["op"] in ("replace", "remove"):
            assert patch[place - 1]["op"] == "test"
            assert patch[place - 1]["path"] == step["path"]
    undoing = inverse_operations([operation], patch, changed)
    back = jsonpatch.apply_patch(changed, compile_patch(undoing, changed))
    assert _without_neutral(back) == _without_neutral(DOCUMENT)
    # What was undone is not undone again.
    assert inverse_operations([operation], patch, back) == ()


def _without_neutral(document: dict[str, Any]) -> dict[str, Any]:
    weights = {name: w for name, w in document["format_weights"].items() if w != 1.0}
    lists = {key: sorted(document[key]) for key in ("top_pillars", "underperforming_pillars")}
    return {**document, **lists, "format_weights": weights}


def test_exploration_takes_newer_figures_and_never_older_ones_again():
    operation = SetExploration(
        posteriors=(
            FormatPosterior(format="step_guide", mean=0.2, sd=0.1),
            FormatPosterior(format="scripts", mean=0.0, sd=0.25),
        )
    )
    changed, patch = applied(operation, DOCUMENT)
    assert changed["exploration"] == {
        "share": 0.5,
        "posteriors": {
            "scripts": {"mean": 0.0, "sd": 0.25},
            "step_guide": {"mean": 0.2, "sd": 0.1},
        },
    }
    assert inverse_operations([operation], patch, changed) == ()


def test_a_weight_that_went_on_rising_goes_back_by_one_permitted_step():
    operation = SetFormatWeight(format="step_guide", weight=1.5)
    changed, patch = applied(operation, DOCUMENT)
    risen = {**changed, "format_weights": {"step_guide": 2.25}}
    assert inverse_operations([operation], patch, risen) == (
        SetFormatWeight(format="step_guide", weight=1.5),
    )


@pytest.mark.parametrize(
    "operation",
    [
        AddHookStyle(list="worst_styles", style="how_to"),
        AddHookStyle(list="best_styles", style="question"),
        AddReferenceHook(hook="Stop doing this at bedtime"),
        RemoveReferenceHook(hook="never there"),
        RemoveTopTopic(topic="never_there"),
        SetBestDayparts(dayparts=("evening",)),
        SetCta(cta="save_this"),
    ],
    ids=lambda operation: operation.op,
)
def test_a_change_of_nothing_or_of_both_lists_does_not_compile(operation: Operation):
    with pytest.raises(OperationError):
        compile_patch([operation], DOCUMENT)


def test_reference_hooks_are_bounded():
    hooks = [f"hook {number}" for number in range(MOST_REFERENCE_HOOKS)]
    with pytest.raises(OperationError, match="reference hooks"):
        compile_patch(
            [AddReferenceHook(hook="more")], {"hook_insights": {"reference_hooks": hooks}}
        )


@pytest.mark.parametrize(
    "stored",
    [
        {"op": "add_reference_hook", "hook": "two\nlines"},
        {"op": "add_reference_hook", "hook": "x" * 201},
        {"op": "add_reference_hook", "hook": " padded "},
        {"op": "set_best_dayparts", "dayparts": ["noon"]},
        {"op": "set_best_dayparts", "dayparts": ["late", "late"]},
        {"op": "set_cta", "cta": "../x"},
        {"op": "add_hook_style", "list": "reference_hooks", "style": "x"},
        {"op": "set_exploration", "posteriors": []},
        {"op": "set_exploration", "posteriors": [{"format": "x", "mean": 9, "sd": 0.1}]},
        {"op": "set_exploration", "posteriors": [{"format": "x", "mean": 0, "sd": -0.1}]},
    ],
)
def test_what_is_out_of_bounds_is_no_operation(stored):
    with pytest.raises(ValueError, match="validation error"):
        parse_operations([stored])
