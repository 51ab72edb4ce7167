"""What approving changes: a recommendation applied to the context as it is now.

Operations, bounds and the allow-list are in `pipeline.learn.operations`. Here they meet a context
that may have moved on since the recommendation was written.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonpatch

from pipeline.clock import utc_text
from pipeline.decide.context_id import context_id_of
from pipeline.errors import DecisionError
from pipeline.learn.operations import (
    NEUTRAL_WEIGHT,
    Operation,
    OperationError,
    SetExploration,
    SetFormatWeight,
    SetSlideCount,
    current_weight,
    weight_bounds,
)
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.recommendation import Recommendation

VALID_FOR = timedelta(weeks=8)
"""Tastes drift; after this a generator should not lean on the evidence any more."""


def rebased_patch(
    recommendation: Recommendation, document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The patch that does to a context what the recommendation meant.

    When the context still is what it was written against, this is the stored patch. Otherwise the
    operations are compiled again, if they still are within bounds and still mean the same.

    Raises:
        DecisionError: They do not; the message says why.
    """
    try:
        patch = compile_patch(recommendation.operations, document)
        for operation in recommendation.operations:
            _same_meaning(operation, recommendation, document)
    except OperationError as error:
        raise DecisionError(
            f"{recommendation.recommendation_id} no longer fits the context of "
            f"{recommendation.account_name} ({error}). It was set aside; run `afterpost recommend` "
            "for one that does."
        ) from None
    return patch


def _same_meaning(
    operation: Operation, recommendation: Recommendation, document: Mapping[str, Any]
) -> None:
    """A weight that was to be raised must not be lowered, nor the reverse."""
    if not isinstance(operation, SetFormatWeight):
        return
    former = _former_weight(recommendation, operation.format)
    current = current_weight(document, operation.format)
    if (operation.weight > current) is not (operation.weight > former):
        raise OperationError(
            f"the weight of {operation.format} went from {former:g} to {current:g} since then, so "
            f"{operation.weight:g} would turn it the other way"
        )


def _former_weight(recommendation: Recommendation, format_name: str) -> float:
    """The weight that a recommendation was written against."""
    path = f"/format_weights/{format_name}"
    steps = (step for step in recommendation.patch if step["op"] == "test")
    return float(next((step["value"] for step in steps if step["path"] == path), NEUTRAL_WEIGHT))


def edited(
    recommendation: Recommendation, operations: Sequence[Operation] | None
) -> Recommendation:
    """The recommendation with other values, within what an edit may change.

    Raises:
        DecisionError: The edit is of another kind than the proposal, of another format, or turns
            it the other way.
    """
    if operations is None:
        return recommendation
    proposed = recommendation.operations
    fits = len(operations) == len(proposed) and all(
        _is_same_kind(given, former, recommendation)
        for given, former in zip(operations, proposed, strict=True)
    )
    if not fits:
        raise DecisionError(
            f"{recommendation.recommendation_id} proposes something else: an edit may change the "
            "weight or the slide count that is proposed, and nothing more. Nothing was changed."
        )
    return recommendation.model_copy(update={"operations": tuple(operations)})


def edit_of(
    recommendation: Recommendation, document: Mapping[str, Any], value: str
) -> tuple[Operation, ...]:
    """The recommendation's operations with another weight or slide count.

    Args:
        recommendation: It proposes exactly one of them.
        document: The context as JSON.
        value: What a person typed.

    Raises:
        DecisionError: There is nothing to edit, or the value is no number within bounds; the
            message names the bounds.
    """
    if not is_editable(recommendation):
        raise DecisionError(
            f"{recommendation.recommendation_id} proposes no weight and no slide count, so there "
            "is nothing to edit."
        )
    (operation,) = recommendation.operations
    try:
        given: Operation
        if isinstance(operation, SetFormatWeight):
            given = SetFormatWeight(format=operation.format, weight=float(value))
        else:
            given = SetSlideCount(slide_count=int(value))
        compile_patch((given,), document)
    except ValueError as error:
        told = str(error) if isinstance(error, OperationError) else "it is out of bounds"
        raise DecisionError(
            f"{value!r} was not taken ({told}): write {_permitted(operation, document)}."
        ) from None
    return (given,)


def is_editable(recommendation: Recommendation) -> bool:
    """Whether it proposes one weight or one slide count, which a person may change."""
    return len(recommendation.operations) == 1 and isinstance(
        recommendation.operations[0], SetFormatWeight | SetSlideCount
    )


def _permitted(operation: Operation, document: Mapping[str, Any]) -> str:
    if not isinstance(operation, SetFormatWeight):
        return "a whole number from 1 to 35"
    current = current_weight(document, operation.format)
    low, high = weight_bounds(current)
    ends = (current, high) if operation.weight > current else (low, current)
    return f"a weight from {ends[0]:g} to {ends[1]:g}"


def _is_same_kind(given: Operation, proposed: Operation, recommendation: Recommendation) -> bool:
    match given, proposed:
        case SetFormatWeight(), SetFormatWeight():
            former = _former_weight(recommendation, proposed.format)
            is_same_way = (given.weight > former) is (proposed.weight > former)
            return given.format == proposed.format and is_same_way
        case SetSlideCount(), SetSlideCount():
            return True
        case _:
            return given == proposed


def approved_document(
    recommendation: Recommendation, document: Mapping[str, Any], *, now: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The context after an approval, and the patch that the recommendation made to it.

    Besides the patch only the bookkeeping keys change: ``last_updated``, ``sample_size``,
    ``warehouse_version``, ``context_id``, ``approved_recommendations``, ``evidence``,
    ``exploration.previous_context_id``, ``exploration.posteriors`` and ``valid_until``.

    Args:
        recommendation: What was approved.
        document: The context as JSON; it is not changed.
        now: The moment of the approval.

    Raises:
        DecisionError: The recommendation does not fit this context any more.
    """
    patch = rebased_patch(recommendation, document)
    changed: dict[str, Any] = jsonpatch.apply_patch(dict(document), patch)
    day = now.astimezone(UTC).date()
    recommendation_id = recommendation.recommendation_id
    changed["last_updated"] = day.isoformat()
    changed["sample_size"] = recommendation.context_sample_size
    changed["warehouse_version"] = recommendation.warehouse_version
    changed["approved_recommendations"] = [
        *changed.get("approved_recommendations", []),
        {
            "id": recommendation_id,
            "insight": recommendation.insight,
            "approved_at": utc_text(now.replace(microsecond=0)),
        },
    ]
    changed["evidence"] = {
        **changed.get("evidence", {}),
        recommendation_id: _evidence(recommendation),
    }
    changed["exploration"] = {
        **changed.get("exploration", {}),
        "previous_context_id": context_id_of(document),
        **_posteriors(recommendation, changed),
    }
    changed["valid_until"] = (day + VALID_FOR).isoformat()
    changed["context_id"] = context_id_of(changed)
    return changed, patch


def _posteriors(recommendation: Recommendation, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What exploration goes by, as it was known when the recommendation was written."""
    if any(isinstance(operation, SetExploration) for operation in recommendation.operations):
        return {}
    known = recommendation.format_posteriors or {}
    former = changed.get("exploration", {}).get("posteriors", {})
    return {"posteriors": {**former, **known}} if known else {}


def _evidence(recommendation: Recommendation) -> dict[str, Any]:
    return {
        "category": recommendation.category.value,
        "confidence": recommendation.confidence.value,
        "warehouse_version": recommendation.warehouse_version,
        "finding_ids": [finding["finding_id"] for finding in recommendation.findings],
        **recommendation.figures,
    }
