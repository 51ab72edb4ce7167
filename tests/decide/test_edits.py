"""Approving with another value than was proposed."""

import json

import pytest

from pipeline.accounts import load_account
from pipeline.clients.state_verdicts import decision_details
from pipeline.decide.changes import edit_of
from pipeline.decide.context import context_path, ensure_context, revert
from pipeline.decide.decision import DecisionKind
from pipeline.decide.review import approve, pending, reject
from pipeline.errors import ContextError, DecisionError
from pipeline.learn.operations import AddTopPillar, Operation, SetFormatWeight, SetSlideCount
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NEUTRAL, NOW, add_pending

FIRST = "rec_000000000001"


@pytest.fixture
def ready(settings: Settings) -> Settings:
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    return settings


def weights(settings: Settings) -> dict[str, float]:
    document = json.loads(context_path(settings, ACCOUNT).read_bytes())
    return document["format_weights"]


def edit(settings: Settings, *operations: Operation):
    return approve(settings, FIRST, by="ann", now=NOW, operations=operations)


def test_an_edit_is_a_decision_of_its_own_that_keeps_both_patches(ready: Settings):
    recommendation = add_pending(ready)
    made = edit(ready, SetFormatWeight(format="step_guide", weight=1.2))
    assert made.decision is DecisionKind.EDITED
    assert weights(ready)["step_guide"] == 1.2
    (row,) = decision_details(ready, ACCOUNT)
    assert row["decision"] == "edited"
    assert row["patch"][-1]["value"] == 1.2
    assert row["proposed_patch"] == recommendation.patch
    assert row["operations"] == [{"op": "set_format_weight", "format": "step_guide", "weight": 1.2}]
    assert pending(ready) == []
    assert approve(ready, FIRST, by="bob", now=NOW) == made
    with pytest.raises(DecisionError, match="edited by ann"):
        reject(ready, FIRST, by="bob", now=NOW)


def test_an_edit_to_what_is_proposed_is_an_approval(ready: Settings):
    add_pending(ready)
    made = edit(ready, SetFormatWeight(format="step_guide", weight=1.4))
    assert made.decision is DecisionKind.APPROVE
    assert (made.operations, made.proposed_patch) == (None, None)


@pytest.mark.parametrize(
    "operations",
    [
        (SetFormatWeight(format="step_guide", weight=2.0),),
        (SetFormatWeight(format="step_guide", weight=0.8),),
        (SetFormatWeight(format="step_guide", weight=1.0),),
        (SetFormatWeight(format="scripts", weight=1.2),),
        (AddTopPillar(pillar="sleep_routines"),),
        (),
        (SetFormatWeight(format="step_guide", weight=1.2), AddTopPillar(pillar="sleep_routines")),
    ],
)
def test_an_edit_beyond_the_bounds_changes_nothing_and_leaves_it_pending(ready, operations):
    add_pending(ready)
    before = context_path(ready, ACCOUNT).read_bytes()
    with pytest.raises(DecisionError):
        edit(ready, *operations)
    assert context_path(ready, ACCOUNT).read_bytes() == before
    assert [item.recommendation_id for item in pending(ready)] == [FIRST]
    assert decision_details(ready, ACCOUNT) == []


def test_a_typed_value_becomes_an_operation_or_a_sentence_with_the_bounds(ready: Settings):
    weight = add_pending(ready)
    assert edit_of(weight, NEUTRAL, "1.25") == (SetFormatWeight(format="step_guide", weight=1.25),)
    for typed in ("50", "nan", "much", "", "1.51"):
        with pytest.raises(DecisionError, match=r"write a weight from 1 to 1\.5"):
            edit_of(weight, NEUTRAL, typed)
    slides = add_pending(ready, SetSlideCount(slide_count=7), recommendation_id="rec_2")
    assert edit_of(slides, NEUTRAL, "6") == (SetSlideCount(slide_count=6),)
    for typed in ("0", "36", "6.5"):
        with pytest.raises(DecisionError, match="whole number from 1 to 35"):
            edit_of(slides, NEUTRAL, typed)
    pillar = add_pending(ready, AddTopPillar(pillar="sleep_routines"), recommendation_id="rec_3")
    with pytest.raises(DecisionError, match="nothing to edit"):
        edit_of(pillar, NEUTRAL, "1")


def test_an_edit_that_was_committed_and_not_written_is_merged_with_a_hand_edit(
    ready: Settings, monkeypatch: pytest.MonkeyPatch
):
    add_pending(ready)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.decide.versions.write_atomically", fail)
        with pytest.raises(ContextError, match="decision itself is stored"):
            edit(ready, SetFormatWeight(format="step_guide", weight=1.2))
    path = context_path(ready, ACCOUNT)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "mine": "kept"}))
    ensure_context(ready, load_account(ready.accounts_dir, ACCOUNT), NOW)
    assert weights(ready)["step_guide"] == 1.2
    assert json.loads(path.read_bytes())["mine"] == "kept"


def test_an_edit_is_reverted_like_an_approval(ready: Settings):
    add_pending(ready)
    before = context_path(ready, ACCOUNT).read_bytes()
    edit(ready, SetFormatWeight(format="step_guide", weight=1.2))
    revert(ready, ACCOUNT, by="ann", now=NOW)
    assert context_path(ready, ACCOUNT).read_bytes() == before
