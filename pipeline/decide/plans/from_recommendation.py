"""A plan from a recommendation: the posts to make, when to look, and what to expect of them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.decide.plans.plan import (
    MAX_TITLE,
    ItemDraft,
    PlanDraft,
    Projection,
    SourceKind,
    Writer,
)
from pipeline.learn.findings import OUTCOME_WORDS, Direction
from pipeline.learn.recommend.recommendation import Recommendation, Status

POSTS_TO_MAKE = 3
"""Fewer posts give no interval of their own."""

_A_WEEK = timedelta(days=7)


def plan_from_recommendation(recommendation: Recommendation, today: date) -> PlanDraft:
    """A first plan for a recommendation, to be changed by whoever follows it.

    Hours are left open: nobody knows them from numbers.

    Args:
        recommendation: Pending or decided.
        today: In the account's zone; due dates count from it.
    """
    finding = recommendation.findings[0] if recommendation.findings else {}
    items: list[ItemDraft] = []
    if recommendation.status is Status.PENDING:
        items.append(ItemDraft("Decide on the recommendation", due_date=today + timedelta(days=2)))
    subject = _subject(recommendation)
    is_less = finding.get("direction") == Direction.WORSE
    for place in range(1, POSTS_TO_MAKE + 1):
        words = (
            f"Make another post than {subject} ({place} of {POSTS_TO_MAKE})"
            if is_less
            else f"Make a post: {subject} ({place} of {POSTS_TO_MAKE})"
        )
        items.append(ItemDraft(_cut(words), due_date=today + place * _A_WEEK))
    last = today + (POSTS_TO_MAKE + 1) * _A_WEEK
    items.append(ItemDraft("Compare the posts with the usual, at 7 days of age", due_date=last))
    return PlanDraft(
        account_name=recommendation.account_name,
        name=_cut(f"{recommendation.category.value}: {subject}"),
        goal=recommendation.insight,
        items=tuple(items),
        source_kind=SourceKind.RECOMMENDATION,
        source_id=recommendation.recommendation_id,
        writer=Writer.RULES,
        projected=_projection(finding),
    )


def _subject(recommendation: Recommendation) -> str:
    """What the recommendation is about: its target without the kind."""
    return recommendation.target.partition(":")[2] or recommendation.target


def _projection(finding: Mapping[str, Any]) -> Projection | None:
    """What the finding says of such posts; of their replacements it says no number."""
    if finding.get("outcome") not in OUTCOME_WORDS or finding.get("effect") is None:
        return None
    place = {name: finding.get(name) for name in ("platform", "dimension", "segment")}
    if finding.get("direction") == Direction.WORSE:
        text = "More than the posts that they replace, by a number that was not measured."
        return Projection(finding["outcome"], text=text, **place)
    return Projection(
        finding["outcome"],
        ratio=finding["effect"],
        ratio_low=finding.get("effect_low"),
        ratio_high=finding.get("effect_high"),
        n=finding.get("n"),
        **place,
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1] + "…"
