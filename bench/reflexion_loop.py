"""Whether reflexion lowers the loss of predictions in the half year of the loop.

``python -m bench.reflexion_loop`` runs all kinds of worlds, `make bench-predict` the first.

The worlds are those of :mod:`bench.loop_worlds`: a week of posts is drawn, measured and decided
upon, and so on for 26 weeks. Each week a model is fitted to what is known, as the product does,
and says before each post what it will reach. The same predictions are then scored twice: as the
model said them, and with the corrections that reflexion would have applied by then.

The boosted trees are left out of the models' average: they take nine tenths of the time, and of a
few hundred posts they say little that the others do not.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.loop_worlds import FORMATS, START, WEEK, Setting, decide, new_world, post
from pipeline.accounts import ApprovalPolicy
from pipeline.learn.predict.corrections import Correction, Scores, trial_of
from pipeline.learn.predict.models import EXPERTS, Learner
from pipeline.learn.predict.post_features import DIMENSIONS, REFLEXION_WEIGHT
from pipeline.learn.predict.posts import COUNT, RATE, LogScale, Posts
from pipeline.learn.predict.predictor import fit
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.reflecting import (
    DAYS_BETWEEN_PROPOSALS,
    REMEMBERED_DAYS,
    RESTING_DAYS,
)
from pipeline.learn.predict.reflexion import proposals
from pipeline.learn.predict.standing import OWN_POSTS_FOR_QUANTILES

POLICIES = (ApprovalPolicy.AUTO, ApprovalPolicy.AUTO_HIGH)
_DAY = timedelta(days=1)
_SCORED_AFTER = timedelta(days=1)
"""From when an outcome is known until the mart has its score."""
_USUAL = {"views_72h": 3000.0, "engagement_rate_7d": 0.05}
_RESAMPLES = 2000
_LEARNERS = {name: learner for name, learner in EXPERTS.items() if name != "boosted"}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A kind of world."""

    name: str
    setting: Setting
    is_dealt_anew: bool = False
    """Whether the formats' multipliers change places in the middle of the half year."""


_RATES = Setting("engagement_rate_7d", 0.5, 168, 15)
CASES = (
    Case("rates", _RATES),
    Case("rates, formats dealt anew", _RATES, is_dealt_anew=True),
    Case("rates at 30 a week", Setting("engagement_rate_7d", 0.5, 168, 30)),
    Case("views", Setting("views_72h", 1.3, 72, 15)),
)


@dataclass(frozen=True)
class Effect:
    """What reflexion did to the loss of a policy's predictions."""

    loss_change: float
    """Share by which the mean pinball loss changes; below 0 it is less with reflexion."""
    loss_change_error: float
    """Standard error over resampled worlds."""
    worlds_with_less: float
    """Share of the worlds with corrections in which the loss is less."""
    corrections: float
    """Applied per world."""
    posts_corrected: float
    """Share of all predictions."""


@dataclass(frozen=True)
class _Loop:
    """Predictions of a half year, in the order of posting."""

    scores: Scores
    """As the model said them, without any correction."""
    known_at: Sequence[datetime]
    """When each score is known."""


@dataclass(frozen=True)
class _Made:
    """A correction, and how sure it was when it was proposed."""

    told: Correction
    is_high_confidence: bool

    def may_be_applied(self, policy: ApprovalPolicy) -> bool:
        """Whether a policy applies it once it is proven."""
        return policy is ApprovalPolicy.AUTO or self.is_high_confidence


@dataclass(frozen=True)
class _Arm:
    loss: float
    loss_without: float
    corrections: int
    posts_corrected: int
    posts: int


def effects(case: Case, worlds: int) -> dict[ApprovalPolicy, Effect]:
    """Run worlds of a case, with each policy that applies corrections by itself."""
    loops = [_loop(case, seed) for seed in range(worlds)]
    return {policy: _effect([_arm(loop, policy) for loop in loops]) for policy in POLICIES}


def _effect(arms: Sequence[_Arm]) -> Effect:
    losses = np.array([[arm.loss, arm.loss_without] for arm in arms])
    drawn = np.random.default_rng(1).integers(0, len(arms), (_RESAMPLES, len(arms)))
    resampled = losses[drawn].sum(axis=1)
    touched = losses[[arm.posts_corrected > 0 for arm in arms]]
    return Effect(
        loss_change=float(losses[:, 0].sum() / losses[:, 1].sum() - 1),
        loss_change_error=float(np.std(resampled[:, 0] / resampled[:, 1])),
        worlds_with_less=float(np.mean(touched[:, 0] < touched[:, 1])) if len(touched) else 0.0,
        corrections=float(np.mean([arm.corrections for arm in arms])),
        posts_corrected=sum(arm.posts_corrected for arm in arms) / sum(arm.posts for arm in arms),
    )


def _loop(case: Case, seed: int) -> _Loop:
    """A half year of the loop, and what was said of each post before it was out."""
    setting = case.setting
    world = new_world(setting, seed)
    for week in range(setting.weeks):
        if case.is_dealt_anew and week == setting.weeks // 2:
            dealt = world.chance.permutation(list(world.multipliers.values())).tolist()
            world.multipliers = dict(zip(FORMATS, dealt, strict=True))
        post(world, START + week * WEEK, seed * 1000 + week)
        decide(world, START + (week + 1) * WEEK)
    world.connection.close()
    scale = RATE if setting.outcome.startswith("engagement_rate") else COUNT
    order = np.argsort(world.posts.at, kind="stable")
    chosen = np.array([world.posts.segments.get(name, [""] * len(order)) for name in DIMENSIONS]).T
    hours = np.array(world.posts.at)[order] / 3600
    outcome = _USUAL[setting.outcome] * np.exp(np.array(world.posts.value)[order])
    posts = Posts(
        account=np.full(len(order), "bench"),
        posted_at_hours=hours,
        known_at_hours=hours + setting.age_hours,
        outcome=np.minimum(outcome, scale.largest),
        segments=chosen[order],
        numbers=np.zeros((len(order), 0)),
        dimension_names=DIMENSIONS,
        number_names=(),
    )
    return _said(posts, scale, setting.weeks)


