"""``afterpost predict``: of one post, of all plans, with and without a model."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clients.state_predictions import model_rows, stored_predictions
from pipeline.settings import REPOSITORY, Settings
from pipeline.show.cli.main import main
from tests.fakes.predicted_copy import GOOD, NOW, simulated
from tests.fakes.published import add_account

POST = ["predict", "--account", "sleepy", "--format", GOOD, "--hook", "3 quiet naps"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    for name in ("sleepy", "fresh"):
        add_account(settings, name=name)
    simulated().publish(settings)
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    monkeypatch.setattr("pipeline.clock.utc_now", lambda: NOW)
    return settings


def test_one_post_is_said_with_its_interval_and_the_usual(settings, capsys):
    assert main([*POST, "--pillar", "sleep_routines", "--at", "2026-11-22T18:30"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    # The account's clock is New York's.
    assert "sleepy, tiktok, 2026-11-22 23:30 UTC" in told
    assert "views after 7 days" in told
    assert "engagement rate after 7 days" in told
    assert "in 8 of 10 cases between" in told
    assert "the account's usual" in told
    assert len(stored_predictions(settings)) == 2


def test_a_program_gets_the_figures_and_the_sentence_about_too_few_posts(settings, capsys):
    assert main(["predict", "--account", "fresh", "--json"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert said["interval"]["low"] < said["expected"] < said["interval"]["high"]
    assert said["factors"] == []
    assert said["model"]["name"] == "account_quantiles"
    assert said["note"].startswith("Not enough training data (22 of 50).")
    assert set(said["targets"]) == {"views_7d", "engagement_rate_7d"}


def test_training_first_makes_the_model_that_answers(settings, capsys):
    assert main([*POST, "--train", "--json"]) == 0

    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert "tiktok, views_7d: model" in captured.err
    assert said["model"]["version"] in {row["model_version"] for row in model_rows(settings)}
    named = [one["feature"] for one in said["factors"]]
    assert "format" in named
    assert said["explained_share"] > 0.3


def test_training_alone_says_what_it_did(settings, capsys):
    assert main(["predict", "--train", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [one["target"] for one in told] == ["views_7d", "engagement_rate_7d"]
    assert told[0]["serves"] == ["sleepy"]


def test_planned_posts_are_told_and_those_that_are_over_are_counted(settings, capsys):
    for name, days in (("next", 1), ("over", -3)):
        folder = settings.accounts_dir / "sleepy" / "output" / name
        folder.mkdir(parents=True)
        meta = {"format": GOOD, "date": (NOW + timedelta(days=days)).isoformat()}
        (folder / "meta.json").write_text(json.dumps(meta))

    assert main(["predict", "--planned", "--json"]) == 0
    captured = capsys.readouterr()
    assert main(["predict", "--planned", "--account", "sleepy"]) == 0
    again = capsys.readouterr().out

    assert [one["planned_id"] for one in json.loads(captured.out)] == ["next"]
    assert "1 planned posts are left out" in captured.err
    assert "sleepy, next, tiktok" in again
    assert len(stored_predictions(settings)) == 2


def test_without_plans_there_is_a_word_about_it(settings, capsys):
    assert main(["predict", "--planned"]) == 0
    assert "no planned post" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--format", "nope"], "sleepy has no format 'nope' in its account.yaml: choose from"),
        (["--platform", "x"], "sleepy does not post on 'x': choose from tiktok."),
        (["--at", "soon"], "'soon' is no time"),
        (["--at", "2020-01-01"], "is over: a prediction is made before the post."),
        (["--slides", "99"], "99 slides are not possible"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_one_sentence_and_exit_2(settings, capsys, words, sentence):
    assert main(["predict", "--account", "sleepy", *words]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert stored_predictions(settings) == []


def test_an_answer_without_a_model_needs_no_learning_library(settings):
    code = (
        "import json, sys\n"
        "from pipeline.show.cli.main import main\n"
        "assert main(['predict', '--account', 'sleepy']) == 0\n"
        "sys.stderr.write(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert "sklearn" not in json.loads(result.stderr.splitlines()[-1])
