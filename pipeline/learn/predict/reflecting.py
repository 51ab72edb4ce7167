"""Reflecting on scored predictions: gaps, corrections that are proposed, and those that end.

A correction goes the way of a recommendation: it is proposed, and applied by a person or, where an
account asks for that, by its approval policy, which waits until it would have helped on some later
posts. What does not help ends by itself, applied or not.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from pipeline.accounts import (
    AccountConfig,
    Approval,
    ApprovalPolicy,
    account_names,
    load_account,
)
from pipeline.clients.state_predictions import adjustment_rows
from pipeline.clients.state_reflexion import OPEN, add_adjustments, change_adjustment
from pipeline.clients.warehouse import published_version, reading
from pipeline.clock import utc_text
from pipeline.errors import AfterpostError, UsageError
from pipeline.learn.predict.corrections import Correction, Scores, Trial, trial_of
from pipeline.learn.predict.post_features import DIMENSIONS
from pipeline.learn.predict.reflexion import Gap, Proposal, gaps, proposals
from pipeline.learn.predict.skill import Row, has_scores, skill_rows
from pipeline.learn.predict.warehouse_features import Target
from pipeline.settings import Settings

REMEMBERED_DAYS = 182
"""Older predictions were made by other models, of another account than it is today."""
RESTING_DAYS = 56
"""After a correction ended, its segment gets none: as long as a rejected recommendation rests."""
DAYS_BETWEEN_PROPOSALS = 7
"""Looking every day would find by chance what looking every week does not."""

_SCORES = """
select
    scores.platform, scores.target, scores.predicted_at, scores.posted_at, scores.outcome,
    scores.low, scores.expected, scores.high, scores.reflexion_weight, predictions.features
from marts.fct_prediction_score as scores
inner join raw.state_predictions as predictions using (prediction_id)
where scores.is_counted and scores.account_name = $account
    and scores.posted_at is not null and scores.scored_at <= $now and scores.posted_at > $since
order by scores.platform, scores.target desc, scores.posted_at, scores.prediction_id
"""


@dataclass(frozen=True)
class Adjustment:
    """A stored correction and what it was good for."""

    row: Row
    trial: Trial


@dataclass(frozen=True)
class Reflexion:
    """What an account's scored predictions say about the next ones."""

    account_name: str
    skill: list[Row]
    gaps: dict[tuple[str, str], list[Gap]]
    """By platform and target, with the applied corrections in force; the clearest first."""
    score_counts: dict[tuple[str, str], int]
    adjustments: list[Adjustment]
    """The newest first."""


@dataclass
class Changes:
    """What one run of :func:`reflect` did; rows of ``reflexion_adjustments``."""

    proposed: list[Row] = field(default_factory=list)
    applied: list[Row] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Accounts that could not be looked at, a sentence each."""


def look_back(settings: Settings, account: AccountConfig, now: datetime) -> Reflexion:
    """Skill, gaps and corrections of an account, by the published copy; changes nothing.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    with reading(settings) as connection:
        skill = skill_rows(connection, account.name)
        scores = read_scores(connection, account.name, now)
    rows = adjustment_rows(settings, account_name=account.name)
    found = {
        place: gaps(own, [_correction(row) for row in _at(rows, place) if _is_applied(row)])
        for place, own in scores.items()
    }
    return Reflexion(
        account_name=account.name,
        skill=skill,
        gaps=found,
        score_counts={place: len(own.posted_at) for place, own in scores.items()},
        adjustments=[Adjustment(row, _trial(row, rows, scores)) for row in reversed(rows)],
    )


