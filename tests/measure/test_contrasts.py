import math
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.measure.contrasts import Contrast, contrast, judge
from pipeline.measure.verdict_rule import FINAL_DEVIATIONS, Verdict


def simulated(
    chance: np.random.Generator, effects: dict[str, float], shares: dict[str, float], n: int
) -> tuple[np.ndarray, np.ndarray]:
    names = np.array(list(effects), dtype=object)
    segments = chance.choice(names, n, p=[shares[name] for name in names])
    values = np.array([effects[name] for name in segments]) + 0.5 * chance.normal(size=n)
    return values, segments


def test_intervals_cover_what_was_planted():
    chance = np.random.default_rng(3)
    effects, shares = {"a": 0.3, "b": 0.1, "c": -0.2}, {"a": 0.5, "b": 0.3, "c": 0.2}
    truth = 0.3 - (0.75 * 0.1 + 0.25 * -0.2)
    covered = 0
    for _ in range(1000):
        values, segments = simulated(chance, effects, shares, 60)
        found = contrast(values, segments, None, segment="a", control_shares={"b": 3.0, "c": 1.0})
        assert found is not None
        reach = 2.0 * found.standard_error  # Student's t for 57 degrees of freedom
        covered += abs(found.estimate - truth) < reach
    assert 0.93 < covered / 1000 < 0.97


def test_weights_by_probability_undo_a_mixture_that_drifted_with_the_outcome():
    # The account doubled its reach half-way, and from then on made the segment far more often:
    # without the weights the segment would get the credit.
    chance = np.random.default_rng(5)
    plain: list[float] = []
    weighted: list[float] = []
    for _ in range(300):
        early, late = 0.2, 0.8
        probability = np.repeat([early, late], 100)
        is_own = chance.uniform(size=200) < probability
        segments = np.where(is_own, "own", "other").astype(object)
        values = np.repeat([0.0, math.log(2)], 100) + 0.3 * chance.normal(size=200)
        chances = np.where(is_own, probability, 1 - probability)
        for found, probabilities in ((plain, None), (weighted, chances)):
            estimate = contrast(values, segments, probabilities, segment="own", control_shares={})
            assert estimate is not None
            found.append(estimate.estimate)
    assert np.mean(plain) > 0.3
    assert abs(np.mean(weighted)) < 0.02


@pytest.mark.parametrize(("own", "others"), [(7, 40), (40, 7), (0, 40)])
def test_too_few_posts_on_a_side_give_no_figure(own: int, others: int):
    segments = np.array(["own"] * own + ["other"] * others, dtype=object)
    values = np.random.default_rng(1).normal(size=own + others)
    assert contrast(values, segments, None, segment="own", control_shares={}) is None


def test_segments_that_did_not_give_way_do_not_count():
    segments = np.array(["own"] * 10 + ["b"] * 10 + ["new"] * 30, dtype=object)
    values = np.concatenate([np.tile([0.9, 1.1], 5), np.tile([-0.1, 0.1], 5), np.full(30, 9.0)])
    found = contrast(values, segments, None, segment="own", control_shares={"b": 1.0})
    assert found is not None
    assert found.control_n == 10
    assert found.estimate == pytest.approx(1.0)


def judgements() -> Iterator[tuple[float, bool, Verdict]]:
    yield 0.5, True, Verdict.WORKED
    yield -0.5, True, Verdict.DID_NOT_WORK
    yield -0.5, False, Verdict.WORKED
    yield 0.5, False, Verdict.DID_NOT_WORK
    yield 0.05, True, Verdict.CANNOT_TELL
    yield 0.15, True, Verdict.CANNOT_TELL


@pytest.mark.parametrize(("estimate", "is_better", "expected"), list(judgements()))
def test_the_verdict_follows_the_interval(estimate: float, is_better: bool, expected: Verdict):
    found = Contrast(40, 60, estimate, 0.1, 98.0)
    judged = judge(
        found, is_better=is_better, smallest_useful_ratio=1.1, deviations=FINAL_DEVIATIONS
    )
    assert judged.verdict is expected
    assert judged.ratio_low < judged.ratio < judged.ratio_high
    assert judged.ratio == pytest.approx(math.exp(estimate))
    assert (judged.more_posts_needed > 0) is (expected is Verdict.CANNOT_TELL)


def test_a_sure_but_useless_gain_did_not_work():
    found = Contrast(40_000, 60_000, 0.03, 0.003, 99_998.0)
    judged = judge(found, is_better=True, smallest_useful_ratio=1.1, deviations=FINAL_DEVIATIONS)
    assert judged.verdict is Verdict.DID_NOT_WORK


def test_the_posts_that_are_said_to_be_missing_would_do():
    found = Contrast(40, 60, 0.15, 0.1, 98.0)
    judged = judge(found, is_better=True, smallest_useful_ratio=1.1, deviations=FINAL_DEVIATIONS)
    growth = (100 + judged.more_posts_needed) / 100
    later = Contrast(1, 1, 0.15, 0.1 / math.sqrt(growth), 98 * growth)
    assert judge(
        later, is_better=True, smallest_useful_ratio=1.1, deviations=FINAL_DEVIATIONS
    ).verdict is Verdict.WORKED  # fmt: skip
