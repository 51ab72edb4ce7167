"""``/reflexion``: how good predictions were, where they were off, and what corrects them."""

import math
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from pipeline.accounts import load_account
from pipeline.clients.state_predictions import adjustment_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.learn.predict import reflecting
from pipeline.learn.predict.corrections import Trial as CorrectionTrial
from pipeline.learn.predict.reflexion import Gap as FoundGap
from pipeline.learn.predict.reflexion_words import adjustment_json, gap_in_words
from pipeline.learn.predict.skill import ANY_MODEL, skill_in_words, skill_rows
from pipeline.settings import Settings
from pipeline.show.web.api.answers import Answer, Figure, Meta, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts

AdjustmentId = Annotated[str, Path(pattern=r"^[\w:.\-]{1,100}$", examples=["adj_0123456789ab"])]


class Skill(Answer):
    """How good the predictions of one account, platform and target were in a period."""

    account_name: str
    platform: str
    target: str
    model_name: str
    """What served them; ``*`` for all of them together."""
    period: str
    """``all``, or ``28d``."""
    periods_ago: int
    period_start: date | None
    period_end: date
    n: int
    model_n: int
    pinball_loss: Figure
    baseline_pinball_loss: Figure
    pinball_ratio: Figure
    """Below 1 is better than the account's own quantiles."""
    pinball_ratio_low: Figure
    pinball_ratio_high: Figure
    coverage: Figure
    """Share of outcomes within the 80 % intervals."""
    close_share: Figure
    """Share of expected values that were off by 25 % or less."""
    close_share_low: Figure
    close_share_high: Figure
    breakout_brier: Figure
    description: str


class SkillList(Answer):
    """Skill, the overall figures first."""

    items: list[Skill]
    meta: Meta


class Gap(Answer):
    """How far off predictions of one segment were, against the account's others."""

    platform: str
    target: str
    dimension: str
    segment: str
    n: int
    ratio: float
    ratio_low: float
    ratio_high: float
    q_value: float
    is_found: bool
    """Whether it is there beyond chance, and large enough to do something about."""
    description: str


class Trial(Answer):
    """What a correction did to the loss of the predictions of its posts."""

    n: int
    loss_with: Figure
    loss_without: Figure
    change_low: Figure
    change_high: Figure
    description: str


class Adjustment(Answer):
    """A correction: a factor on the predictions of a segment's posts."""

    adjustment_id: str
    account_name: str
    platform: str
    target: str
    dimension: str
    segment: str
    posts: str
    factor: float
    status: str
    proposed_at: datetime
    applied_at: datetime | None
    ended_at: datetime | None
    evidence: dict[str, Any]
    trial: Trial


class Reflexion(Answer):
    """What an account's scored predictions say."""

    account: str
    skill: list[Skill]
    gaps: list[Gap]
    adjustments: list[Adjustment]
    meta: Meta


def reflexion_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/reflexion``."""
    router = APIRouter(prefix="/reflexion", tags=["predictions"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("")
    def looked_back(caller: Asking, account: Annotated[str, Query(max_length=63)]) -> Reflexion:
        """Skill, gaps and corrections of an account."""
        names = chosen_accounts(settings, caller, account)
        found = reflecting.look_back(
            settings, load_account(settings.accounts_dir, account), utc_now()
        )
        with reading(settings) as connection:
            meta = meta_of(settings, connection, names)
        return Reflexion(
            account=account,
            skill=[_skill(row) for row in found.skill],
            gaps=[
                _gap(platform, target, gap)
                for (platform, target), gaps in found.gaps.items()
                for gap in gaps
            ],
            adjustments=[Adjustment(**adjustment_json(one)) for one in found.adjustments],
            meta=meta,
        )

    @router.get("/skill")
    def skill(
        caller: Asking,
        account: Annotated[
            str | None, Query(max_length=63, description="All when left out.")
        ] = None,
    ) -> SkillList:
        """How good predictions were, over all and in windows of 28 days: the learning curve."""
        accounts = chosen_accounts(settings, caller, account)
        with reading(settings) as connection:
            rows = [
                row
                for row in skill_rows(connection, account)
                if row["account_name"] in accounts and row["model_name"] == ANY_MODEL
            ]
            meta = meta_of(settings, connection, accounts)
        rows.sort(key=lambda row: row["period"] != "all")
        return SkillList(items=[_skill(row) for row in rows], meta=meta)

    @router.post("/{adjustment_id}/apply")
    def apply(caller: Asking, adjustment_id: AdjustmentId) -> Adjustment:
        """Apply a proposed correction: predictions from now on have it."""
        row = _own(settings, caller, adjustment_id)
        if row["status"] == "ended":
            raise HTTPException(409, f"The correction {adjustment_id} has ended.")
        changed = reflecting.apply_adjustment(
            settings, row["account_name"], adjustment_id, utc_now(), by=caller.name
        )
        note_change(settings, caller, "reflexion.apply", adjustment_id, row["account_name"])
        return _adjustment(changed)

    @router.post("/{adjustment_id}/end")
    def end(caller: Asking, adjustment_id: AdjustmentId) -> Adjustment:
        """End a correction, applied or only proposed."""
        row = _own(settings, caller, adjustment_id)
        changed = reflecting.end_adjustment(
            settings, row["account_name"], adjustment_id, utc_now(), by=caller.name
        )
        note_change(settings, caller, "reflexion.end", adjustment_id, row["account_name"])
        return _adjustment(changed)

    return router


def _own(settings: Settings, caller: Caller, adjustment_id: str) -> dict[str, Any]:
    for row in adjustment_rows(settings):
        if row["adjustment_id"] == adjustment_id and caller.may_see(row["account_name"]):
            return row
    raise HTTPException(404, f"There is no correction {adjustment_id!r}.")


def _adjustment(row: dict[str, Any]) -> Adjustment:
    """Without its trial, which `looked_back` reads."""
    untold = CorrectionTrial(0, *(math.nan,) * 4)
    return Adjustment(**adjustment_json(reflecting.Adjustment(row, untold)))


def _skill(row: dict[str, Any]) -> Skill:
    return Skill(**row, description=skill_in_words(row))


def _gap(platform: str, target: str, gap: FoundGap) -> Gap:
    return Gap(
        platform=platform,
        target=target,
        dimension=gap.dimension,
        segment=gap.segment,
        n=gap.n,
        ratio=math.exp(gap.log_gap),
        ratio_low=math.exp(gap.low),
        ratio_high=math.exp(gap.high),
        q_value=gap.q_value,
        is_found=gap.is_found,
        description=gap_in_words(gap),
    )
