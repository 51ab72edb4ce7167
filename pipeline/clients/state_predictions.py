"""What the state database keeps about predictions: what was said, by which models, and corrections.

A prediction is inserted and never changed: what is said twice about the same post on the same day
is kept as it was said first. Reading does not create the database.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import (
    StateTransaction,
    in_parts,
    reading_state,
    state_exists,
    writing_state,
)
from pipeline.clients.state_prediction_tables import (
    prediction_models,
    predictions,
    reflexion_adjustments,
)
from pipeline.clock import utc_text
from pipeline.settings import Settings

Row = dict[str, Any]
_PREDICTIONS, _MODELS, _ADJUSTMENTS = predictions.c, prediction_models.c, reflexion_adjustments.c
_JSON_COLUMNS = ("quantiles", "features", "factors", "evidence")


def prediction_id_of(
    account_name: str, platform: str, target: str, subject: str, predicted_at: datetime
) -> str:
    """The id of a prediction: the same for the same subject on the same day in UTC.

    Args:
        account_name: Whose post.
        platform: Where.
        target: What is predicted, such as ``views_7d``.
        subject: What tells the post from others: a planned post, a post, or all that was asked.
        predicted_at: When, with its zone.
    """
    day = utc_text(predicted_at)[:10]
    told = json.dumps([account_name, platform, target, subject, day], ensure_ascii=False)
    return f"prd_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def sha256_of(row: Mapping[str, Any]) -> str:
    """The checksum of a prediction's columns, of all but ``sha256`` itself."""

    def plain(value: object) -> object:
        return utc_text(value) if isinstance(value, datetime) else value

    told = {name: plain(value) for name, value in row.items() if name != "sha256"}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def store_predictions(settings: Settings, rows: Sequence[Row]) -> frozenset[str]:
    """Insert predictions that are not there yet, with their checksums, in one transaction.

    Args:
        settings: Where the database is; it is made when missing.
        rows: Every column but ``sha256``.

    Returns:
        The ids of those that were inserted; the others were there and stay as they were.
    """
    if not rows:
        return frozenset()
    by_id = {row["prediction_id"]: row for row in rows}
    with writing_state(settings) as state:
        known = _known_ids(state, list(by_id))
        new = [
            {**row, "sha256": sha256_of(row)} for name, row in by_id.items() if name not in known
        ]
        if new:
            state.execute(predictions.insert(), new)
    return frozenset(row["prediction_id"] for row in new)


def _known_ids(state: StateTransaction, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for wanted in in_parts(ids):
        query = sa.select(_PREDICTIONS.prediction_id).where(_PREDICTIONS.prediction_id.in_(wanted))
        found |= {row["prediction_id"] for row in state.rows(query)}
    return found


def stored_predictions(
    settings: Settings,
    *,
    accounts: Collection[str] | None = None,
    since: datetime | None = None,
    about: Collection[str] | None = None,
) -> list[Row]:
    """Predictions with every column, the newest first.

    Args:
        settings: Where the database is.
        accounts: Of these only; of every one when left out.
        since: Made then or later.
        about: Of these plans and posts only, by their ids.
    """
    query = sa.select(predictions).order_by(
        _PREDICTIONS.predicted_at.desc(), _PREDICTIONS.prediction_id
    )
    if accounts is not None:
        query = query.where(_PREDICTIONS.account_name.in_(accounts))
    if since is not None:
        query = query.where(_PREDICTIONS.predicted_at >= since)
    if about is not None:
        query = query.where(_PREDICTIONS.planned_id.in_(about) | _PREDICTIONS.post_id.in_(about))
    return _rows(settings, query)


def predicted_subjects(settings: Settings) -> frozenset[tuple[str, str, str, str]]:
    """What has a prediction: account, platform, ``plan`` or ``post``, and its id."""
    query = sa.select(
        _PREDICTIONS.account_name,
        _PREDICTIONS.platform,
        _PREDICTIONS.planned_id,
        _PREDICTIONS.post_id,
    ).where(_PREDICTIONS.planned_id.is_not(None) | _PREDICTIONS.post_id.is_not(None))
    found: set[tuple[str, str, str, str]] = set()
    for row in _rows(settings, query.distinct()):
        for kind, name in (("plan", row["planned_id"]), ("post", row["post_id"])):
            if name is not None:
                found.add((row["account_name"], row["platform"], kind, name))
    return frozenset(found)


def prediction_rows(settings: Settings) -> list[Row]:
    """All predictions with the columns of ``raw.state_predictions``, oldest first.

    ``quantiles``, ``features`` and ``factors`` are JSON text.
    """
    query = sa.select(predictions).order_by(_PREDICTIONS.predicted_at, _PREDICTIONS.prediction_id)
    return [_with_json_text(row) for row in _rows(settings, query)]


def add_model(settings: Settings, row: Row) -> bool:
    """Register a fitted model; its file must be there already.

    Returns:
        False when it was registered before: the same posts and figures make the same version.
    """
    with writing_state(settings) as state:
        query = sa.select(_MODELS.model_version).where(
            _MODELS.model_version == row["model_version"]
        )
        if state.rows(query):
            return False
        state.execute(prediction_models.insert(), [row])
    return True


def model_rows(
    settings: Settings,
    *,
    platform: str | None = None,
    target: str | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Registered models, the newest first.

    Args:
        settings: Where the database is.
        platform: Of this one only.
        target: Of this one only, such as ``views_7d``.
        limit: Not more.
    """
    query = sa.select(prediction_models).order_by(
        _MODELS.trained_at.desc(), _MODELS.platform, _MODELS.target, _MODELS.model_version
    )
    if platform is not None:
        query = query.where(_MODELS.platform == platform)
    if target is not None:
        query = query.where(_MODELS.target == target)
    return _rows(settings, query.limit(limit))


def adjustment_rows(
    settings: Settings, *, account_name: str | None = None, platform: str | None = None
) -> list[Row]:
    """Corrections of segments, in whatever state, oldest first.

    Args:
        settings: Where the database is.
        account_name: Of this one only.
        platform: Of this one only.
    """
    query = sa.select(reflexion_adjustments).order_by(
        _ADJUSTMENTS.proposed_at, _ADJUSTMENTS.adjustment_id
    )
    if account_name is not None:
        query = query.where(_ADJUSTMENTS.account_name == account_name)
    if platform is not None:
        query = query.where(_ADJUSTMENTS.platform == platform)
    return _rows(settings, query)


def raw_adjustment_rows(settings: Settings) -> list[Row]:
    """All corrections with the columns of ``raw.state_reflexion_adjustments``, oldest first."""
    return [_with_json_text(row) for row in adjustment_rows(settings)]


def _with_json_text(row: Row) -> Row:
    texts = {
        name: json.dumps(row[name], sort_keys=True, ensure_ascii=False)
        for name in _JSON_COLUMNS
        if name in row
    }
    return {**row, **texts}


def _rows(settings: Settings, query: sa.Select[Any]) -> list[Row]:
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return state.rows(query)
