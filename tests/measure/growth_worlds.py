"""Simulated posts whose later counts are known, as histories to project from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measure.projection_features import Histories
from pipeline.simulate.growth import draw_curve

TARGET_AGES_HOURS = (168.0, 672.0)


@dataclass(frozen=True)
class GrownPosts:
    """Histories at one moment per post and target age, and what the posts came to."""

    histories: Histories
    target_counts: NDArray[np.float64]
    posts: NDArray[np.int64]
    accounts: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.bool_]) -> "GrownPosts":
        return GrownPosts(
            self.histories.rows(chosen),
            self.target_counts[chosen],
            self.posts[chosen],
            self.accounts[chosen],
        )


def grown_posts(seed: int, post_count: int, *, account_count: int = 4) -> GrownPosts:
    """Posts of the demo world's kind, seen once a day, each at a random day before each target."""
    rng = np.random.default_rng(seed)
    rows, targets, posts, accounts = [], [], [], []
    for post in range(post_count):
        curve = draw_curve(rng, noise=1.0)
        final = float(np.exp(rng.normal(8.0, 1.3)))
        engaged = float(np.exp(rng.normal(-2.5, 0.5)))
        first_seen = rng.uniform(0.5, 24.0)
        for target_age in TARGET_AGES_HOURS:
            # Half of the moments of four weeks would lie in the last two, where little is open.
            day = int(rng.integers(0, 6))
            ages = first_seen + 24.0 * np.arange(day + 1)
            counts = [round(final * curve.reached(age)) for age in ages]
            earlier = [
                (age, count) for age, count in zip(ages, counts, strict=True) if age <= ages[-1] - 6
            ]
            first_age, first = (
                min(earlier, key=lambda seen: abs(np.log(2 * seen[0] / ages[-1])))
                if earlier
                else (np.nan, np.nan)
            )
            rows.append(
                [
                    first_age, first, first * engaged,
                    ages[-1], counts[-1], counts[-1] * engaged, target_age,
                ]
            )  # fmt: skip
            targets.append(float(round(final * curve.reached(target_age))))
            posts.append(post)
            accounts.append(post % account_count)
    return GrownPosts(
        Histories(*np.array(rows).T), np.array(targets), np.array(posts), np.array(accounts)
    )
