"""What is stored about planned posts that wait and about posts that are out, without asking anew.

Where more than one prediction is stored about a post, the last one before it went out is told, or
else the first one after it: the one that counts when it is scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import duckdb

from pipeline.accounts import load_account
from pipeline.clients.state_predictions import model_rows, stored_predictions
from pipeline.collect.planned import PlannedPost, read_planned_posts
from pipeline.learn.predict.answers import Prediction, stored_answer
from pipeline.learn.predict.planned_predictions import LATEST_PLAN, posted_plans, requests_of
from pipeline.learn.predict.skill import has_scores
from pipeline.settings import Settings

Row = dict[str, Any]

_FEW = 400
"""Ids in one question: databases take only so many."""
_SCORES = """
select
    prediction_id, target, outcome, scored_at, is_within_interval, is_within_25_percent
from marts.fct_prediction_score
where account_name = $account and platform = $platform and post_id = $post_id
"""
_POSTED = """
select posted_at, planned_id
from marts.dim_post
where account_name = $account and platform = $platform and post_id = $post_id
"""


@dataclass(frozen=True)
class WaitingPost:
    """A planned post that is not out, on one of its platforms."""

    plan: PlannedPost
    platform: str
    prediction: Prediction | None
    """The newest that is stored."""


@dataclass(frozen=True)
class SaidBefore:
    """What was said of a post that is out, and what came of it."""

    prediction: Prediction
    is_before: bool
    """Whether it was said before the post went out."""
    scores: dict[str, Row]
    """By target; those whose outcome is known."""


def waiting_posts(
    settings: Settings, account_names: Sequence[str], now: datetime
) -> list[WaitingPost]:
    """The planned posts that are not out and not given up, the next one first.

    Args:
        settings: Where everything is.
        account_names: Whose plans.
        now: The moment, with its zone.

    Raises:
        UnknownAccountError: No such account.
        NothingPublishedError: No build has been green yet.
    """
    posted = posted_plans(settings)
    found: list[tuple[PlannedPost, str]] = []
    for name in account_names:
        account = load_account(settings.accounts_dir, name)
        for plan in read_planned_posts(settings, account).posts:
            is_over = plan.planned_at is not None and plan.planned_at < now - LATEST_PLAN
            if not is_over and (name, plan.planned_id) not in posted:
                found += [(plan, one.platform or "") for one in requests_of(account, plan)]
    said = _newest_by_plan(settings, account_names, {plan.planned_id for plan, _ in found})
    no_day = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
    return [
        WaitingPost(plan, platform, said.get((plan.account_name, platform, plan.planned_id)))
        for plan, platform in sorted(
            found,
            key=lambda one: (
                one[0].planned_at or no_day, one[0].account_name, one[0].planned_id, one[1]
            ),
        )
    ]  # fmt: skip


def said_before(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    account_name: str,
    platform: str,
    post_id: str,
) -> SaidBefore | None:
    """The prediction of a post that counts, with its scores; None where none is stored.

    Args:
        settings: Where the predictions are.
        connection: To a published copy, which may be older than the scores.
        account_name: Whose post.
        platform: Where.
        post_id: Of the platform.
    """
    post = {"account": account_name, "platform": platform, "post_id": post_id}
    found = connection.execute(_POSTED, post).fetchone()
    if found is None or found[0] is None:
        return None
    posted_at, planned_id = found
    rows = [
        row
        for row in stored_predictions(
            settings,
            accounts=[account_name],
            about=[post_id] if planned_id is None else [post_id, planned_id],
        )
        if row["platform"] == platform
        and (row["post_id"] == post_id or (planned_id and row["planned_id"] == planned_id))
    ]
    if not rows:
        return None
    answers = _answers(settings, rows)
    before = [one for one in answers if one.predicted_at <= posted_at]
    told = before[0] if before else answers[-1]
    return SaidBefore(told, bool(before), _scores(connection, post, told))


def _newest_by_plan(
    settings: Settings, account_names: Sequence[str], planned_ids: set[str]
) -> dict[tuple[str, str, str], Prediction]:
    about = sorted(planned_ids) if len(planned_ids) <= _FEW else None
    rows = [
        row
        for row in stored_predictions(settings, accounts=account_names, about=about)
        if row["planned_id"] in planned_ids
    ]
    newest: dict[tuple[str, str, str], Prediction] = {}
    for one in _answers(settings, rows):
        newest.setdefault((one.account_name, one.platform, one.planned_id or ""), one)
    return newest


def _answers(settings: Settings, rows: list[Row]) -> list[Prediction]:
    """What was said at once is one answer; the newest first."""

    def moment(row: Row) -> tuple[Any, ...]:
        return (
            row["predicted_at"], row["account_name"], row["platform"],
            row["planned_id"] or "", row["post_id"] or "",
        )  # fmt: skip

    models = {row["model_version"]: row for row in model_rows(settings)} if rows else {}
    return [
        stored_answer(list(together), models)
        for _, together in groupby(sorted(rows, key=moment, reverse=True), moment)
    ]


def _scores(
    connection: duckdb.DuckDBPyConnection, post: dict[str, str], said: Prediction
) -> dict[str, Row]:
    if not has_scores(connection):
        return {}
    cursor = connection.execute(_SCORES, post)
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    told = {one.row["prediction_id"] for one in said.targets if one.row is not None}
    return {row["target"]: row for row in rows if row["prediction_id"] in told}
