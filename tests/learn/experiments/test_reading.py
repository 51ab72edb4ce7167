"""Readings: verdicts, looks that nobody has to remember, and what is left out of them."""

import json
import math
import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipeline.learn.experiments.adjusting import Adjustment
from pipeline.learn.experiments.reading import read_posts
from pipeline.learn.experiments.readings import ExperimentReading
from pipeline.learn.experiments.registration import ArmDesign, Registration
from pipeline.learn.experiments.verdicts import Size, Verdict
from tests.learn.experiments.hand_made import (
    BEGAN,
    after,
    experiment,
    guarded,
    outcome,
    registration,
    views,
)


def read(
    design: Registration, typical: dict[str, float], *, n: int = 70, seed: int = 1
) -> ExperimentReading:
    """An experiment of views with so many posts per arm, read at its end."""
    values = {
        name: {"views_72h": views(n, mean, seed=seed + place)}
        for place, (name, mean) in enumerate(typical.items())
    }
    assignments, posts = experiment(design, values)
    return read_posts(design, assignments, posts, after(posts))


def test_a_tried_arm_that_is_surely_better_wins() -> None:
    found = read(registration(), {"usual": 400, "tried": 640})

    (contrast,) = found.contrasts
    assert (found.verdict, found.winner) == (Verdict.WINNER, "tried")
    assert contrast.ratio_low is not None
    assert contrast.ratio_high is not None
    assert 1 < contrast.ratio_low < 1.6 < contrast.ratio_high
    assert contrast.p_value_anytime_adjusted <= 0.05
    assert contrast.usual_n + contrast.tried_n < 80  # well before the planned end
    assert found.arms[1].chance_best is not None
    assert found.arms[1].chance_best > 0.99
    assert "tried is better than usual in views after 3 days" in found.because


def test_the_usual_arm_wins_where_the_tried_one_is_a_little_worse() -> None:
    design = registration(smallest_useful_ratio=1.3, planned_per_arm=100, longest_per_arm=400)
    found = read(design, {"usual": 500, "tried": 400}, n=300)

    assert (found.verdict, found.winner) == (Verdict.WINNER, "usual")


def test_a_tried_arm_that_is_much_worse_is_stopped_for_harm() -> None:
    found = read(registration(), {"usual": 6_000, "tried": 300})

    assert (found.verdict, found.winner) == (Verdict.STOPPED_FOR_HARM, None)
    assert "worse than usual" in found.because


def test_arms_that_are_alike_end_without_a_useful_difference() -> None:
    found = read(
        registration(planned_per_arm=60, longest_per_arm=105), {"usual": 400, "tried": 400}, n=105
    )

    assert found.verdict is Verdict.NO_USEFUL_DIFFERENCE
    assert found.winner is None


def test_too_few_posts_go_on_and_say_how_far_they_are() -> None:
    found = read(registration(), {"usual": 400, "tried": 440}, n=10)

    assert found.verdict is Verdict.KEEP_GOING
    assert found.ended_at is None
    assert found.progress == pytest.approx(10 / 40)
    assert "20 of 80 planned posts" in found.because
    assert found.weeks_left is not None
    assert 1 < found.weeks_left < 7


def test_arms_of_one_post_conclude_nothing() -> None:
    found = read(registration(), {"usual": 1, "tried": 1_000_000}, n=1)

    (contrast,) = found.contrasts
    assert found.verdict is Verdict.KEEP_GOING
    assert contrast.p_value_anytime == 1
    assert contrast.ratio_low is None
    assert any("tried has one post that counts" in note for note in found.notes)


def test_it_does_not_matter_when_and_how_often_somebody_reads() -> None:
    design = registration()
    values = {
        "usual": {"views_72h": views(70, 400, seed=1)},
        "tried": {"views_72h": views(70, 640, seed=2)},
    }
    assignments, posts = experiment(design, values)
    last = read_posts(design, assignments, posts, after(posts))
    assert last.ended_at is not None

    daily = []
    for day in range(1, 60):
        now = BEGAN + timedelta(days=day)
        daily.append(read_posts(design, assignments, posts, now))
    first = next(one for one in daily if one.verdict is not Verdict.KEEP_GOING)

    assert all(one.verdict is Verdict.KEEP_GOING for one in daily if one.read_at < last.ended_at)
    for one in daily[daily.index(first) :]:
        assert replace(one, read_at=last.read_at) == last


