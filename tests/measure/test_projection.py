"""What young posts will come to, where it is known what they came to."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pipeline.measure import projection
from pipeline.measure.projection import Method, Projector, fit
from pipeline.measure.projection_features import Histories, on_log_log, on_log_time, untrained
from tests.measure.growth_worlds import TARGET_AGES_HOURS, GrownPosts, grown_posts

WORLDS = range(4)


def _fit(world: GrownPosts, *, can_fall: bool = False) -> Projector:
    return fit(world.histories, world.target_counts, world.posts, world.accounts, can_fall=can_fall)


def _seen_twice(ages: tuple[float, float, float], counts: tuple[float, float]) -> Histories:
    nan = np.array([np.nan])
    return Histories(
        np.array([ages[0]]), np.array([counts[0]]), nan,
        np.array([ages[1]]), np.array([counts[1]]), nan,
        np.array([ages[2]]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def projected() -> list[tuple[GrownPosts, projection.Projection, Projector]]:
    """Worlds of 240 posts to learn from and 200 others that were projected."""
    found = []
    for seed in WORLDS:
        world = grown_posts(seed, 440)
        is_training = world.posts < 240
        projector = _fit(world.rows(is_training))
        young = world.rows(~is_training)
        found.append((young, projector.project(young.histories, young.accounts), projector))
    return found


@pytest.mark.parametrize("target_age", TARGET_AGES_HOURS)
def test_four_fifths_of_the_intervals_hold_what_the_posts_came_to(projected, target_age: float):
    held = [
        ((found.low <= young.target_counts) & (young.target_counts <= found.high))[
            young.histories.target_age_hours == target_age
        ]
        for young, found, _ in projected
    ]

    assert 0.74 <= np.concatenate(held).mean() <= 0.86


def test_about_as_many_posts_end_below_the_interval_as_above(projected):
    below = np.concatenate([young.target_counts < found.low for young, found, _ in projected])
    above = np.concatenate([young.target_counts > found.high for young, found, _ in projected])

    assert 0.05 <= below.mean() <= 0.15
    assert 0.05 <= above.mean() <= 0.15


def test_what_was_learned_is_closer_than_any_extrapolation(projected):
    for young, found, projector in projected:
        twice = ~young.histories.is_seen_once
        error = np.abs(found.expected / young.target_counts - 1)
        assert projector.method is Method.BOOSTING
        for guess in (untrained, on_log_time, on_log_log):
            other = np.abs(np.expm1(guess(young.histories)) / young.target_counts - 1)
            assert np.median(error[twice]) < 0.7 * np.median(other[twice])


def test_the_same_posts_give_the_same_projection_bit_for_bit():
    world = grown_posts(9, 100)

    once, again = (_fit(world).project(world.histories, world.accounts) for _ in range(2))

    assert once.expected.tobytes() == again.expected.tobytes()
    assert once.low.tobytes() == again.low.tobytes()
    assert once.high.tobytes() == again.high.tobytes()


@pytest.mark.parametrize("post_count", [0, 30, 80])
def test_a_count_that_cannot_fall_is_never_projected_below_what_was_seen(post_count: int):
    world, asked = grown_posts(5, post_count or 1), grown_posts(6, 200)
    world = world if post_count else world.rows(np.zeros(len(world.posts), dtype=bool))

    found = _fit(world).project(asked.histories, asked.accounts)

    assert (found.low >= asked.histories.last_count).all()
    assert (found.low <= found.expected).all()
    assert (found.expected <= found.high).all()


def test_a_count_that_can_fall_is_projected_below_where_others_fell():
    world = grown_posts(5, 80)
    fallen = np.floor(world.histories.last_count * 0.9)
    projector = fit(world.histories, fallen, world.posts, world.accounts, can_fall=True)

    found = projector.project(world.histories, world.accounts)

    assert np.median(found.expected / world.histories.last_count) == pytest.approx(0.9, abs=0.02)


def test_no_young_posts_are_projected_to_nothing():
    world = grown_posts(1, 240)
    projector = _fit(world)
    nobody = world.rows(np.zeros(len(world.posts), bool))

    assert projector.method is Method.BOOSTING
    assert len(projector.project(nobody.histories, nobody.accounts).expected) == 0


def test_an_account_whose_posts_live_longer_is_projected_higher():
    world = grown_posts(7, 160, account_count=2)
    gained = world.target_counts - world.histories.last_count
    longer = replace(world, target_counts=world.target_counts + gained * (world.accounts == 1))
    projector = _fit(longer)

    of_first, of_second, of_unknown = (
        np.median(projector.project(world.histories, np.full(len(world.posts), code)).expected)
        for code in (0, 1, 99)
    )

    assert of_first < of_unknown < of_second


@pytest.mark.parametrize(
    ("post_count", "method"),
    [
        (0, Method.BUILT_IN_CURVE),
        (projection.MINIMUM_POSTS_FOR_CURVE - 1, Method.BUILT_IN_CURVE),
        (projection.MINIMUM_POSTS_FOR_CURVE, Method.CURVE),
        (projection.MINIMUM_POSTS_FOR_BOOSTING - 1, Method.CURVE),
        (projection.MINIMUM_POSTS_FOR_BOOSTING, Method.BOOSTING),
    ],
)
def test_the_method_follows_from_how_many_posts_there_are_to_learn_from(
    post_count: int, method: Method
):
    world = grown_posts(8, max(post_count, 1))
    projector = _fit(world.rows(world.posts < post_count))

    assert (projector.method, projector.training_post_count) == (method, post_count)


@pytest.mark.parametrize("post_count", [0, 30])
def test_intervals_hold_what_they_say_or_more_where_little_is_known(post_count: int):
    covered = []
    for seed in range(10):
        world = grown_posts(100 + seed, post_count + 100)
        young = world.rows(world.posts >= post_count)
        found = _fit(world.rows(world.posts < post_count)).project(young.histories, young.accounts)
        covered.append((found.low <= young.target_counts) & (young.target_counts <= found.high))

    assert np.mean(covered) >= 0.74


def test_extrapolations_are_what_their_curves_say():
    on_log = _seen_twice((10.0, 100.0, 1000.0), (1000.0, 2000.0))
    power = _seen_twice((10.0, 40.0, 160.0), (99.0, 199.0))

    assert np.expm1(on_log_time(on_log)) == pytest.approx([3000.0])
    assert np.expm1(on_log_log(power)) == pytest.approx([399.0])
    assert np.expm1(untrained(on_log)) == pytest.approx([3000.0])


@pytest.mark.parametrize(
    ("ages", "message"),
    [((10.0, 5.0, 20.0), "ordered"), ((1.0, 5.0, 5.0), "ordered"), ((0.0, 5.0, 9.0), "above 0")],
)
def test_ages_out_of_order_are_refused(ages: tuple[float, float, float], message: str):
    with pytest.raises(ValueError, match=message):
        _seen_twice(ages, (1.0, 2.0))


def test_histories_of_different_lengths_are_refused():
    one = _seen_twice((1.0, 2.0, 3.0), (1.0, 2.0))

    with pytest.raises(ValueError, match="differ in shape"):
        replace(one, last_count=np.array([1.0, 2.0]))


def test_a_weighted_quantile_is_that_of_values_repeated_by_their_weights():
    rng = np.random.default_rng(3)
    values, weights = rng.normal(size=40), rng.integers(1, 5, size=40)
    repeated = np.repeat(values, weights)
    for share in (0.1, 0.5, 0.9, 1.0):
        expected = np.quantile(repeated, share, method="inverted_cdf")
        assert projection.weighted_quantile(values, weights.astype(float), share) == expected


def test_the_heavy_library_is_loaded_only_to_learn():
    script = (
        "import sys; import pipeline.measure.build, pipeline.measure.projection_table; "
        "assert not [name for name in sys.modules if name.startswith('sklearn')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
