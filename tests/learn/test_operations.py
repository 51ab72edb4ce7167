import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.learn.operations import (
    WEIGHT_MAX,
    WEIGHT_MIN,
    AddHighSaveFormat,
    AddTopPillar,
    OperationError,
    RemovePillar,
    SetFormatWeight,
    SetSlideCount,
    dump_operations,
    parse_operations,
    proposed_weight,
    weight_bounds,
)
from pipeline.learn.patches import compile_patch

DOCUMENT: dict[str, Any] = {
    "format_weights": {"step_guide": 1.0, "a/b~c": 1.0},
    "top_pillars": ["sleep_routines"],
    "underperforming_pillars": ["baby_products"],
    "optimal_slide_count": 5,
    "save_vs_share": {"high_save_formats": [], "high_share_formats": ["scripts"]},
}


def test_what_is_replaced_is_tested_first():
    assert compile_patch([SetFormatWeight(format="step_guide", weight=1.4)], DOCUMENT) == [
        {"op": "test", "path": "/format_weights/step_guide", "value": 1.0},
        {"op": "replace", "path": "/format_weights/step_guide", "value": 1.4},
    ]


def test_a_pillar_changes_sides_in_one_patch_and_the_document_is_left_alone():
    before = json.dumps(DOCUMENT)
    patch = compile_patch(
        [
            RemovePillar(list="underperforming_pillars", pillar="baby_products"),
            AddTopPillar(pillar="baby_products"),
        ],
        DOCUMENT,
    )
    changed = jsonpatch.apply_patch(DOCUMENT, patch)
    assert changed["top_pillars"] == ["sleep_routines", "baby_products"]
    assert changed["underperforming_pillars"] == []
    assert json.dumps(DOCUMENT) == before


def test_missing_keys_are_made():
    patch = compile_patch(
        [
            AddHighSaveFormat(format="scripts"),
            SetSlideCount(slide_count=6),
            SetFormatWeight(format="scripts", weight=1.2),
        ],
        {},
    )
    assert jsonpatch.apply_patch({}, patch) == {
        "save_vs_share": {"high_save_formats": ["scripts"]},
        "optimal_slide_count": 6,
        "format_weights": {"scripts": 1.2},
    }


@pytest.mark.parametrize(
    "operation",
    [
        SetFormatWeight(format="step_guide", weight=1.51),
        SetFormatWeight(format="step_guide", weight=0.66),
        SetFormatWeight(format="step_guide", weight=1.0),
        SetFormatWeight(format="never_seen", weight=2.0),
        SetSlideCount(slide_count=5),
        AddTopPillar(pillar="sleep_routines"),
        AddTopPillar(pillar="baby_products"),
        RemovePillar(list="top_pillars", pillar="picky_eating"),
    ],
)
def test_a_step_too_far_or_a_change_of_nothing_does_not_compile(operation):
    with pytest.raises(OperationError):
        compile_patch([operation], DOCUMENT)


@pytest.mark.parametrize(
    "stored",
    [
        {"op": "set_format_weight", "format": "step_guide", "weight": 50},
        {"op": "set_format_weight", "format": "step_guide", "weight": float("nan")},
        {"op": "set_format_weight", "format": "../../etc", "weight": 1.2},
        {"op": "set_format_weight", "format": "step_guide", "weight": 1.2, "path": "/account"},
        {"op": "replace", "path": "/account", "value": "x"},
        {"op": "set_slide_count", "slide_count": 0},
        {"op": "remove_pillar", "list": "approved_recommendations", "pillar": "x"},
        {"op": "add_experiment_suggestion", "format": "x", "reason": "because I say so"},
        {},
    ],
)
def test_what_is_not_on_the_list_is_no_operation(stored):
    with pytest.raises(ValidationError):
        parse_operations([stored])


def test_operations_survive_being_stored():
    operations = (SetFormatWeight(format="step_guide", weight=1.4), AddTopPillar(pillar="x"))
    assert parse_operations(json.loads(json.dumps(dump_operations(operations)))) == operations


@given(st.floats(WEIGHT_MIN, WEIGHT_MAX), st.floats(0.01, 100))
def test_a_proposed_weight_is_always_within_one_permitted_step(current: float, effect: float):
    weight = proposed_weight(current, effect)
    if weight is None:
        return
    low, high = weight_bounds(current)
    assert low <= weight <= high
    assert weight == round(weight, 2)
    assert (weight > current) is (effect > 1)
    compile_patch([SetFormatWeight(format="a", weight=weight)], {"format_weights": {"a": current}})


@pytest.mark.parametrize(
    ("current", "effect", "expected"),
    [
        (1.0, 1.4, 1.4),
        (1.0, 9.0, 1.5),
        (1.0, 0.1, 0.67),
        (2.8, 1.4, 3.0),
        (0.3, 0.5, 0.25),
        (1.0, 1.04, None),
        (3.0, 1.5, None),
        (0.25, 0.5, None),
    ],
)
def test_the_weight_follows_the_effect_within_bounds(current, effect, expected):
    assert proposed_weight(current, effect) == expected