def test_what_was_posted_after_the_end_changes_nothing() -> None:
    design = registration()
    values = {
        "usual": {"views_72h": [*views(60, 400, seed=1), *views(60, 9000, seed=3)]},
        "tried": {"views_72h": [*views(60, 640, seed=2), *views(60, 10, seed=4)]},
    }
    assignments, posts = experiment(design, values)

    found = read_posts(design, assignments, posts, after(posts))

    assert (found.verdict, found.winner) == (Verdict.WINNER, "tried")
    assert found.ended_at is not None
    assert found.ended_at < posts[119].posted_at + timedelta(days=3)


def test_posts_that_are_too_young_are_not_counted() -> None:
    design = registration()
    values = {name: {"views_72h": views(20, 400, seed=1)} for name in ("usual", "tried")}
    assignments, posts = experiment(design, values)
    now = posts[29].posted_at + timedelta(hours=71)

    found = read_posts(design, assignments, posts, now)

    known = sum(post.posted_at + timedelta(hours=72) <= now for post in posts)
    assert sum(arm.n for arm in found.arms) == known
    young = sum(post.posted_at <= now for post in posts) - known
    assert f"{young} posts are not yet 72 hours old." in found.notes


def test_the_fixed_analysis_takes_the_planned_posts_and_no_other() -> None:
    design = registration(smallest_useful_ratio=1.01, planned_per_arm=30, longest_per_arm=200)
    values = {
        "usual": {"views_72h": [*views(30, 400, seed=1), *views(20, 5, seed=3)]},
        "tried": {"views_72h": [*views(30, 420, seed=2), *views(20, 9_000, seed=4)]},
    }
    assignments, posts = experiment(design, values)
    shorter = read_posts(design, assignments[:60], posts[:60], after(posts[:60]))
    longer = read_posts(design, assignments, posts, after(posts))

    fixed = [reading.contrasts[0].fixed for reading in (shorter, longer)]
    assert fixed[0] is not None
    assert fixed[0] == fixed[1]
    early = read_posts(design, assignments[:58], posts[:58], after(posts[:58]))
    assert early.contrasts[0].fixed is None


def test_p_values_and_intervals_agree_over_several_contrasts() -> None:
    design = registration(arms=("usual", "a", "b", "c"), longest_per_arm=200, planned_per_arm=90)
    for seed in range(12):
        found = read(design, {"usual": 400, "a": 400, "b": 430, "c": 560}, n=40, seed=10 * seed)
        for one in found.contrasts:
            assert one.p_value_anytime_adjusted == min(1, 3 * one.p_value_anytime)
            assert one.ratio_low is None or one.ratio_high is not None
            excluded = one.ratio_low is not None and (one.ratio_low > 1 or one.ratio_high < 1)  # type: ignore[operator]
            assert excluded == (one.p_value_anytime_adjusted <= 0.05)


def test_the_best_of_several_arms_wins_and_the_others_are_told() -> None:
    design = registration(arms=("usual", "same", "better"))
    found = read(design, {"usual": 400, "same": 400, "better": 700})

    assert (found.verdict, found.winner) == (Verdict.WINNER, "better")
    assert [one.verdict for one in found.contrasts] == [Verdict.KEEP_GOING, Verdict.WINNER]


def test_a_guard_that_falls_stops_the_experiment() -> None:
    design = guarded()
    saves = {
        "usual": [x / 1e4 for x in views(70, 300, seed=5)],
        "tried": [x / 1e4 for x in views(70, 120, seed=6)],
    }
    values = {
        name: {"views_72h": views(70, 400, seed=place), "save_rate_7d": saves[name]}
        for place, name in enumerate(saves)
    }
    assignments, posts = experiment(design, values)

    found = read_posts(design, assignments, posts, after(posts))

    assert found.verdict is Verdict.STOPPED_FOR_HARM
    assert "tried harms save rate after 7 days" in found.because
    (guard,) = found.guards
    assert guard.is_harmed
    assert guard.ratio_high is not None
    assert guard.ratio_high < 0.9


def test_rates_and_counts_are_read_too() -> None:
    for metric, scale in (("save_rate_7d", 1e-4), ("comments_72h", 0.1)):
        design = registration(metric=metric)
        values = {
            "usual": {metric: [x * scale for x in views(70, 200, seed=1)]},
            "tried": {metric: [x * scale for x in views(70, 380, seed=2)]},
        }
        assignments, posts = experiment(design, values)
        found = read_posts(design, assignments, posts, after(posts))
        (contrast,) = found.contrasts

        assert found.winner == "tried", metric
        assert contrast.effect is not None
        assert contrast.effect_low is not None
        assert contrast.effect_high is not None
        assert contrast.effect_low <= contrast.effect <= contrast.effect_high
        assert contrast.effect == pytest.approx(180 * scale, rel=0.4)