def _said(
    posts: Posts, scale: LogScale, weeks: int, learners: Mapping[str, Learner] = _LEARNERS
) -> _Loop:
    rows, said = [], []
    first, length = START.timestamp() / 3600, WEEK.total_seconds() / 3600
    for week in range(1, weeks):
        begins = first + week * length
        known = posts.known_at_hours < begins
        if known.sum() < OWN_POSTS_FOR_QUANTILES:
            continue
        model = fit(posts, scale, trained_at_hours=begins, learners=learners)
        later = np.flatnonzero(~known & (posts.posted_at_hours < begins + length))
        asked = posts.posted_at_hours[later] >= begins
        rows.append(later[asked])
        said.append(model.replay(posts.rows(later)).log_quantiles[asked])
    row = np.concatenate(rows)
    posted_at = [_moment(hours) for hours in posts.posted_at_hours[row]]
    return _Loop(
        scores=Scores(
            predicted_at=posted_at,
            posted_at=posted_at,
            log_outcome=scale.to_log(posts.outcome[row]),
            log_quantiles=np.concatenate(said),
            weight=np.ones(len(row)),
            segments=posts.segments[row],
        ),
        known_at=[_moment(hours) + _SCORED_AFTER for hours in posts.known_at_hours[row]],
    )


def _arm(loop: _Loop, policy: ApprovalPolicy) -> _Arm:
    """The half year again, looked back on each day."""
    bare = loop.scores
    said, weight = bare.log_quantiles.copy(), np.ones(len(bare.posted_at))
    made: list[_Made] = []
    now = START
    for row, posted_at in enumerate(bare.posted_at):
        while posted_at >= now + _DAY:
            now += _DAY
            so_far = replace(bare, log_quantiles=said, weight=weight)
            made = _reflected(so_far, loop.known_at, made, now, policy)
        product = math.prod(
            one.told.factor
            for one in made
            if one.told.is_in(posted_at, posted_at)
            and bare.segments[row, DIMENSIONS.index(one.told.dimension)] == one.told.segment
        )
        weight[row] = REFLEXION_WEIGHT.within(np.array([product]))[0]
        said[row] += math.log(weight[row])
    return _Arm(
        loss=float(pinball(bare.log_outcome, said).sum()),
        loss_without=float(pinball(bare.log_outcome, bare.log_quantiles).sum()),
        corrections=sum(one.told.applied_at is not None for one in made),
        posts_corrected=int((weight != 1).sum()),
        posts=len(weight),
    )


def _reflected(
    scores: Scores,
    known_at: Sequence[datetime],
    made: list[_Made],
    now: datetime,
    policy: ApprovalPolicy,
) -> list[_Made]:
    """What :func:`pipeline.learn.predict.reflecting.reflect` does, without the state database."""
    since = now - timedelta(days=REMEMBERED_DAYS)
    known = [row for row, at in enumerate(known_at) if at <= now and scores.posted_at[row] > since]
    if not known:
        return made
    own = _rows(scores, known)
    every = [one.told for one in made]
    kept = []
    for place, one in enumerate(made):
        told = one.told
        if told.ended_at is None:
            trial = trial_of(own, told, every[:place] + every[place + 1 :])
            if trial.is_surely_worse or trial.is_of_no_help:
                told = replace(told, ended_at=now)
            elif told.applied_at is None and trial.is_proven and one.may_be_applied(policy):
                told = replace(told, applied_at=now)
        kept.append(replace(one, told=told))
    every = [one.told for one in kept]
    if every and now - every[-1].proposed_at < timedelta(days=DAYS_BETWEEN_PROPOSALS):
        return kept
    resting = frozenset(
        (one.dimension, one.segment)
        for one in every
        if one.ended_at is not None and one.ended_at > now - timedelta(days=RESTING_DAYS)
    )
    standing = [one for one in every if one.ended_at is None]
    return kept + [
        _Made(
            Correction(new.gap.dimension, new.gap.segment, new.factor, now),
            new.gap.is_high_confidence,
        )
        for new in proposals(own, standing, resting=resting)
    ]


def _rows(scores: Scores, chosen: Sequence[int]) -> Scores:
    rows = np.array(chosen)
    return Scores(
        predicted_at=[scores.predicted_at[row] for row in chosen],
        posted_at=[scores.posted_at[row] for row in chosen],
        log_outcome=scores.log_outcome[rows],
        log_quantiles=scores.log_quantiles[rows],
        weight=scores.weight[rows],
        segments=scores.segments[rows],
    )


def _moment(hours: float) -> datetime:
    return datetime.fromtimestamp(3600 * hours, UTC)


def main() -> None:
    """Print what reflexion does in all kinds of worlds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=10)
    asked = parser.parse_args()
    print(f"{'':<26} {'policy':<10} {'loss':>8}  {'± se':>6}  {'less':>5}  corrections  posts")
    for case in CASES:
        for policy, found in effects(case, asked.worlds).items():
            print(
                f"{case.name:<26} {policy.value:<10} {100 * found.loss_change:+7.2f} %"
                f"  {100 * found.loss_change_error:6.2f}  {found.worlds_with_less:5.0%}"
                f"  {found.corrections:11.1f}  {found.posts_corrected:5.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
