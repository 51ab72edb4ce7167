"""Which reports were sent: a claim before the sending, and what came of it.

A report's row goes from ``claimed`` (nothing has left yet) to ``sending`` (it may have been posted)
to ``sent``, ``failed`` (for sure not posted) or ``unclear``. Only what has certainly not been
posted can be claimed again: a failed one at once, a claimed one when its process is long gone.
What was being sent when its process died stays as it is, because it may stand in the channel.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.clients.state_tables import report_deliveries
from pipeline.settings import Settings

_COLUMNS = report_deliveries.c
ALL_ACCOUNTS = "*"
CLAIM_HOLDS = timedelta(minutes=15)
"""A claim that led to nothing for so long belongs to a process that is gone."""


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class DeliveryKey:
    """What is sent once: a report to a target."""

    period_kind: str
    period_key: str
    account_name: str
    """``*`` for all accounts."""
    target: str
    """Such as ``slack:#reports``."""

    @property
    def _is_it(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            _COLUMNS.period_kind == self.period_kind,
            _COLUMNS.period_key == self.period_key,
            _COLUMNS.account_name == self.account_name,
            _COLUMNS.target == self.target,
        )


@dataclass(frozen=True)
class Claim:
    """The right to send a report, held by one process."""

    key: DeliveryKey
    claim_id: str


def delivery(settings: Settings, key: DeliveryKey) -> dict[str, Any] | None:
    """What is known of a delivery; reading does not create the database."""
    if not state_exists(settings):
        return None
    with reading_state(settings) as state:
        return _row(state, key)


def claim(
    settings: Settings, key: DeliveryKey, now: datetime, *, again: bool = False
) -> Claim | None:
    """Take the right to send a report, unless it was sent, may have been, or is another's.

    Args:
        settings: Where the database is.
        key: Which report to which target.
        now: The present moment.
        again: Take it although it was sent, or may have been: a person asked for that.

    Returns:
        None when it is not to be sent by the caller.
    """
    claim_id = secrets.token_hex(8)
    with writing_state(settings) as state:
        row = _row(state, key)
        if row is None:
            fresh = {
                "period_kind": key.period_kind,
                "period_key": key.period_key,
                "account_name": key.account_name,
                "target": key.target,
                "status": DeliveryStatus.CLAIMED.value,
                "claim_id": claim_id,
                "claimed_at": now,
                "attempt_count": 1,
            }
            state.execute(report_deliveries.insert(), [fresh])
            return Claim(key, claim_id)
        if not (again or _is_free(row, now)):
            return None
        state.execute(
            report_deliveries.update()
            .where(key._is_it)
            .values(
                status=DeliveryStatus.CLAIMED.value,
                claim_id=claim_id,
                claimed_at=now,
                attempt_count=row["attempt_count"] + 1,
                reason=None,
            )
        )
        return Claim(key, claim_id)


def begin_sending(settings: Settings, held: Claim) -> bool:
    """Note that the report is about to leave.

    Returns:
        False when the claim was taken over meanwhile: then nothing may be sent.
    """
    return _advance(
        settings, held, DeliveryStatus.CLAIMED, {"status": DeliveryStatus.SENDING.value}
    )


def note_sent(
    settings: Settings,
    held: Claim,
    *,
    sent_at: datetime,
    channel_id: str,
    message_id: str,
    warehouse_version: str | None,
) -> None:
    """Note that the target took the report."""
    values = {
        "status": DeliveryStatus.SENT.value,
        "sent_at": sent_at,
        "channel_id": channel_id,
        "message_id": message_id,
        "warehouse_version": warehouse_version,
    }
    _advance(settings, held, DeliveryStatus.SENDING, values)


def note_missing(settings: Settings, held: Claim, reason: str) -> None:
    """Note what of a report that was sent is missing at its target, and why."""
    _advance(settings, held, DeliveryStatus.SENT, {"reason": reason})


def note_not_sent(settings: Settings, held: Claim, status: DeliveryStatus, reason: str) -> None:
    """Note that the report was refused (``failed``) or may have been posted (``unclear``)."""
    for before in (DeliveryStatus.CLAIMED, DeliveryStatus.SENDING):
        if _advance(settings, held, before, {"status": status.value, "reason": reason}):
            return


def _advance(
    settings: Settings, held: Claim, before: DeliveryStatus, values: dict[str, Any]
) -> bool:
    with writing_state(settings) as state:
        changed = state.rows(
            report_deliveries.update()
            .where(
                held.key._is_it,
                _COLUMNS.claim_id == held.claim_id,
                _COLUMNS.status == before.value,
            )
            .values(**values)
            .returning(_COLUMNS.claim_id)
        )
    return bool(changed)


def _is_free(row: dict[str, Any], now: datetime) -> bool:
    if row["status"] == DeliveryStatus.FAILED.value:
        return True
    is_claimed = row["status"] == DeliveryStatus.CLAIMED.value
    return is_claimed and bool(row["claimed_at"] + CLAIM_HOLDS <= now)


def _row(state: StateTransaction, key: DeliveryKey) -> dict[str, Any] | None:
    found = state.rows(sa.select(report_deliveries).where(key._is_it))
    return found[0] if found else None
