"""The table of effects: one mechanism, one row per segment, families per account."""

import math
from typing import Any

import numpy as np
import pytest

from pipeline.measure.effects import Verdict
from pipeline.measure.segment_effects import EffectRow, compute, log_outcome

Observation = tuple[Any, ...]


def _posts(
    account: str, segment: str, n: int, factor: float, generator: np.random.Generator
) -> list[Observation]:
    views = 1000 * factor * np.exp(0.4 * generator.standard_normal(n))
    return [
        (account, "tiktok", "format", segment, "views_7d", 168, float(v), float(v), None)
        for v in views
    ]


def _find(rows: list[EffectRow], account: str, segment: str) -> EffectRow:
    return next(row for row in rows if (row.account_name, row.segment) == (account, segment))


def test_a_planted_ratio_is_measured_against_the_accounts_own_usual() -> None:
    generator = np.random.default_rng(1)
    observations = _posts("a", "guide", 60, 2.0, generator) + _posts(
        "a", "list", 60, 1.0, generator
    )
    rows = compute(observations)
    guide = _find(rows, "a", "guide")

    assert guide.effect_low is not None
    assert guide.effect_high is not None
    assert guide.effect_low <= math.sqrt(2) <= guide.effect_high
    assert guide.verdict == Verdict.BETTER
    assert _find(rows, "a", "list").verdict == Verdict.WORSE
    assert (guide.n, guide.account_n, guide.age_hours) == (60, 120, 168)


def test_a_segment_with_few_posts_keeps_its_count_and_gets_no_figure() -> None:
    generator = np.random.default_rng(2)
    rows = compute(
        _posts("a", "guide", 30, 1.0, generator) + _posts("a", "rare", 3, 9.0, generator)
    )
    rare = _find(rows, "a", "rare")

    assert (rare.n, rare.effect, rare.q_value) == (3, None, None)
    assert rare.verdict == Verdict.NOT_ENOUGH_DATA
    assert rare.median is not None


def test_a_big_account_with_a_favourite_format_does_not_make_the_format_universal() -> None:
    """Pooled naively, the big account's audience would make its favourite format look best."""
    generator = np.random.default_rng(3)
    big = _posts("big", "list", 90, 100.0, generator) + _posts("big", "guide", 10, 100.0, generator)
    small = _posts("small", "list", 10, 1.0, generator) + _posts(
        "small", "guide", 90, 1.0, generator
    )
    rows = compute(big + small)

    assert _find(rows, "*", "list").verdict == Verdict.NO_CLEAR_DIFFERENCE
    assert _find(rows, "*", "list").account_count == 2


def test_rates_keep_their_own_counts_so_that_a_post_without_saves_has_a_place() -> None:
    assert log_outcome(0.0, 0.0, 99.0) == pytest.approx(math.log(0.5 / 100))
    assert log_outcome(9.0, 9.0, None) == pytest.approx(math.log(10))


def test_the_order_of_posts_does_not_matter() -> None:
    generator = np.random.default_rng(4)
    observations = _posts("a", "guide", 20, 2.0, generator) + _posts(
        "b", "list", 20, 1.0, generator
    )
    assert [r.segment for r in compute(observations)] == [
        r.segment for r in compute(observations[::-1])
    ]
