"""The word an experiment's reading ends with."""

import pytest

from pipeline.learn.experiments.verdicts import (
    Guard,
    Reading,
    Size,
    Verdict,
    conclude,
    size_of,
)

SMALLEST = 0.1


@pytest.mark.parametrize(
    ("reading", "ended", "verdict", "better"),
    [
        (Reading(0.01, 0.02, 0.4), False, Verdict.WINNER, True),
        (Reading(0.01, -0.4, -0.02), False, Verdict.WINNER, False),
        (Reading(0.01, 0.01, 0.06), False, Verdict.NO_USEFUL_DIFFERENCE, None),
        (Reading(0.40, -0.08, 0.09), False, Verdict.NO_USEFUL_DIFFERENCE, None),
        (Reading(0.40, -0.2, 0.3), False, Verdict.KEEP_GOING, None),
        (Reading(0.40, -0.2, 0.3), True, Verdict.NO_USEFUL_DIFFERENCE, None),
        (Reading(0.001, -0.5, -0.15), False, Verdict.STOPPED_FOR_HARM, False),
        (Reading(1.0, float("-inf"), float("inf")), False, Verdict.KEEP_GOING, None),
    ],
)
def test_the_word_follows_from_the_reading(reading, ended, verdict, better):
    conclusion = conclude(reading, smallest_useful=SMALLEST, ended=ended)

    assert (conclusion.verdict, conclusion.better) == (verdict, better)


def test_harm_to_a_guardrail_goes_before_a_winner_and_a_fault_before_both():
    winner = Reading(0.001, 0.2, 0.4)
    guard = Guard("reach", 0.05, -0.30, -0.06)

    harmed = conclude(winner, smallest_useful=SMALLEST, ended=False, guards=[guard])
    invalid = conclude(
        winner, smallest_useful=SMALLEST, ended=False, guards=[guard], faults=["One arm."]
    )

    assert harmed.verdict is Verdict.STOPPED_FOR_HARM
    assert "reach" in harmed.because
    assert (invalid.verdict, invalid.because) == (Verdict.INVALID, "One arm.")


def test_a_loss_within_what_is_allowed_is_no_harm():
    guard = Guard("reach", 0.05, -0.30, -0.04)

    conclusion = conclude(
        Reading(0.5, -1.0, 1.0), smallest_useful=SMALLEST, ended=False, guards=[guard]
    )

    assert conclusion.verdict is Verdict.KEEP_GOING


@pytest.mark.parametrize(
    ("low", "high", "size"),
    [(0.1, 0.5, Size.USEFUL), (-0.5, -0.1, Size.USEFUL), (-0.05, 0.09, Size.NEGLIGIBLE),
     (0.05, 0.2, Size.UNCLEAR)],
)  # fmt: skip
def test_practical_size_is_where_the_interval_lies(low, high, size):
    assert size_of(low, high, SMALLEST) is size


@pytest.mark.parametrize(
    ("reading", "verdict", "better"),
    [
        (Reading(0.001, -0.5, -0.15), Verdict.WINNER, False),
        (Reading(0.01, 0.01, 0.02), Verdict.WINNER, True),
        (Reading(0.40, -0.01, 0.01), Verdict.KEEP_GOING, None),
    ],
)
def test_without_a_smallest_useful_effect_neither_harm_nor_uselessness_is_concluded(
    reading, verdict, better
):
    conclusion = conclude(reading, smallest_useful=None, ended=False)

    assert (conclusion.verdict, conclusion.better) == (verdict, better)
