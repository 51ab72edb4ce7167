"""A row for every change that somebody makes over the web."""

from typing import Any

from pipeline.clients.state_plans import record_audit
from pipeline.clock import utc_now
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller


def note_change(
    settings: Settings,
    caller: Caller,
    action: str,
    target: str,
    account_name: str | None = None,
    **details: Any,
) -> None:
    """Write down who changed what.

    Args:
        settings: Where.
        caller: Who.
        action: What was done, for example ``plan.create``.
        target: The id of what was changed.
        account_name: Whose it is.
        details: What else tells the change; never a secret.
    """
    record_audit(
        settings,
        now=utc_now(),
        by=caller.name,
        action=action,
        target=target,
        account_name=account_name,
        details=details or None,
    )
