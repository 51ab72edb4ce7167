"""Review: pending recommendations become decisions, each exactly once.

A decision, the recommendation's new status and the new version of the context are one transaction
of the state database, under one lock per account. The file follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.accounts import AccountConfig, ApprovalPolicy, load_account
from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_verdicts import add_registration
from pipeline.decide.changes import approved_document, edited, rebased_patch
from pipeline.decide.context import ContextState, ensure_context, settle
from pipeline.decide.decision import Decision, DecisionKind
from pipeline.decide.registrations import expected_share_decided, registration_row
from pipeline.decide.schema import render_context
from pipeline.decide.versions import VersionCause, account_lock, add_version
from pipeline.decide.wording import describe
from pipeline.errors import DecisionError
from pipeline.learn.findings import Confidence, stable_id
from pipeline.learn.operations import Operation, dump_operations
from pipeline.learn.recommend.recommendation import Recommendation, Status
from pipeline.settings import Settings


def pending(settings: Settings, account_name: str | None = None) -> list[Recommendation]:
    """What waits for a decision, for one account or all; oldest first, best first within a run."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        rows = state.recommendations(account_name, status=Status.PENDING.value)
    return [Recommendation.from_row(row) for row in rows]


def approve(
    settings: Settings,
    recommendation_id: str,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
    operations: Sequence[Operation] | None = None,
) -> Decision:
    """Approve a recommendation and change the account's context by it.

    Approving again changes nothing and returns the decision that was made. What the change will be
    judged by is stored with the approval.

    Args:
        settings: Where things are.
        recommendation_id: What is approved.
        by: Who decides.
        now: The moment of the decision, with its zone.
        note: Why.
        operations: What to do instead of what is proposed: another weight or slide count.

    Raises:
        DecisionError: Unknown, rejected, edited beyond what an edit may change, or no longer
            fitting the context; in the last case it is set aside as superseded.
        ContextError: The context file is not valid, or could not be written.
    """
    account_name, former = _look_up(settings, recommendation_id, DecisionKind.APPROVE)
    if former is not None:
        return former
    account = load_account(settings.accounts_dir, account_name)
    with account_lock(settings, account_name):
        context = settle(settings, account, now)
        with writing_state(settings) as state:
            recommendation, former = _undecided(state, recommendation_id, DecisionKind.APPROVE)
            if former is not None:
                return former
            outcome = _applied(
                state, recommendation, context, by=by, now=now, note=note, operations=operations
            )
        if isinstance(outcome, DecisionError):
            raise outcome
        settle(settings, account, now)
    return outcome


def _applied(
    state: StateTransaction,
    recommendation: Recommendation,
    context: ContextState,
    *,
    by: str,
    now: datetime,
    note: str | None,
    operations: Sequence[Operation] | None,
) -> Decision | DecisionError:
    """Record the approval and the version it makes, or that the recommendation is out of date.

    The error is returned, not raised, because setting the recommendation aside has to be committed.
    """
    is_edited = operations is not None and tuple(operations) != recommendation.operations
    approved = edited(recommendation, operations if is_edited else None)
    try:
        proposed_patch = rebased_patch(recommendation, context.document)
    except DecisionError as error:
        state.settle_recommendation(
            recommendation.recommendation_id, status=Status.SUPERSEDED.value, decided_at=now
        )
        return error
    try:
        document, patch = approved_document(approved, context.document, now=now)
    except DecisionError:
        raise DecisionError(
            f"The edit of {recommendation.recommendation_id} is outside the bounds of one "
            "decision, or turns the proposal the other way. It stays as it was."
        ) from None
    decision = Decision(
        decision_id=stable_id("dec", recommendation.recommendation_id),
        recommendation_id=recommendation.recommendation_id,
        account_name=recommendation.account_name,
        decision=DecisionKind.EDITED if is_edited else DecisionKind.APPROVE,
        decided_by=by,
        decided_at=now,
        note=note,
        patch=patch,
        context_id_before=context.context_id,
        context_id_after=document["context_id"],
        operations=dump_operations(approved.operations) if is_edited else None,
        proposed_patch=proposed_patch if is_edited else None,
    )
    _record(state, decision, Status.APPROVED)
    registration = registration_row(approved, context.document, document, now=now)
    if registration is not None:
        add_registration(state, registration)
    add_version(
        state,
        recommendation.account_name,
        render_context(document),
        context_id=document["context_id"],
        cause=VersionCause.DECISION,
        now=now,
        decision_id=decision.decision_id,
    )
    return decision


