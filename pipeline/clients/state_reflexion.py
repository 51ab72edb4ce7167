"""Changes of what the state database keeps about corrections of predictions.

Two processes that change one correction at once come one after the other: each says in which
states it may be, and the second finds that it is no longer in any of them.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import writing_state
from pipeline.clients.state_prediction_tables import reflexion_adjustments
from pipeline.settings import Settings

Row = dict[str, Any]
_ADJUSTMENTS = reflexion_adjustments.c
_PLACE = ("account_name", "platform", "target", "dimension", "segment")
OPEN = ("proposed", "applied")


def add_adjustments(settings: Settings, rows: Sequence[Row]) -> list[Row]:
    """Insert corrections in one transaction.

    Args:
        settings: Where the database is; it is made when missing.
        rows: Every column.

    Returns:
        Those that were inserted: not those whose segment has one that is proposed or applied, or
        whose id is there.
    """
    if not rows:
        return []
    with writing_state(settings) as state:
        known = state.rows(sa.select(reflexion_adjustments))
        ids = {row["adjustment_id"] for row in known}
        open_places = {_place(row) for row in known if row["status"] in OPEN}
        new = [
            row
            for row in rows
            if row["adjustment_id"] not in ids and _place(row) not in open_places
        ]
        if new:
            state.execute(reflexion_adjustments.insert(), list(new))
    return new


def change_adjustment(
    settings: Settings, adjustment_id: str, *, among: Collection[str], values: Row
) -> Row | None:
    """Change a correction that is in one of these states, and nothing where it is in another.

    Args:
        settings: Where the database is.
        adjustment_id: Which.
        among: States that it may be in.
        values: New values of its columns; ``evidence`` is added to what is there.

    Returns:
        It as it is now, or None: there is none, or it is in another state.
    """
    with writing_state(settings) as state:
        found = state.rows(
            sa.select(reflexion_adjustments).where(_ADJUSTMENTS.adjustment_id == adjustment_id)
        )
        if not found or found[0]["status"] not in among:
            return None
        evidence = {**found[0]["evidence"], **values.get("evidence", {})}
        changed = {**values, "evidence": evidence}
        state.execute(
            reflexion_adjustments.update()
            .where(_ADJUSTMENTS.adjustment_id == adjustment_id)
            .values(**changed)
        )
    return {**found[0], **changed}


def _place(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in _PLACE)
