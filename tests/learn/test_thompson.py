import random

import pytest

from pipeline.learn.thompson import PRIOR, chances_of_being_best

KNOWN = {"a": (0.3, 0.1), "b": (0.1, 0.1), "c": (-0.1, 0.2), "d": PRIOR}


def test_the_chances_are_those_that_sampling_gives():
    chances = chances_of_being_best(KNOWN, spread=1.0)
    chance = random.Random(7)
    draws = 40_000
    counts = dict.fromkeys(KNOWN, 0)
    for _ in range(draws):
        values = {name: chance.gauss(mean, sd) for name, (mean, sd) in KNOWN.items()}
        counts[max(values, key=values.__getitem__)] += 1
    for name, count in counts.items():
        assert chances[name] == pytest.approx(count / draws, abs=0.01)


@pytest.mark.parametrize(
    "posteriors",
    [
        {"a": (0.0, 0.25)},
        {"a": (0.0, 0.25), "b": (0.0, 0.25), "c": (0.0, 0.25)},
        {"a": (2.0, 0.001), "b": (-2.0, 0.001)},
        {"a": (0.1, 0.0), "b": (0.0, 1.0)},
        KNOWN,
    ],
)
def test_the_chances_sum_to_one(posteriors):
    chances = chances_of_being_best(posteriors)
    assert list(chances) == list(posteriors)
    assert sum(chances.values()) == pytest.approx(1)
    assert all(share >= 0 for share in chances.values())


def test_formats_that_are_known_alike_are_tried_alike():
    assert chances_of_being_best(dict.fromkeys("abcd", (0.1, 0.2))) == pytest.approx(
        dict.fromkeys("abcd", 0.25)
    )


def test_less_spread_favours_what_looks_good():
    plain = chances_of_being_best(KNOWN, spread=1.0)
    assert chances_of_being_best(KNOWN, spread=0.6)["a"] > plain["a"]
    assert chances_of_being_best({}) == {}
