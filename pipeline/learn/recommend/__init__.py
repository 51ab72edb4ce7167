"""Recommendations: the week's best findings, each with a change that a person can approve."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.claude import Usage
from pipeline.clients.state import reading_state, writing_state
from pipeline.clients.warehouse import published_version, reading
from pipeline.learn.findings import find, stable_id
from pipeline.learn.operations import compile_patch, neutral_values
from pipeline.learn.recommend import model_writer, rules
from pipeline.learn.recommend.candidates import Candidate, candidates, category_of
from pipeline.learn.recommend.missing import what_is_missing
from pipeline.learn.recommend.recommendation import Recommendation, Status, Writer
from pipeline.learn.recommend.rendering import render
from pipeline.learn.recommend.rules import Draft
from pipeline.learn.untried import find_untried
from pipeline.settings import Settings

MAX_PER_WEEK = 5
"""Per account and ISO week; more than a person decides with care."""

REJECTION_HOLDS_FOR = timedelta(weeks=8)
"""What a person refused is not proposed again before."""

MAX_TOLD = 15
"""Findings that a model chooses from; the list is ranked, and longer ones only cost tokens."""


@dataclass(frozen=True)
class RecommendReport:
    """What one account's run gave."""

    account_name: str
    recommendations: list[Recommendation]
    """Those written by this run, the most worth while first."""
    written: int
    writer: Writer
    reason: str | None
    """Why there is nothing, or why the rules wrote although a model was asked."""

    @property
    def line(self) -> str:
        """One line for a log or a terminal."""
        if not self.written:
            return f"{self.account_name}: nothing to recommend ({self.reason})"
        by = f", written by {self.writer.value}" + (f" ({self.reason})" if self.reason else "")
        noun = "recommendation" if self.written == 1 else "recommendations"
        return f"{self.account_name}: {self.written} new {noun}{by}"


def recommend(settings: Settings, account_name: str, *, now: datetime) -> RecommendReport:
    """Write the week's recommendations of one account to the state database, as pending.

    Findings come from the published copy. Running again in the same week adds nothing for what was
    proposed already. The account's approval policy is not applied here.

    Args:
        settings: Where things are; with an Anthropic key the model words the recommendations.
        account_name: The account.
        now: The moment of the run, with its zone.

    Raises:
        UnknownAccountError: No such account.
        NothingPublishedError: No build has been green yet.
        ConfigurationError: The account's file or the state database is unusable.
    """
    account = load_account(settings.accounts_dir, account_name)
    version = published_version(settings)
    formats = [item.name for item in account.formats]
    with reading(settings) as connection:
        findings = find(connection, account_name)
        untried = find_untried(connection, account_name, formats)
        missing = what_is_missing(connection, account_name)
    base = _base_context(settings, account)
    week = _iso_week(now)
    former = _former(settings, account_name)
    room = MAX_PER_WEEK - sum(_iso_week(item.created_at) == week for item in former)
    if room <= 0:
        return _nothing(account_name, f"{MAX_PER_WEEK} were proposed this week already")
    choices = [
        choice
        for choice in candidates(findings, untried, base.document, taken=_taken(former, now))
        if _id(account_name, choice, week) not in {item.recommendation_id for item in former}
    ]
    if not choices:
        if untried or any(category_of(finding) for finding in findings):
            missing = (
                "what differs clearly is in the context already, waits for a decision, was "
                "rejected lately, or differs between platforms"
            )
        return _nothing(account_name, missing)
    written = _write(settings, choices, base.document, account, room)
    if not written.drafts:
        return _nothing(account_name, "the model found none of the findings worth a change")
    made = [
        _recommendation(
            draft, written, rank, account_name=account_name, now=now, base=base, version=version
        )
        for rank, draft in enumerate(written.drafts, start=1)
    ]
    stored = _store(settings, account_name, made)
    return RecommendReport(account_name, stored, len(stored), written.writer, written.reason)