def reject(
    settings: Settings,
    recommendation_id: str,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
) -> Decision:
    """Reject a recommendation; its category and target rest for eight weeks.

    Rejecting again changes nothing and returns the decision that was made. Arguments as `approve`.

    Raises:
        DecisionError: Unknown, or approved already.
    """
    account_name, former = _look_up(settings, recommendation_id, DecisionKind.REJECT)
    if former is not None:
        return former
    with account_lock(settings, account_name), writing_state(settings) as state:
        _, former = _undecided(state, recommendation_id, DecisionKind.REJECT)
        if former is not None:
            return former
        latest = state.latest_context(account_name)
        context_id = None if latest is None else latest["context_id"]
        decision = Decision(
            decision_id=stable_id("dec", recommendation_id),
            recommendation_id=recommendation_id,
            account_name=account_name,
            decision=DecisionKind.REJECT,
            decided_by=by,
            decided_at=now,
            note=note,
            patch=[],
            context_id_before=context_id,
            context_id_after=context_id,
        )
        _record(state, decision, Status.REJECTED)
    return decision


def apply_policy(settings: Settings, account: AccountConfig, *, now: datetime) -> list[Decision]:
    """Approve what the account's policy approves without a person.

    ``manual`` approves nothing, ``auto_high`` what has high confidence, ``auto`` everything. What
    does not fit the context any more is set aside, and the rest goes on.

    Raises:
        ContextError: The context file is not valid, or could not be written.
    """
    policy = account.approval.policy
    if policy is ApprovalPolicy.MANUAL:
        return []
    made = []
    for recommendation in pending(settings, account.name):
        if policy is ApprovalPolicy.AUTO_HIGH and recommendation.confidence is not Confidence.HIGH:
            continue
        try:
            decision = approve(
                settings, recommendation.recommendation_id, by=f"policy:{policy.value}", now=now
            )
        except DecisionError:
            continue  # its status says superseded, or that a person was faster
        made.append(decision)
    return made


@dataclass(frozen=True)
class Outlook:
    """What an approval would do, as it stands now."""

    proposed: str
    """The change in words."""
    expected_share_decided: float | None
    """Chance that a verdict falls within its horizon; None when nothing is judged or known."""


def outlook(settings: Settings, recommendation: Recommendation, *, now: datetime) -> Outlook:
    """What approving a recommendation would do to the present context, and when one would know.

    Raises:
        ContextError: The context file is not valid, so nothing can be said about a change of it.
    """
    account = load_account(settings.accounts_dir, recommendation.account_name)
    document = ensure_context(settings, account, now).document
    try:
        after, _ = approved_document(recommendation, document, now=now)
    except DecisionError:
        share = None
    else:
        share = expected_share_decided(recommendation, document, after)
    return Outlook(describe(recommendation.operations, document), share)


def _look_up(
    settings: Settings, recommendation_id: str, wanted: DecisionKind
) -> tuple[str, Decision | None]:
    """The account of a recommendation, and the decision about it when it is the wanted one already.

    Decisions are final, so this needs no lock.

    Raises:
        DecisionError: There is no such recommendation, or it was decided otherwise.
    """
    if state_exists(settings):
        with reading_state(settings) as state:
            row = state.recommendation(recommendation_id)
            if row is not None:
                _, former = _undecided(state, recommendation_id, wanted)
                return row["account_name"], former
    raise DecisionError(
        f"There is no recommendation {recommendation_id!r}: `afterpost review --account NAME` "
        "lists those that wait."
    )


def _undecided(
    state: StateTransaction, recommendation_id: str, wanted: DecisionKind
) -> tuple[Recommendation, Decision | None]:
    """The recommendation, and the decision about it when it is the wanted one already.

    Raises:
        DecisionError: It was decided otherwise, or set aside.
    """
    row = state.recommendation(recommendation_id)
    assert row is not None, "recommendations are never deleted"
    recommendation = Recommendation.from_row(row)
    if recommendation.status is Status.PENDING:
        return recommendation, None
    made = state.decision_about(recommendation_id)
    if made is None:
        raise DecisionError(
            f"{recommendation_id} was set aside because it no longer fits the context: run "
            "`afterpost recommend` for one that does."
        )
    decision = Decision.from_row(made)
    if decision.is_approval is not (wanted is DecisionKind.APPROVE):
        raise DecisionError(
            f"{recommendation_id} was decided already: {decision.decision.value} by "
            f"{decision.decided_by} on {decision.decided_at:%Y-%m-%d}. It stays as it is; an "
            "approval is undone with `afterpost context revert`."
        )
    return recommendation, decision


def _record(state: StateTransaction, decision: Decision, status: Status) -> None:
    assert decision.recommendation_id is not None
    is_ours = state.settle_recommendation(
        decision.recommendation_id, status=status.value, decided_at=decision.decided_at
    )
    if not is_ours:  # possible only on a database without the file lock, from another machine
        raise DecisionError(
            f"{decision.recommendation_id} was decided by somebody else at the same moment."
        )
    state.add_decision(decision.to_row())
