import math
from typing import Any

import pytest

from pipeline.accounts import load_account
from pipeline.clients.warehouse import reading
from pipeline.decide.changes import approved_document
from pipeline.learn.exploration import Exploration, exploration_finding, explore
from pipeline.learn.findings import Confidence
from pipeline.learn.pace import posts_per_week
from pipeline.learn.patterns import learning_patterns
from pipeline.learn.recommend import recommend
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.thompson import PRIOR
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT, Effect, publish, unclear
from tests.fakes.recommendations import NEUTRAL, NOW

FORMATS = ("step_guide", "habit_list", "scripts")


def explored(settings: Settings, *effects: Effect) -> Exploration:
    publish(settings, effects)
    with reading(settings) as connection:
        return explore(connection, ACCOUNT, FORMATS)


def early(segment: str, effect: float, **values: Any) -> Effect:
    return Effect(segment=segment, effect=effect, outcome="views_72h", age_hours=72, **values)


def test_a_format_without_figures_keeps_the_prior(settings: Settings):
    found = explored(settings, early("step_guide", 1.4), early("habit_list", 0.7))
    assert found.posteriors["scripts"] == PRIOR
    better, worse = found.posteriors["step_guide"], found.posteriors["habit_list"]
    assert better[0] > 0 > worse[0]
    assert better[1] < PRIOR[1]
    assert load_account(settings.accounts_dir, ACCOUNT).formats[0].name in found.to_json()


def test_the_posterior_is_the_precision_weighted_mean_with_the_prior(settings: Settings):
    found = explored(
        settings, early("step_guide", 1.4, spread=1.2), early("habit_list", 1 / 1.4, spread=1.2)
    )
    error = math.log(1.2) / 1.645
    precision = 1 / error**2
    variance = 1 / (1 / 0.25**2 + precision)
    mean, sd = found.posteriors["step_guide"]
    assert mean == pytest.approx(variance * precision * math.log(1.4), abs=1e-4)
    assert sd == pytest.approx(math.sqrt(variance), abs=1e-4)


def test_early_views_count_before_rates_and_every_platform_counts(settings: Settings):
    alone = explored(settings, early("step_guide", 1.3), early("habit_list", 0.8))
    with_rate = explored(
        settings,
        early("step_guide", 1.3),
        early("habit_list", 0.8),
        Effect(segment="step_guide", effect=0.5, outcome="engagement_rate_7d"),
        Effect(segment="habit_list", effect=2.0, outcome="engagement_rate_7d"),
    )
    assert with_rate.posteriors == alone.posteriors
    both = explored(
        settings,
        early("step_guide", 1.3),
        early("habit_list", 0.8),
        early("step_guide", 1.3, platform="instagram"),
        early("habit_list", 0.8, platform="instagram"),
    )
    assert both.posteriors["step_guide"][1] < alone.posteriors["step_guide"][1]
    assert both.posteriors["step_guide"][0] > alone.posteriors["step_guide"][0]


def test_newer_figures_are_proposed_when_they_matter_and_nothing_else_is(settings: Settings):
    hints = [
        unclear(early("step_guide", 1.3)),
        unclear(early("habit_list", 0.8)),
    ]
    found = explored(settings, early("step_guide", 1.3), early("habit_list", 0.8))
    finding = exploration_finding(found, ACCOUNT, NEUTRAL)
    assert finding is not None
    assert (finding.segment, finding.confidence) == ("step_guide", Confidence.LOW)
    known = {**NEUTRAL, "exploration": {"posteriors": found.to_json()}}
    assert exploration_finding(found, ACCOUNT, known) is None
    assert exploration_finding(Exploration({}, []), ACCOUNT, NEUTRAL) is None
    nothing = explored(settings, *hints)
    assert exploration_finding(nothing, ACCOUNT, NEUTRAL) is None


def test_an_approval_brings_the_newer_figures_along(settings: Settings):
    publish(settings, [early("step_guide", 1.6), early("habit_list", 1.02, q_value=0.9)])
    (made,) = recommend(settings, ACCOUNT, now=NOW).recommendations
    assert made.category is Category.FORMAT_WEIGHT
    after, _ = approved_document(made, NEUTRAL, now=NOW)
    assert after["exploration"]["posteriors"] == made.format_posteriors
    assert set(after["exploration"]["posteriors"]) == set(FORMATS)
    assert made.posts_per_week == posts_a_week(settings)


def posts_a_week(settings: Settings) -> float:
    with reading(settings) as connection:
        return posts_per_week(connection, ACCOUNT)["tiktok"]


def test_the_pace_is_of_the_last_weeks(settings: Settings):
    publish(settings, [])
    # Eighteen posts on six days; a week is the least that is counted.
    assert posts_a_week(settings) == 18.0
    with reading(settings) as connection:
        assert posts_per_week(connection, "nobody") == {}


def test_patterns_list_what_does_better_under_the_source_documents_keys(settings: Settings):
    publish(
        settings,
        [
            Effect(dimension="pillar", segment="sleep", effect=1.5),
            Effect(dimension="slide_count", segment="7", effect=1.3),
            Effect(dimension="daypart", segment="evening", effect=1.2),
            Effect(dimension="hook_style", segment="question", effect=1.4),
            Effect(dimension="hook_style", segment="how_to", effect=0.6),
            unclear(Effect(dimension="pillar", segment="eating")),
        ],
    )
    with reading(settings) as connection:
        (pattern,) = learning_patterns(connection, ACCOUNT)
    assert pattern.pattern_type == "tiktok:views_7d"
    told = {key: [one["segment"] for one in found] for key, found in pattern.pattern_data.items()}
    assert told == {
        "common_topics": ["sleep"],
        "optimal_length": ["7"],
        "best_posting_time": ["evening"],
        "effective_hooks": ["question"],
    }  # fmt: skip
    assert 0 < (pattern.performance_correlation or 0) < 1
    assert pattern.confidence_level == pytest.approx(0.999)
    with reading(settings) as connection:
        assert learning_patterns(connection, "nobody") == []
