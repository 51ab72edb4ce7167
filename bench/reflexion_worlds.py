"""What reflexion does to predictions over 26 weeks: the same loop with it and without it.

Two kinds of loops, each of 182 days with a post a day, whose scores are known eight days later; a
policy applies what would have helped on five posts since it was proposed, and what does not help
ends:

- off: predictions say the same of every post, and two kinds of posts reach another ratio of it.
- served: simulated accounts with planted effects, and what the models would have served of their
  posts out of time (:attr:`pipeline.learn.predict.predictor.FittedModel.served_quantiles`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from pipeline.learn.predict.corrections import Correction, Scores, trial_of
from pipeline.learn.predict.post_features import DIMENSIONS, REFLEXION_WEIGHT
from pipeline.learn.predict.posts import COUNT, Posts
from pipeline.learn.predict.predictor import fit
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.reflexion import proposals
from pipeline.simulate import effect_worlds
from pipeline.simulate.effect_worlds import WorldPlan

SEED = 20261120
DAYS = 182
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
"""A Thursday."""
Gaps = Mapping[tuple[str, str], float]
"""Of the outcome, on the log scale, by dimension and segment."""
SUNDAYS = ("weekday", "7")
SCRIPTS = ("format", "format_1")
ACCOUNTS = 4
_CHOICES = {"format": 4, "pillar": 4, "hook_style": 5, "daypart": 4, "cta": 3}
_DELAY_DAYS = 8
"""From a post until its score is known."""
_FEWEST_SCORES = 15


@dataclass(frozen=True)
class Loops:
    """Losses with reflexion as a share of those without it, means over loops."""

    ratio: float
    error: float
    """Its standard error."""
    corrections: float
    """Applied per loop."""
    right_share: float
    """Of corrections, those of planted gaps; NaN where none were made."""


def off(planted: Gaps | None, loops: int) -> Loops:
    """Loops in which the predictions are off by planted gaps; luck is heavy-tailed."""
    return _together(
        [loop(scored_world(SEED + place, DAYS, planted)) for place in range(loops)], planted or {}
    )


def served(worlds: int) -> Loops:
    """Loops of accounts whose posts the models predicted; nothing is known to be off."""
    return _together([loop(one) for place in range(worlds) for one in _served_accounts(place)], {})


def scored_world(
    seed: int, posts: int, planted: Gaps | None = None, *, drift: float = 0.0, level: float = 0.0
) -> Scores:
    """One post a day, always predicted as the same; luck has Student's t with 5 degrees.

    Args:
        seed: Of all that is random.
        posts: How many.
        planted: The gaps.
        drift: By which the account grows over all posts, on the log scale.
        level: Standard deviation of the daily steps of a level that wanders.
    """
    rng = np.random.default_rng(seed)
    posted_at = [START + timedelta(days=day) for day in range(posts)]
    segments = np.full((posts, len(DIMENSIONS)), "", dtype="<U16")
    for name, count in _CHOICES.items():
        codes = rng.integers(0, count, posts)
        segments[:, DIMENSIONS.index(name)] = [f"{name}_{code}" for code in codes]
    segments[:, DIMENSIONS.index("weekday")] = [str(one.isoweekday()) for one in posted_at]
    outcome = 8.0 + 0.8 * rng.standard_t(5, posts) + drift * np.arange(posts) / posts
    outcome += np.cumsum(rng.normal(0.0, level, posts)) if level else 0.0
    for (dimension, segment), gap in (planted or {}).items():
        outcome += gap * (segments[:, DIMENSIONS.index(dimension)] == segment)
    return Scores(
        predicted_at=[one - timedelta(minutes=5) for one in posted_at],
        posted_at=posted_at,
        log_outcome=outcome,
        log_quantiles=np.tile([8 - 1.28, 8.0, 8 + 1.28], (posts, 1)),
        weight=np.ones(posts),
        segments=segments,
    )


def first_posts(scores: Scores, count: int) -> Scores:
    """The scores of the first posts."""
    return Scores(
        predicted_at=scores.predicted_at[:count],
        posted_at=scores.posted_at[:count],
        log_outcome=scores.log_outcome[:count],
        log_quantiles=scores.log_quantiles[:count],
        weight=scores.weight[:count],
        segments=scores.segments[:count],
    )


def loss(scores: Scores) -> float:
    """Mean pinball loss."""
    return float(pinball(scores.log_outcome, scores.log_quantiles).mean())


def loop(world: Scores, *, days_between: int = 7) -> tuple[float, list[Correction]]:
    """The whole loop with a policy that applies all that is proven: propose, apply, score, end.

    Returns:
        The loss with reflexion as a share of that without it, over all posts; and the corrections
        that were applied.
    """
    said, weight = world.log_quantiles.copy(), np.ones(len(world.weight))
    made: list[Correction] = []
    next_look = world.posted_at[0]
    for day, posted_at in enumerate(world.posted_at):
        now = posted_at - timedelta(hours=1)
        known = sum(one <= now - timedelta(days=_DELAY_DAYS) for one in world.posted_at[:day])
        if known >= _FEWEST_SCORES and now >= next_look:
            next_look = now + timedelta(days=days_between)
            scores = first_posts(replace(world, log_quantiles=said, weight=weight), known)
            for place, one in enumerate(made):
                trial = trial_of(scores, one, made[:place] + made[place + 1 :])
                if one.ended_at is not None:
                    continue
                if trial.is_surely_worse or trial.is_of_no_help:
                    made[place] = replace(one, ended_at=now)
                elif one.applied_at is None and trial.is_proven:
                    made[place] = replace(one, applied_at=now)
            ended = {(one.dimension, one.segment) for one in made if one.ended_at is not None}
            standing = [one for one in made if one.ended_at is None]
            made += [
                Correction(new.gap.dimension, new.gap.segment, new.factor, now)
                for new in proposals(scores, standing, resting=frozenset(ended))
            ]
        product = math.prod(
            one.factor
            for one in made
            if one.is_in(now, posted_at)
            and world.segments[day, DIMENSIONS.index(one.dimension)] == one.segment
        )
        weight[day] = REFLEXION_WEIGHT.within(np.array([product]))[0]
        said[day] += math.log(weight[day])
    applied = [one for one in made if one.applied_at is not None]
    return loss(replace(world, log_quantiles=said)) / loss(world), applied


def _served_accounts(place: int) -> list[Scores]:
    rng = np.random.default_rng([SEED, place])
    plan = WorldPlan(account_count=ACCOUNTS, posts=(DAYS, DAYS), planted_share=0.5)
    drawn = effect_worlds.draw_world(rng, plan)
    hours = 24.0 * np.tile(np.arange(DAYS), ACCOUNTS) + rng.uniform(0, 24, DAYS * ACCOUNTS)
    order = np.argsort(hours, kind="stable")
    posts = Posts(
        account=drawn.account[order].astype(np.str_),
        posted_at_hours=hours[order],
        known_at_hours=hours[order] + 24.0 * 7,
        outcome=np.exp(drawn.log_value[order, 0]),
        segments=drawn.segment[order].astype(np.str_),
        numbers=np.zeros((len(order), 0)),
        dimension_names=tuple(plan.dimensions),
        number_names=(),
    )
    model = fit(posts, COUNT, trained_at_hours=24.0 * (DAYS + 8))
    row_of = {
        (str(account), hour): row
        for row, (account, hour) in enumerate(
            zip(posts.account, posts.posted_at_hours.tolist(), strict=True)
        )
    }
    record = model.record
    rows = np.array(
        [
            row_of[str(account), hour]
            for account, hour in zip(record.account, record.posted_at_hours.tolist(), strict=True)
        ]
    )
    return [
        _scores(posts, rows[own], record.log_outcome[own], model.served_quantiles[own])
        for own in (record.account == name for name in np.unique(record.account))
    ]


def _scores(posts: Posts, rows: np.ndarray, outcome: np.ndarray, said: np.ndarray) -> Scores:
    posted_at = [START + timedelta(hours=hour) for hour in posts.posted_at_hours[rows].tolist()]
    segments = np.full((len(rows), len(DIMENSIONS)), "", dtype=posts.segments.dtype)
    for place, name in enumerate(posts.dimension_names):
        if name in DIMENSIONS:
            segments[:, DIMENSIONS.index(name)] = posts.segments[rows, place]
    return Scores(
        predicted_at=[one - timedelta(minutes=5) for one in posted_at],
        posted_at=posted_at,
        log_outcome=outcome,
        log_quantiles=said,
        weight=np.ones(len(rows)),
        segments=segments,
    )


def _together(found: list[tuple[float, list[Correction]]], planted: Gaps) -> Loops:
    ratios = np.array([ratio for ratio, _ in found])
    made = [(one.dimension, one.segment) for _, corrections in found for one in corrections]
    return Loops(
        ratio=float(ratios.mean()),
        error=float(ratios.std(ddof=1) / math.sqrt(len(ratios))),
        corrections=len(made) / len(found),
        right_share=sum(one in planted for one in made) / len(made) if made else math.nan,
    )
