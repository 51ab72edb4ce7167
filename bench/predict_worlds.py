"""How well predictions rank posts of simulated accounts, whose planted effects are known."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.learn.predict.posts import COUNT, Posts
from pipeline.learn.predict.predictor import fit
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.standing import standing
from pipeline.simulate import effect_worlds
from pipeline.simulate.effect_worlds import Noise, WorldPlan

SEED = 20261120
SCORED_POSTS = 40
"""Of each account, none of whose outcomes is known to any of the predictions."""
_LAG_DAYS = 7
_RESAMPLES = 2000
_NOISES: tuple[Noise, Noise] = ("normal", "t4")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setup:
    """What worlds are like, their luck aside."""

    name: str
    known_posts: int
    """Posts of each account whose outcomes are known when it is asked."""
    worlds: int
    accounts: int = 4
    effect_size: float = 0.5
    """Standard deviation of planted effects, in spreads of a like post's luck."""
    planted_share: float = 0.5
    common_share: float = 0.8


SETUPS = (
    Setup("100 posts of each of 4 accounts", 100, 12),
    Setup("100 posts of each of 4 accounts, small effects", 100, 12, effect_size=0.25),
    Setup("100 posts of one account", 100, 12, accounts=1),
)
FEW = (
    Setup("10 posts of each of 4 accounts", 10, 60),
    Setup("10 posts of each of 30 accounts", 10, 30, accounts=30),
)


@dataclass(frozen=True)
class Measured:
    """A figure with its standard error, over resampled worlds."""

    value: float
    error: float


@dataclass(frozen=True)
class Ranked:
    """Rank correlations, means over worlds, and the losses of predictions and baseline."""

    planted: float
    """Of predictions with planted expectations, all accounts in one order."""
    outcome: float
    """Of predictions with outcomes."""
    ceiling: float
    """Of planted expectations with outcomes: what the truth itself reaches."""
    own_planted: float
    """As ``planted``, the mean of each account; 0 where all its predictions are the same."""
    own_outcome: float
    own_ceiling: float
    baseline_planted: float
    """As ``planted``, of the account's own medians."""
    planted_share: Measured
    """``planted`` over ``ceiling``."""
    outcome_share: Measured
    """``outcome`` over ``ceiling``."""
    own_planted_share: Measured
    own_outcome_share: Measured
    below_baseline: Measured
    """Share by which the pinball loss is below that of the account's own quantiles."""
    coverage: float
    """Share of outcomes within the 80 % intervals."""


@dataclass(frozen=True)
class _World:
    posts: Posts
    """Whole series in the order of time."""
    expected: Floats
    """Planted, on the log scale."""
    asked: NDArray[np.int64]
    """Places of the posts that are scored."""
    asked_from_hours: float


def ranked(setup: Setup) -> Ranked:
    """Predict later posts of worlds, whose luck is normal and heavy-tailed in turns."""
    worlds = setup.worlds
    found = np.array([_figures(_world(setup, index)) for index in range(worlds)])
    resampled = np.random.default_rng(SEED).integers(0, worlds, (_RESAMPLES, worlds))
    means, drawn = found.mean(axis=0), found[resampled].mean(axis=1)

    def share(part: int, whole: int) -> Measured:
        spread = np.std(drawn[:, part] / drawn[:, whole])
        return Measured(float(means[part] / means[whole]), float(spread))

    planted, outcome, ceiling, own_planted, own_outcome, own_ceiling = means[:6].tolist()
    loss = share(7, 8)
    return Ranked(
        planted=planted,
        outcome=outcome,
        ceiling=ceiling,
        own_planted=own_planted,
        own_outcome=own_outcome,
        own_ceiling=own_ceiling,
        baseline_planted=float(means[6]),
        planted_share=share(0, 2),
        outcome_share=share(1, 2),
        own_planted_share=share(3, 5),
        own_outcome_share=share(4, 5),
        below_baseline=Measured(1 - loss.value, loss.error),
        coverage=float(means[9]),
    )


def _world(setup: Setup, index: int) -> _World:
    """Posts a day apart; what is asked comes after the outcomes of exactly the known posts."""
    rng = np.random.default_rng([SEED, setup.known_posts, setup.accounts, index])
    own = setup.known_posts + _LAG_DAYS + SCORED_POSTS
    plan = WorldPlan(
        noise=_NOISES[index % 2],
        account_count=setup.accounts,
        posts=(own, own),
        planted_share=setup.planted_share,
        effect_size=setup.effect_size,
        common_share=setup.common_share,
    )
    drawn = effect_worlds.draw_world(rng, plan)
    day = np.tile(np.arange(own), setup.accounts)
    hours = 24.0 * day + rng.uniform(0, 24, len(day))
    order = np.argsort(hours, kind="stable")
    views = drawn.log_value[order, 0]
    posts = Posts(
        account=drawn.account[order].astype(np.str_),
        posted_at_hours=hours[order],
        known_at_hours=hours[order] + 24.0 * _LAG_DAYS,
        outcome=np.exp(views),
        segments=drawn.segment[order].astype(np.str_),
        numbers=np.zeros((len(order), 0)),
        dimension_names=tuple(plan.dimensions),
        number_names=(),
    )
    first = setup.known_posts + _LAG_DAYS
    return _World(
        posts, drawn.noise_free[order, 0], np.flatnonzero(day[order] >= first), 24.0 * first
    )


def _figures(world: _World) -> list[float]:
    model = fit(world.posts, COUNT, trained_at_hours=world.asked_from_hours)
    asked = world.posts.rows(world.asked)
    said = model.predict(asked).log_quantiles
    baseline = standing(asked, model.training, COUNT).quantiles
    outcome, planted = COUNT.to_log(asked.outcome), world.expected[world.asked]
    pairs = [(said[:, 1], planted), (said[:, 1], outcome), (planted, outcome)]
    accounts = [asked.account == name for name in np.unique(asked.account)]
    return [
        *(_rank(*pair) for pair in pairs),
        *(float(np.mean([_rank(a[own], b[own]) for own in accounts])) for a, b in pairs),
        _rank(baseline[:, 1], planted),
        float(pinball(outcome, said).mean()),
        float(pinball(outcome, baseline).mean()),
        float(((said[:, 0] <= outcome) & (outcome <= said[:, 2])).mean()),
    ]


def _rank(said: Floats, truth: Floats) -> float:
    """Spearman's correlation; what is the same for all posts ranks none of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(np.nan_to_num(stats.spearmanr(said, truth).statistic))