@dataclass(frozen=True)
class _Base:
    context_id: str | None
    document: dict[str, Any]


@dataclass(frozen=True)
class _Writing:
    drafts: list[Draft]
    writer: Writer
    reason: str | None = None
    usage: Usage | None = None
    prompt_sha256: str | None = None

    def share_of(self, total: int, rank: int) -> int:
        """A part of a whole number of tokens, so that the parts add up to it."""
        quotient, rest = divmod(total, len(self.drafts))
        return quotient + (rank <= rest)


def _write(
    settings: Settings,
    choices: list[Candidate],
    document: dict[str, Any],
    account: AccountConfig,
    room: int,
) -> _Writing:
    if settings.anthropic_api_key is None:
        return _Writing(rules.write(choices, room), Writer.RULES)
    told = choices[:MAX_TOLD]
    answer = model_writer.write(
        settings,
        told,
        document,
        account_name=account.name,
        limit=min(room, len(told)),
        names=_names(account, told),
    )
    if answer.drafts is None:
        drafts, writer = rules.write(choices, room), Writer.RULES
    else:
        drafts, writer = answer.drafts, Writer.CLAUDE
    return _Writing(drafts, writer, answer.reason, answer.usage, answer.prompt_sha256)


def _names(account: AccountConfig, choices: list[Candidate]) -> frozenset[str]:
    """What a model may name only by placeholder: it could say something about the wrong one."""
    listed = {item.name for item in (*account.formats, *account.content_pillars)}
    told = {str(choice.figures["segment"]) for choice in choices}
    return frozenset(listed | told | {platform.value for platform in Platform})


def _base_context(settings: Settings, account: AccountConfig) -> _Base:
    """The context as it was last recorded, or what the first one will be."""
    with reading_state(settings) as state:
        latest = state.latest_context(account.name)
    if latest is None:
        formats = [item.name for item in account.formats]
        return _Base(None, neutral_values(formats, account.default_slide_count))
    return _Base(latest["context_id"], orjson.loads(latest["content"]))


def _former(settings: Settings, account_name: str) -> list[Recommendation]:
    with reading_state(settings) as state:
        return [Recommendation.from_row(row) for row in state.recommendations(account_name)]


def _taken(former: list[Recommendation], now: datetime) -> frozenset[tuple[str, str]]:
    """Category and target of what waits for a decision or was refused lately."""
    return frozenset(
        (item.category.value, item.target)
        for item in former
        if item.status is Status.PENDING
        or (
            item.status is Status.REJECTED
            and item.decided_at is not None
            and now - item.decided_at < REJECTION_HOLDS_FOR
        )
    )


def _iso_week(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%G-W%V")


def _id(account_name: str, choice: Candidate, week: str) -> str:
    return stable_id("rec", account_name, choice.category.value, choice.target, week)


def _recommendation(
    draft: Draft,
    writing: _Writing,
    rank: int,
    *,
    account_name: str,
    now: datetime,
    base: _Base,
    version: str,
) -> Recommendation:
    choice = draft.candidate
    usage = writing.usage
    cost: Decimal | None = None
    if usage is not None and usage.cost_usd is not None:
        cost = usage.cost_usd / len(writing.drafts)
    return Recommendation(
        recommendation_id=_id(account_name, choice, _iso_week(now)),
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
        findings=[choice.finding.to_json()],
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


def _store(
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
        week = _iso_week(made[0].created_at)
        room = MAX_PER_WEEK - sum(_iso_week(row["created_at"]) == week for row in rows)
        new = [
            item
            for item in made
            if item.recommendation_id not in known
            and (item.category.value, item.target) not in pending
        ][: max(0, room)]
        state.add_recommendations([item.to_row() for item in new])
    return new


def _nothing(account_name: str, reason: str) -> RecommendReport:
    return RecommendReport(account_name, [], 0, Writer.RULES, reason)
