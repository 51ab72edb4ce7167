"""What is wrong with an experiment is said in a sentence, and what it makes of the verdict."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipeline.learn.experiments.reading import read_posts
from pipeline.learn.experiments.readings import ExperimentReading
from pipeline.learn.experiments.registration import ArmDesign, Registration
from pipeline.learn.experiments.units import Post
from pipeline.learn.experiments.validity import split_p
from pipeline.learn.experiments.verdicts import Verdict
from tests.learn.experiments.hand_made import Row, after, experiment, registration, views

Parts = tuple[list[Row], list[Post]]


def alike(design: Registration, n: int = 30) -> Parts:
    """Arms between which there is no difference."""
    values = {
        arm.name: {"views_72h": views(n, 400, seed=7 + place)}
        for place, arm in enumerate(design.arms)
    }
    return experiment(design, values)


def read(design: Registration, parts: Parts) -> ExperimentReading:
    """Read when every post is old enough, and the last draft has had time to be posted."""
    assignments, posts = parts
    return read_posts(design, assignments, posts, after(posts) + timedelta(days=30))


@pytest.fixture
def design() -> Registration:
    """So large that it goes on."""
    return registration(planned_per_arm=200, longest_per_arm=350, smallest_useful_ratio=1.05)


def test_a_sound_experiment_has_no_faults(design: Registration) -> None:
    found = read(design, alike(design))

    assert found.faults == ()
    assert found.notes == ()
    assert found.verdict is Verdict.KEEP_GOING


def test_posts_of_one_arm_that_do_not_appear_make_it_invalid(design: Registration) -> None:
    assignments, posts = alike(design, n=60)
    kept = [post for place, post in enumerate(posts) if post.arm == "usual" or place % 6 == 1]
    found = read(design, (assignments, kept))

    assert found.verdict is Verdict.INVALID
    assert any("sample-ratio p" in fault for fault in found.faults)
    assert "60 of usual, 20 of tried" in found.because
    assert any("Drafts of one arm were dropped more often" in fault for fault in found.faults)


def test_a_split_that_was_planned_for_is_tested_once_more_at_the_planned_end() -> None:
    design = registration(planned_per_arm=50, longest_per_arm=400, smallest_useful_ratio=1.02)
    assignments, posts = alike(design, n=80)
    kept = [post for place, post in enumerate(posts) if post.arm == "usual" or place % 4 == 1]
    # Drafts of the last days are still to come, so that nothing was dropped yet.
    recent = [{**row, "assigned_at": posts[-1].posted_at} for row in assignments]
    found = read_posts(design, recent, kept, after(kept))

    assert any("sample-ratio p" in fault for fault in found.faults)


def test_arms_at_different_times_of_day_make_it_invalid(design: Registration) -> None:
    assignments, posts = alike(design)
    moved = [
        replace(post, daypart="evening" if post.arm == "tried" else "morning") for post in posts
    ]
    found = read(design, (assignments, moved))

    assert found.verdict is Verdict.INVALID
    assert (
        "different times of day (usual: 30 of 30 morning, tried: 30 of 30 evening" in found.because
    )


def test_arms_on_different_weekdays_make_it_invalid(design: Registration) -> None:
    assignments, posts = alike(design)
    moved = [replace(post, weekday=6 if post.arm == "tried" else 2) for post in posts]
    found = read(design, (assignments, moved))

    assert found.verdict is Verdict.INVALID
    assert "Tuesday" in found.because
    assert "Saturday" in found.because


def test_arms_that_are_times_of_day_may_be_at_different_ones() -> None:
    design = registration(
        arms=(
            ArmDesign("early", {"daypart": "morning"}),
            ArmDesign("late", {"daypart": "evening"}),
        ),
        planned_per_arm=200,
        longest_per_arm=350,
    )
    assignments, posts = alike(design)
    moved = [
        replace(post, daypart="evening" if post.arm == "late" else "morning") for post in posts
    ]
    found = read(design, (assignments, moved))

    assert found.faults == ()


def again(post: Post) -> Post:
    """The same draft posted once more."""
    return replace(post, post_id=f"{post.post_id}b", posted_at=post.posted_at + timedelta(hours=1))


def relabelled(post: Post) -> Post:
    """A stamp that says the other arm."""
    return replace(post, arm="usual" if post.arm == "tried" else "tried")


def unknown(post: Post) -> Post:
    """A stamp that nobody gave."""
    return replace(post, assignment_id="asg_ffffffffffff")


def paid(post: Post) -> Post:
    """Reach that was bought."""
    return replace(post, is_paid=True)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (relabelled, "another arm than was drawn"),
        (unknown, "an assignment that was never made"),
        (paid, "reach that was paid for"),
    ],
)
def test_single_posts_are_set_aside_and_many_make_it_invalid(
    design: Registration, trouble: Callable[[Post], Post], words: str
) -> None:
    assignments, posts = alike(design)

    one = read(design, (assignments, [trouble(posts[3]), *posts[:3], *posts[4:]]))
    assert one.faults == ()
    assert f"1 post has {words} and does not count." in one.notes
    assert sum(arm.n for arm in one.arms) == len(posts) - 1

    many = read(design, (assignments, [*posts[:40], *map(trouble, posts[40:])]))
    assert many.verdict is Verdict.INVALID
    assert f"20 posts of 60 have {words}" in many.because


def test_a_unit_counts_once(design: Registration) -> None:
    assignments, posts = alike(design)
    twice = sorted([*posts, again(posts[5])], key=lambda post: post.posted_at)

    found = read(design, (assignments, twice))
    assert sum(arm.n for arm in found.arms) == len(posts)
    assert any("1 post has an assignment that another post has already" in n for n in found.notes)

    often = sorted([*posts, *map(again, posts)], key=lambda post: post.posted_at)
    assert read(design, (assignments, often)).verdict is Verdict.INVALID


def test_a_draft_with_two_assignments_counts_once(design: Registration) -> None:
    assignments, posts = alike(design)
    assignments[4]["draw_id"] = assignments[3]["draw_id"]

    found = read(design, (assignments, posts))

    assert sum(arm.n for arm in found.arms) == len(posts) - 1
    assert any("a draft that stands for two assignments" in note for note in found.notes)


def test_a_subject_reaches_the_audience_once(design: Registration) -> None:
    assignments, posts = alike(design)
    assignments[0]["subject"] = "naps on planes"
    assignments[9]["subject"] = "  Naps on  PLANES "

    found = read(design, (assignments, posts))

    assert sum(arm.n for arm in found.arms) == len(posts) - 1
    assert any("a subject that the audience had seen already" in note for note in found.notes)


def test_a_metric_that_is_not_published_makes_it_invalid(design: Registration) -> None:
    assignments, posts = alike(design)
    found = read(design, (assignments, [replace(post, outcomes={}) for post in posts]))

    assert found.verdict is Verdict.INVALID
    assert "tiktok does not publish it" in found.because


def test_values_that_are_missing_in_one_arm_make_it_invalid(design: Registration) -> None:
    assignments, posts = alike(design)
    holes = [
        replace(post, outcomes={}) if post.arm == "tried" and place < 30 else post
        for place, post in enumerate(posts)
    ]
    found = read(design, (assignments, holes))

    assert found.verdict is Verdict.INVALID
    assert "Values of views after 3 days are missing in one arm more often" in found.because


def test_a_few_missing_values_are_noted(design: Registration) -> None:
    assignments, posts = alike(design)
    holes = [
        replace(post, outcomes={}) if place in (4, 9) else post for place, post in enumerate(posts)
    ]
    found = read(design, (assignments, holes))

    assert found.faults == ()
    assert "2 posts will never have views after 3 days: not seen in time." in found.notes


def test_values_that_are_still_to_come_are_noted(design: Registration) -> None:
    assignments, posts = alike(design)
    late = [replace(post, outcomes={}) if post is posts[-1] else post for post in posts]
    found = read_posts(design, assignments, late, posts[-1].posted_at + timedelta(hours=80))

    assert "1 post is old enough and not measured yet (views after 3 days)." in found.notes


def test_a_pause_of_the_scrapes_makes_nothing_missing(design: Registration) -> None:
    assignments, posts = alike(design)
    last = posts[-1].posted_at + timedelta(hours=1)
    unseen = [
        replace(
            post,
            last_seen_at=last,
            outcomes=post.outcomes if last - post.posted_at > timedelta(days=3) else {},
        )
        for post in posts
    ]
    waiting = [
        {**row, "assignment_id": f"asg_later_{n}"} for n, row in enumerate(assignments[-20:])
    ]
    found = read_posts(
        design, [*assignments, *waiting], unseen, posts[-1].posted_at + timedelta(days=60)
    )

    assert found.faults == ()
    assert [note for note in found.notes if "never" in note] == []


def test_drafts_that_were_never_posted_are_noted(design: Registration) -> None:
    assignments, posts = alike(design)
    found = read(design, (assignments, [post for n, post in enumerate(posts) if n not in (8, 13)]))

    assert found.faults == ()
    assert "2 drafts drawn more than 14 days ago were never posted." in found.notes


def test_posts_that_are_not_as_drawn_count_as_drawn(design: Registration) -> None:
    assignments, posts = alike(design)
    other = [
        replace(post, labels={"hook_style": "statement"}) if place == 1 else post
        for place, post in enumerate(posts)
    ]
    found = read(design, (assignments, other))

    assert sum(arm.n for arm in found.arms) == len(posts)
    assert any("1 post of tried is not question (hook_style)" in note for note in found.notes)


def test_a_fault_after_the_end_does_not_take_the_verdict_back() -> None:
    design = registration()
    values = {
        "usual": {"views_72h": views(60, 400, seed=1)},
        "tried": {"views_72h": views(60, 700, seed=2)},
    }
    assignments, posts = experiment(design, values)
    ended = read_posts(design, assignments, posts, after(posts))
    later = [post if place < 60 else relabelled(post) for place, post in enumerate(posts)]

    found = read_posts(design, assignments, later, after(posts))

    assert ended.verdict is found.verdict is Verdict.WINNER


def test_looking_at_the_split_all_the_time_hardly_ever_alarms() -> None:
    chance = np.random.default_rng(3)
    names = ("usual", "a", "b")
    alarms = 0
    for _ in range(600):
        arms = [names[place] for place in chance.integers(0, 3, 200)]
        strata = [int(place) for place in chance.integers(0, 6, 200)]
        alarms += split_p(arms, strata, names) < 0.05
    # A twentieth, and three standard errors of the simulation.
    assert alarms <= 0.05 * 600 + 3 * (600 * 0.05 * 0.95) ** 0.5


def test_a_split_that_follows_the_hour_is_found_early() -> None:
    arms = ["usual", "tried"] * 10
    strata = ["morning", "evening"] * 10

    assert split_p(arms, strata, ("usual", "tried")) < 1e-3
    assert split_p(arms, [""] * 20, ("usual", "tried")) > 0.5
