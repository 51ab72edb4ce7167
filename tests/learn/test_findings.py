import dataclasses
import json

import pytest

from pipeline.clients.warehouse import reading
from pipeline.learn.findings import Confidence, Direction, Finding, confidence_of, find
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT, Effect, publish, unclear


def found(settings: Settings, *effects: Effect) -> list[Finding]:
    publish(settings, effects)
    with reading(settings) as connection:
        return find(connection, ACCOUNT)


def test_a_clear_effect_is_a_finding_with_its_figures(settings: Settings):
    (finding,) = found(settings, Effect(effect=1.62, spread=1.3, n=47))
    assert finding.direction is Direction.BETTER
    assert finding.sentence == (
        "step_guide posts on tiktok get 1.62× the account's usual views at 7 days "
        "(90 % interval 1.25–2.11, 47 posts)"
    )


def test_noise_gives_no_findings(settings: Settings):
    effects = [unclear(Effect(segment=name)) for name in ("step_guide", "habit_list")]
    assert found(settings, *effects) == []


@pytest.mark.parametrize(
    "weak",
    [
        Effect(q_value=0.06),
        Effect(effect=1.09),
        Effect(effect=0.91),
        Effect(effect=None, q_value=None, verdict="not_enough_data"),
        Effect(account_name="*"),
        Effect(account_name="another"),
        Effect(effect=0.7, verdict="better"),
    ],
)
def test_an_effect_that_is_unsure_small_or_not_the_accounts_own_is_no_finding(
    settings: Settings, weak: Effect
):
    assert found(settings, weak) == []


def test_one_cause_gives_one_finding_by_its_surest_outcome(settings: Settings):
    findings = found(
        settings,
        Effect(outcome="views_72h", effect=1.4),
        Effect(outcome="views_7d", effect=1.9, spread=1.8),
        Effect(outcome="engagement_7d", effect=1.6),
    )
    assert [finding.outcome for finding in findings] == ["engagement_7d"]


def test_saves_and_shares_of_a_format_stay_findings_of_their_own(settings: Settings):
    findings = found(
        settings,
        Effect(),
        Effect(outcome="save_rate_7d"),
        Effect(outcome="share_rate_7d"),
        Effect(outcome="save_rate_7d", dimension="pillar", segment="sleep_routines"),
        Effect(outcome="views_7d", dimension="pillar", segment="sleep_routines"),
    )
    assert sorted((finding.dimension, finding.segment) for finding in findings) == [
        ("format", "step_guide"),
        ("format", "step_guide"),
        ("format", "step_guide"),
        ("pillar", "sleep_routines"),
    ]


def test_findings_are_ranked_by_what_a_step_would_gain_not_by_size(settings: Settings):
    findings = found(
        settings,
        Effect(segment="scripts", effect=2.5, n=2),
        Effect(segment="step_guide", effect=1.5, n=40),
        Effect(segment="habit_list", effect=0.7, n=30),
    )
    assert [finding.segment for finding in findings] == ["step_guide", "habit_list", "scripts"]
    assert all(finding.expected_gain > 0 for finding in findings)


def test_a_format_that_is_every_post_has_nothing_to_gain(settings: Settings):
    (finding,) = found(settings, Effect(n=120, account_n=120))
    assert finding.expected_gain == pytest.approx(0)


def test_the_stored_query_recomputes_the_figures(settings: Settings):
    (finding,) = found(settings, Effect(dimension="slide_count", segment="5"))
    query = json.loads(json.dumps(finding.query))
    with reading(settings) as connection:
        cursor = connection.execute(query["sql"], query["parameters"])
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    assert len(rows) == 1
    for name, value in zip(columns, rows[0], strict=True):
        assert getattr(finding, name) == value


def test_ids_stay_the_same_between_builds(settings: Settings):
    (first,) = found(settings, Effect())
    (second,) = found(settings, Effect(effect=1.5))
    assert first.finding_id == second.finding_id
    assert dataclasses.asdict(first) != dataclasses.asdict(second)


def test_hostile_segment_names_are_only_ever_parameters(settings: Settings):
    name = "x'; drop table stats.segment_effects; --"
    (finding,) = found(settings, Effect(segment=name))
    assert finding.segment == name
    assert name not in finding.query["sql"]


@pytest.mark.parametrize(
    ("effect", "n", "probability", "expected"),
    [
        (1.25, 20, 0.99, Confidence.HIGH),
        (0.80, 20, 0.01, Confidence.HIGH),
        (1.24, 20, 0.99, Confidence.MEDIUM),
        (1.60, 19, 0.999, Confidence.MEDIUM),
        (1.60, 40, 0.95, Confidence.MEDIUM),
        (0.60, 10, 0.05, Confidence.MEDIUM),
        (1.60, 9, 0.999, Confidence.LOW),
        (1.60, 40, 0.94, Confidence.LOW),
        (0.60, 40, 0.99, Confidence.LOW),
    ],
)
def test_confidence_needs_a_sure_sign_a_useful_size_and_posts(effect, n, probability, expected):
    assert confidence_of(effect=effect, n=n, probability_better=probability) is expected
