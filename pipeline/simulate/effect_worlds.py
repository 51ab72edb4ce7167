"""Worlds that are arrays: log outcomes of posts whose true effects are known.

Nothing is scraped or stored here. A world of a few accounts takes about a millisecond, so that what
statistics do can be counted over hundreds of them. Growth, platforms and everything else about real
posts is in :mod:`pipeline.simulate.world`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.growth import USUAL_CURVE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Noise = Literal["normal", "t4"]

DIMENSIONS: Mapping[str, int] = MappingProxyType(
    {
        "format": 5,
        "pillar": 4,
        "topic": 8,
        "hook_style": 6,
        "slide_count": 7,
        "weekday": 7,
        "daypart": 6,
        "media_type": 3,
        "cta": 4,
        "cadence": 5,
    }
)
"""Segments by dimension."""
STANDARD_AGE_HOURS = 168.0


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of a post as mixtures of independent sources of luck.

    ``spread`` holds, for each outcome, the lowest and the highest standard deviation that an
    account's posts can have; ``loadings`` how much of each source an outcome carries: rows of
    length 1, shape (outcomes, sources).
    """

    names: tuple[str, ...]
    spread: tuple[tuple[float, float], ...]
    loadings: Floats


VIEWS_AND_RATE = Outcomes(("views", "rate"), ((0.8, 1.6), (0.4, 0.6)), np.eye(2))
"""Views and a rate that have nothing to do with each other."""


def outcomes_of_posts() -> Outcomes:
    """The seven outcomes of a post: views and engagements at two ages, and three rates.

    Early and late counts are nearly the same luck; an engagement is its views times its rate.
    """
    names = (
        "views_72h",
        "views_7d",
        "engagement_72h",
        "engagement_7d",
        "engagement_rate_7d",
        "save_rate_7d",
        "share_rate_7d",
    )
    views, rate = (0.8, 1.6), (0.4, 0.6)
    # Sources: reach, what comes early, liking, saving, sharing.
    loadings = np.array(
        [
            [1.0, 0.2, 0.0, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.9, 0.2, 0.4, 0.0, 0.0],
            [0.9, 0.0, 0.4, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 0.5, 0.8, 0.0],
            [0.0, 0.0, 0.5, 0.0, 0.8],
        ]
    )
    loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
    return Outcomes(names, (views, views, views, views, rate, rate, rate), loadings)


@dataclass(frozen=True)
class WorldPlan:
    """What a world is drawn from."""

    noise: Noise = "normal"
    account_count: int = 4
    posts: tuple[int, int] = (60, 400)
    """Fewest and most posts of an account; drawn evenly on the log scale."""
    dimensions: Mapping[str, int] = field(default_factory=lambda: DIMENSIONS)
    outcomes: Outcomes = VIEWS_AND_RATE
    planted_share: float = 0.0
    """Probability that a dimension has effects at all."""
    effect_size: float = 0.0
    """Standard deviation of a planted dimension's log effects, in an outcome's own spreads."""
    common_share: float = 0.0
    """Share of the effects' variance that all accounts have in common."""


@dataclass(frozen=True)
class EffectWorld:
    """Posts of all accounts, one below the other."""

    account: Integers
    """Shape (posts,)."""
    segment: Integers
    """Index of the segment in each dimension, shape (posts, dimensions)."""
    log_value: Floats
    """Shape (posts, outcomes)."""
    noise_free: Floats
    """``log_value`` without luck: the account's base and all planted effects."""
    planted: tuple[Floats, ...]
    """By dimension: true log effects, shape (accounts, segments, outcomes)."""


def draw_world(rng: np.random.Generator, plan: WorldPlan) -> EffectWorld:
    """A world: accounts of very different audience and size, segments of unequal frequency.

    Args:
        rng: All luck comes from it.
        plan: What to draw.
    """
    outcomes = plan.outcomes
    low, high = np.log(plan.posts[0]), np.log(plan.posts[1])
    sizes = np.round(np.exp(rng.uniform(low, high, plan.account_count))).astype(np.int64)
    account = np.repeat(np.arange(plan.account_count), sizes)
    bounds = np.array(outcomes.spread)
    spread = rng.uniform(bounds[:, 0], bounds[:, 1], (plan.account_count, len(bounds)))
    base = rng.uniform(5.0, 12.0, (plan.account_count, 1))
    noise_free = np.repeat(base, len(bounds), axis=1)[account]

    segment = np.empty((len(account), len(plan.dimensions)), dtype=np.int64)
    planted = []
    for place, count in enumerate(plan.dimensions.values()):
        for index in range(plan.account_count):
            shares = rng.dirichlet(np.full(count, 2.0))
            own = account == index
            segment[own, place] = rng.choice(count, int(own.sum()), p=shares)
        is_planted = rng.random() < plan.planted_share
        size = plan.effect_size * is_planted
        effects = size * spread[:, None, :] * _effects(rng, plan, count, len(bounds))
        planted.append(effects)
        noise_free = noise_free + effects[account, segment[:, place]]

    luck = _luck(rng, plan.noise, (len(account), outcomes.loadings.shape[1]))
    # A mixture of heavy-tailed sources is nearly as heavy-tailed: good enough to try estimates on.
    log_value = noise_free + spread[account] * (luck @ outcomes.loadings.T)
    return EffectWorld(account, segment, log_value, noise_free, tuple(planted))


