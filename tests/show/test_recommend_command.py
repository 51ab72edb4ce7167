"""``afterpost recommend``, through the real weekly job."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.claude_server import KEY, ClaudeServer
from tests.fakes.model_replies import about_the_first
from tests.fakes.published import Effect, add_account, publish

NAMES = ("sleepy", "drowsy")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = Settings(home=tmp_path)
    for name in NAMES:
        add_account(settings, name=name)
    publish(settings, [replace(Effect(effect=1.4), account_name=name) for name in NAMES])
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return tmp_path


def test_all_accounts_and_named_ones_do_not_fit_together(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["recommend", "--all", "--account", "sleepy"]) == 2
    assert "--all and --account" in capsys.readouterr().err


@pytest.mark.slow
def test_all_accounts_are_asked_about_in_one_batch(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with ClaudeServer(about_the_first()) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        assert main(["recommend", "--all", "--batch"]) == 0
    out = capsys.readouterr().out
    for name in NAMES:
        assert f"{name}: 1 new recommendation, written by claude" in out
    (batch,) = server.batching.batches.values()
    assert len(batch.requests) == 2


@pytest.mark.slow
def test_an_account_with_a_broken_file_does_not_keep_the_others_from_theirs(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    (home / "accounts" / "drowsy" / "performance_context.json").write_text("{broken")
    assert main(["recommend"]) == 1
    assert "drowsy" in capsys.readouterr().err
    assert main(["review", "--account", "sleepy", "--json"]) == 0
    assert "step_guide" in capsys.readouterr().out
