"""Simulated experiments of each metric type, many at once, for :mod:`bench.experiments`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.learn.experiments.anytime import LONGEST
from pipeline.learn.experiments.arms import Arm, Floats, binomial_arm, log_arm, ratio_arm
from pipeline.learn.experiments.planning import units_for_means, units_for_shares

LOOKS = 100
Maker = Callable[[np.random.Generator, float, int, np.ndarray], Arm]


@dataclass(frozen=True)
class World:
    """A metric type with a planned effect.

    Attributes:
        name: What is measured.
        planned: Units per arm that the plan asks for.
        effect: Planned effect on the scale of the difference.
        log_ratio: Logarithm of the ratio of means, by effect.
        arm: Draws an arm: generator, effect, experiments, looks; experiments × looks.
    """

    name: str
    planned: int
    effect: float
    log_ratio: Callable[[float], float]
    arm: Maker

    @property
    def looks(self) -> np.ndarray:
        """Units per arm at each look, evenly up to the latest end."""
        longest = math.floor(self.planned * LONGEST)
        return np.unique(np.linspace(max(2, longest / LOOKS), longest, LOOKS).astype(int))


def worlds() -> list[World]:
    """All metric types."""
    return [
        _shares(),
        _shares_of_posts("proportion: saves of views, by post", 0.7, 0.006),
        _shares_of_posts("proportion: the same, very unequal views", 1.3, 0.0075),
        _views("continuous: log views, 1.5 times", 1.3, 1.5),
        _views("continuous: log rates, 1.3 times", 0.5, 1.3),
        _views("continuous: log rates, 1.5 times", 0.5, 1.5),
        _views("continuous: log rates, twice", 0.5, 2.0),
        _heavy_views(),
        _comments(),
    ]


def _shares() -> World:
    share, effect = 0.05, 0.01

    def arm(rng: np.random.Generator, shift: float, many: int, looks: np.ndarray) -> Arm:
        steps = np.diff(looks, prepend=0)
        won = rng.binomial(steps, share + shift, size=(many, len(looks))).cumsum(axis=1)
        return binomial_arm(won, np.broadcast_to(looks, won.shape))

    planned = units_for_shares(share, share + effect)
    return World("proportion: clicks of impressions", planned, effect, _ratio_of(share), arm)


def _shares_of_posts(name: str, spread: float, effect: float) -> World:
    share, strength = 0.03, 60.0

    def posts(rng: np.random.Generator, shift: float, shape: tuple[int, int]) -> tuple[Floats, ...]:
        views = np.ceil(rng.lognormal(7.0, spread, shape))
        mean = share + shift
        each = rng.beta(mean * strength, (1 - mean) * strength, shape)
        return rng.binomial(views.astype(int), each).astype(float), views

    def arm(rng: np.random.Generator, shift: float, many: int, looks: np.ndarray) -> Arm:
        saves, views = posts(rng, shift, (many, int(looks[-1])))
        return ratio_arm(saves, views, looks=looks)

    variances = []
    for shift in (0.0, effect):
        saves, views = posts(np.random.default_rng(7), shift, (400_000, 1))
        variances.append(float(((saves - (share + shift) * views) / views.mean()).var()))
    planned = units_for_means(effect, variances[0], variances[1])
    return World(name, planned, effect, _ratio_of(share), arm)


def _views(name: str, spread: float, times: float) -> World:
    def arm(rng: np.random.Generator, shift: float, many: int, looks: np.ndarray) -> Arm:
        return log_arm(rng.normal(8.0 + shift, spread, (many, int(looks[-1]))), looks=looks)

    planned = units_for_means(math.log(times), spread**2)
    return World(name, planned, math.log(times), lambda effect: effect, arm)


def _heavy_views() -> World:
    """Log views with tails of Student's t at 4 degrees of freedom."""
    spread = 1.3 / math.sqrt(2)

    def arm(rng: np.random.Generator, shift: float, many: int, looks: np.ndarray) -> Arm:
        values = 8.0 + shift + spread * rng.standard_t(4, (many, int(looks[-1])))
        return log_arm(values, looks=looks)

    planned = units_for_means(math.log(1.5), 1.3**2)
    return World(
        "continuous: log views, heavy tails", planned, math.log(1.5), lambda effect: effect, arm
    )


def _comments() -> World:
    mean, effect, size = 12.0, 4.0, 1.5

    def arm(rng: np.random.Generator, shift: float, many: int, looks: np.ndarray) -> Arm:
        middle = mean + shift
        counts = rng.negative_binomial(size, size / (size + middle), (many, int(looks[-1])))
        return ratio_arm(counts, looks=looks)

    def variance(middle: float) -> float:
        return middle + middle**2 / size

    planned = units_for_means(effect, variance(mean), variance(mean + effect))
    return World("count: comments per post", planned, effect, _ratio_of(mean), arm)


def _ratio_of(mean: float) -> Callable[[float], float]:
    return lambda effect: math.log((mean + effect) / mean)
