"""Recommendations: the week's best findings, each with a change that a person can approve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.claude import Usage
from pipeline.clients.state import reading_state
from pipeline.clients.state_verdicts import decision_details
from pipeline.clients.warehouse import published_version, reading
from pipeline.errors import AfterpostError
from pipeline.learn.causes import find_causes
from pipeline.learn.exploration import Exploration, explore
from pipeline.learn.failed_changes import failed_changes, revert_candidates
from pipeline.learn.operations import neutral_values
from pipeline.learn.pace import posts_per_week
from pipeline.learn.recommend import model_batch, model_writer, rules
from pipeline.learn.recommend.candidates import (
    Candidate,
    candidates,
    exploration_candidate,
)
from pipeline.learn.recommend.checks import may_be_answered
from pipeline.learn.recommend.missing import what_is_missing
from pipeline.learn.recommend.model_question import Question, make_question
from pipeline.learn.recommend.proposals import category_of
from pipeline.learn.recommend.recommendation import Recommendation, Writer
from pipeline.learn.recommend.storing import (
    MAX_PER_WEEK,
    Base,
    Writing,
    id_of,
    iso_week,
    recommendation_of,
    store,
)
from pipeline.learn.recommend.taken import taken
from pipeline.learn.untried import find_untried
from pipeline.settings import Settings

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
    usage: Usage | None = None
    """What the model's answers used; None when none was asked for."""

    @property
    def line(self) -> str:
        """One line for a log or a terminal."""
        if not self.written:
            return f"{self.account_name}: nothing to recommend ({self.reason})"
        by = f", written by {self.writer.value}" + (f" ({self.reason})" if self.reason else "")
        noun = "recommendation" if self.written == 1 else "recommendations"
        return f"{self.account_name}: {self.written} new {noun}{by}"


@dataclass(frozen=True)
class WeeklyRun:
    """What a run over several accounts gave; an account's trouble is not the others'."""

    reports: dict[str, RecommendReport]
    errors: dict[str, AfterpostError]


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
    run = recommend_all(settings, [account_name], now=now)
    if account_name in run.errors:
        raise run.errors[account_name]
    return run.reports[account_name]


def recommend_all(settings: Settings, names: Sequence[str], *, now: datetime) -> WeeklyRun:
    """The same for several accounts.

    With ``settings.anthropic_batches`` and two or more accounts that have something to say, the
    model is asked about them in one batch.
    """
    run = WeeklyRun({}, {})
    prepared: dict[str, _Prepared] = {}
    for name in names:
        try:
            found = _prepare(settings, name, now)
        except AfterpostError as error:
            run.errors[name] = error
            continue
        if isinstance(found, RecommendReport):
            run.reports[name] = found
        else:
            prepared[name] = found
    questions = {
        name: item.question for name, item in prepared.items() if item.question is not None
    }
    replies: Mapping[str, model_writer.Reply] = {}
    if questions:
        replies = model_batch.batched_replies(settings, questions, now=now)
    for name, item in prepared.items():
        try:
            run.reports[name] = _finish(settings, item, replies.get(name), now)
        except AfterpostError as error:
            run.errors[name] = error
    return run


@dataclass(frozen=True)
class _Prepared:
    """An account that has something to say."""

    account: AccountConfig
    base: Base
    choices: list[Candidate]
    room: int
    """Recommendations that the week still has room for."""
    question: Question | None
    """None when the rules do it all."""
    version: str
    exploration: Exploration
    pace: Mapping[str, float]


def _prepare(settings: Settings, account_name: str, now: datetime) -> _Prepared | RecommendReport:
    """Everything that is settled before anybody words it; or that there is nothing to say."""
    account = load_account(settings.accounts_dir, account_name)
    version = published_version(settings)
    formats = [item.name for item in account.formats]
    with reading(settings) as connection:
        findings = find_causes(connection, account_name)
        untried = find_untried(connection, account_name, formats)
        missing = what_is_missing(connection, account_name)
        exploration = explore(connection, account_name, formats)
        pace = posts_per_week(connection, account_name)
        failed = failed_changes(connection, account_name)
    base = base_context(settings, account)
    week = iso_week(now)
    former = _former(settings, account_name)
    room = MAX_PER_WEEK - sum(iso_week(item.created_at) == week for item in former)
    if room <= 0:
        return _nothing(account_name, f"{MAX_PER_WEEK} were proposed this week already")
    everything = candidates(
        findings,
        untried,
        base.document,
        taken=taken(former, now),
        reverts=revert_candidates(
            failed, former, _decisions(settings, account_name), base.document
        ),
        exploration=exploration_candidate(exploration, account_name, base.document),
    )
    known = {item.recommendation_id for item in former}
    choices = [choice for choice in everything if id_of(account_name, choice, week) not in known]
    if not choices:
        if untried or any(category_of(finding) for finding in findings):
            missing = (
                "what differs clearly is in the context already, waits for a decision, was "
                "rejected lately, or differs between platforms"
            )
        return _nothing(account_name, missing)
    question = _question(settings, account, base, choices, room, now)
    return _Prepared(account, base, choices, room, question, version, exploration, pace)


