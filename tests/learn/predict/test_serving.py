"""What is said before a post, by whom, and what is kept of it."""

import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.clients.state import writing_state
from pipeline.clients.state_prediction_tables import reflexion_adjustments
from pipeline.clients.state_predictions import model_rows, sha256_of, stored_predictions
from pipeline.errors import UsageError
from pipeline.learn.predict import model_files
from pipeline.learn.predict.requests import PredictionRequest
from pipeline.learn.predict.serving import predict
from pipeline.learn.predict.training import Trained, registered_version, train_models
from pipeline.learn.predict.warehouse_features import Target
from pipeline.settings import Settings
from tests.fakes.predicted_copy import BAD, DAY, GOOD, NOW, PLATFORM, simulated
from tests.fakes.published import add_account

ASKED = PredictionRequest(
    account="sleepy", platform=PLATFORM, format=GOOD, planned_at=NOW + DAY, slide_count=5
)


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[Trained]]:
    settings = Settings(home=tmp_path_factory.mktemp("trained"), lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    simulated().publish(settings)
    return settings, train_models(settings, NOW)


@pytest.fixture
def trained(trained_home: tuple[Settings, list[Trained]], tmp_path: Path) -> Settings:
    """A copy of the home with models, to write to."""
    home = tmp_path / "home"
    shutil.copytree(trained_home[0].home, home)
    return Settings(home=home, lock_timeout_s=20)


@pytest.fixture
def untrained(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    simulated().publish(settings)
    return settings


def test_the_model_serves_the_account_for_which_it_is_better(trained: Settings):
    good = predict(trained, ASKED, NOW).of(Target.VIEWS)
    bad = predict(trained, replace(ASKED, format=BAD), NOW).of(Target.VIEWS)

    assert good.row is not None
    assert bad.row is not None
    assert good.row["model_version"] is not None
    assert good.row["expected"] > 3 * bad.row["expected"]
    assert bad.row["low"] < bad.row["expected"] < bad.row["high"]
    assert good.row["baseline_expected"] == bad.row["baseline_expected"]
    baseline_width = good.row["baseline_high"] / good.row["baseline_low"]
    assert good.row["high"] / good.row["low"] < baseline_width
    assert good.reason is None
    assert good.explained_share is not None
    assert good.explained_share > 0.3


def test_the_answer_has_the_shape_that_programs_rely_on(trained: Settings):
    said = predict(trained, ASKED, NOW).to_json()

    assert said["target"] == "views_7d"
    assert said["interval"].keys() == {"low", "high", "level"}
    assert said["interval"]["level"] == 0.8
    assert said["baseline"].keys() == {"expected", "low", "high"}
    assert {"expected", "breakout_probability", "model", "explained_share", "note"} <= said.keys()
    assert set(said["targets"]) == {"views_7d", "engagement_rate_7d"}
    named = {one["feature"]: one for one in said["factors"]}
    assert named["format"].keys() == {"feature", "impact", "description"}
    assert f"format {GOOD}" in named["format"]["description"]
    assert not any("unknown" in one["description"].split("(")[0] for one in said["factors"])
    assert 0 <= said["breakout_probability"] <= 1
    assert 0 < said["targets"]["engagement_rate_7d"]["expected"] < 1


def test_too_few_posts_are_said_in_words_and_get_the_baseline(trained: Settings):
    said = predict(trained, replace(ASKED, account="fresh"), NOW)

    one = said.of(Target.VIEWS)
    assert one.row is not None
    known = one.row["features"]["known_posts"]
    assert known < 50
    assert f"Not enough training data ({known} of 50)." in said.to_json()["note"]
    assert one.row["model_version"] is None
    assert one.row["model_name"] == "account_quantiles"
    assert one.row["expected"] == pytest.approx(one.row["baseline_expected"])
    assert one.row["factors"] == []


def test_without_any_model_the_account_gets_its_own_median_and_an_interval_that_covers(
    untrained: Settings,
):
    one = predict(untrained, ASKED, NOW).of(Target.VIEWS)

    assert one.row is not None
    assert one.row["expected"] == pytest.approx(one.row["baseline_expected"])
    assert one.row["high"] / one.row["low"] > 2
    assert one.reason == "no model is fitted yet"
    assert one.row["model_version"] is None
    assert one.row["breakout_threshold"] == pytest.approx(3 * one.row["baseline_expected"])


def test_a_prediction_is_kept_once_a_day_with_its_checksum(untrained: Settings):
    first = predict(untrained, ASKED, NOW)
    again = predict(untrained, ASKED, NOW + timedelta(hours=2))
    other = predict(untrained, replace(ASKED, hook="another hook"), NOW)

    assert [one.is_new for one in first.targets] == [True, True]
    assert [one.is_new for one in again.targets] == [False, False]
    assert [one.is_new for one in other.targets] == [True, True]
    rows = stored_predictions(untrained)
    assert len(rows) == 4
    assert all(sha256_of(row) == row["sha256"] for row in rows)
    assert {row["predicted_at"] for row in rows} == {NOW}


def test_nothing_is_kept_when_nobody_wants_it_to_be(untrained: Settings):
    predict(untrained, ASKED, NOW, store=False)

    assert stored_predictions(untrained) == []


def test_a_post_that_is_out_is_answered_by_a_model_from_before_it(trained: Settings):
    young = replace(ASKED, planned_at=NOW - timedelta(hours=3), post_id="77")

    before = predict(trained, young, NOW).of(Target.VIEWS)
    after = predict(trained, replace(young, planned_at=NOW + DAY), NOW + 2 * DAY).of(Target.VIEWS)

    assert before.row is not None
    assert before.row["model_version"] is None
    assert before.reason == "every model was fitted after the post went out"
    assert after.row is not None
    assert after.row["model_version"] is not None
    assert after.row["planned_at"] == NOW + DAY


def test_a_changed_model_file_is_not_loaded(trained: Settings):
    (row,) = model_rows(trained, platform=PLATFORM, target="views_7d")
    path = trained.warehouse_dir / "models" / f"{row['model_version']}.model"
    path.write_bytes(path.read_bytes() + b"\0")
    model_files._load.cache_clear()

    one = predict(trained, ASKED, NOW).of(Target.VIEWS)

    assert one.row is not None
    assert one.row["model_version"] is None
    assert one.reason is not None
    assert "is not the one that was registered" in one.reason


def test_a_missing_model_file_costs_the_model_until_the_next_training_and_not_the_answer(
    trained: Settings,
):
    for path in (trained.warehouse_dir / "models").iterdir():
        path.unlink()
    model_files._load.cache_clear()

    one = predict(trained, ASKED, NOW).of(Target.VIEWS)

    assert one.row is not None
    assert one.reason is not None
    assert "is missing" in one.reason

    again = train_models(trained, NOW + timedelta(hours=1))

    assert all(fitted.row is not None for fitted in again)
    served = predict(trained, ASKED, NOW + timedelta(hours=2)).of(Target.VIEWS)
    assert served.row is not None
    assert served.row["model_version"] is not None


def test_an_applied_correction_multiplies_what_is_said_and_not_the_baseline(untrained: Settings):
    plain = predict(untrained, ASKED, NOW, store=False).of(Target.VIEWS)
    adjustment = {
        "adjustment_id": "one", "account_name": "sleepy", "platform": PLATFORM,
        "target": "views_7d", "dimension": "format", "segment": GOOD, "factor": 0.8,
        "proposed_at": NOW - DAY, "status": "applied", "applied_at": NOW - DAY, "ended_at": None,
        "evidence": {}, "recommendation_id": None,
    }  # fmt: skip
    proposed = {**adjustment, "adjustment_id": "two", "status": "proposed", "applied_at": None}
    with writing_state(untrained) as state:
        state.execute(reflexion_adjustments.insert(), [adjustment, proposed])

    corrected = predict(untrained, ASKED, NOW, store=False).of(Target.VIEWS)
    other = predict(untrained, replace(ASKED, format=BAD), NOW, store=False).of(Target.VIEWS)

    assert plain.row is not None
    assert corrected.row is not None
    assert other.row is not None
    assert corrected.row["expected"] == pytest.approx(0.8 * plain.row["expected"], rel=1e-3)
    assert corrected.row["features"]["reflexion_weight"] == 0.8
    assert corrected.row["baseline_expected"] == plain.row["baseline_expected"]
    assert other.row["expected"] == plain.row["expected"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform": "x"}, "sleepy does not post on 'x': choose from tiktok."),
        ({"format": "nope"}, "no format 'nope'"),
        ({"pillar": "nope"}, "no pillar 'nope'"),
        ({"cta": "nope"}, "no cta 'nope' in its account.yaml: it lists none."),
        ({"hook_style": "loud"}, "There is no hook style 'loud'"),
        ({"media_type": "song"}, "There is no media type 'song'"),
        ({"slide_count": 0}, "0 slides are not possible"),
        ({"planned_at": NOW - DAY}, "is over: a prediction is made before the post."),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    untrained: Settings, changes: dict[str, Any], words: str
):
    with pytest.raises(UsageError) as raised:
        predict(untrained, replace(ASKED, **changes), NOW)

    assert words in str(raised.value)
    assert stored_predictions(untrained) == []


def test_training_registers_what_it_learned_and_how_it_did(
    trained_home: tuple[Settings, list[Trained]],
):
    settings, told = trained_home

    rows = model_rows(settings)

    assert [(one.platform, one.target) for one in told] == [(PLATFORM, one) for one in Target]
    assert {row["target"] for row in rows} == {"views_7d", "engagement_rate_7d"}
    views = next(row for row in rows if row["target"] == "views_7d")
    version = registered_version(views)
    assert views["serves"] == ["sleepy"]
    assert version.loss_below_baseline_share > 0.2
    assert version.training_post_count == views["post_count"]
    assert views["figures"]["accounts"]["sleepy"]["coverage"] > 0.6
    assert views["training_from"] < views["training_to"] <= NOW
    assert sum(version.weights.values()) == pytest.approx(1.0)


def test_a_model_is_fitted_anew_after_a_week_and_not_before(trained: Settings):
    soon = train_models(trained, NOW + 6 * DAY)
    assert all("is not due" in one.line for one in soon)
    assert len(model_rows(trained)) == 2

    # The same hour a week later, less the seconds that the last run took to begin.
    late = train_models(trained, NOW + 7 * DAY - timedelta(seconds=9))

    assert all(one.row is not None for one in late)
    assert len(model_rows(trained)) == 4


def test_an_outcome_that_a_later_copy_brings_counts_though_it_was_seen_before_the_training(
    untrained: Settings,
):
    copy = simulated()
    train_models(untrained, NOW)
    before = predict(untrained, ASKED, NOW, store=False).of(Target.VIEWS)
    known = {one["post_id"] for one in copy.outcomes}
    late = next(post for post in copy.posts if post["post_id"] not in known)
    post = {name: late[name] for name in ("account_name", "platform", "post_id")}
    copy.snapshots.append(
        {**copy.snapshots[0], **post, "scraped_at": NOW - timedelta(minutes=5), "age_hours": 170.0}
    )
    copy.outcomes.append({**post, "outcome": "views_7d", "value": 1000.0})
    copy.publish(untrained)

    after = predict(untrained, ASKED, NOW, store=False).of(Target.VIEWS)

    assert late["account_name"] == "sleepy"
    assert before.row is not None
    assert after.row is not None
    assert after.row["model_version"] == before.row["model_version"]
    assert after.row["features"]["known_posts"] == before.row["features"]["known_posts"] + 1


def test_an_account_with_too_few_posts_gets_no_model(tmp_path: Path):
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    add_account(settings)
    simulated({"sleepy": 46}).publish(settings)

    told = train_models(settings, NOW)

    assert told[0].line == (
        "tiktok, views_7d: not enough training data (32 of 50 in the largest account)."
    )
    assert model_rows(settings) == []
    assert not (settings.warehouse_dir / "models").exists()


def test_the_same_posts_give_the_same_prediction_in_another_home(
    trained: Settings, untrained: Settings
):
    train_models(untrained, NOW)

    one, other = (predict(home, ASKED, NOW, store=False) for home in (trained, untrained))

    assert one.to_json() == other.to_json()


def test_numbers_that_are_not_known_are_null_in_what_is_kept(untrained: Settings):
    predict(untrained, ASKED, NOW)

    features = stored_predictions(untrained)[0]["features"]

    assert features["text_length_characters"] is None
    assert features["trend_velocity"] is None
    assert features["slide_count"] == 5
    assert features["follower_count_log10"] == pytest.approx(np.log10(5001))


def test_an_answer_takes_less_than_a_twentieth_of_a_second_of_work(trained: Settings):
    durations = []
    for number in range(7):
        request = replace(ASKED, hook=f"hook {number}")
        start = time.process_time()
        predict(trained, request, NOW)
        durations.append(time.process_time() - start)

    # The first one reads the warehouse and the models.
    assert min(durations[1:]) < 0.05
    assert len(stored_predictions(trained)) == 14