def draw_raised_segment(
    rng: np.random.Generator, *, posts_per_segment: int, ratio: float, sigma: float, noise: Noise
) -> EffectWorld:
    """One account, one dimension of five equal segments, of which the first is raised by a ratio.

    Args:
        rng: All luck comes from it.
        posts_per_segment: Posts of each of the five.
        ratio: True ratio of the first segment to each other one.
        sigma: Standard deviation of a log outcome within a segment.
        noise: Its distribution.
    """
    segment = np.repeat(np.arange(5), posts_per_segment)
    noise_free = 8.0 + np.log(ratio) * (segment == 0)
    log_value = noise_free + sigma * _luck(rng, noise, segment.shape)
    planted = np.log(ratio) * (np.arange(5) == 0)
    return EffectWorld(
        account=np.zeros(len(segment), dtype=np.int64),
        segment=segment[:, None],
        log_value=log_value[:, None],
        noise_free=noise_free[:, None],
        planted=(planted[None, :, None],),
    )


@dataclass(frozen=True)
class ChoiceWorld:
    """Accounts that choose among five formats by the views of their posts of the last 120 days."""

    account: Integers
    segment: Integers
    log_views_7d: Floats
    """Log views at seven days."""
    log_views_latest: Floats
    """Log views as the latest scrape shows them, at whatever age."""
    age_hours: Floats
    """At the latest scrape; a post younger than seven days has no value at seven days yet."""
    effects: Floats
    """True log effect of each format in each account, shape (accounts, formats)."""


def draw_choice(
    rng: np.random.Generator,
    *,
    noise: Noise,
    effect_size: float,
    common_share: float,
    account_count: int = 4,
    posts: tuple[int, int] = (60, 400),
) -> ChoiceWorld:
    """A world in which formats are taken up one after the other, and some are used rarely.

    Half of an account's formats are used from the first day on, each other one from a random day.

    Args:
        rng: All luck comes from it.
        noise: Distribution of log views; their spread is 0.8 to 1.6, by account.
        effect_size: Standard deviation of log effects.
        common_share: Share of the effects' variance that all accounts have in common.
        account_count: Accounts that can learn from each other.
        posts: Fewest and most posts of an account.
    """
    formats, period_hours = DIMENSIONS["format"], 120 * 24.0
    plan = WorldPlan(account_count=account_count, common_share=common_share)
    effects = effect_size * _effects(rng, plan, formats, 1)[:, :, 0]
    account, segment, age = [], [], []
    for index in range(account_count):
        size = int(np.round(np.exp(rng.uniform(np.log(posts[0]), np.log(posts[1])))))
        own_age = rng.uniform(0.0, period_hours, size)
        since = np.where(rng.random(formats) < 0.5, 1.0, rng.random(formats)) * period_hours
        since[rng.integers(formats)] = period_hours
        shares = rng.dirichlet(np.full(formats, 2.0)) * (own_age[:, None] <= since)
        limits = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
        picked = (rng.random(size)[:, None] > limits[:, :-1]).sum(axis=1)
        account.append(np.full(size, index))
        segment.append(picked)
        age.append(own_age)
    accounts, segments = np.concatenate(account), np.concatenate(segment)
    ages = np.concatenate(age)
    sigma = rng.uniform(0.8, 1.6, account_count)
    final = (
        rng.uniform(5.0, 12.0, account_count)[accounts]
        + effects[accounts, segments]
        + sigma[accounts] * _luck(rng, noise, accounts.shape)
    )
    reached = np.array([USUAL_CURVE.reached(hours) for hours in ages])
    return ChoiceWorld(
        account=accounts,
        segment=segments,
        log_views_7d=final + np.log(USUAL_CURVE.reached(STANDARD_AGE_HOURS)),
        log_views_latest=final + np.log(reached),
        age_hours=ages,
        effects=effects,
    )


def _effects(rng: np.random.Generator, plan: WorldPlan, count: int, outcomes: int) -> Floats:
    """Standard effects of shape (accounts, segments, outcomes), partly the same in all accounts."""
    common = rng.standard_normal((1, count, outcomes))
    peculiar = rng.standard_normal((plan.account_count, count, outcomes))
    share = plan.common_share
    return np.asarray(np.sqrt(share) * common + np.sqrt(1 - share) * peculiar)


def _luck(rng: np.random.Generator, noise: Noise, shape: tuple[int, ...]) -> Floats:
    """Draws of standard deviation 1."""
    if noise == "t4":
        return np.asarray(rng.standard_t(4, shape) / np.sqrt(2.0))
    return rng.standard_normal(shape)
