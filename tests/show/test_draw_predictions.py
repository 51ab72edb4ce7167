"""``afterpost draw --predict``: what briefs are expected to reach, without touching the draw."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients.state_predictions import stored_predictions
from pipeline.errors import PublishedCopyOutdatedError
from pipeline.learn.predict.training import train_models
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.predicted_copy import BAD, GOOD, NOW, simulated
from tests.fakes.published import add_account

DRAW = ["draw", "sleepy", "-n", "20", "--seed", "5"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("drawn"), lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    simulated().publish(settings)
    train_models(settings, NOW, force=True)
    return settings


@pytest.fixture(autouse=True)
def _at_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    monkeypatch.setattr("pipeline.clock.utc_now", lambda: NOW + timedelta(hours=1))


def drawn(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main([*DRAW, *words, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_a_better_format_is_expected_to_reach_more_and_the_draw_stays_the_same(settings, capsys):
    plain = drawn(capsys)
    told = drawn(capsys, "--predict")

    said = {one["format"]: one["prediction"]["targets"]["views_7d"]["expected"] for one in told}
    assert said[GOOD] > 2 * said[BAD]
    assert [{key: one[key] for key in one if key != "prediction"} for one in told] == plain
    assert all("prediction" not in one and "prediction" not in one["stamp"] for one in plain)
    assert {one["prediction"]["planned_id"] for one in told} == {None}
    assert stored_predictions(settings) == []


def test_a_given_time_is_the_one_that_is_predicted(capsys):
    told = drawn(capsys, "--predict", "--at", "2026-11-22T18:30")

    # The account's clock is New York's.
    assert {one["prediction"]["planned_at"] for one in told} == {"2026-11-22T23:30:00Z"}


def test_a_person_reads_one_line_for_each_brief_and_what_it_is_worth_once(capsys):
    assert main([*DRAW, "--predict"]) == 0

    captured = capsys.readouterr()
    assert " ".join(captured.out.split()).count("expected on TikTok at 7 days:") == 20
    assert " ".join(captured.err.split()).count("of the spread around") == 2


def test_without_a_model_for_the_account_there_is_a_word_about_it(capsys):
    assert main(["draw", "fresh", "--predict", "--json"]) == 0

    captured = capsys.readouterr()
    assert "prediction" not in json.loads(captured.out)[0]
    assert "No model serves fresh" in captured.err


def test_what_keeps_a_prediction_from_being_made_keeps_no_brief(settings, capsys, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise PublishedCopyOutdatedError("The published copy is of an older version.")

    monkeypatch.setattr("pipeline.show.cli.draw_predictions.predict_all", fails)

    assert len(drawn(capsys, "--predict")) == 20
    assert main([*DRAW, "--predict", "--json"]) == 0
    assert "older version" in capsys.readouterr().err


def test_before_the_first_build_briefs_are_drawn_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    add_account(Settings(home=tmp_path))
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))

    assert len(drawn(capsys, "--predict")) == 20
