"""How long an experiment takes, from an account's own posts, and which designs are refused."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipeline.clients.warehouse import reading
from pipeline.learn.experiments.arms import difference, log_arm, ratio_arm
from pipeline.learn.experiments.designs import PlanRequest
from pipeline.learn.experiments.expected import outcomes, unit_arrays
from pipeline.learn.experiments.fixed import p_value
from pipeline.learn.experiments.planning_for_account import plan_experiment
from pipeline.learn.experiments.registration import METRICS, ArmDesign, MetricKind
from pipeline.learn.experiments.usual import per_arm, smallest_ratio_seen, usual_of
from tests.fakes.planned_experiments import NOW, VERSION, Posts, publish_posts
from tests.fakes.published import ACCOUNT

USUAL = ArmDesign("usual", {"hook_style": "statement"})
TRIED = ArmDesign("question", {"hook_style": "question"})
REQUEST = PlanRequest(
    account_name=ACCOUNT,
    question="Do questions work better?",
    arms=(USUAL, TRIED),
    metric="engagement_rate",
    platform="tiktok",
)


def test_a_plan_says_posts_and_weeks_in_one_sentence(posted_home):
    planned = plan_experiment(posted_home, REQUEST, now=NOW)

    told = planned.to_json()
    weeks = told["posts_in_all"] / told["posts_per_week"]
    assert told["posts_per_week"] == pytest.approx(14, abs=0.3)
    assert told["posts_in_all"] == 2 * told["posts_per_arm"]
    assert told["weeks"] == round(weeks, 1)
    assert told["posts_per_arm"] < told["longest_posts_per_arm"] <= 2 * told["posts_per_arm"]
    assert planned.sentences[0] == (
        f"Needs {told['posts_per_arm']} posts per arm, {told['posts_in_all']} in all: about "
        f"{round(weeks)} weeks at {told['posts_per_week']:.1f} posts a week; at the latest after "
        f"{round(told['longest_weeks'])} weeks."
    )
    assert planned.warnings == ()
    assert told["warehouse_version"] == VERSION


def test_the_size_of_a_rate_is_that_of_the_spread_that_was_planted(posted_home):
    planned = plan_experiment(posted_home, REQUEST, now=NOW)

    # The rate's logarithm spreads by 0.3, so posts by about 0.3 times the usual rate around it.
    usual = planned.usual
    assert usual.mean == pytest.approx(0.05, rel=0.1)
    assert math.sqrt(usual.variance) / usual.mean == pytest.approx(0.3 * math.sqrt(1.5), rel=0.35)
    variance = usual.variance / usual.mean**2
    normal = (1.96 + 0.8416) ** 2 * variance * (1 + 1.2**2) / 0.2**2
    assert planned.plan.per_arm == pytest.approx(normal, abs=2)


def test_views_are_planned_on_logarithms(posted_home):
    planned = plan_experiment(
        posted_home, replace(REQUEST, metric="views", smallest_useful_ratio=1.5), now=NOW
    )

    assert planned.metric.name == "views_72h"
    assert planned.usual.variance == pytest.approx(0.6**2, rel=0.3)
    normal = 2 * (1.96 + 0.8416) ** 2 * planned.usual.variance / math.log(1.5) ** 2
    assert planned.plan.per_arm == pytest.approx(normal, abs=2)


def test_comments_are_planned_as_counts(posted_home):
    planned = plan_experiment(posted_home, replace(REQUEST, metric="comments"), now=NOW)

    assert planned.usual.mean == pytest.approx(20, rel=0.1)
    assert planned.usual.variance == pytest.approx(20, rel=0.4)


def test_a_long_experiment_is_warned_of_with_what_would_shorten_it(posted_home):
    three = (USUAL, TRIED, ArmDesign("how to", {"hook_style": "how_to"}))
    request = replace(REQUEST, metric="views", arms=three, draw_share=0.5)

    planned = plan_experiment(posted_home, request, now=NOW)

    assert planned.plan.weeks is not None
    weeks, halved = round(planned.plan.weeks), round(planned.plan.weeks / 2)
    assert planned.warnings[0] == f"This would take {weeks} weeks."
    assert "In 8 weeks an effect of" in planned.warnings[1]
    assert planned.warnings[2].startswith("With two arms instead of 3 it would take")
    assert planned.warnings[3] == f"If all draws joined it would take {halved} weeks."
    assert planned.warnings[4].startswith("The same effect on comments_72h would take")


def test_what_can_be_seen_in_some_weeks_is_the_smallest_effect_that_needs_no_more(posted_home):
    metric = METRICS["views_72h"]
    with reading(posted_home) as connection:
        usual = usual_of(outcomes(connection, ACCOUNT, "tiktok", metric), metric)
    assert usual is not None

    def size(ratio: float) -> int:
        return per_arm(usual, metric, ratio, contrasts=1, alpha=0.05, power=0.8)

    def seen(posts: int) -> float | None:
        return smallest_ratio_seen(usual, metric, posts, contrasts=1, alpha=0.05, power=0.8)

    ratio = seen(56)
    assert ratio is not None
    assert size(ratio) <= 56
    assert size(ratio - 0.01) > 56
    assert seen(3) is None


def test_more_arms_share_the_error(posted_home):
    two = plan_experiment(posted_home, REQUEST, now=NOW)
    three = replace(REQUEST, arms=(USUAL, TRIED, ArmDesign("how to", {"hook_style": "how_to"})))

    assert plan_experiment(posted_home, three, now=NOW).plan.per_arm > two.plan.per_arm


def test_an_arm_that_leaves_to_the_draw_what_another_fixes_is_told(posted_home):
    request = replace(
        REQUEST,
        arms=(
            ArmDesign("usual", {}),
            ArmDesign("other", {"hook_style": "question", "daypart": "evening"}),
        ),
    )

    warnings = plan_experiment(posted_home, request, now=NOW).warnings

    assert warnings[0].startswith("The arm 'usual' leaves daypart and hook_style to the draw")
    assert "differs from 'usual' in daypart and hook_style at once" in warnings[1]


def test_planning_writes_nothing(posted_home):
    before = sorted(posted_home.home.rglob("*"))

    plan_experiment(posted_home, REQUEST, now=NOW)

    assert sorted(posted_home.home.rglob("*")) == before


def test_what_carries_over_from_post_to_post_is_taken_out_and_shortens_the_plan(tmp_path):
    settings = publish_posts(tmp_path, [Posts(count=200, drift=0.8, view_spread=0.4)])

    planned = plan_experiment(settings, replace(REQUEST, metric="views"), now=NOW)

    adjustment = planned.usual.adjustment
    assert adjustment is not None
    assert adjustment.slope > 0
    assert adjustment.variance_left < 0.9
    with reading(settings) as connection:
        posts = outcomes(connection, ACCOUNT, "tiktok", METRICS["views_72h"])
    plain = np.var(unit_arrays(posts, METRICS["views_72h"])[0], ddof=1)
    assert planned.usual.variance == pytest.approx(plain * adjustment.variance_left)


def test_what_is_expected_of_a_post_knows_only_outcomes_that_were_old_enough_then(posted_home):
    metric = METRICS["engagement_rate_7d"]
    with reading(posted_home) as connection:
        posts = outcomes(connection, ACCOUNT, "tiktok", metric)

    age = timedelta(hours=metric.age_hours)
    for post in posts:
        known = [other for other in posts if other.posted_at + age <= post.posted_at][-20:]
        if len(known) < 5:
            assert post.expected is None
        else:
            tops, belows = unit_arrays(known, metric)
            assert belows is not None
            assert post.expected == pytest.approx(tops.sum() / belows.sum())
    assert posts[-1].expected is not None


def test_an_account_that_posts_nothing_lately_gets_posts_and_no_weeks(tmp_path):
    settings = publish_posts(
        tmp_path, [Posts(), Posts(count=40, platform="youtube", ended_weeks_ago=20)]
    )

    planned = plan_experiment(
        settings, replace(REQUEST, platform="youtube", metric="views"), now=NOW
    )

    assert (planned.plan.weeks, planned.to_json()["weeks"]) == (None, None)
    assert (
        "how many weeks that is cannot be told, because nothing was posted"
        in (planned.sentences[0])
    )


@pytest.mark.parametrize(
    ("name", "ratio"), [("views_72h", 1.5), ("engagement_rate_7d", 1.2), ("comments_72h", 1.1)]
)
def test_the_planned_size_has_the_planned_power(posted_home, name, ratio):
    metric = METRICS[name]
    with reading(posted_home) as connection:
        posts = outcomes(connection, ACCOUNT, "tiktok", metric)
    usual = usual_of(posts, metric)
    assert usual is not None
    size = per_arm(usual, metric, ratio, contrasts=1, alpha=0.05, power=0.8)
    chance = np.random.default_rng(7)
    one, other = chance.integers(len(posts), size=(2, 2000, size))
    tops, belows = unit_arrays(posts, metric)

    # The account's own posts, of which half get so much more.
    if metric.kind is MetricKind.CONTINUOUS:
        seen = difference(log_arm(tops[one]), log_arm(tops[other] + math.log(ratio)))
    else:
        weights = np.ones_like(tops) if belows is None else belows
        seen = difference(
            ratio_arm(tops[one], weights[one]), ratio_arm(tops[other] * ratio, weights[other])
        )

    assert np.mean(p_value(seen) < 0.05) == pytest.approx(0.8, abs=0.03)