def reflect(settings: Settings, account: AccountConfig, now: datetime) -> Changes:
    """End the corrections that do not help, apply what the policy applies, and propose new ones.

    Where the account has ``approval.reflexion``, its policy applies proposals that would have
    helped on posts since: ``auto`` all, ``auto_high`` those of high confidence, ``manual`` none.

    May be run as often as one likes: for a week after a proposal no further ones are looked for.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    with reading(settings) as connection:
        scores = read_scores(connection, account.name, now)
    version = published_version(settings)
    changes = Changes()
    rows = adjustment_rows(settings, account_name=account.name)
    for row in rows:
        if row["status"] in OPEN:
            trial = _trial(row, rows, scores)
            if because := _why_it_ends(row["status"], trial):
                ended = _end(settings, row, now, by="afterpost", because=because)
                changes.ended += [ended] if ended else []
            elif trial.is_proven and _may_apply(account.approval, row):
                applied = _apply(settings, row, now, by=f"policy:{account.approval.policy.value}")
                changes.applied += [applied] if applied else []
    rows = adjustment_rows(settings, account_name=account.name)
    for place, own in scores.items():
        here = _at(rows, place)
        if not _is_due(here, now):
            continue
        standing = [_correction(row) for row in here if row["status"] in OPEN]
        new = [
            _row(account, place, proposal, now, version)
            for proposal in proposals(own, standing, resting=_resting(here, now))
        ]
        changes.proposed += add_adjustments(settings, new)
    return changes


def reflect_all(settings: Settings, now: datetime) -> Changes:
    """As :func:`reflect` for all accounts; one that fails does not keep the others from it.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    published_version(settings)
    together = Changes()
    for name in account_names(settings.accounts_dir):
        try:
            changes = reflect(settings, load_account(settings.accounts_dir, name), now)
        except (AfterpostError, OSError) as error:
            together.problems.append(f"{name}: {error}")
            continue
        together.proposed += changes.proposed
        together.applied += changes.applied
        together.ended += changes.ended
    return together


def apply_adjustment(
    settings: Settings, account_name: str, adjustment_id: str, now: datetime, *, by: str
) -> Row:
    """Apply a proposed correction: predictions from now on have it.

    Applying it again changes nothing.

    Raises:
        UsageError: The account has no such correction, or it has ended.
    """
    row = _known(settings, account_name, adjustment_id)
    changed = _apply(settings, row, now, by=by)
    if changed is None and row["status"] != "applied":
        raise UsageError(f"The correction {adjustment_id} has ended.")
    return changed or row


def end_adjustment(
    settings: Settings, account_name: str, adjustment_id: str, now: datetime, *, by: str
) -> Row:
    """End a correction, applied or only proposed; its segment rests for eight weeks.

    Raises:
        UsageError: The account has no such correction.
    """
    row = _known(settings, account_name, adjustment_id)
    return _end(settings, row, now, by=by, because="ended by hand") or row


def read_scores(
    connection: duckdb.DuckDBPyConnection, account_name: str, now: datetime
) -> dict[tuple[str, str], Scores]:
    """An account's scored predictions, one of each post, by platform and target."""
    if not has_scores(connection):
        return {}
    since = now - timedelta(days=REMEMBERED_DAYS)
    cursor = connection.execute(_SCORES, {"account": account_name, "now": now, "since": since})
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    by_place: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_place.setdefault((row["platform"], row["target"]), []).append(row)
    return {place: _scores(Target(place[1]), own) for place, own in by_place.items()}


def _scores(target: Target, rows: Sequence[Row]) -> Scores:
    def numbers(*columns: str) -> Any:
        return np.array([[row[name] for name in columns] for row in rows], dtype=np.float64)

    weights = [1.0 if row["reflexion_weight"] is None else row["reflexion_weight"] for row in rows]
    features = [json.loads(row["features"]) for row in rows]
    return Scores(
        predicted_at=[row["predicted_at"] for row in rows],
        posted_at=[row["posted_at"] for row in rows],
        log_outcome=target.scale.to_log(numbers("outcome")[:, 0]),
        log_quantiles=target.scale.to_log(numbers("low", "expected", "high")),
        weight=np.array(weights, dtype=np.float64),
        segments=np.array(
            [[one.get(name) or "" for name in DIMENSIONS] for one in features], dtype=np.str_
        ),
    )


def _trial(row: Row, rows: Sequence[Row], scores: dict[tuple[str, str], Scores]) -> Trial:
    place = (row["platform"], row["target"])
    if place not in scores:
        return Trial(0, *(math.nan,) * 4)
    others = [
        _correction(one) for one in _at(rows, place) if one["adjustment_id"] != row["adjustment_id"]
    ]
    return trial_of(scores[place], _correction(row), others)


