"""Gaps of predictions and their corrections, on accounts whose gaps are planted."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.reflexion_worlds import (
    SCRIPTS,
    START,
    SUNDAYS,
    first_posts,
    loss,
    off,
    scored_world,
)
from pipeline.learn.predict.corrections import Correction, Scores, trial_of
from pipeline.learn.predict.post_features import DIMENSIONS, REFLEXION_WEIGHT
from pipeline.learn.predict.quantiles import pinball
from pipeline.learn.predict.reflexion import gaps, proposals

NONE = frozenset[tuple[str, str]]()
DAY = timedelta(days=1)


def correction(factor: float, place: tuple[str, str] = SUNDAYS, **days: float) -> Correction:
    """Proposed at the start unless told; moments in days since then."""
    moments: dict[str, Any] = {name: START + day * DAY for name, day in days.items()}
    return replace(Correction(*place, factor, proposed_at=START), **moments)


def corrected(scores: Scores, corrections: list[Correction]) -> Scores:
    """The same outcomes, had these corrections been in force at all times."""
    product = np.ones(len(scores.weight))
    for one in corrections:
        product[scores.of_segment(one.dimension, one.segment)] *= one.factor
    weight = REFLEXION_WEIGHT.within(product)
    said = scores.log_quantiles + np.log(weight)[:, None]
    return replace(scores, log_quantiles=said, weight=weight)


def test_where_nothing_is_off_almost_nothing_is_proposed():
    worlds = [scored_world(seed, 120) for seed in range(120)]
    drifting = [scored_world(seed, 120, drift=1.5) for seed in range(60)]
    wandering = [scored_world(seed, 120, level=0.1) for seed in range(60)]

    for found in (worlds, drifting, wandering):
        proposing = sum(bool(proposals(one, [], resting=NONE)) for one in found)
        assert proposing <= 0.1 * len(found)


def test_large_gaps_are_found_with_their_sign_and_their_size():
    planted = {SUNDAYS: -0.9, SCRIPTS: 0.9}
    right, wrong = [], 0
    for seed in range(40):
        for new in proposals(scored_world(seed, 180, planted), [], resting=NONE):
            place = (new.gap.dimension, new.gap.segment)
            if place in planted:
                right.append((new.factor, planted[place]))
            else:
                wrong += 1

    assert len(right) >= 50
    assert wrong <= 0.1 * len(right)
    assert all((factor < 1) == (gap < 0) for factor, gap in right)
    assert all(0.5 <= factor <= 1.5 for factor, _ in right)


def test_intervals_of_gaps_cover_what_was_planted():
    # A gap is against all posts, of which those of the segment are a part.
    covered = []
    for seed in range(200):
        world = scored_world(seed, 150, {SCRIPTS: 0.5})
        share = world.of_segment(*SCRIPTS).mean()
        (gap,) = [one for one in gaps(world, []) if (one.dimension, one.segment) == SCRIPTS]
        covered.append(gap.low <= 0.5 * (1 - share) <= gap.high)

    assert 0.84 <= np.mean(covered) <= 0.96


def test_a_phase_of_the_account_is_no_trait_of_what_it_posted_then():
    phase = 0
    for seed in range(40):
        world = scored_world(seed, 140)
        late = np.arange(140) >= 84
        segments = world.segments.copy()
        segments[late, DIMENSIONS.index("format")] = "format_new"
        world = replace(world, log_outcome=world.log_outcome + 1.0 * late, segments=segments)
        phase += sum(new.gap.dimension == "format" for new in proposals(world, [], resting=NONE))

    assert phase <= 2


def test_what_two_segments_share_is_corrected_once():
    world = scored_world(3, 200, {SUNDAYS: -1.2})
    segments = world.segments.copy()
    segments[:, DIMENSIONS.index("topic")] = np.where(
        world.of_segment(*SUNDAYS), "sunday_talk", "other"
    )
    world = replace(world, segments=segments)

    found = proposals(world, [], resting=NONE)

    alike = [new for new in found if new.gap.segment in {"7", "sunday_talk", "other"}]
    assert len(alike) == 1


def test_standing_and_resting_segments_get_no_second_correction():
    world = scored_world(3, 200, {SUNDAYS: -1.2})
    (first, *_) = proposals(world, [], resting=NONE)
    assert (first.gap.dimension, first.gap.segment) == SUNDAYS

    standing = correction(first.factor, proposed_at=200)
    again = [
        *proposals(world, [standing], resting=NONE),
        *proposals(world, [], resting=frozenset({SUNDAYS})),
    ]
    assert SUNDAYS not in [(new.gap.dimension, new.gap.segment) for new in again]


def test_an_applied_correction_closes_its_gap_and_unapplied_predictions_know_it():
    world = scored_world(3, 200, {SUNDAYS: -0.6})
    applied = correction(0.6, applied_at=0)

    def gap_of(scores, corrections):
        found = {(one.dimension, one.segment): one for one in gaps(scores, corrections)}
        return found[SUNDAYS].log_gap

    before, after = gap_of(world, []), gap_of(world, [applied])
    assert after == pytest.approx(before - math.log(0.6) * 6 / 7, abs=0.05)
    # The same whether the stored predictions had it in them or not.
    assert gap_of(corrected(world, [applied]), [applied]) == pytest.approx(after, abs=1e-12)


def test_a_trial_compares_the_same_predictions_with_and_without_a_correction():
    applied = correction(0.7, applied_at=50, ended_at=150)
    other = correction(1.4, SCRIPTS, applied_at=0)
    world = scored_world(5, 200, {SUNDAYS: -0.5})
    own, scripts = world.of_segment(*SUNDAYS), world.of_segment(*SCRIPTS)
    in_force = own & (np.arange(200) > 50) & (np.arange(200) <= 150)
    weight = np.where(in_force, 0.7, 1.0) * np.where(scripts, 1.4, 1.0)
    without = np.where(scripts, 1.4, 1.0)
    said = replace(
        world, weight=weight, log_quantiles=world.log_quantiles + np.log(weight)[:, None]
    )

    trial = trial_of(said, applied, [other])

    assert trial.n == in_force.sum()
    assert trial.loss_with == pytest.approx(
        pinball(said.log_outcome, said.log_quantiles)[in_force].mean()
    )
    bare = world.log_quantiles + np.log(without)[:, None]
    assert trial.loss_without == pytest.approx(pinball(said.log_outcome, bare)[in_force].mean())
    assert trial.change_low < trial.loss_with - trial.loss_without < trial.change_high


def test_a_proposal_is_tried_on_the_posts_after_it_without_being_applied():
    world = scored_world(5, 200, {SUNDAYS: -0.9})
    good, bad = correction(0.6, proposed_at=99.5), correction(1.5, proposed_at=99.5)

    helped, harmed = trial_of(world, good, []), trial_of(world, bad, [])

    assert helped.n == harmed.n == world.of_segment(*SUNDAYS)[100:].sum()
    assert helped.helps
    assert not helped.is_surely_worse
    assert harmed.is_surely_worse
    assert trial_of(first_posts(world, 90), good, []).n == 0


def test_the_loop_lowers_the_loss_where_predictions_are_off_and_costs_little_where_not():
    found, nothing = off({SUNDAYS: -0.7, SCRIPTS: 0.7}, 20), off(None, 40)

    assert found.ratio < 0.995
    assert found.right_share > 0.6
    assert nothing.ratio < 1.003
    assert nothing.corrections < 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(-3, 3))
def test_any_number_of_scores_gives_finite_figures(posts: int, seed: int, gap: float):
    world = scored_world(seed, posts, {SUNDAYS: gap})

    for one in gaps(world, []):
        assert math.isfinite(one.log_gap + one.shrunk + one.low + one.high)
        assert 0.5 <= one.factor <= 1.5
        assert abs(one.shrunk) <= abs(one.log_gap)
    for new in proposals(world, [], resting=NONE):
        assert new.trial.helps
        fixed = Correction(new.gap.dimension, new.gap.segment, new.factor, START)
        assert loss(corrected(world, [fixed])) < 1.05 * loss(world)
