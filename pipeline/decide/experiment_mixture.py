"""How experiments share in what is drawn: which draws join one, and how probable that makes a pick.

Standard library only, as the draw itself. Whether a draw joins depends on nothing but the seed and
its number, and an experiment's arms are equally likely before the draw. So the probability of a
pick is that of the usual draws in the part that joins nothing, and the mean over the arms in the
part of each experiment. Blocks make an arm certain or impossible once the earlier assignments are
known; the probabilities stated are those before, which is what inverse-probability estimates over
a series of draws need.
"""

import random
from collections.abc import Mapping, Sequence

from pipeline.decide.briefs import Arm, Experiment

Shares = dict[str, float]
"""Probability by name; they sum to 1, or to less where some draws name none."""

CHOSEN = ("format", "pillar", "hook_style", "slide_count", "cta", "daypart")
"""Dimensions that an arm may fix."""


def shares_of(experiments: Sequence[Experiment]) -> Shares:
    """The share of draws that join each experiment, by id.

    A draw joins at most one, so shares that sum to more than 1 are scaled down alike.
    """
    ordered = sorted(experiments, key=lambda one: one.experiment_id)
    scale = 1 / max(1.0, sum(one.draw_share for one in ordered))
    return {one.experiment_id: one.draw_share * scale for one in ordered}


def joined_experiment(experiments: Sequence[Experiment], seed: int, number: int) -> str | None:
    """The id of the experiment that a draw joins, if any."""
    if not experiments:
        return None
    # A stream of its own, so that the other picks of a draw are as without experiments.
    mark = random.Random(f"{seed}/{number}/experiment").random()  # noqa: S311
    for experiment_id, share in shares_of(experiments).items():
        mark -= share
        if mark < 0:
            return experiment_id
    return None


def with_experiments(
    usual: Mapping[str, Shares], experiments: Sequence[Experiment]
) -> dict[str, Shares]:
    """The probability of each name by dimension, over usual draws and those that join."""
    if not experiments:
        return dict(usual)
    joining = shares_of(experiments)
    left = max(0.0, 1 - sum(joining.values()))
    return {
        dimension: _summed(
            [
                (left, shares),
                *(
                    (joining[one.experiment_id] / len(one.arms), _within(arm, dimension, shares))
                    for one in experiments
                    for arm in one.arms
                ),
            ]
        )
        for dimension, shares in usual.items()
    }


def arm_of(experiment: Experiment, name: str) -> Arm:
    """An experiment's arm by its name.

    Raises:
        KeyError: It has no such arm.
    """
    return {arm.name: arm for arm in experiment.arms}[name]


def _within(arm: Arm, dimension: str, usual: Shares) -> Shares:
    return {arm.choices[dimension]: 1.0} if dimension in arm.choices else usual


def _summed(parts: Sequence[tuple[float, Shares]]) -> Shares:
    summed: Shares = {}
    for share, shares in parts:
        for name, probability in shares.items():
            summed[name] = summed.get(name, 0.0) + share * probability
    return summed
