"""From a writer's drafts to rows of the state database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.clients.claude import Usage
from pipeline.clients.state import writing_state
from pipeline.learn.findings import stable_id
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.recommendation import Recommendation, Status, Writer
from pipeline.learn.recommend.rendering import render
from pipeline.learn.recommend.rules import Draft
from pipeline.settings import Settings

MAX_PER_WEEK = 5
"""Per account and ISO week; more than a person decides with care."""


@dataclass(frozen=True)
class Base:
    """The context that changes are proposed against."""

    context_id: str | None
    document: dict[str, Any]


@dataclass(frozen=True)
class Writing:
    """What a writer made, and what it took."""

    drafts: list[Draft]
    writer: Writer
    reason: str | None = None
    usage: Usage | None = None
    prompt_sha256: str | None = None

    def share_of(self, total: int, rank: int) -> int:
        """A part of a whole number of tokens, so that the parts add up to it."""
        quotient, rest = divmod(total, len(self.drafts))
        return quotient + (rank <= rest)


def iso_week(moment: datetime) -> str:
    """The week that recommendations are counted in, for example "2026-W47"."""
    return moment.astimezone(UTC).strftime("%G-W%V")


def id_of(account_name: str, choice: Candidate, week: str) -> str:
    """The id that a proposal has in a week, whoever words it."""
    return stable_id("rec", account_name, choice.category.value, choice.target, week)


def recommendation_of(
    draft: Draft,
    writing: Writing,
    rank: int,
    *,
    account_name: str,
    now: datetime,
    base: Base,
    version: str,
) -> Recommendation:
    """A draft with its figures filled in and its part of the cost."""
    choice = draft.candidate
    usage = writing.usage
    cost: Decimal | None = None
    if usage is not None and usage.cost_usd is not None:
        cost = usage.cost_usd / len(writing.drafts)
    return Recommendation(
        recommendation_id=id_of(account_name, choice, iso_week(now)),
        account_name=account_name,
        created_at=now,
        rank=rank,
        status=Status.PENDING,
        category=choice.category,
        target=choice.target,
        insight=render(draft.insight_template, choice.figures),
        insight_template=draft.insight_template,
        figures=choice.figures,
        operations=draft.operations,
        patch=compile_patch(draft.operations, base.document),
        base_context_id=base.context_id,
        confidence=choice.confidence,
        sample_size=choice.sample_size,
        findings=choice.stored_findings,
        warehouse_version=version,
        writer=writing.writer,
        writer_reason=writing.reason,
        model=None if usage is None else usage.model,
        prompt_sha256=writing.prompt_sha256,
        input_tokens=None if usage is None else writing.share_of(usage.input_tokens, rank),
        output_tokens=None if usage is None else writing.share_of(usage.output_tokens, rank),
        cost_usd=None if cost is None else f"{cost:.8f}",
        decided_at=None,
    )


def store(
    settings: Settings, account_name: str, made: list[Recommendation]
) -> list[Recommendation]:
    """Insert what is still new; another run of the same week may have been faster."""
    with writing_state(settings) as state:
        rows = state.recommendations(account_name)
        known = {row["recommendation_id"] for row in rows}
        pending = {
            (row["category"], row["target"])
            for row in rows
            if row["status"] == Status.PENDING.value
        }
        week = iso_week(made[0].created_at)
        room = MAX_PER_WEEK - sum(iso_week(row["created_at"]) == week for row in rows)
        new = [
            item
            for item in made
            if item.recommendation_id not in known
            and (item.category.value, item.target) not in pending
        ][: max(0, room)]
        state.add_recommendations([item.to_row() for item in new])
    return new
