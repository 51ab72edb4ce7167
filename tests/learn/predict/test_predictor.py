"""What is served, to whom, and how good it is in worlds whose rule is known."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.learn.predict.posts import COUNT, RATE, Posts
from pipeline.learn.predict.predictor import FittedModel, fit
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.standing import standing
from tests.learn.predict.worlds import World, split_at, world

SHARE = 0.7


def _later(made: World, model: FittedModel) -> tuple[Posts, np.ndarray]:
    unknown = made.posts.known_at_hours >= model.trained_at_hours
    later = made.posts.rows(unknown)
    return later, later.posted_at_hours >= model.trained_at_hours


def _below_baseline(made: World, model: FittedModel) -> float:
    later, asked = _later(made, model)
    logs = COUNT.to_log(later.outcome)
    baseline = standing(later, made.posts, COUNT).quantiles
    said = model.replay(later).log_quantiles
    return float(1 - pinball(logs, said)[asked].mean() / pinball(logs, baseline)[asked].mean())


def test_planted_effects_are_ranked_nearly_as_well_as_the_truth_ranks_them():
    shares = []
    for seed in range(3):
        made = world(seed, posts_per_account=140, effect=1.0)
        model = fit(made.posts, COUNT, trained_at_hours=split_at(made.posts, SHARE))
        later, asked = _later(made, model)
        truth = made.planted[made.posts.known_at_hours >= model.trained_at_hours][asked]
        outcome = later.outcome[asked]
        reached = stats.spearmanr(model.replay(later).expected[asked], outcome).statistic
        shares.append(reached / stats.spearmanr(truth, outcome).statistic)
    assert np.mean(shares) >= 0.9


def test_a_model_that_sees_effects_beats_the_baseline_and_features_of_noise_cost_nothing():
    seeing = world(11, posts_per_account=150, effect=1.0)
    blind = world(12, posts_per_account=150, effect=0.0)
    for made, low, high in ((seeing, 0.10, 0.5), (blind, -0.01, 0.05)):
        model = fit(made.posts, COUNT, trained_at_hours=split_at(made.posts, SHARE))
        assert low <= _below_baseline(made, model) <= high


def test_a_few_posts_of_each_account_are_served_the_baseline_and_lose_nothing():
    below = []
    for seed in range(6):
        made = world(seed, accounts=30, posts_per_account=10)
        model = fit(made.posts, COUNT, trained_at_hours=split_at(made.posts, 0.6))
        below.append(_below_baseline(made, model))
        later, _ = _later(made, model)
        found = model.replay(later)
        assert not found.is_model.any()
        known = int(found.known_posts[-1])
        assert found.reason(-1) == f"not enough training data ({known} of 50)"
        baseline = standing(later, made.posts, COUNT).quantiles
        np.testing.assert_allclose(found.log_quantiles[:, 1], baseline[:, 1], atol=1e-9)
    assert np.mean(below) >= 0


def test_an_account_leaves_the_model_when_the_model_gets_worse_than_its_own_quantiles():
    made = world(5, accounts=3, posts_per_account=200, effect=1.5, luck=0.4)
    posts = made.posts
    begins = split_at(posts, 0.6)
    model = fit(posts, COUNT, trained_at_hours=begins)
    later = posts.rows(posts.known_at_hours >= begins)
    turned = world(5, accounts=3, posts_per_account=200, effect=-1.5, luck=0.4).posts
    turned_later = turned.rows(posts.known_at_hours >= begins)
    assert model.replay(later).is_model[-30:].all()
    assert not model.replay(turned_later).is_model[-30:].any()
    row = len(turned_later) - 1
    assert "own quantiles" in str(model.replay(turned_later).reason(row))


def test_intervals_hold_what_they_say_while_all_accounts_grow():
    covered = []
    for seed in range(2):
        made = world(20 + seed, posts_per_account=130, drift_per_day=0.004)
        model = fit(made.posts, COUNT, trained_at_hours=split_at(made.posts, 0.5))
        later, asked = _later(made, model)
        found = model.replay(later)
        logs = COUNT.to_log(later.outcome)
        inside = (found.log_quantiles[:, 0] <= logs) & (logs <= found.log_quantiles[:, 2])
        covered.append(inside[asked].mean())
    assert 0.77 <= np.mean(covered) <= 0.83


def test_the_same_posts_give_the_same_model_bit_for_bit_and_it_can_be_stored():
    posts = world(7).posts
    begins = split_at(posts, SHARE)
    model, again = (fit(posts, COUNT, trained_at_hours=begins) for _ in range(2))
    stored = pickle.loads(pickle.dumps(model))
    asked = posts.rows(posts.posted_at_hours >= begins)
    for other in (again, stored):
        np.testing.assert_array_equal(
            other.predict(asked).log_quantiles, model.predict(asked).log_quantiles
        )


def test_weights_are_shares_and_favour_what_was_right():
    model = fit(world(8, posts_per_account=150).posts, COUNT)
    assert sum(model.weights.values()) == pytest.approx(1)
    assert min(model.weights.values()) >= 0
    assert model.weights["ridge"] > 2 * model.weights["account_quantiles"]


def test_no_posts_at_all_and_one_account_without_any_are_answered():
    posts = world(9).posts
    nothing = fit(posts.rows(slice(0, 0)), COUNT)
    found = nothing.predict(posts.rows(slice(0, 2)).without_outcomes())
    assert [found.reason(row) for row in range(2)] == ["not enough training data (0 of 50)"] * 2
    model = fit(posts, COUNT)
    stranger = posts.rows(slice(0, 1)).without_outcomes()
    new = Posts(
        np.array(["nobody"]), stranger.posted_at_hours + 1e6, stranger.known_at_hours,
        stranger.outcome, stranger.segments, stranger.numbers,
        stranger.dimension_names, stranger.number_names,
    )  # fmt: skip
    answer = model.predict(new)
    assert 0 < answer.low[0] < answer.expected[0] < answer.high[0]
    assert answer.reason(0) == "not enough training data (0 of 50)"


def test_other_levels_and_probabilities_belong_to_one_distribution():
    posts = world(10).posts
    begins = split_at(posts, SHARE)
    model = fit(posts, COUNT, trained_at_hours=begins)
    found = model.predict(posts.rows(posts.posted_at_hours >= begins))
    levels = np.array([0.05, 0.1, 0.3, 0.5, 0.75, 0.9, 0.99])
    values = found.quantiles(levels)
    assert (np.diff(values, axis=1) > 0).all()
    np.testing.assert_allclose(values[:, 1], found.low)
    np.testing.assert_allclose(values[:, 3], found.expected)
    for place, level in enumerate(levels):
        np.testing.assert_allclose(found.share_above(values[:, place]), 1 - level, atol=1e-6)


def test_rates_stay_shares():
    assert RATE.from_log(np.array([-50.0, 0.5])).tolist() == [0.0, 1.0]
    assert RATE.from_log(RATE.to_log(np.array([0.05]))) == pytest.approx([0.05])


def test_missing_numbers_and_unknown_segments_are_taken():
    posts = world(13).posts
    begins = split_at(posts, SHARE)
    numbers = posts.numbers.copy()
    numbers[::3, 0] = np.nan
    numbers[:, 2] = np.nan
    segments = posts.segments.copy()
    segments[::4, 0] = ""
    holes = Posts(
        posts.account, posts.posted_at_hours, posts.known_at_hours, posts.outcome, segments,
        numbers, posts.dimension_names, posts.number_names,
    )  # fmt: skip
    model = fit(holes, COUNT, trained_at_hours=begins)
    found = model.predict(holes.rows(holes.posted_at_hours >= begins))
    assert np.isfinite(found.log_quantiles).all()


def test_the_first_posts_of_a_lone_account_do_not_blow_up_the_intervals_of_later_ones():
    # Several posts go out while one outcome is known, and one value has no spread.
    widest = []
    for seed in range(8):
        made = world(seed, accounts=1, posts_per_account=60, luck=0.5)
        posts = replace(made.posts, posted_at_hours=made.posts.posted_at_hours / 12)
        posts = replace(posts, known_at_hours=posts.posted_at_hours + 72)
        model = fit(posts, COUNT, trained_at_hours=split_at(posts, SHARE))
        later = posts.rows(posts.known_at_hours >= model.trained_at_hours)
        said = model.replay(later).log_quantiles
        widest.append(float((said[:, 2] - said[:, 0]).max()))
    assert max(widest) < 8
