"""What people say about planned posts: approved, rejected, or edited before they went out."""

from datetime import datetime
from enum import StrEnum

from pipeline.accounts import load_account
from pipeline.clients.state import writing_state
from pipeline.clients.state_verdicts import add_feedback
from pipeline.collect.planned import read_planned_posts
from pipeline.errors import DecisionError
from pipeline.settings import Settings


class FeedbackKind(StrEnum):
    """What was said."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"


def give_feedback(
    settings: Settings,
    account_name: str,
    planned_id: str,
    kind: FeedbackKind,
    *,
    by: str,
    now: datetime,
    note: str | None = None,
) -> int:
    """Store what somebody says about a planned post; the last word counts.

    Args:
        settings: Where things are.
        account_name: The account.
        planned_id: Name of a folder under the account's ``output/``.
        kind: What is said.
        by: Who says it.
        now: The moment, with its zone.
        note: Why.

    Returns:
        How many things were said about the plan by now.

    Raises:
        UnknownAccountError: No such account.
        DecisionError: No such planned post.
    """
    account = load_account(settings.accounts_dir, account_name)
    if planned_id not in {plan.planned_id for plan in read_planned_posts(settings, account).posts}:
        raise DecisionError(
            f"There is no planned post {planned_id!r} under accounts/{account_name}/output: "
            "nothing was stored."
        )
    row = {
        "account_name": account_name,
        "planned_id": planned_id,
        "feedback": kind.value,
        "note": note,
        "given_by": by,
        "given_at": now,
    }
    with writing_state(settings) as state:
        return add_feedback(state, row)
