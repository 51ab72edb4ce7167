"""Designs that could not answer their question are refused, each with its sentences."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import NothingPublishedError, UnknownAccountError
from pipeline.learn.experiments.designs import PlanRequest
from pipeline.learn.experiments.planning_for_account import plan_experiment, register
from pipeline.learn.experiments.registering import RefusedDesignError
from pipeline.learn.experiments.registration import ArmDesign, GuardDesign
from pipeline.settings import Settings
from tests.fakes.planned_experiments import NOW, Posts, publish_posts
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


def refused(settings: Settings, request: PlanRequest) -> tuple[str, ...]:
    """The reasons, each a sentence of its own."""
    with pytest.raises(RefusedDesignError) as caught:
        plan_experiment(settings, request, now=NOW)
    for reason in caught.value.reasons:
        assert reason.endswith(".")
        assert "\n" not in reason
    assert str(caught.value) == " ".join(caught.value.reasons)
    return caught.value.reasons


def test_paid_posts_are_not_planned_by(tmp_path):
    settings = publish_posts(tmp_path, [Posts(count=30, paid=True)])

    assert refused(settings, REQUEST) == (
        (
            "sleepy on tiktok has 0 posts with engagement_rate_7d, and how much posts vary cannot "
            "be told from fewer than 10."
        ),
    )


def test_a_metric_of_too_few_posts_cannot_be_planned_by(posted_home):
    request = replace(REQUEST, platform="youtube", metric="views")

    assert "6 posts with views_72h" in refused(posted_home, request)[0]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"arms": (USUAL,)}, "An experiment compares at least two arms."),
        ({"arms": ()}, "An experiment compares at least two arms."),
        (
            {"arms": (USUAL, ArmDesign("other", dict(USUAL.choices)))},
            "The arms 'usual' and 'other' are alike: nothing would differ.",
        ),
        (
            {"arms": (USUAL, ArmDesign(" USUAL", {"hook_style": "question"}))},
            "2 arms are named 'usual': give each a name of its own.",
        ),
        (
            {"arms": tuple(ArmDesign(f"a{n}", {"slide_count": str(n)}) for n in range(1, 13))},
            "12 arms would share the posts until none has enough: take at most 10.",
        ),
        (
            {"arms": (USUAL, ArmDesign("x", {"hook_style": "shouting"}))},
            (
                "There is no hook_style 'shouting': there are question, number_specific, "
                "controversy_light, how_to, personal_story, statement."
            ),
        ),
        (
            {"arms": (USUAL, ArmDesign("x", {"daypart": "teatime"}))},
            (
                "There is no daypart 'teatime': there are night, morning, midday, afternoon, "
                "evening, late."
            ),
        ),
        (
            {"arms": (USUAL, ArmDesign("x", {"format": "carousel_of_cats"}))},
            (
                "sleepy does not list the format 'carousel_of_cats' in its account.yaml (it lists "
                "step_guide, habit_list)."
            ),
        ),
        (
            {"arms": (USUAL, ArmDesign("x", {"slide_count": "99"}))},
            "'99' is no number of slides from 1 to 35.",
        ),
        (
            {"arms": (USUAL, ArmDesign("x", {"mood": "happy"}))},
            (
                "An arm cannot fix 'mood': it can fix format, pillar, hook_style, slide_count, cta "
                "or daypart."
            ),
        ),
        (
            {"arms": (USUAL, ArmDesign("two\nlines", {"hook_style": "question"}))},
            "'two\\nlines' is no name for an arm: write one line of at most 60 characters.",
        ),
        (
            {"metric": "virality"},
            (
                "There is no metric 'virality': take one of views_72h, views_7d, engagement_72h, "
                "engagement_7d, engagement_rate_7d, save_rate_7d, share_rate_7d, comments_72h."
            ),
        ),
        (
            {"guards": (GuardDesign("happiness", 0.9),)},
            (
                "There is no guard 'happiness': take one of views_72h, views_7d, engagement_72h, "
                "engagement_7d, engagement_rate_7d, save_rate_7d, share_rate_7d, comments_72h."
            ),
        ),
        (
            {"guards": (GuardDesign("engagement_rate", 0.9),)},
            "engagement_rate_7d is the metric already: it cannot be a guard too.",
        ),
        (
            {"guards": (GuardDesign("views", 1.2),)},
            "The guard views may fall to 1.2 times: write more than 0 and at most 1, such as 0.9.",
        ),
        (
            {"smallest_useful_ratio": 1.0},
            (
                "The smallest useful effect is 1 times the usual: it must be more than 1, such as "
                "1.2 for 20 % more."
            ),
        ),
        (
            {"smallest_useful_ratio": math.nan},
            (
                "The smallest useful effect is nan times the usual: it must be more than 1, such "
                "as 1.2 for 20 % more."
            ),
        ),
        (
            {"smallest_useful_ratio": 50.0},
            (
                "A smallest useful effect of 50 times the usual would miss every effect that is "
                "likely: write one of at most 10."
            ),
        ),
        ({"alpha": 0.0}, "The error must lie between 0 and 0.2, and 0 does not."),
        ({"power": 1.0}, "The power must lie between 0.5 and 1, and 1 does not."),
        (
            {"draw_share": 0.0},
            "The share of draws must be more than 0 and at most 1, and 0 is not.",
        ),
        (
            {"question": "  "},
            "An experiment needs a question that it is to answer.",
        ),
        (
            {"question": "why? " * 200},
            "The question is longer than 500 characters: shorten it.",
        ),
        (
            {"arms": (USUAL, replace(TRIED, instructions="x" * 2001))},
            "The instructions of 'question' are longer than 2000 characters: shorten them.",
        ),
        (
            {"platform": None},
            "Say on which platform: sleepy has the profiles tiktok, youtube.",
        ),
        (
            {"platform": "instagram"},
            "sleepy has no profile on instagram (it has tiktok, youtube).",
        ),
    ],
)
def test_a_bad_design_is_refused_with_its_sentence(posted_home, changed, reason):
    assert refused(posted_home, replace(REQUEST, **changed)) == (reason,)


def test_a_metric_that_the_platform_does_not_publish_is_refused(posted_home):
    (reason,) = refused(posted_home, replace(REQUEST, platform="youtube", metric="save_rate"))

    assert reason == (
        "save_rate_7d cannot be read on youtube, which does not publish saves: there it can be "
        "views_72h, views_7d, engagement_72h, engagement_7d, engagement_rate_7d, comments_72h."
    )


def test_all_reasons_are_told_at_once(posted_home):
    request = replace(
        REQUEST, arms=(USUAL,), metric="virality", smallest_useful_ratio=0.5, question=""
    )

    assert len(refused(posted_home, request)) == 4


def test_an_effect_that_is_too_small_to_be_seen_is_refused_with_the_size(posted_home):
    request = replace(REQUEST, metric="views", smallest_useful_ratio=1.02)

    (reason,) = refused(posted_home, request)

    assert "posts per arm" in reason
    assert "years at the present pace: ask for a larger one." in reason


def test_posts_that_do_not_vary_cannot_be_planned_by(tmp_path):
    settings = publish_posts(tmp_path, [Posts(count=20, view_spread=0.0)])

    (reason,) = refused(settings, replace(REQUEST, metric="views"))

    assert (
        reason == "All posts of sleepy on tiktok have the same views_72h: no variance to plan by."
    )


def test_a_metric_that_was_always_0_has_no_ratio(tmp_path):
    settings = publish_posts(tmp_path, [Posts(count=20, rate=0.0)])

    (reason,) = refused(settings, REQUEST)

    assert reason.startswith("All posts of sleepy on tiktok have the same engagement_rate_7d")


def test_a_running_experiment_on_the_same_dimension_is_in_the_way(posted_home):
    planned = plan_experiment(posted_home, REQUEST, now=NOW)
    first = register(posted_home, planned, by="ann", now=NOW)

    (reason,) = refused(posted_home, REQUEST)

    assert reason == (
        f"{first.experiment_id} is registered on tiktok and fixes hook_style too: wait for its end "
        "or stop it."
    )
    other = (
        ArmDesign("morning", {"daypart": "morning"}),
        ArmDesign("evening", {"daypart": "evening"}),
    )
    assert plan_experiment(posted_home, replace(REQUEST, arms=other), now=NOW).plan.per_arm


def test_an_account_that_lists_no_formats_may_try_those_of_its_posts(tmp_path):
    settings = publish_posts(
        tmp_path, account_yaml="name: sleepy\nplatform_profiles: {tiktok: sleepy}\n"
    )
    arms = (ArmDesign("a", {"format": "step_guide"}), ArmDesign("b", {"format": "other"}))

    reasons = refused(settings, replace(REQUEST, arms=arms, platform=None))

    assert len(reasons) == 2
    assert "(it lists none yet)" in reasons[0]


def test_an_unknown_account_is_its_own_error(posted_home):
    with pytest.raises(UnknownAccountError):
        plan_experiment(posted_home, replace(REQUEST, account_name="nobody"), now=NOW)


def test_a_folder_without_a_published_copy_is_named(tmp_path: Path):
    settings = Settings(home=tmp_path)
    folder = settings.accounts_dir / ACCOUNT
    folder.mkdir(parents=True)
    (folder / "account.yaml").write_text("name: sleepy\nplatform_profiles: {tiktok: sleepy}\n")
    with pytest.raises(NothingPublishedError):
        plan_experiment(settings, REQUEST, now=NOW)
