"""Arms come in random blocks, balanced in each stratum and over all of them."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.decide.experiment_arms import (
    DAYPART_ENDS,
    MOST_IMBALANCE,
    next_arm,
    plain_subject,
    stratum_of,
)
from pipeline.simulate.posts import DAYPART_HOURS

ARMS = ("usual", "tried", "third", "fourth")

series = st.tuples(
    st.integers(2, 4),
    st.integers(0, 2**48),
    st.lists(
        st.sampled_from([f"{day}/{part}" for day in range(1, 4) for part in "mde"]), max_size=60
    ),
)


def dealt(arms: tuple[str, ...], seed: int, strata: list[str]) -> list[tuple[str, str]]:
    """The assignments of a series of strata."""
    earlier: list[tuple[str, str]] = []
    for stratum in strata:
        position = sum(their == stratum for their, _ in earlier)
        earlier.append((stratum, next_arm(arms, seed, stratum, position, earlier)))
    return earlier


def imbalance(arms: tuple[str, ...], assigned: list[str]) -> int:
    counts = Counter(assigned)
    return max(counts[arm] for arm in arms) - min(counts[arm] for arm in arms)


@given(series)
def test_no_arm_gets_far_ahead_in_the_whole_experiment(drawn: tuple[int, int, list[str]]):
    arms = ARMS[: drawn[0]]
    assigned = [arm for _, arm in dealt(arms, *drawn[1:])]
    for end in range(1, len(assigned) + 1):
        assert imbalance(arms, assigned[:end]) <= MOST_IMBALANCE


@given(series)
def test_a_stratum_is_uneven_only_where_the_whole_leaves_no_other_choice(
    drawn: tuple[int, int, list[str]],
):
    arms = ARMS[: drawn[0]]
    assignments = dealt(arms, *drawn[1:])
    for place, (stratum, arm) in enumerate(assignments):
        overall = Counter(dict.fromkeys(arms, 0))
        within = Counter(dict.fromkeys(arms, 0))
        for their_stratum, theirs in assignments[:place]:
            overall[theirs] += 1
            within[theirs] += their_stratum == stratum
        owed = [one for one in arms if within[one] == min(within.values())]
        if arm not in owed:
            assert all(overall[one] - min(overall.values()) >= MOST_IMBALANCE for one in owed), (
                "an arm that the stratum owed could have been given"
            )


@given(st.integers(2, 4), st.integers(0, 2**48), st.integers(1, 12))
def test_in_a_single_stratum_every_block_holds_every_arm_once(
    arm_count: int, seed: int, blocks: int
):
    arms = ARMS[:arm_count]
    assigned = [arm for _, arm in dealt(arms, seed, ["3/evening"] * (blocks * arm_count))]
    for start in range(0, len(assigned), arm_count):
        assert sorted(assigned[start : start + arm_count]) == sorted(arms)


@given(series)
@example((2, 0, ["1/m", "1/m", "2/d"]))
def test_the_same_arguments_give_the_same_arm_whatever_their_order(
    drawn: tuple[int, int, list[str]],
):
    arms, seed, strata = ARMS[: drawn[0]], drawn[1], drawn[2]
    earlier = dealt(arms, seed, strata)
    position = sum(stratum == "1/m" for stratum in strata)
    given_in_order = next_arm(arms, seed, "1/m", position, earlier)
    assert next_arm(arms, seed, "1/m", position, list(reversed(earlier))) == given_in_order
    assert dealt(arms, seed, [*strata, "1/m"])[-1] == ("1/m", given_in_order)


@pytest.mark.parametrize("arm_count", [2, 3])
def test_over_seeds_each_arm_is_equally_likely_at_every_place(arm_count: int):
    arms = ARMS[:arm_count]
    strata = [f"{place % 7 + 1}/{'me'[place % 2]}" for place in range(20)]
    runs = 1500
    counts = [Counter[str]() for _ in strata]
    for seed in range(runs):
        for place, (_, arm) in enumerate(dealt(arms, seed, strata)):
            counts[place][arm] += 1
    # Four and a half standard errors: 60 shares are looked at.
    allowed = 4.5 * ((1 / arm_count) * (1 - 1 / arm_count) / runs) ** 0.5
    for counted in counts:
        for arm in arms:
            assert counted[arm] / runs == pytest.approx(1 / arm_count, abs=allowed)


def test_strata_stay_nearly_even_in_a_year_of_posts():
    """Ten posts a week at usual hours: more than one arm ahead is rare, and never by much."""
    worst = Counter[int]()
    for seed in range(15):
        strata = [
            f"{(place * 5 + seed) % 7 + 1}/{'mae'[(place + seed) % 3]}" for place in range(400)
        ]
        within: dict[str, list[str]] = {}
        for stratum, arm in dealt(ARMS[:2], seed, strata):
            within.setdefault(stratum, []).append(arm)
        worst.update(imbalance(ARMS[:2], assigned) for assigned in within.values())
    assert sum(count for ahead, count in worst.items() if ahead > 1) < 0.1 * worst.total()
    assert max(worst) <= 4


def test_the_next_arm_is_not_the_other_one_each_time():
    assigned = [arm for _, arm in dealt(ARMS[:2], 3, ["3/evening"] * 200)]
    repeats = sum(one == other for one, other in pairwise(assigned))
    assert 30 < repeats < 70  # of 199; every second pair lies across two blocks


def test_a_stratum_is_the_weekday_and_the_part_of_the_day_of_the_account():
    wednesday = datetime(2026, 11, 18, 19, 30, tzinfo=UTC)
    assert stratum_of(wednesday, "morning", is_daypart_tried=False) == "3/morning"
    assert stratum_of(wednesday, None, is_daypart_tried=False) == "3/evening"
    assert stratum_of(wednesday, "morning", is_daypart_tried=True) == "3"


def test_the_parts_of_the_day_end_where_those_of_posts_do():
    assert {name: end for name, (_, end) in DAYPART_HOURS.items()} == DAYPART_ENDS


def test_case_spaces_and_forms_of_letters_make_no_other_subject():
    assert plain_subject("  Nap  TIME\n") == plain_subject("nap time")
    assert plain_subject("ﬁrst Ｎap") == "first nap"
    assert plain_subject("nap times") != plain_subject("nap time")
