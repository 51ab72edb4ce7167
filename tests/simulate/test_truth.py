"""The planted truth agrees with what the posts then do."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipeline.accounts import Platform
from pipeline.simulate.plans import DEMO_PLANS
from pipeline.simulate.posts import Post
from pipeline.simulate.truth import DIMENSIONS, OUTCOMES, expected_outcome, outcome_age
from pipeline.simulate.world import World, build_world, demo_accounts

NAME = "dreamtimelullabies"


def _large_world(noise: float) -> World:
    """About 4,000 posts of one profile."""
    plan = DEMO_PLANS[NAME]
    busy = replace(plan.platforms[Platform.TIKTOK], posts_per_day=37.0, base_view_count=6_500_000.0)
    rare = replace(plan.platforms[Platform.INSTAGRAM], posts_per_day=9.0, base_view_count=900_000.0)
    plan = replace(plan, platforms={Platform.TIKTOK: busy, Platform.INSTAGRAM: rare})
    account = next(account for account in demo_accounts() if account.name == NAME)
    return build_world(accounts=[account], plans={NAME: plan}, noise=noise)


def _shown_outcome(post: Post, outcome: str) -> float | None:
    counts = post.counts(post.posted_at + outcome_age(outcome))
    engagement = sum(
        count for count in (counts.likes, counts.comments, counts.shares, counts.saves) if count
    )
    if post.is_ad or (outcome.startswith("engagement") and counts.likes is None):
        return None
    if outcome in ("engagement_72h", "engagement_7d"):
        return float(engagement)
    if counts.views is None:
        return None
    if outcome.startswith("views"):
        return float(counts.views)
    part = {"engagement": engagement, "save": counts.saves, "share": counts.shares}[
        outcome.partition("_")[0]
    ]
    return None if part is None else part / counts.views


def test_without_noise_the_numbers_show_the_planted_ratios() -> None:
    world = _large_world(noise=0.0)
    posts = world.profile_posts(NAME, Platform.TIKTOK)
    assert 3_900 < len(posts) < 4_200
    planted_effect = world.truth.planted_effect
    compared = 0
    for outcome in OUTCOMES:
        for platform in (Platform.TIKTOK, Platform.INSTAGRAM):
            old_enough = [
                (post, value)
                for post in world.profile_posts(NAME, platform)
                if post.posted_at + outcome_age(outcome) <= world.end
                and (value := _shown_outcome(post, outcome)) is not None
            ]
            for dimension in DIMENSIONS:
                groups: dict[str, list[float]] = {}
                for post, value in old_enough:
                    groups.setdefault(post.segments[dimension] or "", []).append(math.log(value))
                if not groups:
                    continue
                usual = np.mean([value for values in groups.values() for value in values])
                groups.pop("", None)
                for segment, values in groups.items():
                    planted = planted_effect(NAME, platform, dimension, segment, outcome)
                    assert planted is not None
                    assert math.exp(np.mean(values) - usual) == pytest.approx(planted, rel=0.03)
                    compared += 1
    assert compared > 250


def test_with_noise_the_numbers_scatter_around_the_planted_ratios() -> None:
    world = _large_world(noise=1.0)
    posts = [
        post
        for post in world.profile_posts(NAME, Platform.TIKTOK)
        if not post.is_ad and post.age_hours(world.end) >= 168
    ]
    for outcome in ("views_7d", "engagement_72h", "save_rate_7d"):
        residuals: dict[str, list[float]] = {}
        for post in posts:
            shown, expected = _shown_outcome(post, outcome), expected_outcome(post, outcome)
            assert shown
            assert expected
            residuals.setdefault(post.format, []).append(math.log(shown / expected))
        everything = np.concatenate([np.array(values) for values in residuals.values()])
        for values in residuals.values():
            error = float(np.std(everything)) / math.sqrt(len(values))
            assert abs(np.mean(values) - np.mean(everything)) < 4 * error
    spread = np.std([math.log(post.final_views / post.usual_views) for post in posts])
    assert 0.7 < spread < 0.9


def test_the_account_without_effects_has_none() -> None:
    effects = [e for e in build_world().truth.effects() if e.account_name == "slumbersongs"]
    assert {effect.dimension for effect in effects} == set(DIMENSIONS)
    assert all(abs(effect.ratio - 1) < 1e-9 for effect in effects)


def test_the_planted_direction_is_shared_and_its_size_differs() -> None:
    truth = build_world().truth
    ups, downs = set(), set()
    for name in ("dreamtimelullabies", "mymomskills", "parentplaybook"):
        up = truth.planted_effect(name, Platform.TIKTOK, "format", "step_guide", "views_7d")
        down = truth.planted_effect(name, Platform.TIKTOK, "format", "habit_list", "views_7d")
        assert up is not None
        assert down is not None
        assert up > 1.4
        assert down < 0.75
        ups.add(round(up, 2))
        downs.add(round(down, 2))
        saves = truth.planted_effect(name, Platform.TIKTOK, "format", "scripts", "save_rate_7d")
        assert saves is not None
        assert saves > 1.2
    assert len(ups) == len(downs) == 3


def test_what_a_platform_does_not_publish_has_no_truth() -> None:
    truth = build_world().truth
    name, instagram = "mymomskills", Platform.INSTAGRAM
    for outcome in ("save_rate_7d", "share_rate_7d"):
        assert truth.planted_effect(name, instagram, "format", "scripts", outcome) is None
    for outcome in ("views_7d", "engagement_rate_7d"):
        assert truth.planted_effect(name, instagram, "media_type", "carousel", outcome) is None
    assert truth.planted_effect(name, instagram, "media_type", "carousel", "engagement_7d")
    assert (
        truth.planted_effect("parentplaybook", instagram, "format", "scripts", "views_7d") is None
    )


def test_posts_that_are_too_young_have_no_outcome_yet() -> None:
    world = build_world()
    name, platform = "parentplaybook", Platform.TIKTOK
    for outcome in ("views_72h", "views_7d"):
        counted = sum(
            effect.n
            for effect in world.truth.effects()
            if (effect.account_name, effect.dimension, effect.outcome) == (name, "format", outcome)
        )
        old = [
            post
            for post in world.profile_posts(name, platform)
            if not post.is_ad and post.posted_at <= world.end - outcome_age(outcome)
        ]
        assert counted == len(old)
    assert outcome_age("views_7d") == timedelta(days=7)


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="no outcome"):
        expected_outcome(build_world().posts[0], "views_1y")
