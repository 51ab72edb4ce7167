"""What is frozen at the registration, and that a change of it is noticed."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiment_tables import experiments
from pipeline.clients.state_experiments import experiment_row
from pipeline.learn.experiments.adjusting import Adjustment
from pipeline.learn.experiments.registering import store
from pipeline.learn.experiments.registration import (
    ALIASES,
    METRICS,
    ArmDesign,
    ChangedRegistrationError,
    GuardDesign,
    MetricKind,
    Registration,
    load,
    metric_named,
)
from pipeline.settings import REPOSITORY, Settings

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
REGISTRATION = Registration(
    experiment_id="exp_0123456789ab",
    account_name="sleepy",
    platform="tiktok",
    question="Do “question” hooks work better? 🤔",
    arms=(
        ArmDesign("usual", {"hook_style": "statement"}),
        ArmDesign("question", {"hook_style": "question"}, "Ask what the viewer does."),
    ),
    contrasts=(("usual", "question"),),
    metric="engagement_rate_7d",
    metric_kind=MetricKind.PROPORTION,
    age_hours=168.0,
    smallest_useful_ratio=1.2,
    guards=(GuardDesign("save_rate_7d", 0.9),),
    alpha=0.05,
    power=0.8,
    planned_per_arm=64,
    longest_per_arm=112,
    usual_mean=0.1 + 0.2,
    unit_variance=1 / 3,
    adjustment=Adjustment(0.7, 0.051, 0.9),
    draw_share=1.0,
    seed=2**47 + 1,
    origin="person",
    created_by="ann",
    created_at=NOW,
    warehouse_version="v1",
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def row_of(settings: Settings, experiment_id: str = REGISTRATION.experiment_id) -> dict[str, Any]:
    row = experiment_row(settings, experiment_id)
    assert row is not None
    return row


def stored_otherwise(settings: Settings, **values: Any) -> dict[str, Any]:
    """The row after somebody wrote into the database past everything."""
    with writing_state(settings) as state:
        state.execute(experiments.update().values(**values))
    return row_of(settings)


def test_a_registration_comes_back_from_the_database_as_it_was(settings):
    store(settings, REGISTRATION)

    assert load(row_of(settings)) == REGISTRATION
    assert Registration.from_json(json.loads(json.dumps(REGISTRATION.to_json()))) == REGISTRATION


def test_the_hash_does_not_depend_on_the_order_of_keys():
    content = REGISTRATION.to_json()
    names = list(content)
    random.Random(3).shuffle(names)
    arms = tuple(
        replace(arm, choices={"slide_count": "5", "format": "x"}) for arm in REGISTRATION.arms
    )
    turned = tuple(
        replace(arm, choices={"format": "x", "slide_count": "5"}) for arm in REGISTRATION.arms
    )

    assert Registration.from_json({name: content[name] for name in names}) == REGISTRATION
    assert replace(REGISTRATION, arms=arms).sha256() == replace(REGISTRATION, arms=turned).sha256()


@pytest.mark.parametrize("field", sorted(REGISTRATION.to_json()))
def test_every_field_is_in_the_hash(settings, field):
    store(settings, REGISTRATION)
    content = REGISTRATION.to_json()
    content[field] = [] if isinstance(content[field], list) else "changed"

    with pytest.raises(ChangedRegistrationError, match="changed after it was frozen"):
        load(stored_otherwise(settings, registration=content))


@pytest.mark.parametrize("content", [None, [], "text", {}, {"arms": 1}])
def test_a_registration_that_is_none_any_more_is_a_changed_one(settings, content):
    store(settings, REGISTRATION)

    with pytest.raises(ChangedRegistrationError):
        load(stored_otherwise(settings, registration=content))


def test_a_smaller_useful_effect_written_in_later_is_noticed(settings):
    store(settings, REGISTRATION)
    content = {**REGISTRATION.to_json(), "smallest_useful_ratio": 1.05}

    with pytest.raises(ChangedRegistrationError) as caught:
        load(stored_otherwise(settings, registration=content))
    assert str(caught.value) == (
        "The registration of exp_0123456789ab was changed after it was frozen: its content does "
        "not fit its hash, so nothing can be concluded from it."
    )


@pytest.mark.parametrize(
    "values", [{"platform": "youtube"}, {"account_name": "other"}, {"origin": "gap"}]
)
def test_a_row_that_says_otherwise_than_its_registration_is_a_changed_one(settings, values):
    store(settings, REGISTRATION)

    with pytest.raises(ChangedRegistrationError):
        load(stored_otherwise(settings, **values))


def test_a_content_with_a_hash_of_its_own_but_of_another_experiment_is_a_changed_one(settings):
    store(settings, REGISTRATION)
    other = replace(REGISTRATION, experiment_id="exp_ffffffffffff")

    row = stored_otherwise(
        settings, registration=other.to_json(), registration_sha256=other.sha256()
    )

    with pytest.raises(ChangedRegistrationError):
        load(row)


def test_every_outcome_that_segments_are_compared_by_is_a_metric():
    text = (REPOSITORY / "dbt_project" / "macros" / "outcomes.sql").read_text(encoding="utf-8")

    for name, metric in METRICS.items():
        if metric.kind is MetricKind.COUNT:
            continue
        line = next(line for line in text.splitlines() if f"'{name}'" in line)
        assert f"'age_hours': {metric.age_hours:g}," in line
        assert ("'per'" in line) == (metric.kind is MetricKind.PROPORTION)
    assert text.count("'name':") == len(METRICS) - 1


def test_people_may_write_a_metric_in_many_ways():
    for text in ("engagement_rate", "Engagement Rate", "engagement-rate", "engagement_rate_7d"):
        metric = metric_named(text)
        assert metric is not None
        assert metric.name == "engagement_rate_7d"
    assert metric_named("virality") is None
    assert set(ALIASES.values()) == set(METRICS)


def test_the_smallest_useful_effect_is_on_the_scale_of_the_arms():
    views = replace(
        REGISTRATION, metric="views_72h", metric_kind=MetricKind.CONTINUOUS, usual_mean=9.0
    )

    assert views.smallest_useful == pytest.approx(0.1823, abs=1e-4)
    assert REGISTRATION.smallest_useful == pytest.approx(0.2 * 0.3)
