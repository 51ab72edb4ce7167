"""How simulated numbers grow and are shown."""

from datetime import timedelta

import numpy as np
import pytest

from pipeline.accounts import Platform
from pipeline.simulate.growth import USUAL_CURVE, draw_curve, shown_count
from pipeline.simulate.world import build_world


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0.4, 0),
        (9_999.2, 9_999),
        (10_049, 10_000),
        (10_051, 10_100),
        (999_930, 999_900),
        (999_960, 1_000_000),
        (1_049_000, 1_000_000),
        (2_260_000, 2_300_000),
    ],
)
def test_tiktok_rounds_large_counts(count: float, shown: int) -> None:
    assert shown_count(Platform.TIKTOK, count) == shown


def test_instagram_shows_counts_exactly() -> None:
    assert shown_count(Platform.INSTAGRAM, 1_234_567.2) == 1_234_567


def test_rounding_never_turns_growth_into_a_fall() -> None:
    counts = np.concatenate([np.arange(9_900, 10_400), np.arange(999_000, 1_300_000, 37)])
    shown = [shown_count(Platform.TIKTOK, float(count)) for count in counts]
    assert shown == sorted(shown)


def test_every_tiktok_count_of_the_world_is_rounded() -> None:
    world = build_world()
    for name, platform in world.profiles:
        if platform is not Platform.TIKTOK:
            continue
        for row in world.scrape_rows(name, platform, "posts", world.end, 10_000):
            if "error" in row:
                continue
            shown = [row[key] for key in ("playCount", "diggCount", "collectCount", "shareCount")]
            for count in [*shown, row["authorMeta"]["fans"], row["authorMeta"]["heart"]]:
                step = 1 if count < 10_000 else 100 if count < 1_000_000 else 100_000
                assert count % step == 0


def test_counts_only_grow_except_for_flagged_drops_of_likes() -> None:
    world = build_world()
    drops = 0
    for post in world.posts:
        ages = (0.5, 2, 6, 12, 24, 48, 72, 120, 168, 300, 500, 672, 1500, 2600)
        series = [post.counts(post.posted_at + timedelta(hours=age)) for age in ages]
        for metric in ("views", "comments", "shares", "saves", "likes"):
            values = [getattr(counts, metric) for counts in series]
            if None in values:
                assert set(values) == {None}
                continue
            assert min(values) >= 0
            if values != sorted(values):
                assert metric == "likes"
                assert post.like_drop is not None
                drops += 1
    assert 3 <= drops <= 40


def test_nothing_is_counted_before_a_post_exists() -> None:
    post = build_world().posts[0]
    counts = post.counts(post.posted_at - timedelta(hours=1))
    assert (counts.views, counts.likes, counts.comments) == (0, 0, 0)


def test_curves_saturate_and_some_have_a_long_tail() -> None:
    rng = np.random.default_rng(3)
    curves = [draw_curve(rng, 1.0) for _ in range(2_000)]
    at_7d = np.array([curve.reached(168) / curve.reached(24 * 365) for curve in curves])
    assert 0.9 < float(np.median(at_7d)) < 0.96
    assert 0.05 < float(np.mean(at_7d < 0.85)) < 0.15
    assert draw_curve(rng, 0.0) == USUAL_CURVE
