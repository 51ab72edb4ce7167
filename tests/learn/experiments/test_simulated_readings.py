"""Simulated experiments, read from their posts to the verdict at every look."""

import math
from collections import Counter

import numpy as np
import pytest

from pipeline.learn.experiments.planning import units_for_means
from pipeline.learn.experiments.reading import read_posts
from pipeline.learn.experiments.registration import METRICS, MetricKind
from pipeline.learn.experiments.verdicts import Verdict
from tests.learn.experiments.hand_made import after, experiment, registration

SPREAD = 0.7
EXPERIMENTS = 150


def values_of(metric: str, n: int, effect: float, chance: np.random.Generator) -> list[float]:
    """Outcomes of posts: log-normal views, overdispersed rates and counts."""
    level = effect * np.exp(chance.normal(0, SPREAD, n))
    if METRICS[metric].kind is MetricKind.CONTINUOUS:
        return [float(x) for x in 500 * level]
    if METRICS[metric].kind is MetricKind.PROPORTION:
        return [float(x) / 10_000 for x in chance.poisson(200 * level)]
    return [float(x) for x in chance.poisson(12 * level)]


def verdicts(
    metric: str, effect: float, *, arms: int, per_arm: int, useful: float, seed: int
) -> Counter[tuple[Verdict, str | None]]:
    """What many simulated experiments end with, all posts of each looked at one by one."""
    chance = np.random.default_rng(seed)
    names = ("usual", "tried", "other")[:arms]
    design = registration(
        metric=metric,
        arms=names,
        planned_per_arm=per_arm,
        longest_per_arm=math.ceil(1.75 * per_arm),
        smallest_useful_ratio=useful,
    )
    ended: Counter[tuple[Verdict, str | None]] = Counter()
    for _ in range(EXPERIMENTS):
        values = {
            name: {
                metric: values_of(
                    metric, design.longest_per_arm, effect if name == "tried" else 1.0, chance
                )
            }
            for name in names
        }
        assignments, posts = experiment(design, values)
        found = read_posts(design, assignments, posts, after(posts))
        assert found.ended_at is not None
        ended[found.verdict, found.winner] += 1
    return ended


@pytest.mark.parametrize("metric", ["views_72h", "save_rate_7d", "comments_72h"])
def test_arms_that_are_alike_hardly_ever_have_a_winner(metric: str) -> None:
    # So small an effect that nothing is ever called negligible: every look is a chance to be wrong.
    ended = verdicts(metric, 1.0, arms=2, per_arm=40, useful=1.01, seed=11)

    assert EXPERIMENTS - ended[Verdict.NO_USEFUL_DIFFERENCE, None] <= 0.05 * EXPERIMENTS


def test_three_arms_that_are_alike_hardly_ever_have_a_winner() -> None:
    ended = verdicts("views_72h", 1.0, arms=3, per_arm=40, useful=1.01, seed=12)

    assert EXPERIMENTS - ended[Verdict.NO_USEFUL_DIFFERENCE, None] <= 0.05 * EXPERIMENTS


def test_a_planted_effect_of_the_planned_size_is_found() -> None:
    per_arm = units_for_means(math.log(1.5), SPREAD**2)
    ended = verdicts("views_72h", 1.5, arms=2, per_arm=per_arm, useful=1.5, seed=13)

    # Planned with 80 % power for one look; the longer always-valid reading has as much.
    assert ended[Verdict.WINNER, "tried"] >= 0.7 * EXPERIMENTS
    assert ended[Verdict.WINNER, "usual"] == 0


def test_twice_the_planned_effect_is_nearly_always_found() -> None:
    per_arm = units_for_means(math.log(1.5), SPREAD**2)
    ended = verdicts("views_72h", 2.25, arms=2, per_arm=per_arm, useful=1.5, seed=14)

    assert ended[Verdict.WINNER, "tried"] >= 0.97 * EXPERIMENTS
