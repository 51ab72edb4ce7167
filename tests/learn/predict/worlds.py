"""Simulated accounts whose posts follow a rule that is known."""

from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.posts import Posts
from pipeline.measure.effects import Floats

LAG_HOURS = 168.0
FORMATS = ("list", "story", "guide", "meme")
FORMAT_EFFECTS = np.array([0.6, 0.0, -0.3, -0.6])


@dataclass(frozen=True)
class World:
    """Posts, and the log values that luck was added to."""

    posts: Posts
    planted: Floats


def world(
    seed: int,
    *,
    accounts: int = 6,
    posts_per_account: int = 100,
    effect: float = 1.0,
    luck: float = 0.8,
    drift_per_day: float = 0.0,
) -> World:
    """Accounts of different sizes post every few hours; a format and one number matter.

    Args:
        seed: Of all that is random.
        accounts: How many.
        posts_per_account: Of each.
        effect: Times the planted effects; 0 for features that say nothing.
        luck: Standard deviation on the log scale.
        drift_per_day: By which all accounts grow, on the log scale.
    """
    rng = np.random.default_rng(seed)
    size = accounts * posts_per_account
    account = rng.permutation(np.repeat(np.arange(accounts), posts_per_account))
    hours = np.sort(rng.uniform(0, 24 * 3 * posts_per_account, size))
    formats = rng.integers(0, len(FORMATS), size)
    daypart = rng.integers(0, 6, size)
    numbers = rng.normal(size=(size, 3))
    level = rng.normal(8.0, 1.5, accounts)[account] + drift_per_day * hours / 24
    planted = level + effect * (FORMAT_EFFECTS[formats] + 0.4 * numbers[:, 0])
    outcome = np.exp(planted + rng.normal(0, luck, size))
    return World(
        Posts(
            account=np.array([f"account_{code}" for code in account]),
            posted_at_hours=hours,
            known_at_hours=hours + LAG_HOURS,
            outcome=np.round(outcome),
            segments=np.column_stack([np.array(FORMATS)[formats], daypart.astype(np.str_)]),
            numbers=numbers,
            dimension_names=("format", "daypart"),
            number_names=("length", "noise_1", "noise_2"),
        ),
        planted,
    )


def split_at(posts: Posts, share: float) -> float:
    """The hour at which a share of the posts is out."""
    return float(posts.posted_at_hours[int(share * len(posts))])