def _why_it_ends(status: str, trial: Trial) -> str | None:
    if trial.is_surely_worse:
        return f"predictions of {trial.n} posts were surely worse with it"
    if trial.is_of_no_help:
        with_it = "were" if status == "applied" else "would have been"
        return f"predictions of {trial.n} posts {with_it} no better with it"
    return None


def _may_apply(approval: Approval, row: Row) -> bool:
    """Whether the account's policy applies a proposal that has proven itself."""
    if not approval.reflexion:
        return False
    if approval.policy is ApprovalPolicy.AUTO_HIGH:
        return bool(row["evidence"].get("is_high_confidence"))
    return approval.policy is ApprovalPolicy.AUTO


def _apply(settings: Settings, row: Row, now: datetime, *, by: str) -> Row | None:
    values = {"status": "applied", "applied_at": now, "evidence": {"applied_by": by}}
    return change_adjustment(settings, row["adjustment_id"], among=("proposed",), values=values)


def _end(settings: Settings, row: Row, now: datetime, *, by: str, because: str) -> Row | None:
    return change_adjustment(
        settings,
        row["adjustment_id"],
        among=OPEN,
        values={
            "status": "ended",
            "ended_at": now,
            "evidence": {"ended_by": by, "ended_because": because},
        },
    )


def _known(settings: Settings, account_name: str, adjustment_id: str) -> Row:
    for row in adjustment_rows(settings, account_name=account_name):
        if row["adjustment_id"] == adjustment_id:
            return row
    raise UsageError(
        f"{account_name} has no correction {adjustment_id!r}: `afterpost reflexion --account "
        f"{account_name}` lists those that there are."
    )


def _is_due(here: Sequence[Row], now: datetime) -> bool:
    latest = max((row["proposed_at"] for row in here), default=None)
    return latest is None or now - latest >= timedelta(days=DAYS_BETWEEN_PROPOSALS)


def _resting(here: Sequence[Row], now: datetime) -> frozenset[tuple[str, str]]:
    since = now - timedelta(days=RESTING_DAYS)
    return frozenset(
        (row["dimension"], row["segment"])
        for row in here
        if row["ended_at"] is not None and row["ended_at"] > since
    )


def _row(
    account: AccountConfig,
    place: tuple[str, str],
    proposal: Proposal,
    now: datetime,
    warehouse_version: str,
) -> Row:
    platform, target = place
    gap, trial = proposal.gap, proposal.trial
    named = [account.name, platform, target, gap.dimension, gap.segment, utc_text(now)]
    told = json.dumps(named, ensure_ascii=False)
    return {
        "adjustment_id": f"adj_{hashlib.sha256(told.encode()).hexdigest()[:12]}",
        "account_name": account.name,
        "platform": platform,
        "target": target,
        "dimension": gap.dimension,
        "segment": gap.segment,
        "factor": round(proposal.factor, 6),
        "proposed_at": now,
        "status": "proposed",
        "applied_at": None,
        "ended_at": None,
        "evidence": {
            "n": gap.n,
            "ratio": math.exp(gap.log_gap),
            "ratio_low": math.exp(gap.low),
            "ratio_high": math.exp(gap.high),
            "q_value": gap.q_value,
            "is_high_confidence": gap.is_high_confidence,
            "tried_n": trial.n,
            "tried_loss_with": trial.loss_with,
            "tried_loss_without": trial.loss_without,
            "warehouse_version": warehouse_version,
        },
        "recommendation_id": None,
    }


def _correction(row: Row) -> Correction:
    names = ("dimension", "segment", "factor", "proposed_at", "applied_at", "ended_at")
    return Correction(**{name: row[name] for name in names})


def _is_applied(row: Row) -> bool:
    return bool(row["status"] == "applied")


def _at(rows: Sequence[Row], place: tuple[str, str]) -> list[Row]:
    return [row for row in rows if (row["platform"], row["target"]) == place]