def _question(
    settings: Settings,
    account: AccountConfig,
    base: Base,
    choices: list[Candidate],
    room: int,
    now: datetime,
) -> Question | None:
    """What the model is asked; None without a key, or when the rules' own fill the week."""
    if settings.anthropic_api_key is None:
        return None
    own = rules.write([choice for choice in choices if not may_be_answered(choice)], room)
    told = [choice for choice in choices if may_be_answered(choice)][:MAX_TOLD]
    if len(own) == room or not told:
        return None
    return make_question(
        settings,
        told,
        base.document,
        account=account,
        limit=min(room - len(own), len(told)),
        names=_names(account, told),
        now=now,
    )


def _finish(
    settings: Settings, prepared: _Prepared, first: model_writer.Reply | None, now: datetime
) -> RecommendReport:
    """Word and store what is to be said."""
    name = prepared.account.name
    written = _write(settings, prepared, first)
    if not written.drafts:
        reason = "the model found none of the findings worth a change"
        return replace(_nothing(name, reason), usage=written.usage)
    made = [
        recommendation_of(
            draft,
            written,
            rank,
            account_name=name,
            now=now,
            base=prepared.base,
            version=prepared.version,
        ).model_copy(
            update={
                "format_posteriors": prepared.exploration.to_json() or None,
                "posts_per_week": prepared.pace.get(draft.candidate.figures.get("platform", "")),
            }
        )
        for rank, draft in enumerate(written.drafts, start=1)
    ]
    stored = store(settings, name, made)
    return RecommendReport(name, stored, len(stored), written.writer, written.reason, written.usage)


def _write(settings: Settings, prepared: _Prepared, first: model_writer.Reply | None) -> Writing:
    choices, room = prepared.choices, prepared.room
    if prepared.question is None:
        return Writing(rules.write(choices, room), Writer.RULES)
    answer = model_writer.write(settings, prepared.question, first)
    if answer.drafts is None:
        drafts, writer = rules.write(choices, room), Writer.RULES
    else:
        own = rules.write([choice for choice in choices if not may_be_answered(choice)], room)
        drafts, writer = [*answer.drafts, *own], Writer.CLAUDE
    return Writing(drafts, writer, answer.reason, answer.usage, answer.prompt_sha256)


def _names(account: AccountConfig, choices: list[Candidate]) -> frozenset[str]:
    """What a model may name only by placeholder: it could say something about the wrong one."""
    lists = (account.formats, account.content_pillars, account.topics, account.cta)
    listed = {item.name for items in lists for item in items}
    told = {name for choice in choices for name in choice.names}
    return frozenset(listed | told | {platform.value for platform in Platform})


def base_context(settings: Settings, account: AccountConfig) -> Base:
    """The context as it was last recorded, or what the first one will be."""
    with reading_state(settings) as state:
        latest = state.latest_context(account.name)
    if latest is None:
        formats = [item.name for item in account.formats]
        return Base(None, neutral_values(formats, account.default_slide_count))
    return Base(latest["context_id"], orjson.loads(latest["content"]))


def _decisions(settings: Settings, account_name: str) -> dict[str, dict[str, Any]]:
    """Rows of the decisions about the account's recommendations, by recommendation."""
    rows = decision_details(settings, account_name)
    return {row["recommendation_id"]: row for row in rows if row["recommendation_id"]}


def _former(settings: Settings, account_name: str) -> list[Recommendation]:
    with reading_state(settings) as state:
        return [Recommendation.from_row(row) for row in state.recommendations(account_name)]


def _nothing(account_name: str, reason: str) -> RecommendReport:
    return RecommendReport(account_name, [], 0, Writer.RULES, reason)
