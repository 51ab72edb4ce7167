"""Small experiments made by hand: a registration, assignments and posts, without a warehouse."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipeline.learn.experiments.expected import PostOutcome
from pipeline.learn.experiments.registration import (
    METRICS,
    ArmDesign,
    GuardDesign,
    MetricKind,
    Registration,
)
from pipeline.learn.experiments.units import Post

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday."""
DAYPARTS = ("morning", "midday", "evening")

Row = dict[str, Any]


def registration(**changes: Any) -> Registration:
    """Views after 3 days of a usual and a tried hook, 40 posts per arm planned."""
    metric = METRICS[changes.get("metric", "views_72h")]
    arms = changes.pop("arms", ("usual", "tried"))
    made = Registration(
        experiment_id="exp_0123456789ab",
        account_name="moonmusic",
        platform="tiktok",
        question="Does a question get more views?",
        arms=tuple(
            arm
            if isinstance(arm, ArmDesign)
            else ArmDesign(arm, {} if place == 0 else {"hook_style": "question"})
            for place, arm in enumerate(arms)
        ),
        contrasts=(),
        metric=metric.name,
        metric_kind=metric.kind,
        age_hours=metric.age_hours,
        smallest_useful_ratio=1.2,
        guards=(),
        alpha=0.05,
        power=0.8,
        planned_per_arm=40,
        longest_per_arm=70,
        usual_mean=6.0,
        unit_variance=0.1,
        adjustment=None,
        draw_share=1.0,
        seed=1,
        origin="person",
        created_by="test",
        created_at=BEGAN,
        warehouse_version="v1",
    )
    usual, *tried = (arm.name for arm in made.arms)
    return replace(made, **{"contrasts": tuple((usual, one) for one in tried), **changes})


def guarded(**changes: Any) -> Registration:
    """With a save rate that may fall to 0.9 times."""
    return registration(guards=(GuardDesign("save_rate_7d", 0.9),), **changes)


def outcome(
    metric: str, value: float, *, denominator: float = 10_000.0, expected: float | None = None
) -> PostOutcome:
    """What a post got: a count of views, a rate, or a count of comments."""
    kind = METRICS[metric].kind
    is_rate = kind is MetricKind.PROPORTION
    return PostOutcome(
        post_id="",
        posted_at=BEGAN,
        value=value,
        numerator=value * denominator if is_rate else value,
        denominator=denominator if is_rate else None,
        log_value=math.log1p(value) if kind is MetricKind.CONTINUOUS else None,
        expected=expected,
    )


def experiment(
    design: Registration,
    values: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    every_hours: float = 7.0,
) -> tuple[list[Row], list[Post]]:
    """Assignments and posts whose arms take turns.

    Args:
        design: The registration.
        values: By arm and metric; all metrics of an arm have as many values.
        every_hours: From one post to the next.

    Returns:
        Rows of ``experiment_assignments``, and the posts, the oldest first.
    """
    queues = {arm: list(range(len(next(iter(own.values()))))) for arm, own in values.items()}
    assignments: list[Row] = []
    posts: list[Post] = []
    while any(queues.values()):
        for arm in (name for name, queue in queues.items() if queue):
            place, number = queues[arm].pop(0), len(posts)
            posted_at = BEGAN + timedelta(hours=number * every_hours)
            # Every arm goes through all weekdays and dayparts alike.
            turn = number // len(queues)
            assignments.append(
                {
                    "assignment_id": f"asg_{number:012x}",
                    "experiment_id": design.experiment_id,
                    "arm": arm,
                    "stratum": f"{turn % 7 + 1}/{DAYPARTS[turn % 3]}",
                    "position": number,
                    "subject": None,
                    "draw_id": f"drw_{number}",
                    "assigned_at": posted_at - timedelta(hours=2),
                }
            )
            posts.append(
                Post(
                    post_id=f"p{number:04d}",
                    assignment_id=f"asg_{number:012x}",
                    arm=arm,
                    posted_at=posted_at,
                    weekday=turn % 7 + 1,
                    daypart=DAYPARTS[turn % 3],
                    last_seen_at=posted_at + timedelta(days=30),
                    outcomes={
                        metric: outcome(metric, own[place]) for metric, own in values[arm].items()
                    },
                )
            )
    return assignments, posts


def views(n: int, typical: float, *, seed: int, spread: float = 0.3) -> list[float]:
    """Views whose logarithms are normal."""
    chance = np.random.default_rng(seed)
    return [float(value) for value in typical * np.exp(chance.normal(0, spread, n))]


def after(posts: Sequence[Post]) -> datetime:
    """When every post is old enough for every metric."""
    return posts[-1].posted_at + timedelta(days=8)