def test_absolute_effects_of_views_are_at_the_usual_arms_typical_post() -> None:
    found = read(registration(), {"usual": 400, "tried": 640})
    (contrast,) = found.contrasts
    usual = found.arms[0]

    assert usual.mean is not None
    assert contrast.effect is not None
    assert contrast.ratio is not None
    assert contrast.effect == pytest.approx((usual.mean + 1) * (contrast.ratio - 1))
    assert contrast.size in (Size.USEFUL, Size.UNCLEAR)


def test_what_was_to_be_expected_of_posts_is_taken_out() -> None:
    chance = np.random.default_rng(4)
    design = registration(unit_variance=0.6)
    values = {"usual": {"views_72h": [1.0] * 60}, "tried": {"views_72h": [1.0] * 60}}
    assignments, posts = experiment(design, values)
    levels = chance.normal(6, 0.8, len(posts))
    posts = [
        replace(
            post,
            outcomes={
                "views_72h": outcome(
                    "views_72h",
                    math.exp(level + (0.4 if post.arm == "tried" else 0) + chance.normal(0, 0.15)),
                    expected=level,
                )
            },
        )
        for post, level in zip(posts, levels, strict=True)
    ]

    plain = read_posts(design, assignments, posts, after(posts))
    adjusted = replace(design, adjustment=Adjustment(slope=1.0, centre=6.0))
    better = read_posts(adjusted, assignments, posts, after(posts))

    assert better.winner == "tried"
    assert better.ended_at is not None
    assert plain.ended_at is None or better.ended_at < plain.ended_at
    assert sum(arm.n for arm in better.arms) < 40


def test_an_experiment_without_posts_is_read() -> None:
    found = read_posts(registration(), [], [], BEGAN + timedelta(days=1))

    assert found.verdict is Verdict.KEEP_GOING
    assert found.progress == 0
    assert found.weeks_left is None
    json.dumps(found.to_json(), allow_nan=False)


def test_what_has_shown_nothing_in_a_year_is_ended() -> None:
    design = registration()
    values = {name: {"views_72h": views(6, 400, seed=1)} for name in ("usual", "tried")}
    assignments, posts = experiment(design, values)

    before = read_posts(design, assignments, posts, BEGAN + timedelta(days=360))
    later = read_posts(design, assignments, posts, BEGAN + timedelta(days=366))

    assert before.verdict is Verdict.KEEP_GOING
    assert later.verdict is Verdict.NO_USEFUL_DIFFERENCE


def test_a_reading_is_plain_json() -> None:
    found = read(registration(arms=("usual", "a", "b")), {"usual": 400, "a": 640, "b": 380}, n=30)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))

    assert told["verdict"] == "winner"
    assert told["contrasts"][0]["size"] in ("useful", "unclear")
    assert (
        told["looks"][0]["looks"][-1]["n"]
        == found.contrasts[0].usual_n + found.contrasts[0].tried_n
    )


def test_four_hundred_posts_in_four_arms_are_read_within_a_second() -> None:
    design = registration(
        arms=("usual", "a", "b", "c"),
        metric="save_rate_7d",
        planned_per_arm=100,
        longest_per_arm=175,
        smallest_useful_ratio=1.05,
    )
    values = {
        name: {"save_rate_7d": [x / 1e4 for x in views(100, 200, seed=place)]}
        for place, name in enumerate(("usual", "a", "b", "c"))
    }
    assignments, posts = experiment(design, values)
    read_posts(design, assignments[:40], posts[:40], after(posts))  # imports of the first call

    started = time.process_time()
    found = read_posts(design, assignments, posts, after(posts))
    took = time.process_time() - started

    assert sum(arm.n for arm in found.arms) == 400
    assert took < 1


def test_a_name_of_an_arm_is_shown_as_it_is() -> None:
    arms = (ArmDesign("a, b", {}), ArmDesign("c {x} %s", {"hook_style": "question"}))
    found = read(registration(arms=arms), {"a, b": 400, "c {x} %s": 700})

    assert found.because.startswith("c {x} %s is better than a, b")
