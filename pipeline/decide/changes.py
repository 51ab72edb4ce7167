"""What approving changes: a recommendation applied to the context as it is now.

Operations, bounds and the allow-list are in `pipeline.learn.operations`. Here they meet a context
that may have moved on since the recommendation was written.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonpatch

from pipeline.clock import utc_text
from pipeline.decide.schema import PerformanceContext, context_id_of
from pipeline.errors import DecisionError
from pipeline.learn.operations import (
    NEUTRAL_WEIGHT,
    AddExperimentSuggestion,
    AddHighSaveFormat,
    AddHighShareFormat,
    AddTopPillar,
    AddUnderperformingPillar,
    Operation,
    OperationError,
    RemovePillar,
    SetFormatWeight,
    SetSlideCount,
    compile_patch,
    current_weight,
)
from pipeline.learn.recommend.recommendation import Recommendation

VALID_FOR = timedelta(weeks=8)
"""Tastes drift; after this a generator should not lean on the evidence any more."""


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
    return "; ".join(_words(operation, document) for operation in operations)


def _words(operation: Operation, document: Mapping[str, Any]) -> str:
    match operation:
        case SetFormatWeight():
            current = current_weight(document, operation.format)
            words = f"set the weight of {operation.format} from {current} to {operation.weight}"
        case SetSlideCount():
            current_count = document.get("optimal_slide_count")
            former = "unset" if current_count is None else str(current_count)
            words = f"set the slide count from {former} to {operation.slide_count}"
        case AddTopPillar():
            words = f"add {operation.pillar} to the top pillars"
        case AddUnderperformingPillar():
            words = f"add {operation.pillar} to the underperforming pillars"
        case RemovePillar():
            words = f"remove {operation.pillar} from the {operation.list.replace('_', ' ')}"
        case AddHighSaveFormat():
            words = f"add {operation.format} to the formats that are saved"
        case AddHighShareFormat():
            words = f"add {operation.format} to the formats that are shared"
        case AddExperimentSuggestion():
            words = f'add the experiment "{operation.suggestion}"'
    return words


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
    path = f"/format_weights/{operation.format}"
    former = next(
        (
            step["value"]
            for step in recommendation.patch
            if step["op"] == "test" and step["path"] == path
        ),
        NEUTRAL_WEIGHT,
    )
    current = current_weight(document, operation.format)
    if (operation.weight > current) is not (operation.weight > former):
        raise OperationError(
            f"the weight of {operation.format} went from {former:g} to {current:g} since then, so "
            f"{operation.weight:g} would turn it the other way"
        )


def approved_document(
    recommendation: Recommendation, document: Mapping[str, Any], *, now: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The context after an approval, and the patch that the recommendation made to it.

    Besides the patch only the bookkeeping keys change: ``last_updated``, ``sample_size``,
    ``warehouse_version``, ``context_id``, ``approved_recommendations``, ``evidence``,
    ``exploration.previous_context_id`` and ``valid_until``.

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
    }
    changed["valid_until"] = (day + VALID_FOR).isoformat()
    changed["context_id"] = context_id_of(changed)
    return changed, patch


def _evidence(recommendation: Recommendation) -> dict[str, Any]:
    return {
        "category": recommendation.category.value,
        "confidence": recommendation.confidence.value,
        "warehouse_version": recommendation.warehouse_version,
        "finding_ids": [finding["finding_id"] for finding in recommendation.findings],
        **recommendation.figures,
    }
