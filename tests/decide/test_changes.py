from typing import Any

import pytest

from pipeline.decide.changes import approved_document
from pipeline.decide.wording import describe
from pipeline.errors import DecisionError
from pipeline.learn.operations import (
    AddExperimentSuggestion,
    AddTopPillar,
    ExperimentReason,
    Operation,
    RemovePillar,
    SetFormatWeight,
    SetSlideCount,
)
from pipeline.settings import Settings
from tests.fakes.recommendations import NEUTRAL, NOW, add_pending

RAISE = SetFormatWeight(format="step_guide", weight=1.4)


def test_changes_are_told_in_words():
    words = describe(
        (
            RAISE,
            SetSlideCount(slide_count=6),
            RemovePillar(list="top_pillars", pillar="baby_products"),
            AddTopPillar(pillar="sleep_routines"),
            AddExperimentSuggestion(format="scripts", reason=ExperimentReason.UNTESTED),
        ),
        NEUTRAL,
    )
    assert words == (
        "set the weight of step_guide from 1.0 to 1.4; set the slide count from 5 to 6; remove "
        "baby_products from the top pillars; add sleep_routines to the top pillars; "
        'add the experiment "scripts format untested"'
    )


def changed(settings: Settings, operation: Operation, **now: Any) -> dict[str, Any]:
    """The neutral context with other values, after a recommendation made against the neutral."""
    recommendation = add_pending(settings, operation)
    return approved_document(recommendation, {**NEUTRAL, **now}, now=NOW)[0]


@pytest.mark.parametrize("weight", [1.0, 1.1, 1.39, 0.94])
def test_a_weight_that_moved_meanwhile_is_rebased_while_it_means_the_same(settings, weight: float):
    after = changed(settings, RAISE, format_weights={"step_guide": weight})
    assert after["format_weights"] == {"step_guide": 1.4}


@pytest.mark.parametrize("weight", [0.5, 1.4, 1.41, 3.0])
def test_a_weight_that_moved_too_far_makes_the_recommendation_out_of_date(settings, weight):
    with pytest.raises(DecisionError, match="afterpost recommend"):
        changed(settings, RAISE, format_weights={"step_guide": weight})


def test_a_list_that_grew_meanwhile_keeps_its_entries(settings: Settings):
    operation = AddTopPillar(pillar="sleep_routines")
    after = changed(settings, operation, top_pillars=["picky_eating"])
    assert after["top_pillars"] == ["picky_eating", "sleep_routines"]


def test_a_pillar_that_was_put_on_the_other_list_is_not_put_on_both(settings: Settings):
    operation = AddTopPillar(pillar="sleep_routines")
    with pytest.raises(DecisionError, match="underperforming_pillars"):
        changed(settings, operation, underperforming_pillars=["sleep_routines"])


def test_the_context_that_was_given_is_not_changed(settings: Settings):
    recommendation = add_pending(settings)
    document = {**NEUTRAL, "mine": {"nested": [1]}}
    before = repr(document)
    after, patch = approved_document(recommendation, document, now=NOW)
    assert repr(document) == before
    assert after["mine"] == {"nested": [1]}
    assert patch == recommendation.patch
