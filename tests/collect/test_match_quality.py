"""How well planned posts find their posts on accounts whose truth is known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.accounts import Platform
from pipeline.collect import match_scores, text_likeness
from pipeline.collect.match_scores import ScoredDays
from pipeline.collect.matching import MatchSource, find_matches, match_posts
from pipeline.collect.own_posts import OwnPost
from tests.collect.match_worlds import (
    PLANNED_COUNT,
    MatchWorld,
    measured,
    mixed_world,
    ordinary_world,
)

SEEDS = (21, 22, 23)


@pytest.mark.parametrize("seed", SEEDS)
def test_ordinary_posts_are_matched_and_no_post_without_a_plan_is(seed: int) -> None:
    world = ordinary_world(seed)
    assert len(world.truth) == PLANNED_COUNT
    figures = measured(world)
    assert figures.precision >= 0.99, figures
    assert figures.recall >= 0.97, figures
    assert figures.wrong_without_plan == 0, figures


@pytest.mark.parametrize("seed", SEEDS)
def test_series_reposts_doubled_plans_and_empty_captions_are_matched_or_left_alone(
    seed: int,
) -> None:
    figures = measured(mixed_world(seed))
    assert figures.precision >= 0.95, figures
    assert figures.recall >= 0.90, figures


def test_without_any_plan_published_nothing_matches() -> None:
    world = ordinary_world(24)
    posts = [post for post in world.posts if post.post_id not in world.truth]
    assert len(posts) > 100
    others = [replace(plan, platform="instagram") for plan in world.plans]
    assert match_posts(world.account, others, posts) == []
    assert len(match_posts(world.account, world.plans, posts)) <= 0.02 * len(posts)


def test_the_order_of_plans_and_posts_does_not_matter() -> None:
    world = mixed_world(25)
    forth = match_posts(world.account, world.plans, world.posts)
    back = match_posts(world.account, world.plans[::-1], world.posts[::-1])
    assert {(one.planned_id, one.post_id, one.score) for one in forth} == {
        (one.planned_id, one.post_id, one.score) for one in back
    }


def test_no_plan_and_no_post_is_matched_twice_and_scores_are_fractions() -> None:
    world = mixed_world(26)
    found = match_posts(world.account, world.plans, world.posts)
    assert len({one.planned_id for one in found}) == len({one.post_id for one in found})
    assert len({one.post_id for one in found}) == len(found)
    assert all(0 < one.score <= 1 for one in found)


def small_world() -> MatchWorld:
    world = ordinary_world(27)
    return replace(world, plans=world.plans[:40], posts=world.posts[:60])


def test_what_a_person_said_stands_and_the_rest_is_matched_around_it() -> None:
    world = small_world()
    free = match_posts(world.account, world.plans, world.posts)
    one, other = free[0], free[1]
    said = {
        (Platform.TIKTOK, one.post_id): other.planned_id,
        (Platform.TIKTOK, other.post_id): None,
    }
    found = {
        match.post_id: match for match in match_posts(world.account, world.plans, world.posts, said)
    }
    assert found[one.post_id].planned_id == other.planned_id
    assert found[one.post_id].source is MatchSource.PERSON
    assert found[one.post_id].score == 1
    assert other.post_id not in found
    assert set(found) | {other.post_id} == {match.post_id for match in free}


def test_a_plan_that_is_gone_leaves_its_post_alone() -> None:
    world = small_world()
    post_id = match_posts(world.account, world.plans, world.posts)[0].post_id
    said = {(Platform.TIKTOK, post_id): "no_such_folder"}
    found = match_posts(world.account, world.plans, world.posts, said)
    assert post_id not in {match.post_id for match in found}


def test_an_undecided_post_is_told_with_its_candidates() -> None:
    world = small_world()
    match = match_posts(world.account, world.plans, world.posts)[0]
    [plan] = [one for one in world.plans if one.planned_id == match.planned_id]
    copy = replace(plan, planned_id="a_copy")
    found = find_matches(world.account, [*world.plans, copy], world.posts)
    assert match.post_id not in {one.post_id for one in found.matches}
    [ambiguous] = [one for one in found.ambiguous if one.post_id == match.post_id]
    assert [name for name, _ in ambiguous.candidates] == sorted(["a_copy", plan.planned_id])
    assert {score for _, score in ambiguous.candidates} == {match.score}


def test_a_series_is_told_apart_by_its_numbers_even_alone() -> None:
    world = small_world()
    [match] = match_posts(world.account, world.plans[:1], world.posts)
    plan = replace(world.plans[0], caption="Bedtime diary, day 3. Read it slowly and smile.")
    [post] = [one for one in world.posts if one.post_id == match.post_id]
    for day, is_match in (("3", True), ("4", False), ("13", False)):
        caption = f"Bedtime diary, DAY {day}. Read it slowly and smile! #sleep"
        moved = OwnPost(post.platform, "x", post.posted_at, caption)
        assert bool(match_posts(world.account, [plan], [moved])) is is_match


def test_the_same_caption_twice_a_day_is_told_apart_by_the_hour() -> None:
    world = small_world()
    plan = world.plans[0]
    assert plan.planned_at is not None
    morning = replace(
        plan, caption="Good night, little ones of the world", planned_at=plan.planned_at
    )
    evening = replace(
        morning, planned_id="evening", planned_at=plan.planned_at + timedelta(hours=5)
    )
    posts = [
        OwnPost(Platform.TIKTOK, name, at, morning.caption)
        for name, at in (("1", morning.planned_at), ("2", evening.planned_at))
    ]
    found = match_posts(world.account, [evening, morning], posts)
    assert {one.post_id: one.planned_id for one in found} == {"1": plan.planned_id, "2": "evening"}


@pytest.mark.parametrize("seed", [3, 4])
def test_going_on_from_former_scores_changes_nothing(seed: int) -> None:
    world = mixed_world(seed)
    plans = sorted(world.plans, key=lambda plan: str(plan.planned_at))
    posts = sorted(world.posts, key=lambda post: str(post.posted_at))
    compared = 0
    former: Mapping[Platform, ScoredDays] | None = None
    edits: list[Callable[[], object]] = [
        lambda: posts.pop(70),
        lambda: plans.pop(40),
        lambda: posts.__setitem__(90, replace(posts[90], caption=posts[30].caption)),
        lambda: plans.__setitem__(120, replace(plans[120], planned_at=posts[10].posted_at)),
        lambda: posts.__setitem__(5, replace(posts[5], posted_at=posts[200].posted_at)),
        lambda: plans.__setitem__(60, replace(plans[60], planned_at=None)),
    ]
    for share in (0.6, 0.602, 0.61, 0.8, *([1.0] * (len(edits) + 1))):
        if share == 1.0 and compared >= 5:
            edits.pop()()
        some = plans[: int(share * len(plans))], posts[: int(share * len(posts))]
        afresh = find_matches(world.account, *some)
        going_on = find_matches(world.account, *some, former=former)
        assert going_on == afresh
        former, compared = going_on.scored, compared + 1
    assert not edits


def test_what_is_new_today_leaves_old_scores_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ordinary_world(5)
    plans = sorted(world.plans, key=lambda plan: str(plan.planned_at))
    posts = sorted(world.posts, key=lambda post: str(post.posted_at))
    former = find_matches(world.account, plans[:-1], posts[:-1]).scored
    compared: list[object] = []

    def likeness(*texts: Any) -> float:
        compared.append(texts)
        return text_likeness.likeness(*texts)

    monkeypatch.setattr(match_scores, "likeness", likeness)
    find_matches(world.account, plans, posts)
    every = len(compared)
    compared.clear()
    find_matches(world.account, plans, posts, former=former)
    assert len(compared) < 0.3 * every
