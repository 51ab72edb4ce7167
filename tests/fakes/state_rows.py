"""Rows of the state database with nothing remarkable about them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.clients.state_alerts import AlertChanges
from pipeline.clients.state_attempts import Intent
from pipeline.clients.state_model_calls import CallIntent

ACCOUNT = "sleepy"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def feedback(given_by: str, **values: Any) -> dict[str, Any]:
    """What somebody said about a planned post."""
    return {
        "account_name": ACCOUNT,
        "planned_id": "plan_1",
        "feedback": "good",
        "note": None,
        "given_by": given_by,
        "given_at": NOW,
        **values,
    }


def raised(*alert_ids: str, subject: str | None = None) -> AlertChanges:
    """New alerts with the event that they were raised; each about itself, or all about one."""
    told = {"severity": "warning", "sentence": "It fails.", "figures": {}}
    return AlertChanges(
        new=[
            {
                "alert_id": alert_id,
                "account_name": ACCOUNT,
                "kind": "scrape_failing",
                "platform": None,
                "subject": subject or alert_id,
                "first_seen_at": NOW,
                "last_seen_at": NOW,
                **told,
            }
            for alert_id in alert_ids
        ],
        events=[
            {"alert_id": alert_id, "happened_at": NOW, "event": "raised", **told}
            for alert_id in alert_ids
        ],
    )


def paid_run(attempt_id: str, max_charge_usd: Decimal) -> Intent:
    """A run that is about to be started."""
    return Intent(
        attempt_id=attempt_id,
        account_name=ACCOUNT,
        platform="tiktok",
        source_kind="profile",
        actor_id="actor",
        handle=None,
        run_input={},
        items_asked=10,
        max_charge_usd=max_charge_usd,
        intended_at=NOW,
    )


def question(call_id: str, reserved_usd: Decimal) -> CallIntent:
    """A question to the model that is about to be sent."""
    return CallIntent(
        call_id=call_id,
        account_name=ACCOUNT,
        purpose="recommendations",
        asked_at=NOW,
        model="model",
        prompt_sha256="…",
        reserved_usd=reserved_usd,
    )
