"""Pending recommendations, made without a warehouse."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.clients.state import writing_state
from pipeline.learn.findings import Confidence
from pipeline.learn.operations import Operation, SetFormatWeight, neutral_values
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.recommendation import Category, Recommendation, Status, Writer
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

NEUTRAL = neutral_values(("step_guide", "habit_list", "scripts"), 5)
"""What a recommendation is made against: the neutral context of the test account."""


def add_pending(
    settings: Settings,
    *operations: Operation,
    recommendation_id: str = "rec_000000000001",
    document: Mapping[str, Any] = NEUTRAL,
    confidence: Confidence = Confidence.HIGH,
) -> Recommendation:
    """Store a pending recommendation; by default to raise the weight of step_guide to 1.4."""
    operations = operations or (SetFormatWeight(format="step_guide", weight=1.4),)
    recommendation = Recommendation(
        recommendation_id=recommendation_id,
        account_name=ACCOUNT,
        created_at=NOW,
        rank=1,
        status=Status.PENDING,
        category=Category.FORMAT_WEIGHT,
        target=f"test:{recommendation_id}",
        insight="step_guide posts on tiktok get 1.40× (90 % interval 1.17–1.68, 47 posts sampled)",
        insight_template="{segment} posts on {platform} get {effect} ({interval}, {n} posts)",
        figures={"segment": "step_guide", "effect": 1.4, "n": 47},
        operations=operations,
        patch=compile_patch(operations, document),
        base_context_id=None,
        confidence=confidence,
        sample_size=47,
        findings=[{"finding_id": "fnd_000000000001", "n": 47, "account_n": 120}],
        warehouse_version="20261120T000000_abcdef",
        writer=Writer.RULES,
        writer_reason=None,
        model=None,
        prompt_sha256=None,
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        decided_at=None,
    )
    with writing_state(settings) as state:
        state.add_recommendations([recommendation.to_row()])
    return recommendation
